/** A stream in the place of a response, and a response in the place of a stream, between upstream and client of this protocol. */
import { isObject } from '../../core/json.ts';
import type { UpstreamFailure } from '../../core/protocol.ts';
import { eventsOfAnswer, readAnswer } from '../answer-forms.ts';
import { chat } from './chat.ts';
import type { Fields } from './members.ts';

/** The upstream names its answers and its models: nothing has to be made but for what the response itself says. */
const making = (request: Fields) => ({ id: 'ola', createdAt: createdAt(request), model: '', request });

function createdAt({ created_at: at }: Fields): number {
  return typeof at === 'number' ? at : 0;
}

/** @returns the text of the response that a stream tells */
export function responseOfEvents(text: string): string | UpstreamFailure {
  const answer = readAnswer(text, chat);
  return 'kind' in answer ? answer : chat.encodeAnswer(answer, making({}));
}

/** @param text of a response that was read already. @returns the stream that tells it */
export function eventsOfResponse(text: string): string {
  const answer = chat.decodeAnswer(text);
  if ('kind' in answer) return '';
  const response: unknown = JSON.parse(text);
  return eventsOfAnswer(answer, chat, making(isObject(response) ? response : {}));
}
