/** Streams of JSON lines: where a line ends, however its bytes came in pieces. */
import { countHeld } from '../core/sse.ts';

/** The media type of such a stream. */
export const streamType = 'application/x-ndjson';

/** Bytes of one line: as long as a whole answer may be. */
const longestLine = 64 * 1024 * 1024;
const lineFeed = 0x0a;
const nothing = new Uint8Array(0);

/** Called for each whole line: bytes `start` to `end` of `bytes`, its line feed included; they stay valid. Returns false to stop. */
export type VisitLine = (bytes: Uint8Array, start: number, end: number) => boolean;

/** A class for its prototype: a stream of its own closures would cost each call a dozen objects. */
export class LineCutter {
  private buffer: Uint8Array = nothing;
  private length = 0;

  /** @throws RangeError when a line is longer than the limit, or all that is held in the process is too much */
  push(chunk: Uint8Array, visit: VisitLine): void {
    let from = 0;
    if (this.length > 0) {
      from = chunk.indexOf(lineFeed) + 1;
      this.hold(from === 0 ? chunk : chunk.subarray(0, from));
      if (from === 0) return;
      const line = this.buffer.slice(0, this.length);
      this.close();
      if (!visit(line, 0, line.length)) return;
    }
    for (let end = chunk.indexOf(lineFeed, from) + 1; end > 0; end = chunk.indexOf(lineFeed, from) + 1) {
      if (!visit(chunk, from, end)) return;
      from = end;
    }
    if (from < chunk.length) this.hold(chunk.subarray(from));
  }

  /** The bytes of a line that has begun and not ended. */
  held(): Uint8Array {
    return this.buffer.slice(0, this.length);
  }

  /** Frees the bytes that are held. */
  close(): void {
    countHeld(-this.buffer.length);
    this.buffer = nothing;
    this.length = 0;
  }

  private hold(bytes: Uint8Array): void {
    const length = this.length + bytes.length;
    if (length > longestLine) throw new RangeError('a line is longer than the limit');
    if (length > this.buffer.length) {
      const size = Math.max(1024, 2 * length);
      countHeld(size - this.buffer.length);
      const grown = new Uint8Array(size);
      grown.set(this.buffer.subarray(0, this.length));
      this.buffer = grown;
    }
    this.buffer.set(bytes, this.length);
    this.length = length;
  }
}
