/** Streams of Anthropic's API as steps of the hub (https://docs.claude.com/en/docs/build-with-claude/streaming). */
import type { Step } from '../../core/conversation.ts';
import { isObject } from '../../core/json.ts';
import type { StreamDecoder, StreamFault, UpstreamFailure } from '../../core/protocol.ts';
import { createEventReader } from '../event-reader.ts';
import { createBlockReading } from './block-reading.ts';
import { readEnd } from './end-reasons.ts';
import { failureInside } from './errors.ts';
import { mergeUsage, readUsage } from './usage.ts';

type Fields = Readonly<Record<string, unknown>>;
type Take = (step: Step) => void;

export function streamDecoder(): StreamDecoder {
  return new Decoder();
}

class Decoder implements StreamDecoder {
  fault: StreamFault | null = null;
  failure: UpstreamFailure | null = null;
  private readonly blocks = createBlockReading();
  private readonly reader = createEventReader((events, at) =>
    this.isOver() ? events.length : this.blocks.text(events, at, this.steps),
  );
  /** Takes the steps of the bytes that are pushed now. */
  private steps: Take = () => undefined;
  private begun = false;
  private ended = false;
  private usage: Fields = {};
  private reason: unknown = null;
  private sequence: unknown = null;

  push(chunk: Uint8Array, take: Take): void {
    if (this.isOver()) return;
    this.steps = take;
    try {
      this.reader.push(chunk, (event, data, name) => this.take(event, data, name, take));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.fault = 'oversized_event';
    }
  }

  /** An event that was cut is the upstream's end, not its words. */
  finish(take: Take): void {
    if (this.isOver()) return;
    this.steps = take;
    this.reader.finish((event, data, name) => this.take(event, data, name, take));
    if (this.fault === 'malformed_event') this.fault = null;
  }

  close(): void {
    this.reader.close();
  }

  private isOver(): boolean {
    return this.ended || this.fault !== null;
  }

  private take(event: Fields | null, data: string, name: string, take: Take): void {
    if (this.isOver()) return;
    if (event === null) {
      this.takeText(data, name);
      return;
    }
    const type = typeof event['type'] === 'string' ? event['type'] : name;
    if (type === 'content_block_delta') this.block(this.blocks.delta(event, take));
    else if (type === 'content_block_start') this.block(this.blocks.start(event, take));
    else if (type === 'content_block_stop') this.blocks.stop(event['index'], take);
    else if (type === 'message_start') this.start(event, take);
    else if (type === 'message_delta') this.change(event, take);
    else if (type === 'message_stop') this.end(take);
    else this.failure = failureInside(type === 'error' ? { ...event, type } : event, data);
    if (this.failure !== null) this.fault = 'upstream_error';
  }

  /** Data that is no object: JSON of another kind carries nothing, and some hosts send OpenAI's `[DONE]`. */
  private takeText(data: string, name: string): void {
    if (name === 'error') {
      const failure = failureInside({ type: 'error', error: { type: 'api_error', message: data } }, data);
      this.failure = failure === null ? null : { ...failure, body: null };
      this.fault = 'upstream_error';
    } else if (!isJson(data) && !/^\[done\]$/i.test(data)) this.fault = 'malformed_event';
  }

  private block(isSound: boolean): void {
    if (!isSound) this.fault = 'malformed_event';
  }

  private start({ message }: Fields, take: Take): void {
    const { id, model, usage } = isObject(message) ? message : {};
    if (!this.begun) take({ type: 'begin', id: nonEmpty(id), model: nonEmpty(model) });
    this.begun = true;
    this.count(usage, take);
  }

  /** The counts of a call that breaks off are known as far as they were told. */
  private count(usage: unknown, take: Take): void {
    if (!isObject(usage)) return;
    this.usage = mergeUsage(this.usage, usage);
    take({ type: 'usage', tokens: readUsage(this.usage) });
  }

  private change({ delta, usage }: Fields, take: Take): void {
    const told = isObject(delta) ? delta : {};
    this.reason = told['stop_reason'] ?? this.reason;
    this.sequence = told['stop_sequence'] ?? this.sequence;
    this.blocks.finish(readEnd(this.reason, null).reason === 'length', take);
    this.count(usage, take);
  }

  private end(take: Take): void {
    if (!this.begun) {
      this.fault = 'empty_answer';
      return;
    }
    this.blocks.finish(false, take);
    this.ended = true;
    take({ type: 'end', end: readEnd(this.reason, this.sequence) });
  }
}

function isJson(data: string): boolean {
  try {
    JSON.parse(data);
    return true;
  } catch {
    return false;
  }
}

function nonEmpty(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
