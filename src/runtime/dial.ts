/**
 * The last step of a call outside: one request to one checked address, HTTP/1.1 over a socket of our own. Bun's fetch costs
 * a thread and its wake-ups for each request, runs 256 at once, has no time limit for connecting, and drops what it has read
 * when a connection breaks; none of that can be set. Deno's fetch goes through the proxies of the environment.
 */
import { createConnector } from '#platform/connect.ts';
import { createDenseList } from '../core/dense-list.ts';
import { type Dial, DialError, type DialRequest, type Reply } from '../core/ports.ts';
import { abandon, type Connection, drained, drop, ended, exchangeOn, fail, type Pool, received, unkept } from './exchange.ts';
import { requestBytes } from './http1-request.ts';
import { createIdleConnections } from './idle-connections.ts';
import { createPlaceRecords } from './place-records.ts';
import type { SocketTarget } from './platform.ts';
import { tlsFlawOf } from './tls-flaw.ts';

/** Milliseconds by which a time limit, or a client's leaving, may be noticed late. */
const sweepMs = 200;

/** @param now milliseconds of a clock that never goes back */
export function createDialer(now: () => number = () => performance.now()): Dial {
  const pool = createPool(now);
  // Not `async`: on a kept connection, the usual case, a promise of a promise would be several turns more.
  return (request, address) => {
    try {
      request.signal?.throwIfAborted();
      const key = keyOf(request, address);
      const bytes = requestBytes(request);
      const kept = request.fresh === true ? null : pool.idle.take(key);
      if (kept === null)
        return open(pool, key, request, targetOf(request, address)).then((made) => exchangeOn(made, request, bytes));
      kept.reused = true;
      return exchangeOn(kept, request, bytes);
    } catch (error) {
      return Promise.reject(error);
    }
  };
}

export const dial: Dial = createDialer();

/**
 * Sends a request to a Unix socket, on a connection of its own: another process may listen there by the next request.
 * @throws as `dial`
 */
export async function dialSocket(request: DialRequest, path: string): Promise<Reply> {
  const bytes = requestBytes(request);
  const pool = createPool(() => performance.now());
  return exchangeOn(await open(pool, unkept, request, { place: { path }, tls: null }), request, bytes);
}

function targetOf({ secure, hostname, port, ca }: DialRequest, address: string): SocketTarget {
  return { place: { address, port }, tls: secure ? { hostname, ca } : null };
}

/** Requests share connections that lead to the same place, under the same name, trusted by the same authority. */
function keyOf({ secure, hostname, port, ca }: DialRequest, address: string): string {
  return secure ? `s ${address} ${port} ${hostname} ${ca ?? ''}` : `p ${address} ${port}`;
}

/**
 * Makes a connection and verifies its peer.
 * @throws DialError `connect` or `tls`; the reason of the signal
 */
function open(pool: Pool, key: string, request: DialRequest, target: SocketTarget): Promise<Connection> {
  const { signal, secure, timeouts } = request;
  return new Promise((resolve, reject) => {
    const connection: Connection = {
      pool,
      key,
      secure,
      socket: null,
      exchange: null,
      unsent: null,
      reused: false,
      idleSince: 0,
      idleFor: 0,
      idleSweep: 0,
      keptShare: 1,
      paused: false,
      opening: null,
      onUnrequested: undefined,
    };
    const settle = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', aborted);
      connection.opening = null;
    };
    const failed = (error: unknown) => {
      settle();
      reject(error);
      connection.socket?.terminate();
    };
    const aborted = () => failed(signal?.reason);
    const timer = setTimeout(() => failed(new DialError('connect', null, 'timed_out')), timeouts.connect);
    connection.opening = {
      opened() {
        settle();
        resolve(connection);
      },
      failed,
    };
    signal?.addEventListener('abort', aborted, { once: true });
    connect(target, connection);
  });
}

const connect = createConnector<Connection>({
  attached(connection, socket) {
    connection.socket = socket;
    // The caller may have given up while the socket was made.
    if (connection.opening === null) socket.terminate();
  },
  ready: (connection) => connection.opening?.opened(),
  failed: failedToOpen,
  received,
  drained,
  ended(connection, cause) {
    failedToOpen(connection, connection.secure ? 'tls' : 'connect', cause);
    ended(connection, cause);
  },
});

function failedToOpen({ opening }: Connection, failure: 'connect' | 'tls', cause: unknown): void {
  opening?.failed(new DialError(failure, cause, failure === 'tls' ? tlsFlawOf(cause) : null));
}

/** A pool with one timer for all connections, which watches their time limits. */
function createPool(now: () => number): Pool {
  const records = createPlaceRecords();
  let sweeper: ReturnType<typeof setInterval> | null = null;
  let isPollNoted = false;
  const pool: Pool = {
    now,
    records,
    idle: createIdleConnections(records, now),
    active: createDenseList(),
    watch() {
      sweeper ??= startSweeper();
    },
    // No timer: Bun does not sleep in the last millisecond before one, and a short one would keep a core busy.
    notePoll(at) {
      if (isPollNoted || !pool.idle.isPollDue(at)) return;
      isPollNoted = true;
      setImmediate(polling);
    },
  };

  function sweep(): void {
    watchLimits(pool);
    if (pool.idle.size > 0 || pool.active.size() > 0 || sweeper === null) return;
    clearInterval(sweeper);
    sweeper = null;
  }

  /** Runs after the events of a turn, before the system is asked for the next ones. */
  function polling(): void {
    isPollNoted = false;
    pool.idle.polling();
  }

  /** A timer that does not keep the process running. */
  function startSweeper(): ReturnType<typeof setInterval> {
    const timer = setInterval(sweep, sweepMs);
    timer.unref();
    return timer;
  }

  return pool;
}

/** Ends exchanges whose caller has left or whose other side has been silent for too long, and connections that were kept for long enough. */
function watchLimits({ now: clock, active, idle }: Pool): void {
  const now = clock();
  for (const exchange of active.items()) {
    // The signal is asked, not listened to: adding and removing a listener costs as much as sending the request.
    if (exchange.signal?.aborted === true) {
      abandon(exchange, exchange.signal.reason);
      continue;
    }
    // A connection that is paused waits for its reader, not for the other side.
    if (exchange.connection.paused) exchange.heardAt = now;
    const limit = exchange.body === null ? exchange.timeouts.firstByte : exchange.timeouts.idle;
    if (now - exchange.heardAt >= limit) fail(exchange, timedOut());
  }
  for (const connection of idle.sweep(now)) drop(connection);
}

function timedOut(): Error {
  return new DOMException('The connection was silent for too long.', 'TimeoutError');
}
