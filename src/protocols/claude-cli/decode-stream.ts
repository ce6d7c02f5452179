/**
 * The output of Claude Code as steps of the hub: a JSON object a line. Lines of the type `stream_event` hold the events of
 * Anthropic's API, which its own decoder reads.
 */
import type { Step } from '../../core/conversation.ts';
import { isObject, isTooDeep } from '../../core/json.ts';
import type { Protocol, StreamDecoder, StreamFault, UpstreamFailure } from '../../core/protocol.ts';
import { LineCutter } from '../json-lines.ts';
import { failureOfResult, failureOfRetry, offersTools, type Told } from './failures.ts';
import { Turns } from './turns.ts';

type Fields = Readonly<Record<string, unknown>>;
type Take = (step: Step) => void;

/** @param events decodes events of Anthropic's API. @param readFailure classifies its errors */
export function outputDecoder(events: () => StreamDecoder, readFailure: Protocol['readFailure']): StreamDecoder {
  return new Decoder(events, readFailure);
}

const textDecoder = new TextDecoder();

class Decoder implements StreamDecoder {
  fault: StreamFault | null = null;
  failure: UpstreamFailure | null = null;
  private readonly cutter = new LineCutter();
  private readonly turns: Turns;
  private readonly readFailure: Protocol['readFailure'];
  /** The first line has said that the model has no tools. */
  private isFenced = false;
  private told: Told = { word: null, resetAt: null };

  constructor(events: () => StreamDecoder, readFailure: Protocol['readFailure']) {
    this.turns = new Turns(events);
    this.readFailure = readFailure;
  }

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

  /** A line that was cut is the program's end, not its words. */
  finish(take: Take): void {
    if (this.isOver()) return;
    this.takeLine(textDecoder.decode(this.cutter.held()).trim(), take);
    if (this.fault === 'malformed_event') this.fault = null;
  }

  close(): void {
    this.cutter.close();
    this.turns.close();
  }

  private isOver(): boolean {
    return this.turns.ended || this.fault !== null;
  }

  private takeLine(text: string, take: Take): void {
    if (text === '') return;
    const line = parsed(text);
    if (line === undefined) this.fault = 'malformed_event';
    if (!isObject(line)) return;
    const { type, subtype } = line;
    if (type === 'stream_event') this.event(line, take);
    else if (type === 'system' && subtype === 'init') this.begin(line);
    else if (type === 'system' && subtype === 'api_retry') this.fail(failureOfRetry(line, this.told, this.readFailure));
    else if (type === 'assistant') this.note({ word: nonEmpty(line['error']) });
    else if (type === 'rate_limit_event') this.note({ resetAt: resetIn(line['rate_limit_info']) });
    else if (type === 'result') this.result(line);
  }

  private event({ event, parent_tool_use_id: parent }: Fields, take: Take): void {
    // Events of a helper of the model's: it has none without tools.
    if (!isObject(event) || (parent ?? null) !== null) return;
    if (!this.isFenced) {
      this.fail(offersTools());
      return;
    }
    this.turns.push(event, take);
    this.fault ??= this.turns.fault;
    this.fail(this.turns.failure);
  }

  /** The first line, before the model is asked. */
  private begin({ tools, mcp_servers: servers }: Fields): void {
    this.isFenced = isNone(tools) && isNone(servers ?? []);
    if (!this.isFenced) this.fail(offersTools());
  }

  private note(told: Partial<Told>): void {
    this.told = { word: told.word ?? this.told.word, resetAt: told.resetAt ?? this.told.resetAt };
  }

  /** The answer has ended before, by its last event: this is a run that failed, or one that was never answered. */
  private result(line: Fields): void {
    if (line['is_error'] === true) this.fail(failureOfResult(line, this.told, this.readFailure));
    else this.fault = 'empty_answer';
  }

  private fail(failure: UpstreamFailure | null): void {
    if (failure === null) return;
    this.failure = failure;
    this.fault = 'upstream_error';
  }
}

const isNone = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

/** Seconds since 1970, of a limit that refuses: the others are warnings. */
function resetIn(info: unknown): number | null {
  if (!isObject(info) || info['status'] !== 'rejected') return null;
  const seconds = info['resetsAt'];
  return typeof seconds === 'number' && Number.isFinite(seconds) ? seconds * 1000 : null;
}

function nonEmpty(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function parsed(text: string): unknown {
  if (isTooDeep(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
