/** Whole answers of Ollama, from an upstream of the same protocol: read in passing. */
import { isObject, isTooDeep } from '../../core/json.ts';
import type { UpstreamFailure, WholeAnswer } from '../../core/protocol.ts';
import { brokenProtocol } from '../failures.ts';
import { readEnd } from './done-reasons.ts';
import { failureInside } from './errors.ts';
import { readUsage } from './usage.ts';

type Fields = Readonly<Record<string, unknown>>;

/** @param holds whether an answer has the member that was asked for. @param what the name of the answer in words */
function readWhole(text: string, holds: (answer: Fields) => boolean, what: string): WholeAnswer | UpstreamFailure {
  if (isTooDeep(text)) return brokenProtocol('answered JSON that is nested too deeply');
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    return brokenProtocol('answered something that is not JSON');
  }
  if (!isObject(answer)) return brokenProtocol(`answered JSON that is not ${what}`);
  const failure = failureInside(answer, text);
  if (failure !== null) return failure;
  if (!holds(answer)) return brokenProtocol(`answered JSON that is not ${what}`);
  const { unknown } = readEnd(answer['done_reason'], false);
  return { body: text, tokens: readUsage(answer), ...(unknown === null ? {} : { stop: unknown }) };
}

export function readChat(text: string): WholeAnswer | UpstreamFailure {
  return readWhole(text, ({ message, done }) => isObject(message) && done === true, 'a complete answer to a chat');
}

export function readGenerated(text: string): WholeAnswer | UpstreamFailure {
  return readWhole(text, ({ response, done }) => typeof response === 'string' && done === true, 'a complete answer');
}

export function readVectors(text: string): WholeAnswer | UpstreamFailure {
  const holds = ({ embeddings, embedding }: Fields) => Array.isArray(embeddings) || Array.isArray(embedding);
  const whole = readWhole(text, holds, 'a list of embeddings');
  return 'kind' in whole ? whole : { ...whole, tokens: { ...whole.tokens, completion: 0 } };
}
