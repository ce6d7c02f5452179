/** The token counts of Converse (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html). */
import { isObject } from '../../core/json.ts';
import { noTokenCounts, type TokenCounts } from '../../core/usage.ts';

/** Converse's `inputTokens` leave out those of the cache: the prompt is the sum of all three. It does not tell reasoning apart. */
export function readUsage(usage: unknown): TokenCounts {
  if (!isObject(usage)) return noTokenCounts;
  // The names with `Count` are those of the first versions.
  const cacheRead = count(usage['cacheReadInputTokens']) ?? count(usage['cacheReadInputTokenCount']);
  const cacheWrite = count(usage['cacheWriteInputTokens']) ?? count(usage['cacheWriteInputTokenCount']);
  const input = count(usage['inputTokens']);
  const hour = writtenForAnHour(usage['cacheDetails']);
  return {
    prompt: input === null ? null : input + (cacheRead ?? 0) + (cacheWrite ?? 0),
    completion: count(usage['outputTokens']),
    cacheRead,
    cacheWrite,
    ...(hour === null ? {} : { cacheWriteHour: hour }),
    reasoning: null,
  };
}

/** Tokens written to the cache, by their time to live: `[{ttl: "1h", inputTokens: 8}]`. */
function writtenForAnHour(details: unknown): number | null {
  if (!Array.isArray(details)) return null;
  const hours = details.map((each: unknown) => (isObject(each) && each['ttl'] === '1h' ? count(each['inputTokens']) : null));
  const told = hours.filter((each) => each !== null);
  return told.length === 0 ? null : told.reduce((sum, each) => sum + each, 0);
}

function count(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}
