/** Suggestions for a model reference that leads to no model. Pure. */
import type { Catalog } from '../../catalog/lookup.ts';
import { didYouMean, nearestNames } from '../../core/nearest.ts';
import type { AskedModels } from './models.ts';
import type { ActiveProvider, Registry } from './registry.ts';

/** Suggestions in one message. */
const most = 3;

export interface Suggestions {
  /** A question for the end of a message; empty without candidates. */
  readonly question: string;
  /** Model references that can be asked for. */
  readonly candidates: readonly string[];
}

const none: Suggestions = { question: '', candidates: [] };

function suggestions(candidates: readonly string[]): Suggestions {
  return { question: didYouMean(candidates), candidates };
}

/** The same model of a provider whose name is like the unknown one: of those that can be used, else of the others. */
export function nearestProviders(id: string, model: string, facts: { registry: Registry; catalog: Catalog }): Suggestions {
  const { active, inactive } = facts.registry;
  if (inactive.has(id) || facts.catalog.anyProvider(id) !== null) return none;
  const usable = nearestNames(id, active.keys(), most);
  const ids = usable.length > 0 ? usable : nearestNames(id, inactive.keys(), most);
  return suggestions(ids.map((each) => `${each}/${model}`));
}

/** Models of one provider, or of all: their names without the provider are compared. */
export function nearestModels(model: string, providers: Iterable<ActiveProvider>, asked: AskedModels): Suggestions {
  const byName = new Map<string, string[]>();
  for (const provider of providers) {
    for (const { id } of [...provider.models, ...asked(provider)]) {
      byName.set(id, [...(byName.get(id) ?? []), `${provider.id}/${id}`]);
    }
  }
  const names = nearestNames(model, byName.keys(), most);
  return suggestions(names.flatMap((name) => byName.get(name) ?? []).slice(0, most));
}
