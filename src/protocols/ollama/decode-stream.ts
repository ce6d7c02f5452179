/** Streams of Ollama as steps of the hub: a JSON object a line, the last one with `done` (https://docs.ollama.com/api/streaming). */
import type { Part, Step, ToolCallPart } from '../../core/conversation.ts';
import { isObject, isTooDeep } from '../../core/json.ts';
import type { StreamDecoder, StreamFault, UpstreamFailure } from '../../core/protocol.ts';
import { LineCutter } from '../json-lines.ts';
import { callsIn } from './calls.ts';
import { readEnd } from './done-reasons.ts';
import { failureInside } from './errors.ts';
import { readUsage } from './usage.ts';

type Fields = Readonly<Record<string, unknown>>;
type Take = (step: Step) => void;

export function streamDecoder(): StreamDecoder {
  return new Decoder();
}

const textDecoder = new TextDecoder();

class Decoder implements StreamDecoder {
  fault: StreamFault | null = null;
  failure: UpstreamFailure | null = null;
  private readonly cutter = new LineCutter();
  private begun = false;
  private ended = false;
  private parts = 0;
  /** The kind of the part that is open; null: none is. */
  private open: 'text' | 'reasoning' | null = null;
  private readonly ids = new Set<string>();
  private hasCalls = false;

  push(chunk: Uint8Array, take: Take): void {
    if (this.isOver()) return;
    try {
      this.cutter.push(chunk, (bytes, start, end) => {
        this.takeLine(textDecoder.decode(bytes.subarray(start, end)).trim(), take);
        return !this.isOver();
      });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.fault = 'oversized_event';
    }
  }

  /** A line that was cut is the upstream's end, not its words. */
  finish(take: Take): void {
    if (this.isOver()) return;
    this.takeLine(textDecoder.decode(this.cutter.held()).trim(), take);
    if (this.fault === 'malformed_event') this.fault = null;
  }

  close(): void {
    this.cutter.close();
  }

  private isOver(): boolean {
    return this.ended || this.fault !== null;
  }

  private takeLine(text: string, take: Take): void {
    if (text === '') return;
    const line = parsed(text);
    if (line === undefined) this.fault = 'malformed_event';
    // A value of another kind carries nothing.
    if (!isObject(line)) return;
    this.failure = failureInside(line, text);
    if (this.failure !== null) this.fault = 'upstream_error';
    else this.takeAnswer(line, text, take);
  }

  private takeAnswer(line: Fields, text: string, take: Take): void {
    const { message, done, model } = line;
    // A line of a kind that only a newer version has.
    if (!isObject(message) && done !== true) return;
    if (!this.begun) take({ type: 'begin', id: null, model: typeof model === 'string' && model !== '' ? model : null });
    this.begun = true;
    if (isObject(message)) {
      this.say('reasoning', message['thinking'], take);
      this.say('text', message['content'], take);
      for (const call of callsIn(message, text)) this.call(call, take);
    }
    if (done === true) this.end(line, take);
  }

  private say(kind: 'text' | 'reasoning', text: unknown, take: Take): void {
    if (typeof text !== 'string' || text === '') return;
    if (this.open === kind) {
      take({ type: 'partDelta', index: this.parts - 1, text });
      return;
    }
    this.endPart(take);
    this.open = kind;
    const part: Part = { type: kind, text };
    take({ type: 'partBegin', index: this.parts++, part });
  }

  /** Calls come whole. Two with one id are two calls. */
  private call(call: ToolCallPart, take: Take): void {
    this.endPart(take);
    const index = this.parts++;
    const id = call.id === '' || !this.ids.has(call.id) ? call.id : `${call.id}_${index}`;
    this.ids.add(id);
    this.hasCalls = true;
    take({ type: 'partBegin', index, part: { ...call, id } });
    take({ type: 'partEnd', index });
  }

  private endPart(take: Take): void {
    if (this.open !== null) take({ type: 'partEnd', index: this.parts - 1 });
    this.open = null;
  }

  private end(line: Fields, take: Take): void {
    this.endPart(take);
    this.ended = true;
    take({ type: 'usage', tokens: readUsage(line) });
    take({ type: 'end', end: readEnd(line['done_reason'], this.hasCalls) });
  }
}

function parsed(text: string): unknown {
  if (isTooDeep(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
