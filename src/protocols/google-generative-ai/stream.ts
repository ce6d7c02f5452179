/** Google's streams on their way through: chunks of an answer, without a last event of their own. */
import type { StreamPipe } from '../../core/protocol.ts';
import { interestIn, unnamedLines } from '../event-form.ts';
import { createEventTap, type EventForm } from '../event-tap.ts';
import { failureInside, failureNamed } from './errors.ts';
import { createChunkReading } from './reading.ts';

/** The bytes that are pushed begin with an event: a byte order mark is taken off before. */
export function createChunkTap(): StreamPipe {
  return createEventTap(form, createChunkReading(), { thorough: false, addsDone: false });
}

/** Ends of the names that tell tokens, an end, a prompt that is not answered, an error, and another candidate. */
const keysOfInterest = ['etadata"', 'inishReason"', 'inish_reason"', 'eedback"', 'rror"', 'ndex"'];

const form: EventForm = {
  ...unnamedLines,
  firstOfInterest: interestIn(keysOfInterest),
  failureInside,
  namedFailure: failureNamed,
  done: null,
};
