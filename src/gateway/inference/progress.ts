/** The facts that are gathered while a call runs, and the usage row that they end in. */
import { catalogVersion } from '../../catalog/models.ts';
import type { OlaError } from '../../core/errors.ts';
import type { ClientRoute, Peek } from '../../core/protocol.ts';
import type { AttemptRecord, TokenCounts, UsageRow } from '../../core/usage.ts';
import type { Reservation } from '../access/limits.ts';
import type { FailedAttempt, Plan } from '../routing/routing.ts';
import type { InferenceCall } from './call.ts';
import type { AttemptFailure } from './failures.ts';
import type { LiveCall } from './live-calls.ts';
import { costMicros } from './pricing.ts';

/** An attempt that came to nothing. */
export interface Failed extends FailedAttempt, AttemptFailure {
  readonly milliseconds: number;
}

export interface Progress extends LiveCall {
  readonly call: InferenceCall;
  readonly route: ClientRoute;
  readonly peek: Peek;
  plan: Plan | null;
  /** The attempt that answers, or the newest that was made. */
  attempt: Plan['attempts'][0] | null;
  reservation: Reservation | null;
  /** The key of its conversation; null where it has none, or where nobody asked. */
  conversation: string | null;
  readonly failed: Failed[];
  firstByteAt: number | null;
  settled: boolean;
}

/** Characters. */
const longestStop = 64;

export interface CallEnd {
  /** Null: the answer is complete. */
  readonly error: OlaError | null;
  readonly tokens: TokenCounts;
  /** The upstream's own word for the end of its answer, where ola does not know it. */
  readonly stop: string | null;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export function usageRowOf({ call, route, peek, plan, attempt, failed, firstByteAt }: Progress, end: CallEnd): UsageRow {
  const { error, tokens, stop, at } = end;
  const cost = costMicros((attempt ?? plan)?.price, tokens);
  return {
    startedAt: call.startedAt,
    requestId: call.requestId,
    subject: call.principal.subject,
    tokenId: call.principal.tokenId,
    project: call.principal.project,
    client: call.client,
    endpoint: route.path,
    requested: peek.model ?? '',
    provider: attempt?.provider.id ?? null,
    model: attempt?.model ?? null,
    profile: attempt?.candidate.profile ?? null,
    source: attempt?.candidate.source ?? null,
    stream: peek.stream,
    status: error?.status ?? 200,
    error: error?.code ?? null,
    ...(stop === null ? {} : { stop: stop.slice(0, longestStop) }),
    tokens,
    costMicros: cost,
    priceVersion: cost === null ? null : catalogVersion,
    // The clock may have been set back meanwhile.
    firstByteMs: firstByteAt === null ? null : Math.max(0, firstByteAt - call.startedAt),
    latencyMs: Math.max(0, at - call.startedAt),
    attempts: failed.length === 0 ? null : failed.map(recordOf),
  };
}

function recordOf({ attempt, error, status, milliseconds }: Failed): AttemptRecord {
  return {
    provider: attempt.provider.id,
    model: attempt.model,
    source: attempt.candidate.source,
    status,
    error: error.code,
    milliseconds,
  };
}
