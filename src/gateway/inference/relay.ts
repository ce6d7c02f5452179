/**
 * A stream from an upstream to a client, by hand: bounded, with back-pressure, complete only when the upstream's was. It opens
 * with the first event that a client can use; until then a failure is the attempt's, and another one may follow. Later a
 * failure is an error event; bytes have no place for one, and their connection is broken without the last chunk.
 */
import { joinBytes } from '../../core/bytes.ts';
import { OlaError } from '../../core/errors.ts';
import type { Reply } from '../../core/ports.ts';
import type { Protocol, StreamFault, StreamPipe, UpstreamFailure } from '../../core/protocol.ts';
import { noTokenCounts } from '../../core/usage.ts';

/** Null: complete. */
export type RelayEnd = OlaError | null;

/** Why a stream did not open: an error of ola's, or the failure that the upstream told in it. */
export type NotOpened =
  | { readonly failure: UpstreamFailure }
  /** @see AttemptFailure: `again` when another attempt may do better */
  | { readonly error: OlaError; readonly again: boolean };

export interface Relay {
  /** Bytes when all of it is there at once, which most short answers are: a stream costs several times as much. */
  readonly body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
  /** Null once the head may go to the client. At once when that is known. */
  readonly opened: NotOpened | null | Promise<NotOpened | null>;
  /** Ends the stream with an error. */
  cut(error: OlaError): void;
  /**
   * Called every second or so. Sends a sign of life when nothing was sent for a while, so that proxies and clients wait;
   * leaves a client that has stopped reading, which would hold its upstream for ever.
   * @param at milliseconds of a clock that does not jump
   */
  beat(at: number): void;
}

export interface RelayHooks {
  readonly provider: string;
  /** The client's, which words errors and signs of life. */
  readonly protocol: Pick<Protocol, 'errorEvent' | 'keepAlive'>;
  /** The words of a failure that comes in the middle of the stream. */
  readonly errorOf: (failure: UpstreamFailure) => OlaError;
  readonly onFirstByte: () => void;
  /** Called once, whatever ends a stream that has opened. */
  readonly onEnd: (end: RelayEnd) => void;
  /** Set for answers of bytes: they have no events. */
  readonly bytes: boolean;
  /** Bytes of the body that were read already, while its kind was looked for. */
  readonly read: Uint8Array | null;
}

/** Bytes that are no events: all of them are passed on, and the upstream's end is theirs. */
export function createBytePipe(): StreamPipe {
  let begun = false;
  let done = false;
  return {
    push(chunk, emit) {
      begun = true;
      emit(chunk);
    },
    finish() {
      done = true;
    },
    close: () => undefined,
    get begun() {
      return begun;
    },
    get done() {
      return done;
    },
    fault: null,
    failure: null,
    tokens: noTokenCounts,
  };
}

/** Milliseconds of silence after which a sign of life is sent, and the head of a stream that has not begun. */
const quietMs = 15_000;
/** Milliseconds after which a client that takes nothing is left. */
const stalledMs = 300_000;

/** @param pipe reads and changes the stream on its way */
export function relay(upstream: Reply, pipe: StreamPipe, hooks: RelayHooks): Relay {
  return new PipedStream(upstream, pipe, hooks);
}

/** A class for its prototype: a stream of its own closures would cost each call a dozen objects. */
class PipedStream implements Relay, UnderlyingDefaultSource<Uint8Array> {
  readonly body: Relay['body'];
  readonly opened: Relay['opened'];
  private readonly upstream: Reply;
  private readonly pipe: StreamPipe;
  private readonly hooks: RelayHooks;
  /** Null while what is ready is taken: it waits in `early`. */
  private controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  private readonly early: Uint8Array[] = [];
  /** The error that breaks a body of bytes, when it came before the stream was made. */
  private breaking: OlaError | null = null;
  private ended = false;
  private started = false;
  /** Something was sent, or tried, since the last beat. */
  private stirred = true;
  private quietSince = 0;
  private emitted = false;
  /** A read that is under way. */
  private begun: Promise<Uint8Array | null> | null = null;
  /** Reads until the head may go. */
  private opener: Promise<void> | null = null;
  /** Undefined while the head is held back. */
  private opening: NotOpened | null | undefined;
  private tellOpened: ((opened: NotOpened | null) => void) | null = null;

