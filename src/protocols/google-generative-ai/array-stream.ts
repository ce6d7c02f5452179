/**
 * A stream as a list in JSON, for clients that do not ask for events by `alt=sse`
 * (https://cloud.google.com/apis/docs/system-parameters): the chunks are its items, one after the other.
 */
import type { OlaError } from '../../core/errors.ts';
import type { ClientCall, Exchange, StreamFault, StreamPipe, UpstreamFailure } from '../../core/protocol.ts';
import type { TokenCounts } from '../../core/usage.ts';
import { createEventReader } from '../event-reader.ts';
import { errorBody } from './errors.ts';

/** @returns the exchange as it is where the client asked for events, or for no stream */
export function framed(exchange: Exchange, { query, peek }: ClientCall): Exchange {
  return peek.stream && new URLSearchParams(query).get('alt') !== 'sse' ? new ArrayExchange(exchange) : exchange;
}

const encoder = new TextEncoder();

class ArrayExchange implements Exchange {
  readonly method = 'POST';
  readonly path: string;
  readonly body: Exchange['body'];
  readonly contentType: string | null;
  readonly headers: Exchange['headers'];
  readonly notes: Exchange['notes'];
  readonly added: readonly string[];
  readonly expects: Exchange['expects'];
  readonly framing: NonNullable<Exchange['framing']>;
  private readonly exchange: Exchange;
  private pipeMade: ArrayPipe | null = null;

  constructor(exchange: Exchange) {
    this.exchange = exchange;
    this.path = exchange.path;
    this.body = exchange.body;
    this.contentType = exchange.contentType;
    this.headers = exchange.headers;
    this.notes = exchange.notes;
    this.added = exchange.added;
    this.expects = exchange.expects;
    // A blank between two items would be a sign of life, but clients that read line by line know none.
    this.framing = { errorEvent: (error) => encoder.encode(this.errorItem(error)), keepAlive: null };
  }

  answerKind(...given: Parameters<Exchange['answerKind']>): ReturnType<Exchange['answerKind']> {
    return this.exchange.answerKind(...given);
  }

  labelOf(): string {
    return 'application/json';
  }

  whole(text: string): ReturnType<Exchange['whole']> {
    return this.exchange.whole(text);
  }

  pipe(): StreamPipe {
    this.pipeMade = new ArrayPipe(this.exchange.pipe());
    return this.pipeMade;
  }

  /** The error is the last item of the list. */
  private errorItem(error: OlaError): string {
    return `${this.pipeMade?.separator() ?? '['}${errorBody(error)}]`;
  }
}

type Emit = (bytes: Uint8Array) => void;

class ArrayPipe implements StreamPipe {
  private readonly inner: StreamPipe;
  private readonly events = createEventReader();
  private items = 0;
  private closed = false;

  constructor(inner: StreamPipe) {
    this.inner = inner;
  }

  get begun(): boolean {
    return this.inner.begun;
  }

  get done(): boolean {
    return this.inner.done;
  }

  get fault(): StreamFault | null {
    return this.inner.fault;
  }

  get failure(): UpstreamFailure | null {
    return this.inner.failure;
  }

  get tokens(): TokenCounts {
    return this.inner.tokens;
  }

  get stop(): string | null {
    return this.inner.stop ?? null;
  }

  push(chunk: Uint8Array, emit: Emit): void {
    this.inner.push(chunk, (bytes) => this.convert(bytes, emit));
    this.end(emit);
  }

  finish(emit: Emit): void {
    this.inner.finish((bytes) => this.convert(bytes, emit));
    this.end(emit);
  }

  close(): void {
    this.events.close();
    this.inner.close();
  }

  /** The text in front of the next item. */
  separator(): string {
    return this.items++ === 0 ? '[' : ',\r\n';
  }

  private convert(bytes: Uint8Array, emit: Emit): void {
    let text = '';
    this.events.push(bytes, (event, data) => {
      if (event !== null) text += this.separator() + data;
    });
    if (text !== '') emit(encoder.encode(text));
  }

  private end(emit: Emit): void {
    if (!this.inner.done || this.closed) return;
    this.closed = true;
    emit(encoder.encode(this.items === 0 ? '[]' : ']'));
  }
}
