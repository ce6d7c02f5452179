/** Converse's streams as steps of the hub (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html). */
import { unfold } from '../../core/answers.ts';
import { joinBytes } from '../../core/bytes.ts';
import type { Step } from '../../core/conversation.ts';
import { isObject, isTooDeep } from '../../core/json.ts';
import type { StreamDecoder, StreamFault, UpstreamFailure } from '../../core/protocol.ts';
import { parsed } from '../failure-words.ts';
import { brokenProtocol } from '../failures.ts';
import { BlockReading } from './block-reading.ts';
import { decodeAnswer } from './decode-answer.ts';
import { readException } from './errors.ts';
import { createFrameReader, type Frame } from './frames.ts';
import { failureOfStop, readEnd } from './stop-reasons.ts';
import { readUsage } from './usage.ts';

type Fields = Readonly<Record<string, unknown>>;
type Take = (step: Step) => void;

export function streamDecoder(): StreamDecoder {
  return new Decoder();
}

/** Bytes of an answer that is JSON in the place of a stream. */
const longestAnswer = 64 * 1024 * 1024;
const brace = 0x7b;
const textDecoder = new TextDecoder();

class Decoder implements StreamDecoder {
  fault: StreamFault | null = null;
  failure: UpstreamFailure | null = null;
  private readonly frames = createFrameReader();
  private readonly blocks = new BlockReading();
  /** Null: the answer is a stream. */
  private json: Uint8Array[] | null = null;
  private length = 0;
  /** A whole frame has come. */
  private framed = false;
  private begun = false;
  private ended = false;
  /** The `stopReason`; null: `messageStop` has not come. */
  private reason: string | null = null;
  private counted = false;

  push(chunk: Uint8Array, take: Take): void {
    if (this.isOver() || chunk.length === 0) return;
    // A frame begins with its length: a brace there would make it longer than any frame.
    if (this.length === 0 && chunk[0] === brace) this.json = [];
    this.length += chunk.length;
    if (this.json === null) this.pushFrames(chunk, take);
    else if (this.length > longestAnswer) this.fault = 'oversized_event';
    else this.json.push(chunk.slice());
  }

  /** The stream is complete with `messageStop`, and the counts behind it where they come. */
  finish(take: Take): void {
    if (this.isOver()) return;
    if (this.json !== null) this.takeJson(this.json, take);
    else if (this.reason !== null && !this.frames.isHolding) this.end(this.reason, take);
  }

  close(): void {
    this.json = null;
    this.frames.close();
  }

  private isOver(): boolean {
    return this.ended || this.fault !== null;
  }

  private pushFrames(chunk: Uint8Array, take: Take): void {
    try {
      const flaw = this.frames.push(chunk, (frame) => this.take(frame, take));
      if (flaw !== null && !this.isOver()) this.break(flaw);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.fault = 'oversized_event';
    }
  }

  private break(flaw: string): void {
    if (!this.framed) {
      this.fault = 'no_stream';
      return;
    }
    this.fault = 'malformed_event';
    this.failure = brokenProtocol(flaw);
  }

  private take({ headers, payload }: Frame, take: Take): void {
    if (this.isOver()) return;
    this.framed = true;
    const text = textDecoder.decode(payload);
    const type = headers.get(':message-type');
    if (type === 'exception') this.fail(readException(headers.get(':exception-type') ?? '', text));
    else if (type === 'error') {
      const message = headers.get(':error-message') ?? '';
      this.fail(readException(headers.get(':error-code') ?? '', JSON.stringify({ message })));
    } else this.event(headers.get(':event-type') ?? '', text, take);
  }

  private fail(failure: UpstreamFailure): void {
    this.failure = failure;
    this.fault = 'upstream_error';
  }

  /** An event of an unknown type is one of a newer version of the API. */
  private event(type: string, text: string, take: Take): void {
    const event = isTooDeep(text) ? null : parsed(text);
    if (!isObject(event)) this.fault = 'malformed_event';
    else if (type === 'contentBlockDelta') this.block(this.blocks.delta(event, take));
    else if (type === 'contentBlockStart') this.block(this.blocks.start(event, take));
    else if (type === 'contentBlockStop') this.blocks.stop(event, take);
    else if (type === 'messageStart') this.start(take);
    else if (type === 'messageStop') this.stop(event, take);
    else if (type === 'metadata') this.count(event, take);
  }

  private block(isSound: boolean): void {
    if (!isSound) this.break('sent an event of its stream that has no meaning in its place; the answer is not complete');
  }

  /** Converse names neither an id nor a model. */
  private start(take: Take): void {
    if (!this.begun) take({ type: 'begin', id: null, model: null });
    this.begun = true;
  }

  private stop({ stopReason }: Fields, take: Take): void {
    const failure = failureOfStop(stopReason);
    if (failure !== null) {
      this.fail(failure);
      return;
    }
    this.reason = typeof stopReason === 'string' ? stopReason : '';
    this.blocks.finish(readEnd(this.reason, false).reason === 'length', take);
    if (this.counted) this.end(this.reason, take);
  }

  /** The counts come behind the end of the message. */
  private count({ usage }: Fields, take: Take): void {
    take({ type: 'usage', tokens: readUsage(usage) });
    this.counted = true;
    if (this.reason !== null) this.end(this.reason, take);
  }

  private end(reason: string, take: Take): void {
    if (!this.begun) {
      this.fault = 'empty_answer';
      return;
    }
    this.ended = true;
    take({ type: 'end', end: readEnd(reason, this.blocks.called) });
  }

  private takeJson(pieces: readonly Uint8Array[], take: Take): void {
    const answer = decodeAnswer(textDecoder.decode(joinBytes(pieces)));
    if ('kind' in answer) {
      this.fault = answer.kind === 'malformed' ? 'no_stream' : 'upstream_error';
      this.failure = answer.kind === 'malformed' ? null : answer;
      return;
    }
    this.ended = true;
    for (const step of unfold(answer)) take(step);
  }
}
