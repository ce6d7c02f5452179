/** OpenAI's streams on their way through: chunks that end with `[DONE]`, or events that name their type. */
import type { StreamPipe } from '../../core/protocol.ts';
import { find, plainRun } from '../../core/sse.ts';
import { createEventTap, type EventForm } from '../event-tap.ts';
import { namedFailure } from '../failures.ts';
import { createChunkReading } from './chunks.ts';
import { failureInside } from './errors.ts';
import { createTypedReading } from './typed-events.ts';

export interface StreamOptions {
  /** The client asked for usage; else the event that carries usage and no choice is withheld. */
  readonly usageAsked: boolean;
  /** Events name their type (images, audio); else they are chunks. */
  readonly typed: boolean;
  /** The client asked for several choices, each of which has an end of its own. */
  readonly several: boolean;
}

/** The bytes that are pushed begin with an event: a byte order mark is taken off before. */
export function createStreamTap({ usageAsked, typed, several }: StreamOptions): StreamPipe {
  const reading = typed ? createTypedReading() : createChunkReading(usageAsked);
  return createEventTap(form, reading, { thorough: typed || several, addsDone: !typed });
}

const encoder = new TextEncoder();
/** Ends of `"error"`, `"finish_reason":"` and `"usage"`: a search that begins with a rare letter is three times as fast. */
const keysOfInterest = ['rror"', 'reason":"', 'reason": "'].map((key) => encoder.encode(key));
const usageKey = encoder.encode('usage"');
/** Bytes of `data: `. */
const dataPrefix = 6;

const form: EventForm = {
  plainRun,
  dataOf: () => dataPrefix,
  firstOfInterest,
  failureInside,
  namedFailure: (data) => namedFailure(data),
  // `[DONE]` as servers spell it.
  done: { event: encoder.encode('data: [DONE]\n\n'), shape: /^"?(?:\[done\]|done)"?$/i },
};

/** Where the first key stands that may mean usage, an end or an error; the length when none does. `"usage":null` means nothing. */
function firstOfInterest(bytes: Uint8Array, from = 0): number {
  let limit = bytes.length;
  for (const key of keysOfInterest) {
    const at = find(bytes, key, from);
    if (at >= 0 && at < limit) limit = at;
  }
  let usage = find(bytes, usageKey, from);
  while (usage >= 0 && usage < limit && isNull(bytes, usage + usageKey.length))
    usage = find(bytes, usageKey, usage + usageKey.length);
  return usage < 0 ? limit : Math.min(limit, usage);
}

/** Whether `:null` stands here, a space between or not. */
function isNull(bytes: Uint8Array, at: number): boolean {
  if (bytes[at] !== 0x3a) return false;
  const value = bytes[at + 1] === 0x20 ? at + 2 : at + 1;
  return bytes[value] === 0x6e && bytes[value + 1] === 0x75;
}
