/** The two forms of an answer: a stream where a whole one was asked for is folded, a whole one where a stream was asked for is told as one. */
import { fold, unfold } from '../core/answers.ts';
import type { Answer, Step } from '../core/conversation.ts';
import type { ChatCodec, Making, UpstreamChat, UpstreamFailure } from '../core/protocol.ts';
import { brokenProtocol } from './failures.ts';

/** A stream begins with a field of an event, or with a comment (WHATWG HTML, 9.2.5). */
const eventStart = /^\uFEFF?\s*(?:(?:data|event|id|retry)\s*:|:)/;
const encoder = new TextEncoder();

export function looksLikeEvents(text: string): boolean {
  return eventStart.test(text);
}

/** @param text of an answer that was not asked for as a stream */
export function readAnswer(text: string, codec: Pick<UpstreamChat, 'decodeAnswer' | 'streamDecoder'>): Answer | UpstreamFailure {
  return looksLikeEvents(text) ? answerOfEvents(text, codec) : codec.decodeAnswer(text);
}

function answerOfEvents(text: string, codec: Pick<UpstreamChat, 'streamDecoder'>): Answer | UpstreamFailure {
  const decoder = codec.streamDecoder();
  const steps: Step[] = [];
  const take = (step: Step) => void steps.push(step);
  try {
    decoder.push(encoder.encode(text), take);
    if (decoder.fault === null && steps.at(-1)?.type !== 'end') decoder.finish(take);
  } finally {
    decoder.close();
  }
  if (decoder.failure !== null) return decoder.failure;
  if (decoder.fault === null && steps.at(-1)?.type === 'end') return fold(steps);
  return brokenProtocol('ended its answer before it was complete');
}

/** @returns the text of a whole stream */
export function eventsOfAnswer(answer: Answer, codec: Pick<ChatCodec, 'streamEncoder'>, making: Making): string {
  const encoder = codec.streamEncoder(making);
  return Array.from(unfold(answer), (step) => encoder.encode(step)).join('');
}
