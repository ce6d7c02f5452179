/** Counts of tokens as OpenAI's API tells them. */
import type { TokenCounts } from '../../core/usage.ts';
import type { Fields } from './members.ts';

/** @returns null where no count is known. An unknown one is left out, as 0 would be a statement. */
export function usageOf({ prompt, completion, cacheRead, cacheWrite, reasoning }: TokenCounts): Fields | null {
  const ofPrompt = known({ cached_tokens: cacheRead, cache_write_tokens: cacheWrite });
  const ofCompletion = known({ reasoning_tokens: reasoning });
  const total = prompt === null || completion === null ? null : prompt + completion;
  return known({
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: total,
    prompt_tokens_details: ofPrompt,
    completion_tokens_details: ofCompletion,
  });
}

function known(fields: Fields): Fields | null {
  const entries = Object.entries(fields).filter(([, value]) => value !== null);
  return entries.length === 0 ? null : Object.fromEntries(entries);
}
