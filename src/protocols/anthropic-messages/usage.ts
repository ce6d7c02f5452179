/** The `usage` object of Anthropic's Messages API. */
import { isObject } from '../../core/json.ts';
import { noTokenCounts, type TokenCounts } from '../../core/usage.ts';

export type UsageFields = Readonly<Record<string, unknown>>;

/** `input_tokens` counts the prompt without the parts that were read from the cache or written to it. */
export function readUsage(usage: unknown): TokenCounts {
  if (!isObject(usage)) return noTokenCounts;
  const details = isObject(usage['output_tokens_details']) ? usage['output_tokens_details'] : {};
  const cacheRead = count(usage['cache_read_input_tokens']);
  const cacheWrite = count(usage['cache_creation_input_tokens']);
  return {
    prompt: sum([count(usage['input_tokens']), cacheRead, cacheWrite]),
    completion: count(usage['output_tokens']),
    cacheRead,
    cacheWrite,
    reasoning: count(details['thinking_tokens']),
  };
}

/** The counts of `message_delta` are totals: they replace those of `message_start`, where they say something. */
export function mergeUsage(before: UsageFields, after: unknown): UsageFields {
  if (!isObject(after)) return before;
  const told = Object.entries(after).filter(([, value]) => value !== null && value !== undefined);
  return { ...before, ...Object.fromEntries(told) };
}

/** Null when none of the numbers is known. */
function sum(counts: readonly (number | null)[]): number | null {
  const known = counts.filter((each) => each !== null);
  return known.length === 0 ? null : known.reduce((total, each) => total + each, 0);
}

/** A number of tokens, or null for anything that is not one. */
function count(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}
