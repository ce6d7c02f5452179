/** Chats of OpenAI's API, translated: requests and answers between this protocol and the hub, in both directions. */
import type { ChatCodec } from '../../core/protocol.ts';
import { looksLikeEvents } from '../answer-forms.ts';
import { decodeJson } from './decode-answer.ts';
import { decodeRequest } from './decode-request.ts';
import { answerOfEvents, createStreamDecoder } from './decode-stream.ts';
import { encodeAnswer } from './encode-answer.ts';
import { encodeRequest } from './encode-request.ts';
import { createStreamEncoder } from './encode-stream.ts';
import { fields } from './fields.ts';

export const chat: ChatCodec = {
  customTools: false,
  fields,
  decodeRequest,
  encodeRequest,
  decodeAnswer: (text) => (looksLikeEvents(text) ? answerOfEvents(text) : decodeJson(text)),
  encodeAnswer,
  streamDecoder: createStreamDecoder,
  streamEncoder: createStreamEncoder,
};
