/** The models that could be used now. */
import { OlaError } from '../../core/errors.ts';
import { parseModelReference, readingsOf } from '../../core/models.ts';
import { didYouMean, nearestNames } from '../../core/nearest.ts';
import type { CatalogModel } from '../../core/providers.ts';
import type { ActiveProvider, Registry } from './registry.ts';

/** OpenAI's model object, with the sizes where they are known. */
export interface ModelView {
  readonly id: string;
  readonly object: 'model';
  /** Seconds; vendors do not say, so it is the start of the Unix epoch. */
  readonly created: 0;
  readonly owned_by: string;
  readonly context_window?: number;
  readonly max_output_tokens?: number;
}

/** Models that a provider named when it was asked, for one that asks its models. */
export type AskedModels = (provider: ActiveProvider) => readonly CatalogModel[];

export function listModels(registry: Registry, asked: AskedModels): ModelView[] {
  const views: ModelView[] = [];
  for (const provider of registry.active.values()) {
    for (const { id, contextWindow, maxTokens } of [...provider.models, ...asked(provider)]) {
      views.push({
        id: `${provider.id}/${id}`,
        object: 'model',
        created: 0,
        owned_by: provider.id,
        ...(contextWindow === undefined ? {} : { context_window: contextWindow }),
        ...(maxTokens === undefined ? {} : { max_output_tokens: maxTokens }),
      });
    }
  }
  return views;
}

export interface ModelFacts {
  readonly registry: Registry;
  readonly asked: AskedModels;
  /** Frees a provider id of its aliases. */
  readonly canonicalId: (id: string) => string;
}

/** @throws OlaError `model_not_found` */
export function findModel(name: string, { registry, asked, canonicalId }: ModelFacts): ModelView {
  const views = listModels(registry, asked);
  for (const reading of readingsOf(name)) {
    const { provider, model } = parseModelReference(reading);
    const full = provider === null ? null : `${canonicalId(provider)}/${model}`;
    const bare = views.filter(({ id, owned_by }) => id === `${owned_by}/${reading}`);
    const found = views.find(({ id }) => id === full) ?? (bare.length === 1 ? bare[0] : undefined);
    if (found !== undefined) return found;
  }
  const ids = views.map(({ id }) => id);
  const near = nearestNames(name, ids, 3);
  const message = `'${name}' is not among the models that can be used.${didYouMean(near)} GET /v1/models lists them.`;
  throw new OlaError('model_not_found', message, { param: 'model', details: { candidates: near } });
}
