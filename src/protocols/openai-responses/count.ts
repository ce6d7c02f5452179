/** The count of a request's tokens (https://platform.openai.com/docs/api-reference/responses/input-tokens). */
import type { CountCodec } from '../../core/protocol.ts';
import { decodeRequest } from './decode-request.ts';

export const count: CountCodec = {
  decodeRequest,
  encodeAnswer: (tokens) => JSON.stringify({ object: 'response.input_tokens', input_tokens: tokens }),
};
