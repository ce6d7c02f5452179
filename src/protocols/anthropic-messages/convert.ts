/** A stream in the place of a message, and a message in the place of a stream, between upstream and client of this protocol. */
import type { Making, UpstreamFailure } from '../../core/protocol.ts';
import { eventsOfAnswer, readAnswer } from '../answer-forms.ts';
import { chat } from './chat.ts';

/** An upstream of this protocol names its answers and its models: nothing has to be made. */
const nothingMade: Making = { id: 'ola', createdAt: 0, model: '', request: {} };

/** @returns the text of the message that a stream tells */
export function messageOfEvents(text: string): string | UpstreamFailure {
  const answer = readAnswer(text, chat);
  return 'kind' in answer ? answer : chat.encodeAnswer(answer, nothingMade);
}

/** @param text of a message that was read already. @returns the stream that tells it */
export function eventsOfMessage(text: string): string {
  const answer = chat.decodeAnswer(text);
  return 'kind' in answer ? '' : eventsOfAnswer(answer, chat, nothingMade);
}
