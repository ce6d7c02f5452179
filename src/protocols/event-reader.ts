/** Server-sent events for decoders: each event's name and JSON, however its bytes came in pieces. */
import { isObject, isTooDeep } from '../core/json.ts';
import { createEventCutter, parseEvent, plainRun } from '../core/sse.ts';

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

export function createEventReader(): EventReader {
  return new Reader();
}

const decoder = new TextDecoder();
/** Bytes of `data: `, and of the blank line. */
const dataPrefix = 6;
const blankLine = 2;

class Reader implements EventReader {
  private readonly cutter = createEventCutter(eventLimit);
  private begun = false;

  push(chunk: Uint8Array, take: TakeEvent): void {
    const bytes = this.begun ? chunk : this.behindMark(chunk);
    this.cutter.push(bytes, (all, start, end) => {
      takeEvent(all.subarray(start, end), take);
      return true;
    });
  }

  finish(take: TakeEvent): void {
    const rest = this.cutter.held();
    if (rest.length > 0) takeEvent(rest, take, true);
  }

  close(): void {
    this.cutter.close();
  }

  /** A byte order mark may stand before the first event. */
  private behindMark(chunk: Uint8Array): Uint8Array {
    if (chunk.length > 0) this.begun = true;
    return chunk[0] === 0xef && chunk[1] === 0xbb && chunk[2] === 0xbf ? chunk.subarray(3) : chunk;
  }
}

/** @param held it has no blank line yet: it counts when its data is JSON or a word in brackets */
function takeEvent(bytes: Uint8Array, take: TakeEvent, held = false): void {
  if (plainRun(bytes, bytes.length) === bytes.length) {
    const data = decoder.decode(bytes.subarray(dataPrefix, bytes.length - blankLine));
    take(objectIn(data), data, '');
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
