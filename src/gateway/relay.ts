/** A stream from an upstream to a client, by hand: bounded, with back-pressure, ending in the truth. */
import type { InBag } from '../core/bag.ts';
import { errorEnvelope, OlaError } from '../core/errors.ts';

/** What reads a protocol's stream in passing (see `protocols/.../stream.ts`). */
export interface Tap {
  push(chunk: Uint8Array, emit: (bytes: Uint8Array) => void): void;
  finish(emit: (bytes: Uint8Array) => void): void;
  readonly done: boolean;
  readonly fault: string | null;
}

/** Null: complete. */
export type RelayEnd = OlaError | null;

export interface Relay extends InBag {
  readonly stream: ReadableStream<Uint8Array>;
  /** Ends the stream with an error event. */
  cut(error: OlaError): void;
  /**
   * Sends a comment when nothing was sent for a while, so that proxies and clients see life; leaves a client that has
   * stopped reading, which would hold its upstream for ever.
   */
  beat(now: number): void;
}

export interface RelayHooks {
  readonly provider: string;
  readonly now: () => number;
  readonly onFirstByte: () => void;
  /** Called once, whatever ends the stream. */
  readonly onEnd: (end: RelayEnd) => void;
}

const encoder = new TextEncoder();
const comment = encoder.encode(': keep-alive\n\n');
const quietMs = 15_000;
const stalledMs = 300_000;

export function relay(upstream: ReadableStream<Uint8Array>, tap: Tap, hooks: RelayHooks): Relay {
  const reader = upstream.getReader();
  let controller: ReadableStreamDefaultController<Uint8Array>;
  let ended = false;
  let started = false;
  let lastSentAt = hooks.now();
  let emitted = false;

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
      controller.enqueue(encoder.encode(`data: ${JSON.stringify(errorEnvelope(error))}\n\n`));
      controller.close();
    } catch {
      // The client is gone: nobody is left to tell.
    }
    reader.cancel().catch(() => undefined);
  }

  async function pull(): Promise<void> {
    emitted = false;
    while (!emitted && !ended) {
      let chunk: Awaited<ReturnType<typeof reader.read>>;
      try {
        chunk = await reader.read();
      } catch (cause) {
        return fail(interrupted(hooks.provider, cause));
      }
      if (ended) return;
      if (chunk.done) tap.finish(emit);
      else tap.push(chunk.value, emit);
      if (!started && emitted) {
        started = true;
        hooks.onFirstByte();
      }
      if (tap.done) {
        controller.close();
        end(null);
        return letGo(reader, chunk.done);
      }
      if (tap.fault !== null) return fail(faulty(hooks.provider, tap.fault));
      if (chunk.done) return fail(truncated(hooks.provider));
    }
    lastSentAt = hooks.now();
  }

  const stream = new ReadableStream<Uint8Array>({
    start(given) {
      controller = given;
    },
    pull,
    async cancel() {
      end(new OlaError('client_closed_request', 'The client closed the connection.'));
      await reader.cancel().catch(() => undefined);
    },
  });

  return {
    slot: -1,
    stream,
    cut: fail,
    beat(now) {
      if (ended || now - lastSentAt < quietMs) return;
      if ((controller.desiredSize ?? 0) <= 0) {
        if (now - lastSentAt >= stalledMs) fail(new OlaError('client_closed_request', 'The client stopped reading.'));
        return;
      }
      lastSentAt = now;
      controller.enqueue(comment);
    },
  };
}

/** Reads the end that should follow at once, so that the connection can be used again; whatever else comes is not wanted. */
function letGo(reader: ReadableStreamDefaultReader<Uint8Array>, atEnd: boolean): void {
  if (atEnd) return;
  const late = setTimeout(() => reader.cancel().catch(() => undefined), 1000);
  reader
    .read()
    .then((next) => (next.done ? undefined : reader.cancel()))
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

const faultWords: Readonly<Record<string, string>> = {
  malformed_event: 'sent an event that is not JSON',
  oversized_event: 'sent an event that is too large',
  upstream_error: 'reported an error in the middle of its answer',
};

function faulty(provider: string, fault: string): OlaError {
  const message = `Upstream provider '${provider}' ${faultWords[fault] ?? 'broke the protocol'}; the answer is not complete.`;
  return new OlaError('provider_error', message, { details: { provider, fault } });
}
