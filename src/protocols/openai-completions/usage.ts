/** The `usage` object of OpenAI's API and its vendors' spellings. */
import { isObject } from '../../core/json.ts';
import { noTokenCounts, type TokenCounts } from '../../core/usage.ts';

/**
 * Images and audio count `input_tokens` and `output_tokens`. Cached tokens stand in three places: OpenAI's details,
 * DeepSeek's hit count, Moonshot's top level.
 */
export function readUsage(usage: unknown): TokenCounts {
  if (!isObject(usage)) return noTokenCounts;
  const prompt = isObject(usage['prompt_tokens_details']) ? usage['prompt_tokens_details'] : {};
  const completion = isObject(usage['completion_tokens_details']) ? usage['completion_tokens_details'] : {};
  return {
    prompt: count(usage['prompt_tokens']) ?? count(usage['input_tokens']),
    completion: count(usage['completion_tokens']) ?? count(usage['output_tokens']),
    cacheRead: count(prompt['cached_tokens']) ?? count(usage['prompt_cache_hit_tokens']) ?? count(usage['cached_tokens']),
    cacheWrite: count(prompt['cache_write_tokens']),
    reasoning: count(completion['reasoning_tokens']),
  };
}

/** A number of tokens, or null for anything that is not one. */
function count(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}
