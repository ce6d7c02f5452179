/**
 * A stream from an upstream to a client, by hand: bounded, with back-pressure, complete only when the upstream's was. It opens
 * with the first event that a client can use; until then a failure is the attempt's, and another one may follow. Later a
 * failure is an error event; bytes have no place for one, and their connection is broken without the last chunk.
 */
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
  readonly stream: ReadableStream<Uint8Array>;
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

export function relay(upstream: Reply, pipe: StreamPipe, hooks: RelayHooks): Relay {
  const { protocol, bytes: isBytes } = hooks;
  let controller: ReadableStreamDefaultController<Uint8Array>;
  let ended = false;
  let started = false;
  /** Something was sent, or tried, since the last beat. */
  let stirred = true;
  let quietSince = 0;
  let emitted = false;
  let begun: Promise<Uint8Array | null> | null = null;
  /** Reads until the head may go. */
  let opener: Promise<void> | null = null;
  /** Undefined while the head is held back. */
  let opening: NotOpened | null | undefined;
  let tellOpened: ((opened: NotOpened | null) => void) | null = null;

  const emit = (bytes: Uint8Array) => {
    emitted = true;
    controller.enqueue(bytes);
  };

  function open(with_: NotOpened | null): void {
    if (opening !== undefined) return;
    opening = with_;
    tellOpened?.(with_);
  }

  function end(error: RelayEnd): void {
    if (ended) return;
    ended = true;
    pipe.close();
    hooks.onEnd(error);
  }

  /** Before the head has gone the attempt has failed, not the stream. */
  function fail(why: NotOpened): void {
    if (ended) return;
    if (opening === undefined) {
      ended = true;
      pipe.close();
      open(why);
    } else {
      const error = 'error' in why ? why.error : hooks.errorOf(why.failure);
      end(error);
      tellInStream(error);
    }
    upstream.cancel();
  }

  function tellInStream(error: OlaError): void {
    try {
      if (isBytes) controller.error(error);
      else {
        controller.enqueue(protocol.errorEvent(error));
        controller.close();
      }
    } catch {
      // The client is gone: there is nobody to tell.
    }
  }

  /** Takes one piece of the upstream's. @returns whether something was sent, or all is over */
  function take(bytes: Uint8Array | null): boolean {
    if (ended) return true;
    emitted = false;
    if (bytes === null) pipe.finish(emit);
    else pipe.push(bytes, emit);
    if (!started && pipe.begun) {
      started = true;
      hooks.onFirstByte();
    }
    if (pipe.begun) open(null);
    if (pipe.done) {
      open(null);
      controller.close();
      end(null);
      if (bytes !== null) release(upstream);
    } else if (pipe.fault !== null) fail(faulty(hooks.provider, pipe.fault, pipe.failure));
    else if (bytes === null) fail({ error: truncated(hooks.provider), again: true });
    return emitted || ended;
  }

  /** Takes what has come already without a wait: a short answer that is complete needs no turn of its own. */
  function start(): void {
    if (hooks.read !== null && take(hooks.read) && isFull()) return;
    for (;;) {
      const next = upstream.read();
      if (next instanceof Promise) {
        begun = next;
        if (opening === undefined) opener = readOn();
        // The first pull hears how it ends.
        else next.catch(() => undefined);
        return;
      }
      if (take(next) && isFull()) return;
    }
  }

  const isFull = () => ended || (opening !== undefined && (controller.desiredSize ?? 0) <= 0);

  /** Before it has opened a stream is read without a reader; afterwards by `pull`. */
  async function readOn(): Promise<void> {
    try {
      while (opening === undefined && !ended) {
        const next = begun ?? upstream.read();
        const bytes = next instanceof Promise ? await next : next;
        begun = null;
        take(bytes);
      }
    } catch (cause) {
      fail({ error: interrupted(hooks.provider, cause), again: false });
    }
  }

  async function pull(): Promise<void> {
    if (opening === undefined || ended) return;
    if (opener !== null) {
      await opener;
      opener = null;
      if (isFull()) return;
    }
    try {
      for (;;) {
        const next = begun ?? upstream.read();
        const bytes = next instanceof Promise ? await next : next;
        begun = null;
        if (take(bytes)) break;
      }
    } catch (cause) {
      fail({ error: interrupted(hooks.provider, cause), again: false });
    }
    stirred = true;
  }

  const stream = new ReadableStream<Uint8Array>({
    start(given) {
      controller = given;
      try {
        start();
      } catch (cause) {
        fail({ error: interrupted(hooks.provider, cause), again: false });
      }
    },
    pull,
    cancel() {
      end(new OlaError('client_closed_request', 'The client closed the connection.'));
      upstream.cancel();
    },
  });

  return {
    stream,
    opened: opening === undefined ? new Promise((resolve) => (tellOpened = resolve)) : opening,
    cut: (error) => fail({ error, again: false }),
    beat(at) {
      if (stirred) quietSince = at;
      stirred = false;
      if (ended || at - quietSince < quietMs) return;
      open(null);
      if ((controller.desiredSize ?? 0) <= 0) {
        if (at - quietSince >= stalledMs) fail({ error: clientStopped(), again: false });
        return;
      }
      if (isBytes || protocol.keepAlive === null) return;
      quietSince = at;
      // A copy: what is enqueued belongs to the reader.
      controller.enqueue(protocol.keepAlive.slice());
    },
  };
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
