/** Google's streams on their way through: chunks of an answer, without a last event of their own. */
import type { StreamPipe } from '../../core/protocol.ts';
import { find, plainRun } from '../../core/sse.ts';
import { createEventTap, type EventForm } from '../event-tap.ts';
import { failureInside, failureNamed } from './errors.ts';
import { createChunkReading } from './reading.ts';

/** The bytes that are pushed begin with an event: a byte order mark is taken off before. */
export function createChunkTap(): StreamPipe {
  return createEventTap(form, createChunkReading(), { thorough: false, addsDone: false });
}

const encoder = new TextEncoder();
/** Ends of the names that tell tokens, an end, a prompt that is not answered, an error, and another candidate. */
const keysOfInterest = ['etadata"', 'inishReason"', 'inish_reason"', 'eedback"', 'rror"', 'ndex"'].map((key) =>
  encoder.encode(key),
);
/** Bytes of `data: `. */
const dataPrefix = 6;

const form: EventForm = {
  plainRun,
  dataOf: () => dataPrefix,
  firstOfInterest,
  failureInside,
  namedFailure: failureNamed,
  done: null,
};

/** Where the first key stands that may mean something; the length when none does. */
function firstOfInterest(bytes: Uint8Array, from = 0): number {
  let limit = bytes.length;
  for (const key of keysOfInterest) {
    const at = find(bytes, key, from);
    if (at >= 0 && at < limit) limit = at;
  }
  return limit;
}
