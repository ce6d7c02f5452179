/** The stream of an upstream, as steps: events of chunks, or JSON, which becomes a stream of one chunk. */
import { fold, unfold } from '../../core/answers.ts';
import { joinBytes } from '../../core/bytes.ts';
import type { Answer, Step } from '../../core/conversation.ts';
import { isTooDeep } from '../../core/json.ts';
import type { StreamDecoder, StreamFault, UpstreamFailure } from '../../core/protocol.ts';
import { firstByte, startsEvents } from '../any-stream.ts';
import { createEventReader, type TakeEvent } from '../event-reader.ts';
import { brokenProtocol, namedFailure } from '../failures.ts';
import { decodeJson, nothingMade } from './decode-answer.ts';
import { ChunkReader } from './decode-chunks.ts';

type Take = (step: Step) => void;

/** `[DONE]` as servers spell it. */
const doneShape = /^"?(?:\[done\]|done)"?$/i;
const openingBrace = 0x7b;
/** Bytes. As long as an answer that is not streamed. */
const longestAnswer = 64 * 1024 * 1024;

const decoder = new TextDecoder();

/** The first byte that is not blank decides: an upstream's label is a hint at best. */
export function createStreamDecoder(): StreamDecoder {
  return new AnyDecoder();
}

class AnyDecoder implements StreamDecoder {
  private chosen: StreamDecoder | null = null;
  private isNone = false;

  get fault(): StreamFault | null {
    return this.isNone ? 'no_stream' : (this.chosen?.fault ?? null);
  }

  get failure(): UpstreamFailure | null {
    return this.chosen?.failure ?? null;
  }

  push(chunk: Uint8Array, take: Take): void {
    if (this.chosen !== null) this.chosen.push(chunk, take);
    else if (!this.isNone) this.choose(chunk, take);
  }

  private choose(chunk: Uint8Array, take: Take): void {
    const byte = firstByte(chunk);
    if (byte === null) return;
    if (startsEvents(byte)) this.chosen = new EventDecoder();
    else if (byte === openingBrace) this.chosen = new JsonDecoder();
    else this.isNone = true;
    this.chosen?.push(chunk.subarray(chunk.indexOf(byte)), take);
  }

  finish(take: Take): void {
    this.chosen?.finish(take);
  }

  close(): void {
    this.chosen?.close();
  }
}

function ignore(): void {}

/** Events of chunks. A class for its prototype: a stream of its own closures would cost each call a dozen objects. */
class EventDecoder implements StreamDecoder {
  fault: StreamFault | null = null;
  failure: UpstreamFailure | null = null;
  /** The stream is complete. */
  done = false;
  /** The bytes have ended: an event that was cut is no fault, but nothing. */
  private isFinishing = false;
  private readonly events = createEventReader();
  private readonly chunks = new ChunkReader(ignore);
  private readonly takeEvent: TakeEvent = (event, data, name) => this.judge(event, data, name);

  push(chunk: Uint8Array, take: Take): void {
    if (this.isOver()) return;
    this.chunks.take = take;
    try {
      this.events.push(chunk, this.takeEvent);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.fault = 'oversized_event';
    }
  }

  /** Without `[DONE]` the answer is complete when each of its choices has a finish. */
  finish(take: Take): void {
    if (this.isOver()) return;
    this.chunks.take = take;
    this.isFinishing = true;
    this.events.finish(this.takeEvent);
    if (!this.isOver() && this.chunks.isFinished) this.end();
  }

  close(): void {
    this.events.close();
  }

  private isOver(): boolean {
    return this.done || this.fault !== null;
  }

  private judge(event: Readonly<Record<string, unknown>> | null, data: string, name: string): void {
    if (this.isOver()) return;
    if (name === 'error') this.fail(namedFailure(data));
    else if (event !== null) this.takeChunk(event, data);
    else this.judgeText(data);
  }

  /** Data that is no object: the end, alone or behind a chunk in the same event, or a value that carries nothing. */
  private judgeText(data: string): void {
    const lines = data.split('\n');
    const at = lines.findIndex((line) => doneShape.test(line.trim()));
    const value = at === 0 ? null : parsed(at < 0 ? data : lines.slice(0, at).join('\n'));
    if (value === undefined && this.isFinishing) return;
    if (value === undefined) this.fault = 'malformed_event';
    else if (value !== null) this.takeChunk(value, data);
    if (at < 0 || this.isOver()) return;
    if (this.chunks.answered) this.end();
    else this.fault = 'empty_answer';
  }

  private takeChunk(chunk: Readonly<Record<string, unknown>>, data: string): void {
    this.chunks.takeChunk(chunk, data);
    if (this.chunks.failure !== null) this.fail(this.chunks.failure);
    else if (this.chunks.isMalformed) this.fault = 'malformed_event';
  }

  private end(): void {
    this.chunks.end();
    if (this.chunks.isMalformed) this.fault = 'malformed_event';
    else this.done = true;
  }

  private fail(failure: UpstreamFailure): void {
    this.fault = 'upstream_error';
    this.failure = failure;
  }
}

/** @returns null for JSON that is no object, undefined for text that is no JSON */
function parsed(text: string): Readonly<Record<string, unknown>> | null | undefined {
  if (isTooDeep(text)) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return undefined;
  }
}

/** An answer in one piece. */
class JsonDecoder implements StreamDecoder {
  fault: StreamFault | null = null;
  failure: UpstreamFailure | null = null;
  private readonly pieces: Uint8Array[] = [];
  private length = 0;

  push(chunk: Uint8Array): void {
    this.length += chunk.length;
    if (this.length > longestAnswer) this.fault = 'oversized_event';
    else this.pieces.push(chunk);
  }

  finish(take: Take): void {
    if (this.fault !== null) return;
    const answer = decodeJson(decoder.decode(joinBytes(this.pieces)));
    if (!('kind' in answer)) {
      for (const step of unfold(answer)) take(step);
      return;
    }
    this.fault = answer.kind === 'malformed' ? 'no_stream' : 'upstream_error';
    this.failure = answer.kind === 'malformed' ? null : answer;
  }

  close(): void {
    this.pieces.length = 0;
  }
}

/** The words for a stream that was not asked for and cannot be read. */
const faultWords: Readonly<Record<StreamFault, string>> = {
  malformed_event: 'sent an event that is not JSON',
  oversized_event: 'sent an event that is longer than 64 MiB',
  upstream_error: 'failed',
  empty_answer: 'ended its answer before it was complete',
  no_stream: 'answered something that is not JSON',
};

/** A stream where a whole answer was asked for becomes that answer. @param text all events */
export function answerOfEvents(text: string): Answer | UpstreamFailure {
  const steps: Step[] = [];
  const events = new EventDecoder();
  const take = (step: Step) => steps.push(step);
  events.push(new TextEncoder().encode(text), take);
  events.finish(take);
  events.close();
  if (events.failure !== null) return events.failure;
  if (events.fault === 'empty_answer') return nothingMade;
  if (events.fault !== null) return brokenProtocol(faultWords[events.fault]);
  return events.done ? fold(steps) : brokenProtocol('ended its answer before it was complete');
}
