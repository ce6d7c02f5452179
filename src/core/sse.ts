/**
 * Server-sent events as bytes (WHATWG HTML, 9.2): where one event ends and what it carries. Nothing is decoded unless
 * somebody asks, so that whole events can be passed on unchanged.
 */

import { Buffer } from 'node:buffer';

const LF = 10;
const CR = 13;
const openingBrace = 0x7b;
const closingBrace = 0x7d;
/** A byte order mark means something at the very beginning of a stream alone, where it is taken off before. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Called for each whole event: bytes `start` to `end` of `bytes`, the blank line included. Returns false to stop. */
export type VisitEvent = (bytes: Uint8Array, start: number, end: number) => boolean;

/** Takes bytes as they come and visits every event that is whole; the rest is held until more comes. */
export interface EventCutter {
  /** @throws RangeError when one event is longer than the limit, or all that are held in the process are too much */
  push(chunk: Uint8Array, visit: VisitEvent): void;
  /** An event has begun and not ended. */
  readonly isHolding: boolean;
  /** The bytes of that event. */
  held(): Uint8Array;
  /** Frees what is held. A cutter that is not closed would count against the others for ever. */
  close(): void;
}

/** Bytes that all cutters of the process hold together, at most: many long events at once must not use up the memory. */
const mostHeld = 256 * 1024 * 1024;
let heldByAll = 0;

/**
 * Counts the buffers in which parts of streams are held, of any form.
 * @param change bytes by which a buffer grows
 * @throws RangeError when they would be too much together
 */
export function countHeld(change: number): void {
  if (change > 0 && heldByAll + change > mostHeld) throw new RangeError('all events that are held are too long together');
  heldByAll += change;
}

/**
 * Visited bytes are only valid during the visit when they came in pieces (`bytes` is then a buffer that is used again)
 * and for good when they came in one: a visitor that keeps them asks `bytes === chunk`.
 * @param limit bytes that one event may have
 */
export function createEventCutter(limit: number): EventCutter {
  return new Cutter(limit);
}

const nothing = new Uint8Array(0);

/** A class for its prototype: a stream of its own closures would cost each call a dozen objects. */
class Cutter implements EventCutter {
  private readonly limit: number;
  private buffer: Uint8Array = nothing;
  private length = 0;
  private sawCarriageReturn = false;

  constructor(limit: number) {
    this.limit = limit;
  }

  get isHolding(): boolean {
    return this.length > 0;
  }

  push(chunk: Uint8Array, visit: VisitEvent): void {
    if (!this.sawCarriageReturn && chunk.indexOf(CR) >= 0) this.sawCarriageReturn = true;
    if (this.length === 0) {
      const rest = visitWhole(chunk, 0, chunk.length, 0, this.sawCarriageReturn, visit);
      this.refuseLong(chunk.length - rest);
      if (rest < chunk.length) this.hold(chunk.subarray(rest));
      return;
    }
    // The blank line may straddle the seam: look again from the last three bytes that were here before.
    const resume = Math.max(0, this.length - 3);
    this.hold(chunk);
    const rest = visitWhole(this.buffer, 0, this.length, resume, this.sawCarriageReturn, visit);
    if (rest > 0) {
      this.buffer.copyWithin(0, rest, this.length);
      this.length -= rest;
      if (this.length === 0 && this.buffer.length > 65_536) this.replaceBuffer(0);
    }
    this.refuseLong(this.length);
  }

  held(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }

  close(): void {
    this.length = 0;
    if (this.buffer.length > 0) this.replaceBuffer(0);
  }

  private replaceBuffer(size: number): void {
    countHeld(size - this.buffer.length);
    const replaced = size === 0 ? nothing : new Uint8Array(size);
    replaced.set(this.buffer.subarray(0, Math.min(this.length, size)));
    this.buffer = replaced;
  }

