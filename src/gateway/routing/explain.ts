/** How a model would be called now, as data for people: every credential in its order, and why others are not used. Pure. */
import { OlaError } from '../../core/errors.ts';
import { parseModelReference } from '../../core/models.ts';
import type { PassedOver } from '../../credentials/resolve.ts';
import type { Cooldowns, Standing } from './cooldowns.ts';
import { wordsOf } from './passed-over.ts';
import {
  type Attempt,
  type FailedAttempt,
  fallbacksOf,
  nextAttempt,
  type Plan,
  planOf,
  type RoutingInputs,
  type Wanted,
} from './routing.ts';

export interface Explanation {
  /** The provider and its model that the name leads to; null when it leads to none. */
  readonly provider: string | null;
  readonly model: string | null;
  /** In the order in which they would be made; then those that cool down. */
  readonly attempts: readonly ExplainedAttempt[];
  readonly passed: readonly PassedCredential[];
  /** The models that the configuration names for this one. */
  readonly fallbacks: readonly { readonly name: string; readonly why: string | null }[];
  /** Attempts that one call may make. */
  readonly mostAttempts: number;
  /** The error that a call would get before anything is sent; null when a call would be sent. */
  readonly problem: OlaError | null;
}

export interface ExplainedAttempt {
  readonly provider: string;
  readonly model: string;
  /** `profile:ID`, `env:NAME`, `provider-config`, `none`. */
  readonly source: string;
  readonly standing: Standing;
  /** Milliseconds since 1970; null for one that does not cool down. */
  readonly readyAt: number | null;
}

/** A credential that is not used, and why. */
export interface PassedCredential extends PassedOver {
  readonly provider: string;
  /** The end of a sentence that begins with the credential. */
  readonly why: string;
}

export function explain(wanted: Wanted, facts: RoutingInputs, cooldowns: Cooldowns): Explanation {
  try {
    const plan = planOf(wanted, facts);
    return { ...explained(plan, wanted, facts, cooldowns), problem: null };
  } catch (problem) {
    if (!(problem instanceof OlaError)) throw problem;
    const { provider } = parseModelReference((wanted.name ?? '').trim());
    const id = provider === null ? null : facts.catalog.canonicalId(provider);
    const why = id === null ? null : facts.registry.why(id);
    const passed = passedOf(id ?? '', why?.passed ?? []);
    const { mostAttempts } = facts.fallback;
    return { provider: id, model: null, attempts: [], passed, fallbacks: [], mostAttempts, problem };
  }
}

function explained(plan: Plan, wanted: Wanted, facts: RoutingInputs, cooldowns: Cooldowns): Omit<Explanation, 'problem'> {
  const { provider, model, attempts, mostAttempts } = plan;
  const made = inOrder(plan, cooldowns);
  const rest = attempts.filter((attempt) => !made.includes(attempt));
  const name = (wanted.name ?? '').trim() || (facts.defaultModel ?? '');
  const fallbacks = fallbacksOf({ name, provider: provider.id, model, operation: wanted.operation }, wanted, facts);
  const providers = new Set(attempts.map((attempt) => attempt.provider));
  return {
    provider: provider.id,
    model,
    attempts: [...made, ...rest].map((attempt) => view(attempt, cooldowns)),
    passed: [...providers].flatMap(({ id, passed }) => passedOf(id, passed)),
    fallbacks: fallbacks.map(({ name: fallback, why }) => ({ name: fallback, why })),
    mostAttempts,
  };
}

/** A credential that several endpoints pass over is named once. */
function passedOf(provider: string, passed: readonly PassedOver[]): PassedCredential[] {
  const bySource = new Map(passed.map((each) => [`${each.source} ${each.reason}`, each]));
  return [...bySource.values()].map((each) => ({ ...each, provider, why: wordsOf(each) }));
}

/** The attempts of a call of which each would fail. */
function inOrder(plan: Plan, cooldowns: Cooldowns): Attempt[] {
  const failed: FailedAttempt[] = [];
  const everyAttempt = { ...plan, mostAttempts: plan.attempts.length };
  for (;;) {
    const attempt = nextAttempt(everyAttempt, failed, cooldowns.standing);
    if (attempt === null) return failed.map((each) => each.attempt);
    failed.push({ attempt, next: 'other' });
  }
}

function view({ provider, model, cooledAs }: Attempt, cooldowns: Cooldowns): ExplainedAttempt {
  const standing = cooldowns.standing(cooledAs);
  const readyAt = standing === 'cooling' ? cooldowns.readyAt(cooledAs) : null;
  return { provider: provider.id, model, source: cooledAs.source, standing, readyAt };
}