  constructor(upstream: Reply, pipe: StreamPipe, hooks: RelayHooks) {
    this.upstream = upstream;
    this.pipe = pipe;
    this.hooks = hooks;
    this.takeAll();
    this.body = this.ended && this.breaking === null ? joined(this.early) : new ReadableStream<Uint8Array>(this);
    this.opened =
      this.opening === undefined
        ? new Promise((resolve) => {
            this.tellOpened = resolve;
          })
        : this.opening;
  }

  start(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.controller = controller;
    for (const bytes of this.early) controller.enqueue(bytes);
    if (this.breaking !== null) controller.error(this.breaking);
  }

  async pull(): Promise<void> {
    if (this.opening === undefined || this.ended) return;
    if (this.opener !== null) {
      await this.opener;
      this.opener = null;
      if (this.isFull()) return;
    }
    try {
      for (;;) {
        const next = this.next();
        if (this.take(next instanceof Promise ? await next : next)) break;
      }
    } catch (cause) {
      this.fail(this.brokenBy(cause));
    }
    this.stirred = true;
  }

  cancel(): void {
    this.end(new OlaError('client_closed_request', 'The client closed the connection.'));
    this.upstream.cancel();
  }

  cut(error: OlaError): void {
    this.fail({ error, again: false });
  }

  beat(at: number): void {
    if (this.stirred) this.quietSince = at;
    this.stirred = false;
    if (this.ended || at - this.quietSince < quietMs) return;
    this.open(null);
    if ((this.controller?.desiredSize ?? 0) <= 0) {
      if (at - this.quietSince >= stalledMs) this.fail({ error: clientStopped(), again: false });
      return;
    }
    const { bytes, protocol } = this.hooks;
    if (bytes || protocol.keepAlive === null) return;
    this.quietSince = at;
    // A copy: what is enqueued belongs to the reader.
    this.controller?.enqueue(protocol.keepAlive.slice());
  }

  /** Takes what has come already without a wait: a short answer that is complete needs no turn of its own. */
  private takeReady(): void {
    if (this.hooks.read !== null && this.take(this.hooks.read) && this.isFull()) return;
    for (;;) {
      const next = this.upstream.read();
      if (next instanceof Promise) {
        this.begun = next;
        if (this.opening === undefined) this.opener = this.readOn();
        // The first pull hears how it ends.
        else next.catch(() => undefined);
        return;
      }
      if (this.take(next) && this.isFull()) return;
    }
  }

  private takeAll(): void {
    try {
      this.takeReady();
    } catch (cause) {
      this.fail(this.brokenBy(cause));
    }
  }

  /** Before it has opened a stream is read without a reader; afterwards by `pull`. */
  private async readOn(): Promise<void> {
    try {
      while (this.opening === undefined && !this.ended) this.take(await this.next());
    } catch (cause) {
      this.fail(this.brokenBy(cause));
    }
  }

  /** The next bytes; awaited only where they have not come. */
  private next(): Uint8Array | null | Promise<Uint8Array | null> {
    const next = this.begun ?? this.upstream.read();
    this.begun = null;
    return next;
  }

  private isFull(): boolean {
    if (this.ended || this.opening === undefined) return this.ended;
    // Events that are there are few: a reply holds little that is not read. Bytes may be a long file.
    return this.controller === null ? this.hooks.bytes : (this.controller.desiredSize ?? 0) <= 0;
  }

  private readonly emit = (bytes: Uint8Array): void => {
    this.emitted = true;
    this.send(bytes);
  };

  private send(bytes: Uint8Array): void {
    if (this.controller === null) this.early.push(bytes);
    else this.controller.enqueue(bytes);
  }

