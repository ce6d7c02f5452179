/** Chats of Google's API: its clients speak to any upstream, any client to its upstreams. */
import type { ChatCodec } from '../../core/protocol.ts';
import { decodeAnswer } from './decode-answer.ts';
import { decodeRequest } from './decode-request.ts';
import { streamDecoder } from './decode-stream.ts';
import { encodeAnswer } from './encode-answer.ts';
import { encodeRequest } from './encode-request.ts';
import { streamEncoder } from './encode-stream.ts';
import { fields } from './fields.ts';

export const chat: ChatCodec = {
  customTools: false,
  fields,
  decodeRequest,
  encodeRequest,
  decodeAnswer,
  encodeAnswer,
  streamDecoder,
  streamEncoder,
};
