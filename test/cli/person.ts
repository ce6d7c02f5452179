/** A person at a terminal, who types an answer to each question. */
import { PassThrough, Writable } from 'node:stream';
import type { Dialogue } from '../../src/cli/ports.ts';

/** A question begins by hiding the cursor. */
const questionStarts = '\u001b[?25l';

export interface Person {
  readonly dialogue: Dialogue;
  /** What stood on the screen. */
  readonly seen: () => string;
}

/** @param answers keys, one text a question: `y`, `words\r`, `\u0003` for Ctrl-C */
export function person(...answers: readonly string[]): Person {
  const left = [...answers];
  let seen = '';
  const input = new PassThrough();
  const output = new Writable({
    write(chunk, _encoding, done) {
      seen += String(chunk);
      const answer = String(chunk).includes(questionStarts) ? left.shift() : undefined;
      if (answer !== undefined) setImmediate(() => input.write(answer));
      done();
    },
  });
  const dialogue = {
    input: Object.assign(input, terminal),
    output: Object.assign(output, { ...terminal, columns: 80, rows: 24 }),
  };
  // Only what a terminal has of the streams is used, and that is there.
  return { dialogue: dialogue as unknown as Dialogue, seen: () => seen };
}

const terminal = { isTTY: true, setRawMode: () => undefined };
