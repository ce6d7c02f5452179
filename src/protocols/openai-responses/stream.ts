/** Streams of OpenAI's responses on their way through: named events from `response.created` to `response.completed`. */
import type { StreamPipe } from '../../core/protocol.ts';
import { interestIn, namedLines } from '../event-form.ts';
import { createEventTap, type EventForm } from '../event-tap.ts';
import { failureInside, failureNamed } from './errors.ts';
import { createResponseReading } from './reading.ts';

/** The bytes that are pushed begin with an event: a byte order mark is taken off before. */
export function createResponseTap(): StreamPipe {
  return createEventTap(form, createResponseReading(), { thorough: false, addsDone: false });
}

/** Ends of `"error"`, and of `"response"`, which events at the beginning and the end of a stream have. */
const keysOfInterest = ['rror"', 'sponse":', 'sponse" :'];

const form: EventForm = {
  ...namedLines,
  firstOfInterest: interestIn(keysOfInterest),
  failureInside,
  namedFailure: failureNamed,
  done: null,
};
