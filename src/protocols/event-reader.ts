/** Server-sent events for decoders: each event's name and JSON, however its bytes came in pieces. */
import { isObject, isTooDeep } from '../core/json.ts';
import { createEventCutter, namedRun, parseEvent } from '../core/sse.ts';

/** Bytes of one event: as long as a whole answer may be. */
const eventLimit = 64 * 1024 * 1024;

/**
 * Called for each event that carries data.
 * @param event its JSON object; null for a value that is no object, which both official SDKs would fail on
 * @param data the text of it, where it is no JSON; `[DONE]` for example
 * @param name the `event` field, empty when there is none
 */
export type TakeEvent = (event: Readonly<Record<string, unknown>> | null, data: string, name: string) => void;

export interface EventReader {
  /** @throws RangeError when an event is longer than the limit, or all that are held in the process are too much */
  push(chunk: Uint8Array, take: TakeEvent): void;
  /** The bytes have ended in order: what is held counts when it is whole but for its blank line. */
  finish(take: TakeEvent): void;
  close(): void;
}

/**
 * Takes an event without a parser.
 * @param text has whole events of one data line; the event begins at `at`
 * @returns the offset behind the event; -1 when it must be parsed
 */
export type TakeUnparsed = (text: string, at: number) => number;

/** @param unparsed for events that are most of a stream: a parser takes most of the time that they cost */
export function createEventReader(unparsed: TakeUnparsed = () => -1): EventReader {
  return new Reader(unparsed);
}

const decoder = new TextDecoder();
/** Characters of `event: ` and `data: `. */
const namePrefix = 7;
const dataPrefix = 6;
const letterE = 0x65;
/** Bytes of a byte order mark. No event begins with one of them. */
const markBytes: readonly number[] = [0xef, 0xbb, 0xbf];

class Reader implements EventReader {
  private readonly cutter = createEventCutter(eventLimit);
  private begun = false;
  private readonly unparsed: TakeUnparsed;

  constructor(unparsed: TakeUnparsed) {
    this.unparsed = unparsed;
  }

  push(chunk: Uint8Array, take: TakeEvent): void {
    const bytes = this.begun ? chunk : this.behindMark(chunk);
    const plain = this.cutter.isHolding ? 0 : namedRun(bytes, bytes.length);
    if (plain > 0) takePlain(decoder.decode(bytes.subarray(0, plain)), this.unparsed, take);
    if (plain === bytes.length) return;
    this.cutter.push(plain === 0 ? bytes : bytes.subarray(plain), (all, start, end) => {
      takeEvent(all.subarray(start, end), this.unparsed, take);
      return true;
    });
  }

  finish(take: TakeEvent): void {
    const rest = this.cutter.held();
    if (rest.length > 0) takeEvent(rest, this.unparsed, take, true);
  }

  close(): void {
    this.cutter.close();
  }

  /** A byte order mark may stand before the first event, and may come in pieces. */
  private behindMark(chunk: Uint8Array): Uint8Array {
    const first = chunk.findIndex((byte) => !markBytes.includes(byte));
    if (first >= 0) this.begun = true;
    return chunk.subarray(first < 0 ? chunk.length : first);
  }
}

/** Events whose data is an object in one line, with a name in front or without: decoded together, which costs half as much. */
function takePlain(text: string, unparsed: TakeUnparsed, take: TakeEvent): void {
  for (let at = 0; at < text.length; ) {
    const taken = unparsed(text, at);
    if (taken > at) {
      at = taken;
      continue;
    }
    const nameEnd = text.charCodeAt(at) === letterE ? text.indexOf('\n', at) : at - 1;
    const dataEnd = text.indexOf('\n\n', nameEnd + 1);
    const data = text.slice(nameEnd + 1 + dataPrefix, dataEnd);
    take(objectIn(data), data, nameEnd < at ? '' : text.slice(at + namePrefix, nameEnd));
    at = dataEnd + 2;
  }
}

/** @param held it has no blank line yet: it counts when its data is JSON or a word in brackets */
function takeEvent(bytes: Uint8Array, unparsed: TakeUnparsed, take: TakeEvent, held = false): void {
  if (namedRun(bytes, bytes.length) === bytes.length) {
    takePlain(decoder.decode(bytes), unparsed, take);
    return;
  }
  const { name, data } = parseEvent(bytes);
  const text = data?.trim() ?? '';
  if (text === '') return;
  const event = objectIn(text);
  if (held && event === null && !/^"?\[/.test(text)) return;
  take(event, text, name);
}

function objectIn(data: string): Readonly<Record<string, unknown>> | null {
  if (data.charCodeAt(0) !== 0x7b || isTooDeep(data)) return null;
  try {
    const value: unknown = JSON.parse(data);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}
