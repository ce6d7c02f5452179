/** Streams of Ollama on their way through: whole lines go on unchanged, complete with `done` alone. */
import { isObject, isTooDeep } from '../../core/json.ts';
import type { StreamFault, StreamPipe, UpstreamFailure } from '../../core/protocol.ts';
import { find } from '../../core/sse.ts';
import { noTokenCounts, type TokenCounts } from '../../core/usage.ts';
import { LineCutter } from '../json-lines.ts';
import { readEnd } from './done-reasons.ts';
import { failureInside } from './errors.ts';
import { readUsage } from './usage.ts';

type Emit = (bytes: Uint8Array) => void;

export function createLineTap(): StreamPipe {
  return new LineTap();
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const lineEnd = encoder.encode('\n');
const openingBrace = 0x7b;
const closingBrace = 0x7d;
const lineFeed = 0x0a;
/** Bytes without which a line is neither the last one nor an error. */
const keysOfInterest = [':true', ': true', 'rror"'].map((key) => encoder.encode(key));

/** A class for its prototype: a stream of its own closures would cost each call a dozen objects. */
class LineTap implements StreamPipe {
  begun = false;
  done = false;
  fault: StreamFault | null = null;
  failure: UpstreamFailure | null = null;
  tokens: TokenCounts = noTokenCounts;
  stop: string | null = null;
  private readonly cutter = new LineCutter();

  push(chunk: Uint8Array, emit: Emit): void {
    if (this.isOver()) return;
    /** The run of lines of this chunk that go on. */
    let from = 0;
    let to = 0;
    const flush = () => {
      if (to > from) emit(chunk.subarray(from, to));
    };
    const visit = (bytes: Uint8Array, start: number, end: number): boolean => {
      const passes = this.judge(bytes.subarray(start, end));
      if (passes && bytes !== chunk) emit(bytes);
      else if (passes) {
        if (to !== start) {
          flush();
          from = start;
        }
        to = end;
      }
      return !this.isOver();
    };
    try {
      this.cutter.push(chunk, visit);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.fault = 'oversized_event';
    }
    flush();
  }

  /** A last line may lack its line feed. One that was cut is the upstream's end, not its words. */
  finish(emit: Emit): void {
    if (this.isOver()) return;
    const held = this.cutter.held();
    if (held.length === 0) return;
    const passes = this.judge(held);
    if (this.fault === 'malformed_event') this.fault = null;
    else if (passes) {
      emit(held);
      emit(lineEnd.slice());
    }
  }

  close(): void {
    this.cutter.close();
  }

  private isOver(): boolean {
    return this.done || this.fault !== null;
  }

  /** @returns whether the line goes on */
  private judge(line: Uint8Array): boolean {
    if (this.begun && isPlain(line)) return true;
    const text = decoder.decode(line).trim();
    if (text === '') return false;
    const value = parsed(text);
    if (value === undefined) this.fault = this.begun || text.startsWith('{') ? 'malformed_event' : 'no_stream';
    if (!isObject(value)) return false;
    this.failure = failureInside(value, text);
    if (this.failure !== null) {
      this.fault = 'upstream_error';
      return false;
    }
    this.take(value);
    return true;
  }

  private take(line: Readonly<Record<string, unknown>>): void {
    this.done = line['done'] === true;
    this.begun ||= this.done || isFilled(line) || isFilled(line['message']);
    if (!this.done) return;
    this.tokens = readUsage(line);
    this.stop = readEnd(line['done_reason'], false).unknown;
  }
}

/** The line is an object by its first and last byte, and neither the last one nor an error. */
function isPlain(line: Uint8Array): boolean {
  if (line[0] !== openingBrace || line.at(-1) !== lineFeed || line.at(-2) !== closingBrace) return false;
  return keysOfInterest.every((key) => find(line, key) < 0);
}

/** Something has come that a client can use. */
function isFilled(said: unknown): boolean {
  if (!isObject(said)) return false;
  const { content, response, thinking, tool_calls: calls } = said;
  return [content, response, thinking].some((text) => typeof text === 'string' && text !== '') || Array.isArray(calls);
}

function parsed(text: string): unknown {
  if (isTooDeep(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
