/**
 * The frames of AWS's event streams, `application/vnd.amazon.eventstream`
 * (https://docs.aws.amazon.com/transcribe/latest/dg/event-stream.html): two lengths and their checksum, headers, a payload, and
 * the checksum of all of it. Numbers are big-endian.
 */
import { crc32 } from './crc32.ts';

export interface Frame {
  /** Headers whose value is a text, by name: `:message-type`, `:event-type`, `:exception-type`. */
  readonly headers: ReadonlyMap<string, string>;
  readonly payload: Uint8Array;
}

/** Cuts bytes, however they came in pieces, into frames. */
export interface FrameReader {
  /**
   * @param take gets each whole frame; it must not keep the payload
   * @returns why the stream is damaged, as the end of a sentence that begins with the provider; null while it is sound
   * @throws RangeError when a frame is longer than the limit
   */
  push(chunk: Uint8Array, take: (frame: Frame) => void): string | null;
  /** A frame has begun and not ended. */
  readonly isHolding: boolean;
  close(): void;
}

/** Bytes. A payload has at most 16 MiB, and the headers 128 KiB. */
const longestFrame = 16 * 1024 * 1024 + 128 * 1024;
/** Bytes of the two lengths, of them with their checksum, and of a frame without headers and payload. */
const lengthsSize = 8;
const preludeSize = 12;
const smallestFrame = 16;
const checksumSize = 4;

const nothing = new Uint8Array(0);

export function createFrameReader(): FrameReader {
  return new Reader();
}

class Reader implements FrameReader {
  private buffer: Uint8Array = nothing;
  private length = 0;

  get isHolding(): boolean {
    return this.length > 0;
  }

  push(chunk: Uint8Array, take: (frame: Frame) => void): string | null {
    this.hold(chunk);
    let start = 0;
    let flaw: string | null = null;
    while (flaw === null && this.length - start >= preludeSize) {
      const size = viewOf(this.buffer, start).getUint32(0);
      flaw = preludeFlaw(this.buffer, start);
      if (flaw !== null || this.length - start < size) break;
      flaw = takeFrame(this.buffer, start, size, take);
      start += size;
    }
    this.buffer.copyWithin(0, start, this.length);
    this.length -= start;
    return flaw;
  }

  close(): void {
    this.buffer = nothing;
    this.length = 0;
  }

  private hold(chunk: Uint8Array): void {
    if (this.length + chunk.length > this.buffer.length) {
      const grown = new Uint8Array(Math.max(4096, 2 * (this.length + chunk.length)));
      grown.set(this.buffer.subarray(0, this.length));
      this.buffer = grown;
    }
    this.buffer.set(chunk, this.length);
    this.length += chunk.length;
  }
}

function viewOf(bytes: Uint8Array, start: number): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset + start);
}

const wrongChecksum = 'sent a stream whose checksum is wrong; the answer is not complete';
const wrongLengths = 'sent a stream that is not one of AWS’s events; the answer is not complete';

/** The checksum comes before the lengths are trusted: a length of a damaged stream would wait for bytes that never come. */
function preludeFlaw(bytes: Uint8Array, start: number): string | null {
  const view = viewOf(bytes, start);
  if (crc32(bytes, start, start + lengthsSize) !== view.getUint32(lengthsSize)) return wrongChecksum;
  const [size, headers] = [view.getUint32(0), view.getUint32(4)];
  if (size > longestFrame) throw new RangeError('a frame is longer than the limit');
  return size < smallestFrame || headers > size - smallestFrame ? wrongLengths : null;
}

function takeFrame(bytes: Uint8Array, start: number, size: number, take: (frame: Frame) => void): string | null {
  const view = viewOf(bytes, start);
  const end = start + size - checksumSize;
  if (crc32(bytes, start, end) !== view.getUint32(size - checksumSize)) return wrongChecksum;
  const headersEnd = start + preludeSize + view.getUint32(4);
  const headers = readHeaders(bytes.subarray(start + preludeSize, headersEnd));
  if (headers === null) return wrongLengths;
  take({ headers, payload: bytes.subarray(headersEnd, end) });
  return null;
}

const decoder = new TextDecoder();
const textType = 7;
const bytesType = 6;
/** Bytes of a value, by its type: true, false, one byte, short, integer, long, then those with a length, timestamp, UUID. */
const sizes: readonly (number | null)[] = [0, 0, 1, 2, 4, 8, null, null, 8, 16];

/** @returns null for headers that do not end where they should */
function readHeaders(bytes: Uint8Array): ReadonlyMap<string, string> | null {
  const headers = new Map<string, string>();
  let at = 0;
  while (at < bytes.length) {
    const nameEnd = at + 1 + (bytes[at] ?? 0);
    const name = decoder.decode(bytes.subarray(at + 1, nameEnd));
    const type = bytes[nameEnd] ?? sizes.length;
    const hasLength = type === textType || type === bytesType;
    const start = nameEnd + (hasLength ? 3 : 1);
    const size = hasLength ? ((bytes[nameEnd + 1] ?? 0) << 8) | (bytes[nameEnd + 2] ?? 0) : (sizes[type] ?? null);
    if (size === null || start + size > bytes.length) return null;
    if (type === textType) headers.set(name, decoder.decode(bytes.subarray(start, start + size)));
    at = start + size;
  }
  return headers;
}
