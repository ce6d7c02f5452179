/** OpenAI chat completions, from an upstream: what a whole answer must be, and what it used. */
import { OlaError } from '../../core/errors.ts';
import { isObject, isTooDeep } from '../../core/json.ts';
import type { TokenCounts } from '../../core/usage.ts';
import { readUsage } from './usage.ts';

/**
 * Checks an answer that will be passed on as it is.
 * @throws OlaError `provider_error` when it is not a chat completion
 */
export function readAnswer(text: string, provider: string): TokenCounts {
  let answer: unknown;
  if (isTooDeep(text)) throw new OlaError('provider_error', `Provider '${provider}' answered JSON that is nested too deeply.`);
  try {
    answer = JSON.parse(text);
  } catch {
    throw new OlaError('provider_error', `Provider '${provider}' answered something that is not JSON.`);
  }
  if (!isObject(answer) || !Array.isArray(answer['choices'])) {
    throw new OlaError('provider_error', `Provider '${provider}' answered JSON that is not a chat completion.`);
  }
  return readUsage(answer['usage']);
}