  /** Takes one piece of the upstream's. @returns whether something was sent, or all is over */
  private take(bytes: Uint8Array | null): boolean {
    if (this.ended) return true;
    const { pipe, hooks } = this;
    this.emitted = false;
    if (bytes === null) pipe.finish(this.emit);
    else pipe.push(bytes, this.emit);
    if (pipe.begun && !this.started) {
      this.started = true;
      hooks.onFirstByte();
      this.open(null);
    }
    if (pipe.done) this.finish(bytes !== null);
    else if (pipe.fault !== null) this.fail(faulty(hooks.provider, pipe.fault, pipe.failure));
    else if (bytes === null) this.fail({ error: truncated(hooks.provider), again: true });
    return this.emitted || this.ended;
  }

  /** @param more the upstream has not ended yet */
  private finish(more: boolean): void {
    this.open(null);
    this.controller?.close();
    this.end(null);
    if (more) release(this.upstream);
  }

  private open(opened: NotOpened | null): void {
    if (this.opening !== undefined) return;
    this.opening = opened;
    this.tellOpened?.(opened);
  }

  private end(error: RelayEnd): void {
    if (this.ended) return;
    this.ended = true;
    this.pipe.close();
    this.hooks.onEnd(error);
  }

  private brokenBy(cause: unknown): NotOpened {
    return { error: interrupted(this.hooks.provider, cause), again: false };
  }

  /** Before the head has gone the attempt has failed, not the stream. */
  private fail(why: NotOpened): void {
    if (this.ended) return;
    if (this.opening === undefined) {
      this.ended = true;
      this.pipe.close();
      this.open(why);
    } else {
      const error = 'error' in why ? why.error : this.hooks.errorOf(why.failure);
      this.end(error);
      this.tellInStream(error);
    }
    this.upstream.cancel();
  }

  private tellInStream(error: OlaError): void {
    try {
      if (!this.hooks.bytes) {
        this.send(this.hooks.protocol.errorEvent(error));
        this.controller?.close();
      } else if (this.controller === null) this.breaking = error;
      else this.controller.error(error);
    } catch {
      // The client is gone: there is nobody to tell.
    }
  }
}

function clientStopped(): OlaError {
  return new OlaError('client_closed_request', 'The client stopped reading.');
}

/** Waits for the end that should follow at once, so that the connection can be used again; anything else that comes is not wanted. */
function release(upstream: Reply): void {
  const next = upstream.read();
  if (next === null) return;
  if (!(next instanceof Promise)) {
    upstream.cancel();
    return;
  }
  const late = setTimeout(upstream.cancel, 1000);
  next
    .then((bytes) => bytes === null || upstream.cancel())
    .catch(() => undefined)
    .finally(() => clearTimeout(late));
}

/** The meaning of a broken connection to an upstream, once its headers were there. */
export function interrupted(provider: string, cause: unknown): OlaError {
  if (cause instanceof OlaError) return cause;
  const timedOut = cause instanceof Error && cause.name === 'TimeoutError';
  return timedOut
    ? new OlaError('upstream_timeout', `Upstream provider '${provider}' went silent in the middle of its answer.`, { cause })
    : truncated(provider, cause);
}

function truncated(provider: string, cause?: unknown): OlaError {
  const message = `Upstream provider '${provider}' ended its answer before it was complete.`;
  return new OlaError('upstream_truncated', message, cause === undefined ? {} : { cause });
}

const faultWords: Readonly<Record<StreamFault, string>> = {
  malformed_event: 'sent an event that is not JSON; the answer is not complete',
  oversized_event: 'sent an event that is longer than 64 MiB, or events of more than 256 MiB are held at the moment',
  upstream_error: 'reported an error in the middle of its answer; the answer is not complete',
  empty_answer: 'ended its stream without an answer in it',
  no_stream: 'was asked for a stream and answered something else',
};

function faulty(provider: string, fault: StreamFault, failure: UpstreamFailure | null): NotOpened {
  if (failure !== null) return { failure };
  const message = `Upstream provider '${provider}' ${faultWords[fault]}.`;
  return { error: new OlaError('provider_error', message, { details: { provider, fault } }), again: fault === 'empty_answer' };
}

const joined = (pieces: readonly Uint8Array[]) => joinBytes(pieces) as Uint8Array<ArrayBuffer>;
