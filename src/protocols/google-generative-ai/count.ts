/** Counting the tokens of a request (https://ai.google.dev/api/tokens). */
import { isObject } from '../../core/json.ts';
import type { CountCodec } from '../../core/protocol.ts';
import { decodeRequest } from './decode-request.ts';
import { member } from './names.ts';

export const count: CountCodec = {
  // The digits of a number do not change an estimate.
  decodeRequest(body) {
    const whole = member(body, 'generateContentRequest');
    return decodeRequest(isObject(whole) ? whole : body);
  },
  encodeAnswer: (tokens) => JSON.stringify({ totalTokens: tokens }),
};