  private hold(bytes: Uint8Array): void {
    if (this.length + bytes.length > this.buffer.length) {
      this.replaceBuffer(Math.max(4096, 2 * (this.length + bytes.length)));
    }
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** What is left over belongs to one event; the chunk that came may have brought others. */
  private refuseLong(bytes: number): void {
    if (bytes > this.limit) throw new RangeError('an event is longer than the limit');
  }
}

/** @returns the offset of the first byte that belongs to no whole event, or of what was left when the visitor stopped */
function visitWhole(bytes: Uint8Array, from: number, length: number, search: number, anyCr: boolean, visit: VisitEvent): number {
  let start = from;
  let at = search;
  while (start < length) {
    const end = anyCr ? eventEnd(bytes, at, length) : eventEndLf(bytes, at, length);
    if (end < 0) return start;
    if (!visit(bytes, start, end)) return length;
    start = end;
    at = end;
  }
  return start;
}

/** The offset behind the next blank line, or -1, where lines end in LF alone. */
function eventEndLf(bytes: Uint8Array, from: number, length: number): number {
  let at = from;
  for (;;) {
    const lf = bytes.indexOf(LF, at);
    if (lf < 0 || lf + 1 >= length) return -1;
    if (bytes[lf + 1] === LF) return lf + 2;
    at = lf + 1;
  }
}

/** The same where a line ends in LF, CR or CRLF. */
function eventEnd(bytes: Uint8Array, from: number, length: number): number {
  let at = from;
  while (at < length) {
    const byte = bytes[at++];
    if (byte !== LF && byte !== CR) continue;
    // CR LF is one line end, not a line end and a blank line.
    if (byte === CR && bytes[at] === LF && at < length) at++;
    if (at >= length) return -1;
    const next = bytes[at];
    if (next === LF) return at + 1;
    if (next === CR) return at + 1 < length && bytes[at + 1] === LF ? at + 2 : at + 1;
  }
  return -1;
}

/**
 * The end of the longest run of events from `from` on that are exactly `data: {...}` LF LF, as nearly all of a model's
 * stream is; `from` when the first is not. A few hundred nanoseconds for what the cutter takes microseconds.
 * @param limit look no further than this
 */
export function plainRun(bytes: Uint8Array, limit: number, from = 0): number {
  // Before the search, which reads to the end of the bytes.
  if (!startsPlain(bytes, from)) return from;
  // It ends a line too: what looks like one event could be several.
  const cr = bytes.indexOf(CR, from);
  const bound = cr < 0 ? limit : Math.min(limit, cr);
  let end = from;
  while (end < bound && startsPlain(bytes, end)) {
    const lf = bytes.indexOf(LF, end);
    if (lf < 0 || lf + 2 > bound || bytes[lf + 1] !== LF || bytes[lf - 1] !== closingBrace) return end;
    end = lf + 2;
  }
  return end;
}

/**
 * The same for events with a name, `event: NAME` LF `data: {...}` LF LF, and those without. An event whose name begins with `er`
 * ends the run: it may be named `error`.
 */
export function namedRun(bytes: Uint8Array, limit: number, from = 0): number {
  if (!startsNamed(bytes, from) && !startsPlain(bytes, from)) return from;
  const cr = bytes.indexOf(CR, from);
  const bound = cr < 0 ? limit : Math.min(limit, cr);
  let end = from;
  while (end < bound) {
    const data = startsNamed(bytes, end) ? lineEnd(bytes, end) : end;
    if (!startsPlain(bytes, data)) return end;
    const lf = bytes.indexOf(LF, data);
    if (lf < 0 || lf + 2 > bound || bytes[lf + 1] !== LF || bytes[lf - 1] !== closingBrace) return end;
    end = lf + 2;
  }
  return end;
}

/** The offset behind the line that begins at `at`; the length when it does not end. */
function lineEnd(bytes: Uint8Array, at: number): number {
  const lf = bytes.indexOf(LF, at);
  return lf < 0 ? bytes.length : lf + 1;
}

/** `event: ` stands at `at`, and behind it no `er`. */
function startsNamed(bytes: Uint8Array, at: number): boolean {
  return (
    bytes[at] === 0x65 &&
    bytes[at + 1] === 0x76 &&
    bytes[at + 2] === 0x65 &&
    bytes[at + 3] === 0x6e &&
    bytes[at + 4] === 0x74 &&
    bytes[at + 5] === 0x3a &&
    bytes[at + 6] === 0x20 &&
    !(bytes[at + 7] === 0x65 && bytes[at + 8] === 0x72)
  );
}

/** `data: {` stands at `at`. */
function startsPlain(bytes: Uint8Array, at: number): boolean {
  return (
    bytes[at] === 0x64 &&
    bytes[at + 1] === 0x61 &&
    bytes[at + 2] === 0x74 &&
    bytes[at + 3] === 0x61 &&
    bytes[at + 4] === 0x3a &&
    bytes[at + 5] === 0x20 &&
    bytes[at + 6] === openingBrace
  );
}

/** Where `needle` stands in `bytes` from `from` on, or -1; a native search, far faster than a loop. */
export function find(bytes: Uint8Array, needle: Uint8Array, from = 0): number {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.indexOf(needle, from);
}

export interface ParsedEvent {
  /** The `event` field, empty when there is none. */
  readonly name: string;
  /** All `data` lines joined by LF, null when there is none (a comment, a lone `id`). */
  readonly data: string | null;
}

/** Reads one event, the slow and complete way. */
export function parseEvent(bytes: Uint8Array): ParsedEvent {
  let name = '';
  let data: string | null = null;
  for (const line of decoder.decode(bytes).split(/\r\n|\n|\r/)) {
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? '' : line.slice(colon + 1);
    if (value.startsWith(' ')) value = value.slice(1);
    if (field === 'event') name = value;
    else if (field === 'data') data = data === null ? value : `${data}\n${value}`;
  }
  return { name, data };
}
