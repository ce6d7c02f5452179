/** A stream where a message was asked for becomes one message, and a message where a stream was asked for becomes a stream. */
import { fold, unfold } from '../../core/answers.ts';
import type { Step } from '../../core/conversation.ts';
import type { Making, UpstreamFailure } from '../../core/protocol.ts';
import { brokenProtocol } from '../failures.ts';
import { decodeAnswer } from './decode-answer.ts';
import { streamDecoder } from './decode-stream.ts';
import { encodeAnswer } from './encode-answer.ts';
import { streamEncoder } from './encode-stream.ts';

/** A message of an upstream has all of this itself; it is for one that leaves it out. */
const making: Making = { id: 'unnamed', createdAt: 0, model: '', request: {} };

/** Whether a text begins like a stream of events: a field of one, or a comment (WHATWG HTML, 9.2.5). */
export function looksLikeEvents(text: string): boolean {
  return /^\uFEFF?\s*(?:(?:data|event|id|retry)\s*:|:)/.test(text);
}

/** @param text of a whole message that was read without a failure */
export function eventsOfMessage(text: string): string {
  const answer = decodeAnswer(text);
  if ('kind' in answer) return '';
  const encoder = streamEncoder(making);
  return Array.from(unfold(answer), (step) => encoder.encode(step)).join('');
}

const encoder = new TextEncoder();

/** @returns the JSON text of the message that a stream says */
export function messageOfEvents(text: string): string | UpstreamFailure {
  const decoder = streamDecoder();
  const steps: Step[] = [];
  const take = (step: Step) => void steps.push(step);
  try {
    decoder.push(encoder.encode(text), take);
    decoder.finish(take);
  } finally {
    decoder.close();
  }
  if (decoder.failure !== null) return decoder.failure;
  if (decoder.fault !== null || steps.at(-1)?.type !== 'end') return brokenProtocol('ended its answer before it was complete');
  return encodeAnswer(fold(steps), making);
}
