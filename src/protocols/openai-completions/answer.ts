/** Answers of OpenAI's API, from an upstream: what a whole one must be, and what it used. */
import { OlaError } from '../../core/errors.ts';
import { isObject, isTooDeep } from '../../core/json.ts';
import type { TokenCounts } from '../../core/usage.ts';
import { readUsage } from './usage.ts';

/** By what an answer is known. */
export interface AnswerShape {
  /** The member that must be there and be a list; null: any object will do. */
  readonly list: string | null;
  /** What it is, in words: `a chat completion`. */
  readonly what: string;
}

/**
 * Checks an answer that will be passed on as it is.
 * @throws OlaError `provider_error` when it is something else
 */
export function readAnswer(text: string, provider: string, { list, what }: AnswerShape): TokenCounts {
  let answer: unknown;
  if (isTooDeep(text)) throw new OlaError('provider_error', `Provider '${provider}' answered JSON that is nested too deeply.`);
  try {
    answer = JSON.parse(text);
  } catch {
    throw new OlaError('provider_error', `Provider '${provider}' answered something that is not JSON.`);
  }
  if (!isObject(answer) || (list !== null && !Array.isArray(answer[list]))) {
    throw new OlaError('provider_error', `Provider '${provider}' answered JSON that is not ${what}.`);
  }
  return readUsage(answer['usage']);
}
