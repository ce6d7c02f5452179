/** Answers of OpenAI's API, from an upstream: the shape of a whole one, and the tokens it used. */
import { isObject, isTooDeep } from '../../core/json.ts';
import type { UpstreamFailure, WholeAnswer } from '../../core/protocol.ts';
import { readUsage } from './usage.ts';

/** The mark by which an answer is recognised. */
export interface AnswerShape {
  /** The member that must be there and be a list; null: any object will do. */
  readonly list: string | null;
  /** The name of the answer in words: `a chat completion`. */
  readonly what: string;
}

/** Checks an answer that is passed on as it is. */
export function readAnswer(text: string, shape: AnswerShape | null): WholeAnswer | UpstreamFailure {
  let answer: unknown;
  if (isTooDeep(text)) return malformed('answered JSON that is nested too deeply');
  try {
    answer = JSON.parse(text);
  } catch {
    return malformed('answered something that is not JSON');
  }
  if (!isObject(answer) || !has(answer, shape?.list ?? null)) {
    return malformed(`answered JSON that is not ${shape?.what ?? 'an answer'}`);
  }
  return { body: text, tokens: readUsage(answer['usage']) };
}

function has(answer: Readonly<Record<string, unknown>>, list: string | null): boolean {
  return list === null || Array.isArray(answer[list]);
}

function malformed(message: string): UpstreamFailure {
  return { kind: 'malformed', status: 502, message, param: null, code: null };
}
