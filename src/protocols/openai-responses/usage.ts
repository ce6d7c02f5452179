/** The `usage` object of OpenAI's responses, both ways. */
import { isObject } from '../../core/json.ts';
import { noTokenCounts, type TokenCounts } from '../../core/usage.ts';
import type { Fields } from './members.ts';

/** Input tokens include those of the cache, output tokens those of reasoning. */
export function readUsage(usage: unknown): TokenCounts {
  if (!isObject(usage)) return noTokenCounts;
  const input = isObject(usage['input_tokens_details']) ? usage['input_tokens_details'] : {};
  const output = isObject(usage['output_tokens_details']) ? usage['output_tokens_details'] : {};
  return {
    prompt: count(usage['input_tokens']),
    completion: count(usage['output_tokens']),
    cacheRead: count(input['cached_tokens']),
    cacheWrite: count(input['cache_write_tokens']),
    reasoning: count(output['reasoning_tokens']),
  };
}

/** Official SDKs expect every count of an answer: one that is not known is 0. @returns null where none is known */
export function writeUsage({ prompt, completion, cacheRead, cacheWrite, reasoning }: TokenCounts): Fields | null {
  if (prompt === null && completion === null) return null;
  const written = cacheWrite === null ? {} : { cache_write_tokens: cacheWrite };
  return {
    input_tokens: prompt ?? 0,
    input_tokens_details: { cached_tokens: cacheRead ?? 0, ...written },
    output_tokens: completion ?? 0,
    output_tokens_details: { reasoning_tokens: reasoning ?? 0 },
    total_tokens: (prompt ?? 0) + (completion ?? 0),
  };
}

/** A number of tokens, or null for anything that is not one. */
function count(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}
