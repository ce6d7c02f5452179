/**
 * Server-sent events on their way through: whole events go on unchanged, their meaning is read in passing, and a stream that broke
 * off is never taken for one that ended.
 */
import { joinBytes } from '../core/bytes.ts';
import { isObject, isTooDeep } from '../core/json.ts';
import type { StreamFault, StreamPipe, UpstreamFailure } from '../core/protocol.ts';
import { createEventCutter, find, type ParsedEvent, parseEvent } from '../core/sse.ts';
import type { TokenCounts } from '../core/usage.ts';
import type { Reading } from './event-reading.ts';

/** The events of a protocol, as bytes. */
export interface EventForm {
  /** The end of the longest run of events from `from` on, none behind `limit`, whose data is an object in one line, as in most events. */
  plainRun(bytes: Uint8Array, limit: number, from?: number): number;
  /** The offset of the data of such an event. */
  dataOf(event: Uint8Array): number;
  /** The offset of the first bytes from `from` on that may mean usage, an end or an error; the length when none do. */
  firstOfInterest(bytes: Uint8Array, from?: number): number;
  /** The failure that an event tells; null: it tells none. */
  failureInside(event: Readonly<Record<string, unknown>>, data: string): UpstreamFailure | null;
  /** The failure that an event named `error` tells. */
  namedFailure(data: string): UpstreamFailure;
  /** The last event, where it is no JSON. Null: the last event is an object, and the reading tells it. */
  readonly done: { readonly event: Uint8Array; readonly shape: RegExp } | null;
}

export interface TapOptions {
  /** Each event is looked into: its meaning cannot be told from plain bytes. */
  readonly thorough: boolean;
  /** The event `done` is added to a stream that ended in order without it. */
  readonly addsDone: boolean;
}

/** Bytes of one event. Images come in one: as long as a whole answer may be. */
const eventLimit = 64 * 1024 * 1024;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const blankLine = encoder.encode('\n\n');
/** Bytes. So few at the end of a chunk are judged in one go: a finish, usage and the end. */
const together = 1024;

type Emit = (bytes: Uint8Array) => void;

/** The bytes that are pushed begin with an event: a byte order mark is taken off before. */
export function createEventTap(form: EventForm, reading: Reading, options: TapOptions): StreamPipe {
  return new EventTap(form, reading, options);
}

/** A class for its prototype: a stream of its own closures would cost each call a dozen objects. */
class EventTap implements StreamPipe {
  done = false;
  fault: StreamFault | null = null;
  failure: UpstreamFailure | null = null;
  private readonly cutter = createEventCutter(eventLimit);
  private readonly form: EventForm;
  private readonly reading: Reading;
  private readonly thorough: boolean;
  private readonly addsDone: boolean;
  /** Bytes that follow the events of this chunk: the end in its usual spelling. */
  private tail: Uint8Array | null = null;
  /** The first offset of interest in this chunk that is known; -1 when none was searched for. */
  private interest = -1;

  constructor(form: EventForm, reading: Reading, { thorough, addsDone }: TapOptions) {
    this.form = form;
    this.reading = reading;
    this.thorough = thorough;
    this.addsDone = addsDone;
  }

  get begun(): boolean {
    return this.reading.begun;
  }

  get tokens(): TokenCounts {
    return this.reading.tokens;
  }

  push(chunk: Uint8Array, emit: Emit): void {
    if (this.isOver() || chunk.length === 0) return;
    try {
      this.pushAll(chunk, emit);
    } catch {
      this.fault = 'oversized_event';
    }
    this.emitTail(emit);
  }

  finish(emit: Emit): void {
    if (this.isOver()) return;
    this.finishHeld(emit);
    // An event that was cut is the upstream's end, not its words.
    if (this.fault === 'malformed_event') this.fault = null;
    else if (!this.isOver() && this.reading.ended) {
      this.done = true;
      if (this.addsDone && this.form.done !== null) emit(this.form.done.event.slice());
    }
  }

  close(): void {
    this.cutter.close();
  }

  private isOver(): boolean {
    return this.done || this.fault !== null;
  }

