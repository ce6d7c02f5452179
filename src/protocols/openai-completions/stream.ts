/**
 * OpenAI's streams, tapped: whole events go on unchanged, usage is read in passing, and a stream that broke off is never
 * taken for one that ended. Chunks end with `[DONE]`. Events that name their type (images, audio) may also end with one
 * whose type says so, `transcript.text.done`, and the end of the upstream's answer right behind it.
 */
import { joinBytes } from '../../core/bytes.ts';
import { isObject, isTooDeep } from '../../core/json.ts';
import type { StreamFault, StreamPipe } from '../../core/protocol.ts';
import { createEventCutter, find, parseEvent, plainRun, withoutMark } from '../../core/sse.ts';
import { noTokenCounts } from '../../core/usage.ts';
import { readUsage } from './usage.ts';

/** Images come as one event; a quarter of this is already unusual. */
const eventLimit = 16 * 1024 * 1024;

const encoder = new TextEncoder();
const usageKey = encoder.encode('"usage"');
const errorKey = encoder.encode('"error"');
const blankLine = encoder.encode('\n\n');
const doneEvent = encoder.encode('data: [DONE]\n\n');

type Verdict = 'pass' | 'withhold' | 'done' | StreamFault;

/** Types of the last event of a typed stream. */
const lastType = /\.(?:done|completed)$/;

/**
 * @param usageAsked false: the event that carries usage and nothing else is withheld
 * @param typed events name their type
 */
export function createStreamTap(usageAsked: boolean, typed = false): StreamPipe {
  const cutter = createEventCutter(eventLimit);
  let done = false;
  let fault: StreamFault | null = null;
  let tokens = noTokenCounts;
  let first = true;
  /** The newest event of a typed stream may be its last. */
  let mayEnd = false;

  /** Looks into one event. */
  function inspect(data: string): Verdict {
    if (isTooDeep(data)) return 'malformed_event';
    let chunk: unknown;
    try {
      chunk = JSON.parse(data);
    } catch {
      return 'malformed_event';
    }
    if (!isObject(chunk)) return 'malformed_event';
    if (chunk['error'] !== undefined && chunk['error'] !== null) return 'upstream_error';
    if (typed) {
      if (chunk['type'] === 'error') return 'upstream_error';
      mayEnd = typeof chunk['type'] === 'string' && lastType.test(chunk['type']);
    }
    const choices = chunk['choices'];
    if (isObject(chunk['usage'])) {
      tokens = readUsage(chunk['usage']);
      if (!usageAsked && Array.isArray(choices) && choices.length === 0) return 'withhold';
    }
    return 'pass';
  }

  /** The complete reading: several lines, other fields, comments, no space after the colon. */
  function judge(bytes: Uint8Array): Verdict {
    if (!typed && plainRun(bytes, bytes.length) === bytes.length && firstOfInterest(bytes) === bytes.length) return 'pass';
    const event = parseEvent(bytes);
    if (event.name === 'error') return 'upstream_error';
    const data = event.data?.trim();
    if (data === undefined || data === '') return 'pass';
    return data === '[DONE]' ? 'done' : inspect(data);
  }

  /** Whether an event goes on; sets how the stream stands after it. */
  function passes(event: Uint8Array): boolean {
    const verdict = judge(first ? withoutMark(event) : event);
    first = false;
    if (verdict === 'done') done = true;
    else if (verdict !== 'pass' && verdict !== 'withhold') fault = verdict;
    return verdict === 'pass' || verdict === 'done';
  }

  /**
   * One event at a time: what stands at the end of a stream, and all of a stream that is written in another way.
   * @param from what stands before it in the chunk goes on; what passes is moved down to it, so that the chunk stays one piece
   * @returns what goes on
   */
  function pushSlowly(chunk: Uint8Array, from: number): Uint8Array {
    const rest = from > 0 ? chunk.subarray(from) : chunk;
    const pieces: Uint8Array[] = [];
    let kept = from;
    cutter.push(rest, (bytes, start, end) => {
      if (passes(bytes.subarray(start, end))) {
        if (bytes !== rest) pieces.push(bytes.slice(start, end));
        else {
          if (kept !== from + start) chunk.copyWithin(kept, from + start, from + end);
          kept += end - start;
        }
      }
      return !done && fault === null;
    });
    // An event that began in an earlier chunk comes from the cutter's buffer, and everything of this chunk with it.
    return pieces.length > 0 ? joinBytes(pieces) : chunk.subarray(0, kept);
  }

  /** What is held may be the last event, or the beginning of one: then the stream is not complete, and not malformed. */
  function finishTyped(emit: (bytes: Uint8Array) => void): void {
    const held = cutter.held();
    // The LF of a blank line whose CR came in an earlier piece is no event.
    if (held.length === 1 && held[0] === 0x0a) emit(held.slice());
    else if (held.length > 0) {
      mayEnd = false;
      if (judge(held) !== 'pass' || !mayEnd) return;
      emit(joinBytes([held, blankLine]));
    }
    done = mayEnd;
  }

  return {
    push(chunk, emit) {
      if (done || fault !== null || chunk.length === 0) return;
      const plain = typed || cutter.held().length > 0 ? 0 : plainRun(chunk, firstOfInterest(chunk));
      if (plain > 0) first = false;
      let passed = chunk.subarray(0, plain);
      if (plain < chunk.length) {
        try {
          passed = pushSlowly(chunk, plain);
        } catch {
          fault = 'oversized_event';
        }
      }
      if (passed.length > 0) emit(passed);
    },
    finish(emit) {
      if (done || fault !== null) return;
      if (parseEvent(cutter.held()).data?.trim() === '[DONE]') {
        done = true;
        emit(doneEvent);
      } else if (typed) finishTyped(emit);
    },
    get done() {
      return done;
    },
    get fault() {
      return fault;
    },
    get tokens() {
      return tokens;
    },
  };
}

/** Where the first key stands that may mean usage or an error; the length when none does. `"usage":null` means nothing. */
function firstOfInterest(bytes: Uint8Array): number {
  const error = find(bytes, errorKey);
  const limit = error < 0 ? bytes.length : error;
  let usage = find(bytes, usageKey);
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
