/** Anthropic's streams on their way through: named events from `message_start` to `message_stop`. */
import type { StreamPipe } from '../../core/protocol.ts';
import { interestIn, namedLines } from '../event-form.ts';
import { createEventTap, type EventForm } from '../event-tap.ts';
import { failureInside, failureNamed } from './errors.ts';
import { createMessageReading } from './reading.ts';

/** The bytes that are pushed begin with an event: a byte order mark is taken off before. */
export function createMessageTap(): StreamPipe {
  return createEventTap(form, createMessageReading(), { thorough: false, addsDone: false });
}

/** Ends of `"error"` and of the types that begin a message, tell its tokens and end it. */
const keysOfInterest = ['rror"', 'ssage_st', 'ssage_delta'];

const form: EventForm = {
  ...namedLines,
  firstOfInterest: interestIn(keysOfInterest),
  failureInside,
  namedFailure: failureNamed,
  done: null,
};
