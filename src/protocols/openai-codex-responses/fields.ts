/** The fate of each field at ChatGPT's backend, which takes fewer than OpenAI's API. */
import type { Fate, RequestField } from '../../core/hub-fields.ts';

type Fates = Readonly<Record<RequestField, Fate>>;

const refusedThere = { dropped: 'ChatGPT’s backend refuses the field' };

/** @param responses those of OpenAI's API */
export function codexFields(responses: Fates): Fates {
  return {
    ...responses,
    maxTokens: refusedThere,
    temperature: refusedThere,
    topP: refusedThere,
    user: refusedThere,
    stream: { adapted: 'the backend always streams; a client that asks for a whole answer gets the stream as one' },
  };
}
