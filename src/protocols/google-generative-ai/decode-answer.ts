/** Whole answers of Google's API as answers of the hub. */
import { fold } from '../../core/answers.ts';
import type { Answer, Step } from '../../core/conversation.ts';
import { isObject, isTooDeep } from '../../core/json.ts';
import { itemsOf } from '../../core/json-text.ts';
import type { UpstreamFailure } from '../../core/protocol.ts';
import { parsed } from '../failure-words.ts';
import { brokenProtocol } from '../failures.ts';
import { createAnswerReading } from './answer-reading.ts';
import { failureInside } from './errors.ts';
import { type Fields, member } from './names.ts';

/** A stream that was asked for without `alt=sse` is a list of chunks: it is one answer too. */
export function decodeAnswer(text: string): Answer | UpstreamFailure {
  const chunks = readChunks(text);
  if ('kind' in chunks) return chunks;
  const reading = createAnswerReading();
  const steps: Step[] = [];
  const take = (step: Step) => void steps.push(step);
  const texts = textsOf(text);
  for (const [at, chunk] of chunks.entries()) {
    const failure = reading.take(chunk, texts[at] ?? '', take);
    if (failure !== null) return failure;
  }
  if (reading.finish(take)) return fold(steps);
  return brokenProtocol('answered JSON that is no complete answer of a model');
}

/** The text of each chunk, from which numbers are read that no double holds. */
function textsOf(text: string): readonly string[] {
  return text.trimStart().startsWith('[') ? itemsOf(text).map(({ start, end }) => text.slice(start, end)) : [text];
}

/** @returns the chunks of an answer, one for a whole one; each is an object */
export function readChunks(text: string): readonly Fields[] | UpstreamFailure {
  if (isTooDeep(text)) return brokenProtocol('answered JSON that is nested too deeply');
  const value = parsed(text);
  if (value === null) return brokenProtocol('answered something that is not JSON');
  const chunks: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (chunks.length === 0 || !chunks.every(isObject)) return brokenProtocol('answered JSON that is no answer of a model');
  for (const chunk of chunks) {
    const failure = failureInside(chunk, text);
    if (failure !== null) return failure;
  }
  return chunks.some(isAnswer) ? chunks : brokenProtocol('answered JSON that is no answer of a model');
}

/** It has candidates, or says why there are none. */
function isAnswer(chunk: Fields): boolean {
  const candidates = member(chunk, 'candidates');
  return (Array.isArray(candidates) && candidates.length > 0) || isObject(member(chunk, 'promptFeedback'));
}
