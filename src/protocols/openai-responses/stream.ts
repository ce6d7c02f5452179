/** Streams of OpenAI's responses on their way through: named events from `response.created` to `response.completed`. */
import type { StreamPipe } from '../../core/protocol.ts';
import { find, namedRun } from '../../core/sse.ts';
import { createEventTap, type EventForm } from '../event-tap.ts';
import { failureInside, failureNamed } from './errors.ts';
import { createResponseReading } from './reading.ts';

/** The bytes that are pushed begin with an event: a byte order mark is taken off before. */
export function createResponseTap(): StreamPipe {
  return createEventTap(form, createResponseReading(), { thorough: false, addsDone: false });
}

const encoder = new TextEncoder();
/** Ends of `"error"`, and of `"response"`, which events at the beginning and the end of a stream have. */
const keysOfInterest = ['rror"', 'sponse":', 'sponse" :'].map((key) => encoder.encode(key));
/** Bytes of `data: `. */
const dataPrefix = 6;
const lineFeed = 0x0a;
const letterE = 0x65;

const form: EventForm = {
  plainRun: namedRun,
  dataOf: (event) => (event[0] === letterE ? event.indexOf(lineFeed) + 1 : 0) + dataPrefix,
  firstOfInterest,
  failureInside,
  namedFailure: failureNamed,
  done: null,
};

/** Where the first key stands that may mean tokens, the end or an error; the length when none does. */
function firstOfInterest(bytes: Uint8Array, from = 0): number {
  let limit = bytes.length;
  for (const key of keysOfInterest) {
    const at = find(bytes, key, from);
    if (at >= 0 && at < limit) limit = at;
  }
  return limit;
}
