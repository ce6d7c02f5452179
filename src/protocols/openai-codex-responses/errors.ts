/** Errors of ChatGPT's backend: limits of the plan, with the time of their end. Pure. */
import { isObject } from '../../core/json.ts';
import type { ReadHeader, UpstreamFailure } from '../../core/protocol.ts';
import { parsed, withoutFrame } from '../failure-words.ts';

/**
 * A limit that says when it ends, but not in how many seconds: `resets_at` counts seconds since 1970, by the clock of the answer.
 * @param failure as OpenAI's API tells it
 */
export function withReset(failure: UpstreamFailure, header: ReadHeader, body: string): UpstreamFailure {
  if (failure.kind !== 'rate_limit' || failure.retryAfterMs !== null) return failure;
  const value = parsed(withoutFrame(body));
  const error: unknown = isObject(value) ? value['error'] : null;
  const at: unknown = isObject(error) ? error['resets_at'] : null;
  const now = Date.parse(header('date') ?? '');
  const isAhead = typeof at === 'number' && Number.isFinite(at) && at * 1000 > now;
  return isAhead ? { ...failure, retryAfterMs: at * 1000 - now } : failure;
}
