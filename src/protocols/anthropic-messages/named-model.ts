/**
 * An answer of the model that was asked names it as its client does: what was replaced on the way up is put back on the way down.
 * Claude Code sends the thinking of an answer back only while the answer's model equals the one that it asks for, and Anthropic
 * refuses a turn of tools without its thinking.
 */
import type { StreamFault, StreamPipe, UpstreamFailure } from '../../core/protocol.ts';
import { find } from '../../core/sse.ts';
import type { TokenCounts } from '../../core/usage.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const startName = encoder.encode('message_start');
const lineEnds = [encoder.encode('\n\n'), encoder.encode('\r\n\r\n')] as const;
const modelMember = /"model"\s*:\s*("(?:[^"\\]|\\.)*")/;

/** The two names of a model. */
export interface Renaming {
  /** The upstream's. An answer that names another model stays as it is. */
  readonly asked: string;
  /** The client's. */
  readonly named: string;
}

/** @param tap emits whole events, of which the first `message_start` is changed */
export function withModelNamed(tap: StreamPipe, renaming: Renaming): StreamPipe {
  return new NamedStream(tap, renaming);
}

class NamedStream implements StreamPipe {
  private readonly tap: StreamPipe;
  private readonly renaming: Renaming;
  private started = false;

  constructor(tap: StreamPipe, renaming: Renaming) {
    this.tap = tap;
    this.renaming = renaming;
  }

  get begun(): boolean {
    return this.tap.begun;
  }

  get done(): boolean {
    return this.tap.done;
  }

  get fault(): StreamFault | null {
    return this.tap.fault;
  }

  get failure(): UpstreamFailure | null {
    return this.tap.failure;
  }

  get tokens(): TokenCounts {
    return this.tap.tokens;
  }

  push(chunk: Uint8Array, emit: (bytes: Uint8Array) => void): void {
    this.tap.push(chunk, this.started ? emit : (bytes) => this.rename(bytes, emit));
  }

  finish(emit: (bytes: Uint8Array) => void): void {
    this.tap.finish(emit);
  }

  close(): void {
    this.tap.close();
  }

  private rename(bytes: Uint8Array, emit: Emit): void {
    const start = this.started ? -1 : find(bytes, startName);
    if (start < 0) {
      emit(bytes);
      return;
    }
    this.started = true;
    const end = endOfEvent(bytes, start);
    const { asked, named } = this.renaming;
    const usual = encoder.encode(memberOf(asked));
    const at = find(bytes, usual, start);
    if (at >= 0 && at < end) splice(bytes, { at, end: at + usual.length, text: memberOf(named) }, emit);
    else {
      const event = decoder.decode(bytes.subarray(0, end));
      const [member, value = ''] = modelMember.exec(event) ?? [];
      const isAsked = member !== undefined && value === JSON.stringify(asked);
      const text = isAsked ? event.replace(member, () => memberOf(named)) : event;
      splice(bytes, { at: 0, end, text }, emit);
    }
  }
}

type Emit = (bytes: Uint8Array) => void;

const memberOf = (model: string): string => `"model":${JSON.stringify(model)}`;

/** Emits the bytes with those from `at` to `end` replaced by a text; they are not copied, because a stream's first piece may be all of it. */
function splice(bytes: Uint8Array, { at, end, text }: { at: number; end: number; text: string }, emit: Emit): void {
  if (at > 0) emit(bytes.subarray(0, at));
  emit(encoder.encode(text));
  if (end < bytes.length) emit(bytes.subarray(end));
}

/** The events of one chunk end their lines alike, as one program writes them. */
function endOfEvent(bytes: Uint8Array, from: number): number {
  for (const lineEnd of lineEnds) {
    const at = find(bytes, lineEnd, from);
    if (at >= 0) return at;
  }
  return bytes.length;
}
