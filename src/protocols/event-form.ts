/** Parts of the forms of events that several protocols have. Pure. */
import { find, namedRun, plainRun } from '../core/sse.ts';
import type { EventForm } from './event-tap.ts';

type Lines = Pick<EventForm, 'plainRun' | 'dataOf'>;

/** Bytes of `data: `. */
const dataPrefix = 6;
const lineFeed = 0x0a;
const letterE = 0x65;

/** Events of one line of data. */
export const unnamedLines: Lines = { plainRun, dataOf: () => dataPrefix };

/** Events that may have their name in front of the data. */
export const namedLines: Lines = {
  plainRun: namedRun,
  dataOf: (event) => (event[0] === letterE ? event.indexOf(lineFeed) + 1 : 0) + dataPrefix,
};

const encoder = new TextEncoder();

/** @param keys texts of which each event that is not plain content has one; a search that begins with a rare letter is the fastest */
export function interestIn(keys: readonly string[]): EventForm['firstOfInterest'] {
  const needles = keys.map((key) => encoder.encode(key));
  return (bytes, from = 0) => {
    let limit = bytes.length;
    for (const needle of needles) {
      const at = find(bytes, needle, from);
      if (at >= 0 && at < limit) limit = at;
    }
    return limit;
  };
}
