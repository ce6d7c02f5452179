/** Counting the tokens of a request (https://docs.claude.com/en/api/messages-count-tokens). */
import type { CountCodec } from '../../core/protocol.ts';
import { decodeRequest } from './decode-request.ts';

export const count: CountCodec = {
  decodeRequest,
  encodeAnswer: (tokens) => JSON.stringify({ input_tokens: tokens }),
};
