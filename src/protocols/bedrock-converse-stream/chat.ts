/** Chats of Bedrock's Converse: clients of other protocols speak to its models. */
import type { UpstreamChat } from '../../core/protocol.ts';
import { decodeAnswer } from './decode-answer.ts';
import { streamDecoder } from './decode-stream.ts';
import { encodeRequest } from './encode-request.ts';
import { fields } from './fields.ts';

export const chat: UpstreamChat = {
  customTools: false,
  fields,
  framing: 'own',
  encodeRequest,
  decodeAnswer,
  streamDecoder,
};
