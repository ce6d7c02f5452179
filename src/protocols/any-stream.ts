/** The first bytes of an answer decide what it is: the label of a real upstream is a hint at best. */
import { joinBytes } from '../core/bytes.ts';
import type { StreamFault, StreamPipe, UpstreamFailure, WholeAnswer } from '../core/protocol.ts';
import { noTokenCounts, type TokenCounts } from '../core/usage.ts';

/** Bytes. As long as an answer that is not streamed. */
const longestAnswer = 64 * 1024 * 1024;

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** The first byte that is no white space and no byte order mark; null when there is none. */
export function firstByte(bytes: Uint8Array): number | null {
  return bytes[startOf(bytes)] ?? null;
}

/** White space, and the bytes of a byte order mark, which may come in pieces. */
const blanks: readonly number[] = [0x20, 0x0a, 0x0d, 0x09, 0xef, 0xbb, 0xbf];

function startOf(bytes: Uint8Array): number {
  let at = 0;
  while (at < bytes.length && blanks.includes(bytes[at] as number)) at++;
  return at;
}

/** `data`, `event`, `id`, `retry` or a comment begins. */
const eventStarts: readonly number[] = [...'deir:'].map((letter) => letter.charCodeAt(0));

export function startsEvents(byte: number | null): boolean {
  return byte !== null && eventStarts.includes(byte);
}

const brace = 0x7b;

/** The two forms in which a stream that was asked for may come. */
export interface StreamForms {
  /** The tap of a stream of events. */
  readonly tap: () => StreamPipe;
  /** Reads a whole answer that came in place of a stream. */
  readonly read: (text: string) => WholeAnswer | UpstreamFailure;
  /** The stream that says what a whole answer says. */
  readonly eventsOf: (answer: string) => string;
}

/** A stream that was asked for: events, or JSON, which becomes a stream. */
export function createAnyStream(forms: StreamForms): StreamPipe {
  return new AnyStream(forms);
}

class AnyStream implements StreamPipe {
  private readonly forms: StreamForms;
  private chosen: StreamPipe | null = null;
  private isNone = false;

  constructor(forms: StreamForms) {
    this.forms = forms;
  }

  get begun(): boolean {
    return this.chosen?.begun ?? false;
  }

  get done(): boolean {
    return this.chosen?.done ?? false;
  }

  get fault(): StreamFault | null {
    return this.isNone ? 'no_stream' : (this.chosen?.fault ?? null);
  }

  get failure(): UpstreamFailure | null {
    return this.chosen?.failure ?? null;
  }

  get tokens(): TokenCounts {
    return this.chosen?.tokens ?? noTokenCounts;
  }

  push(chunk: Uint8Array, emit: (bytes: Uint8Array) => void): void {
    if (this.isNone) return;
    if (this.chosen !== null) {
      this.chosen.push(chunk, emit);
      return;
    }
    this.chosen = this.choose(chunk);
    const start = startOf(chunk);
    this.chosen?.push(start === 0 ? chunk : chunk.subarray(start), emit);
  }

  finish(emit: (bytes: Uint8Array) => void): void {
    this.chosen?.finish(emit);
  }

  close(): void {
    this.chosen?.close();
  }

  /** @returns null while there is nothing but white space, or for good */
  private choose(chunk: Uint8Array): StreamPipe | null {
    const byte = firstByte(chunk);
    if (byte === null) return null;
    if (startsEvents(byte)) return this.forms.tap();
    if (byte === brace) return createJsonStream(this.forms);
    this.isNone = true;
    return null;
  }
}

function createJsonStream(forms: StreamForms): StreamPipe {
  const pieces: Uint8Array[] = [];
  let length = 0;
  let done = false;
  let fault: StreamFault | null = null;
  let failure: UpstreamFailure | null = null;
  let tokens: TokenCounts = noTokenCounts;
  return {
    push(chunk) {
      length += chunk.length;
      if (length > longestAnswer) fault = 'oversized_event';
      else pieces.push(chunk);
    },
    finish(emit) {
      if (fault !== null) return;
      const text = decoder.decode(joinBytes(pieces));
      const answer = forms.read(text);
      if ('kind' in answer) {
        fault = answer.kind === 'malformed' ? 'no_stream' : 'upstream_error';
        failure = answer.kind === 'malformed' ? null : answer;
        return;
      }
      tokens = answer.tokens;
      emit(encoder.encode(forms.eventsOf(text)));
      done = true;
    },
    close() {
      pieces.length = 0;
    },
    get begun() {
      return done;
    },
    get done() {
      return done;
    },
    get fault() {
      return fault;
    },
    get failure() {
      return failure;
    },
    get tokens() {
      return tokens;
    },
  };
}