  /** Plain events go on in one piece; between them events are judged one at a time. */
  private pushAll(chunk: Uint8Array, emit: Emit): void {
    const pieces: Uint8Array[] = [];
    this.interest = -1;
    let at = 0;
    /** Bytes of the chunk that go on, from `from`: what passes is moved down to them, so that they stay one piece. */
    let from = 0;
    let kept = 0;
    while (at < chunk.length && !this.isOver()) {
      const holds = this.cutter.isHolding;
      const plain = this.thorough || holds || !this.reading.begun ? 0 : this.plainEvents(chunk, at);
      if (plain > 0) {
        if (kept !== at) chunk.copyWithin(kept, at, at + plain);
        kept += plain;
        at += plain;
        continue;
      }
      const end = chunk.length - at < together && this.reading.begun ? chunk.length : eventEnd(chunk, at);
      const isPlain = !holds && this.form.plainRun(chunk, end, at) === end;
      kept = isPlain ? this.judgePlainEvents(chunk, { at, end, kept }) : this.judgeEvents(chunk, { at, end, kept }, pieces);
      at = end;
      // An event that began in an earlier piece comes from the cutter's buffer: the rest of the chunk is a piece of its own.
      if (holds) from = kept = end;
    }
    const rest = from === 0 && kept === chunk.length ? chunk : chunk.subarray(from, kept);
    if (pieces.length > 0) emit(rest.length > 0 ? joinBytes([...pieces, rest]) : joinBytes(pieces));
    else if (rest.length > 0) emit(rest);
  }

  /** Judges plain events that lie between `at` and `end`, whole: they need no cutter. @see judgeEvents */
  private judgePlainEvents(chunk: Uint8Array, { at, end, kept }: { at: number; end: number; kept: number }): number {
    let to = kept;
    for (let from = at; from < end && !this.isOver(); ) {
      const next = eventEnd(chunk, from);
      const passed = this.judgePlain(chunk.subarray(from, next));
      if (passed > 0 && to !== from) chunk.copyWithin(to, from, from + passed);
      to += passed;
      from = next;
    }
    return to;
  }

  /**
   * Judges the events that end between `at` and `end`.
   * @param span `kept`: the offset that passing events are moved down to
   * @param pieces are given the events that began in an earlier chunk
   * @returns the offset behind the events that go on
   */
  private judgeEvents(chunk: Uint8Array, span: { at: number; end: number; kept: number }, pieces: Uint8Array[]): number {
    const { at, end: spanEnd } = span;
    const events = chunk.subarray(at, spanEnd);
    let { kept } = span;
    this.cutter.push(events, (bytes, from, end) => {
      const start = behindLineEnds(bytes, from, end);
      const passed = start === end ? 0 : this.judge(bytes.subarray(start, end));
      if (passed > 0 && bytes !== events) pieces.push(bytes.slice(start, start + passed));
      else if (passed > 0) {
        if (kept !== at + start) chunk.copyWithin(kept, at + start, at + start + passed);
        kept += passed;
      }
      return !this.isOver();
    });
    return kept;
  }

  /** @returns how many bytes of the event go on, from its start */
  private judge(bytes: Uint8Array): number {
    const { form } = this;
    if (form.plainRun(bytes, bytes.length) === bytes.length) return this.judgePlain(bytes);
    if (this.isUsualEnd(bytes)) return this.end() ? bytes.length : 0;
    const event = parseEvent(bytes);
    const data = event.data?.trim() ?? '';
    if (event.name === 'error') return this.fail(form.namedFailure(data));
    if (data === '') return isComment(event, bytes) ? withoutBlankLine(bytes) : 0;
    const value = parsedOrUndefined(data);
    const before = isObject(value) ? null : this.beforeEnd(data);
    if (before !== null) return this.takeEnd(before);
    return this.takeData(value, data) ? bytes.length : 0;
  }

  /** An event whose data is an object in one line. */
  private judgePlain(bytes: Uint8Array): number {
    if (!this.thorough && this.reading.begun && this.form.firstOfInterest(bytes) === bytes.length) return bytes.length;
    const data = decoder.decode(bytes.subarray(this.form.dataOf(bytes), bytes.length - blankLine.length));
    return this.takeData(parsedOrUndefined(data), data) ? bytes.length : 0;
  }

  /** @returns whether it goes on */
  private takeData(value: unknown, data: string): boolean {
    if (value === undefined) this.fault = 'malformed_event';
    // A value that is no object means nothing; official SDKs would fail on it.
    if (!isObject(value)) return false;
    const inside = this.form.failureInside(value, data);
    if (inside === null) return this.take(value);
    this.fail(inside);
    return false;
  }

