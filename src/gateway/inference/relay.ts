/**
 * A stream from an upstream to a client, by hand: bounded, with back-pressure, ending in the truth. Events end in an error
 * event when they break off. Bytes have no place for one: their connection is broken, without the last chunk.
 */
import { OlaError } from '../../core/errors.ts';
import type { Reply } from '../../core/ports.ts';
import type { Protocol, StreamFault, StreamPipe } from '../../core/protocol.ts';
import { noTokenCounts } from '../../core/usage.ts';

/** Null: complete. */
export type RelayEnd = OlaError | null;

export interface Relay {
  readonly stream: ReadableStream<Uint8Array>;
  /** Ends the stream with an error. */
  cut(error: OlaError): void;
  /**
   * Called every second or so. Sends a comment among events when nothing was sent for a while, so that proxies and clients see life;
   * leaves a client that has stopped reading, which would hold its upstream for ever.
   * @param at milliseconds of a clock that does not jump
   */
  beat(at: number): void;
}

export interface RelayHooks {
  readonly provider: string;
  /** The client's, which words errors and signs of life. */
  readonly protocol: Pick<Protocol, 'errorEvent' | 'keepAlive'>;
  readonly onFirstByte: () => void;
  /** Called once, whatever ends the stream. */
  readonly onEnd: (end: RelayEnd) => void;
  /** These are bytes, not events; the first of them, which have been read. */
  readonly opening?: Uint8Array;
}

/** Bytes that are no events: all of them are passed on, and the upstream's end is theirs. */
export function createBytePipe(): StreamPipe {
  let done = false;
  return {
    push: (chunk, emit) => emit(chunk),
    finish() {
      done = true;
    },
    get done() {
      return done;
    },
    fault: null,
    tokens: noTokenCounts,
  };
}

const quietMs = 15_000;
const stalledMs = 300_000;

export function relay(upstream: Reply, pipe: StreamPipe, hooks: RelayHooks): Relay {
  const { opening, protocol } = hooks;
  let controller: ReadableStreamDefaultController<Uint8Array>;
  let ended = false;
  let started = false;
  /** Something was sent, or tried, since the last beat. */
  let stirred = true;
  let quietSince = 0;
  let emitted = false;
  let begun: Promise<Uint8Array | null> | null = null;

  const emit = (bytes: Uint8Array) => {
    emitted = true;
    controller.enqueue(bytes);
  };

  function end(error: RelayEnd): void {
    if (ended) return;
    ended = true;
    hooks.onEnd(error);
  }

  function fail(error: OlaError): void {
    if (ended) return;
    end(error);
    try {
      if (opening !== undefined) controller.error(error);
      else {
        controller.enqueue(protocol.errorEvent(error));
        controller.close();
      }
    } catch {
      // The client is gone: nobody is left to tell.
    }
    upstream.cancel();
  }

  /** Takes one piece of the upstream's. @returns whether something was sent, or all is over */
  function take(bytes: Uint8Array | null): boolean {
    if (ended) return true;
    emitted = false;
    if (bytes === null) pipe.finish(emit);
    else pipe.push(bytes, emit);
    if (!started && emitted) {
      started = true;
      hooks.onFirstByte();
    }
    if (pipe.done) {
      controller.close();
      end(null);
      if (bytes !== null) release(upstream);
    } else if (pipe.fault !== null) fail(faulty(hooks.provider, pipe.fault));
    else if (bytes === null) fail(truncated(hooks.provider));
    return emitted || ended;
  }

  /** What has come already is taken without a wait: a whole short answer needs no turn of its own. */
  function start(): void {
    for (;;) {
      const next = upstream.read();
      if (next instanceof Promise) {
        // Whoever pulls first hears how it ends.
        next.catch(() => undefined);
        begun = next;
        return;
      }
      if (take(next) && (ended || (controller.desiredSize ?? 0) <= 0)) return;
    }
  }

  async function pull(): Promise<void> {
    try {
      for (;;) {
        const next = begun ?? upstream.read();
        begun = null;
        if (take(next instanceof Promise ? await next : next)) break;
      }
    } catch (cause) {
      fail(interrupted(hooks.provider, cause));
    }
    stirred = true;
  }

  const stream = new ReadableStream<Uint8Array>({
    start(given) {
      controller = given;
      try {
        // What is read ahead would be lost with an error that comes right behind it.
        if (opening !== undefined) take(opening);
        else start();
      } catch (cause) {
        fail(interrupted(hooks.provider, cause));
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
    cut: fail,
    beat(at) {
      if (stirred) quietSince = at;
      stirred = false;
      if (ended || at - quietSince < quietMs) return;
      if ((controller.desiredSize ?? 0) <= 0) {
        if (at - quietSince >= stalledMs) fail(new OlaError('client_closed_request', 'The client stopped reading.'));
        return;
      }
      if (opening !== undefined || protocol.keepAlive === null) return;
      quietSince = at;
      // A copy: what is enqueued belongs to the reader.
      controller.enqueue(protocol.keepAlive.slice());
    },
  };
}

/** Waits for the end that should follow at once, so that the connection can be used again; whatever else comes is not wanted. */
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

/** What a broken connection to an upstream means, once its headers were there. */
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
  malformed_event: 'sent an event that is not JSON',
  oversized_event: 'sent an event that is too large',
  upstream_error: 'reported an error in the middle of its answer',
};

function faulty(provider: string, fault: StreamFault): OlaError {
  const message = `Upstream provider '${provider}' ${faultWords[fault]}; the answer is not complete.`;
  return new OlaError('provider_error', message, { details: { provider, fault } });
}
