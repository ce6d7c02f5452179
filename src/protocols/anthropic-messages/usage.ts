/** The `usage` object of Anthropic's API, both ways (https://docs.claude.com/en/api/messages). */
import { isObject } from '../../core/json.ts';
import { noTokenCounts, type TokenCounts } from '../../core/usage.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Anthropic's `input_tokens` leave out the tokens that the cache was asked for: the prompt is the sum of all three. */
export function readUsage(usage: unknown): TokenCounts {
  if (!isObject(usage)) return noTokenCounts;
  const cacheRead = count(usage['cache_read_input_tokens']);
  const cacheWrite = count(usage['cache_creation_input_tokens']) ?? writtenByLife(usage['cache_creation']);
  const input = count(usage['input_tokens']);
  const details = usage['output_tokens_details'];
  const creation = usage['cache_creation'];
  const hour = isObject(creation) ? count(creation['ephemeral_1h_input_tokens']) : null;
  return {
    prompt: input === null ? null : input + (cacheRead ?? 0) + (cacheWrite ?? 0),
    completion: count(usage['output_tokens']),
    cacheRead,
    cacheWrite,
    ...(hour === null ? {} : { cacheWriteHour: hour }),
    reasoning: isObject(details) ? count(details['thinking_tokens']) : null,
  };
}

/** The counts of `message_delta` are totals: they replace those of `message_start`, unless they are null. */
export function mergeUsage(before: Fields, after: unknown): Fields {
  if (!isObject(after)) return before;
  const told = Object.entries(after).filter(([, value]) => value !== null && value !== undefined);
  return { ...before, ...Object.fromEntries(told) };
}

/** Anthropic's clients expect both counts in every answer: one that is not known is 0. */
export function writeUsage({ prompt, completion, cacheRead, cacheWrite, cacheWriteHour: hour, reasoning }: TokenCounts): Fields {
  const short = Math.max(0, (cacheWrite ?? 0) - (hour ?? 0));
  return {
    input_tokens: Math.max(0, (prompt ?? 0) - (cacheRead ?? 0) - (cacheWrite ?? 0)),
    ...(cacheWrite === null ? {} : { cache_creation_input_tokens: cacheWrite }),
    ...(hour === undefined ? {} : { cache_creation: { ephemeral_5m_input_tokens: short, ephemeral_1h_input_tokens: hour } }),
    ...(cacheRead === null ? {} : { cache_read_input_tokens: cacheRead }),
    output_tokens: completion ?? 0,
    ...(reasoning === null ? {} : { output_tokens_details: { thinking_tokens: reasoning } }),
  };
}

/** The tokens written to the cache, where they are told by their time to live alone. */
function writtenByLife(creation: unknown): number | null {
  if (!isObject(creation)) return null;
  const short = count(creation['ephemeral_5m_input_tokens']);
  const long = count(creation['ephemeral_1h_input_tokens']);
  return short === null && long === null ? null : (short ?? 0) + (long ?? 0);
}

function count(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}