  private take(event: Readonly<Record<string, unknown>>): boolean {
    const passes = this.reading.take(event);
    return this.reading.last ? this.end() && passes : passes;
  }

  /** @param before a chunk in the same event, in front of the end */
  private takeEnd(before: string): 0 {
    const passes = before !== '' && this.takeData(parsedOrUndefined(before), before);
    if (this.fault !== null) return 0;
    this.end();
    const chunk = passes ? encoder.encode(`${before.replace(/^/gm, 'data: ')}\n\n`) : null;
    const end = this.done ? this.form.done : null;
    if (end !== null) this.tail = chunk === null ? end.event.slice() : joinBytes([chunk, end.event]);
    return 0;
  }

  /** The last event came. @returns whether the stream is complete with it */
  private end(): boolean {
    if (this.reading.answered) this.done = true;
    else this.fault = 'empty_answer';
    return this.done;
  }

  private fail(failure: UpstreamFailure): 0 {
    this.fault = 'upstream_error';
    this.failure = failure;
    return 0;
  }

  private emitTail(emit: Emit): void {
    if (this.tail !== null) emit(this.tail);
    this.tail = null;
  }

  /** A held event counts when only its blank line is missing: the end, or an object. */
  private finishHeld(emit: Emit): void {
    const rest = this.cutter.held();
    const held = rest.slice(behindLineEnds(rest, 0, rest.length));
    // Line ends that are left over of a blank line, and comments, are no event.
    if (
      decoder
        .decode(held)
        .split(/[\r\n]+/)
        .every(isCommentLine)
    )
      return;
    const data = parseEvent(held).data?.trim() ?? '';
    if (this.beforeEnd(data) === null && !isObject(parsedOrUndefined(data))) this.fault = 'malformed_event';
    else if (this.judge(held) === held.length) emit(joinBytes([held, held.at(-1) === 0x0a ? blankLine.subarray(1) : blankLine]));
    this.emitTail(emit);
  }

  /** The last event in its usual spelling: it goes on as it came, in one piece with what stands before it. */
  private isUsualEnd(event: Uint8Array): boolean {
    const done = this.form.done?.event;
    return done !== undefined && event.length === done.length && find(event, done) === 0;
  }

  /** Bytes from `at` on that are whole plain events which carry content alone. */
  private plainEvents(chunk: Uint8Array, at: number): number {
    const { form } = this;
    // A search for each event would read the rest of the chunk each time.
    if (this.interest < at) this.interest = form.firstOfInterest(chunk, at);
    return form.plainRun(chunk, this.interest, at) - at;
  }

  /** @returns what stands in front of the line that ends the stream, null without one */
  private beforeEnd(data: string): string | null {
    const shape = this.form.done?.shape;
    if (shape === undefined) return null;
    const lines = data.split('\n');
    const at = lines.findIndex((line) => shape.test(line.trim()));
    return at < 0 ? null : lines.slice(0, at).join('\n').trim();
  }
}

const isCommentLine = (line: string) => line === '' || line.startsWith(':');

/** Line ends in front of an event are blank lines, or the second half of one; where they go on, a client may take them for an event. */
function behindLineEnds(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && (bytes[at] === 0x0a || bytes[at] === 0x0d)) at++;
  return at;
}

function parsedOrUndefined(data: string): unknown {
  if (isTooDeep(data)) return undefined;
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}

/** A block of comments alone: a sign of life. */
function isComment({ name, data }: ParsedEvent, bytes: Uint8Array): boolean {
  return name === '' && data === null && bytes[0] === 0x3a && find(bytes, anotherField) < 0;
}
const anotherField = encoder.encode('\nid');

/** A blank line behind comments dispatches an event in some SDKs once an `id:` was seen. @returns the length without it */
function withoutBlankLine(bytes: Uint8Array): number {
  const last = bytes.length - 1;
  return bytes[last] === 0x0a && bytes[last - 1] === 0x0d ? last - 1 : last;
}

/** The offset behind the next event that ends in two line feeds; the chunk's end where there is none. */
function eventEnd(chunk: Uint8Array, at: number): number {
  const end = find(chunk, blankLine, at);
  return end < 0 ? chunk.length : end + blankLine.length;
}
