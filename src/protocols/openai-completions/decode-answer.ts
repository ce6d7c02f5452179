/** A whole answer of an upstream, as one of the hub. */
import { fold } from '../../core/answers.ts';
import type { Answer, Step } from '../../core/conversation.ts';
import { isObject, isTooDeep } from '../../core/json.ts';
import type { UpstreamFailure } from '../../core/protocol.ts';
import { brokenProtocol } from '../failures.ts';
import { ChunkReader } from './decode-chunks.ts';

/** The answer has nothing in it: another upstream may do better. */
export const nothingMade: UpstreamFailure = {
  kind: 'server_error',
  status: 502,
  message: 'The answer is a chat completion with nothing in it',
  param: null,
  code: null,
  retryAfterMs: null,
  body: null,
};

/** @param text JSON: a chat completion, or a legacy completion */
export function decodeJson(text: string): Answer | UpstreamFailure {
  if (isTooDeep(text)) return brokenProtocol('answered JSON that is nested too deeply');
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    return brokenProtocol('answered something that is not JSON');
  }
  if (!isObject(answer)) return brokenProtocol('answered JSON that is not a chat completion');
  const steps: Step[] = [];
  const reader = new ChunkReader((step) => steps.push(step));
  reader.takeChunk(answer, text);
  if (reader.failure !== null) return reader.failure;
  if (!Array.isArray(answer['choices'])) return brokenProtocol('answered JSON that is not a chat completion');
  if (!answer['choices'].some(hasMessage)) return nothingMade;
  reader.end();
  return reader.isMalformed ? brokenProtocol('answered with a tool call that has no name') : fold(steps);
}

function hasMessage(choice: unknown): boolean {
  return isObject(choice) && (isObject(choice['message']) || isObject(choice['delta']) || typeof choice['text'] === 'string');
}
