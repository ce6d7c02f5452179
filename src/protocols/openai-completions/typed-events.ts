/** Events that name their type (images, audio): the last one says by its type that the stream is complete. */
import { isObject } from '../../core/json.ts';
import { noTokenCounts } from '../../core/usage.ts';
import type { Reading } from '../event-reading.ts';
import { readUsage } from './usage.ts';

/** Types of the last event of a stream: `transcript.text.done`, `image_edit.completed`. */
const lastType = /\.(?:done|completed)$/;

export function createTypedReading(): Reading {
  let begun = false;
  let ended = false;
  let tokens = noTokenCounts;
  return {
    take(event) {
      begun = true;
      ended = typeof event['type'] === 'string' && lastType.test(event['type']);
      if (isObject(event['usage'])) tokens = readUsage(event['usage']);
      return true;
    },
    get begun() {
      return begun;
    },
    get answered() {
      return begun;
    },
    last: false,
    get ended() {
      return ended;
    },
    get tokens() {
      return tokens;
    },
  };
}
