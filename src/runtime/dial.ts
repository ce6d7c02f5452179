/**
 * The last step of a call outside: one request to one checked address, HTTP/1.1 over a socket of our own. Bun's fetch costs
 * a thread and its wake-ups for each request, runs 256 at once, has no time limit for connecting, and drops what it has read
 * when a connection breaks; none of that can be set. Deno's goes through the proxies of the environment.
 */
import { createConnector } from '#platform/connect.ts';
import { createDenseList, type DenseList, type InDenseList } from '../core/dense-list.ts';
import { type Dial, DialError, type DialRequest, type Reply, type Timeouts } from '../core/ports.ts';
import { type BodyReader, createBodyReader, type Head, headEnd, MalformedResponse, mostHeadBytes, parseHead } from './http1.ts';
import { requestBytes } from './http1-request.ts';
import { createIdleConnections, type Kept } from './idle-connections.ts';
import type { Socket, SocketTarget } from './platform.ts';

/** What is read ahead of whoever reads the body; then the socket is left to fill, and the other side to wait. */
const mostUnread = 64 * 1024;
/** Interim answers (100, 103) to one request: a few are usual, a flood of them would never end. */
const mostInterim = 16;
/** The key of a connection that is not kept for another request. */
const unkept = '';
/** How late a limit of time, or a client's leaving, may be noticed. */
const sweepMs = 200;

/** One connection; it serves one exchange after the other. */
interface Connection extends Kept {
  socket: Socket | null;
  exchange: Exchange | null;
  /** What the socket did not take yet. */
  unsent: Buffer | null;
  /** The socket is not read from. */
  paused: boolean;
  /** While it is being made. */
  opening: { opened(): void; failed(error: DialError): void } | null;
}

/** One request and its answer. */
interface Exchange extends InDenseList {
  readonly connection: Connection;
  /** Not the request: its body would be kept as long as the answer lasts. */
  readonly method: string;
  readonly signal: AbortSignal | undefined;
  readonly timeouts: Timeouts;
  resolve(reply: Reply): void;
  reject(error: unknown): void;
  /** Of the head, while it is not whole. */
  early: Buffer | null;
  /** So far there is no end of a head in it. */
  searched: number;
  interim: number;
  body: BodyReader | null;
  persistent: boolean;
  keepAliveMs: number | null;
  /** Content that nobody has read yet. */
  unread: Buffer[];
  unreadBytes: number;
  /** Whoever waits for content. */
  reader: { resolve(bytes: Buffer | null): void; reject(error: unknown): void } | null;
  /** Why no more comes, once what is unread is read. */
  broken: unknown;
  over: boolean;
  /** When the request was sent, as far as it is; once the head of the answer is there: when something last came. */
  heardAt: number;
}

const idle = createIdleConnections<Connection>();
const active: DenseList<Exchange> = createDenseList();
let sweeper: ReturnType<typeof setInterval> | null = null;

/** Not `async`: on a kept connection, the usual case, a promise of a promise would be several turns more. */
export const dial: Dial = (request, address) => {
  try {
    request.signal?.throwIfAborted();
    const key = keyOf(request, address);
    const bytes = requestBytes(request);
    const kept = idle.take(key);
    if (kept !== null) return exchangeOn(kept, request, bytes);
    return open(key, request, targetOf(request, address)).then((made) => exchangeOn(made, request, bytes));
  } catch (error) {
    return Promise.reject(error);
  }
};

/**
 * The same to a Unix socket, on a connection of its own: whoever listens there may be another process by the next request.
 * @throws as `dial`
 */
export async function dialSocket(request: DialRequest, path: string): Promise<Reply> {
  const bytes = requestBytes(request);
  return exchangeOn(await open(unkept, request, { place: { path }, tls: null }), request, bytes);
}

function targetOf({ secure, hostname, port, ca }: DialRequest, address: string): SocketTarget {
  return { place: { address, port }, tls: secure ? { hostname, ca } : null };
}

/** Connections are shared by what they are to: the same place, under the same name, trusted by the same authority. */
function keyOf({ secure, hostname, port, ca }: DialRequest, address: string): string {
  return secure ? `s ${address} ${port} ${hostname} ${ca ?? ''}` : `p ${address} ${port}`;
}

/**
 * A new connection, its peer verified.
 * @throws DialError `connect` or `tls`; the reason of the signal
 */
function open(key: string, request: DialRequest, target: SocketTarget): Promise<Connection> {
  const { signal, secure, timeouts } = request;
  return new Promise((resolve, reject) => {
    const connection: Connection = {
      key,
      secure,
      socket: null,
      exchange: null,
      unsent: null,
      idleSince: 0,
      idleFor: 0,
      paused: false,
      opening: null,
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
    const timer = setTimeout(() => failed(new DialError('connect', new Error('timed out'))), timeouts.connect);
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
    // Whoever waited may have given up.
    if (connection.opening === null) socket.terminate();
  },
  ready: (connection) => connection.opening?.opened(),
  failed: (connection, failure, cause) => connection.opening?.failed(new DialError(failure, cause)),
  received,
  drained: sendRest,
  ended,
});

function exchangeOn(connection: Connection, request: DialRequest, bytes: Buffer): Promise<Reply> {
  const { signal, method, timeouts } = request;
  if (signal?.aborted === true) drop(connection);
  signal?.throwIfAborted();
  // It was closed, or spoke, between its opening and now.
  if (connection.socket === null) throw new DialError('connect', new Error('the connection was closed at once'));
  return new Promise((resolve, reject) => {
    const exchange: Exchange = {
      connection,
      method,
      signal,
      timeouts,
      resolve,
      reject,
      early: null,
      searched: 0,
      interim: 0,
      body: null,
      persistent: false,
      keepAliveMs: null,
      unread: [],
      unreadBytes: 0,
      reader: null,
      broken: null,
      over: false,
      heardAt: performance.now(),
      slot: -1,
    };
    connection.exchange = exchange;
    active.add(exchange);
    sweeper ??= startSweeper();
    send(connection, bytes);
  });
}

function send(connection: Connection, bytes: Buffer): void {
  const sent = Math.max(0, connection.socket?.write(bytes) ?? 0);
  connection.unsent = sent < bytes.length ? bytes.subarray(sent) : null;
}

function sendRest(connection: Connection): void {
  if (connection.unsent !== null) send(connection, connection.unsent);
  if (connection.exchange !== null) connection.exchange.heardAt = performance.now();
}

function received(connection: Connection, bytes: Buffer): void {
  const { exchange } = connection;
  if (exchange === null) {
    // Nobody asked for anything: whatever it is, the next answer on this connection could not be told from it.
    drop(connection);
    return;
  }
  try {
    if (exchange.body === null) receivedHead(exchange, exchange.early === null ? bytes : Buffer.concat([exchange.early, bytes]));
    else {
      exchange.heardAt = performance.now();
      receivedBody(exchange, exchange.body, bytes);
    }
  } catch (error) {
    fail(exchange, error instanceof MalformedResponse ? new DialError('lost', error) : error);
  }
}

function receivedHead(exchange: Exchange, bytes: Buffer): void {
  let rest = bytes;
  for (;;) {
    const end = headEnd(rest, exchange.searched);
    if ((end < 0 ? rest.length : end) > mostHeadBytes) throw new MalformedResponse('a head that is too long');
    if (end < 0) {
      exchange.early = rest;
      exchange.searched = Math.max(0, rest.length - 2);
      return;
    }
    const head = parseHead(rest.toString('latin1', 0, end), exchange.method);
    rest = rest.subarray(end);
    exchange.searched = 0;
    if (head.status >= 200) {
      exchange.early = null;
      begin(exchange, head, rest);
      return;
    }
    // An interim answer: the one that counts follows. Switching protocols was not asked for.
    if (head.status === 101) throw new MalformedResponse('a change of protocol');
    if (++exchange.interim > mostInterim) throw new MalformedResponse('too many interim answers');
  }
}

/** @param rest what came behind the head */
function begin(exchange: Exchange, head: Head, rest: Buffer): void {
  const body = createBodyReader(head.framing);
  exchange.heardAt = performance.now();
  exchange.body = body;
  exchange.persistent = head.persistent && head.framing.kind !== 'close';
  exchange.keepAliveMs = keepAliveOf(head);
  exchange.resolve(replyOf(exchange, head));
  if (rest.length > 0 || body.done) receivedBody(exchange, body, rest);
}

/** `Keep-Alive: timeout=5`: a second less, for the way. */
function keepAliveOf({ headers }: Head): number | null {
  const said = headers.get('keep-alive');
  const seconds = said === undefined ? undefined : /\btimeout=(\d{1,5})\b/.exec(said)?.[1];
  return seconds === undefined ? null : Math.max(0, Number(seconds) * 1000 - 1000);
}

function receivedBody(exchange: Exchange, body: BodyReader, bytes: Buffer): void {
  const content = body.take(bytes);
  if (content.length > 0) deliver(exchange, content);
  if (body.done) finish(exchange, body.surplus);
}

function deliver(exchange: Exchange, content: Buffer): void {
  const { reader } = exchange;
  if (reader === null) {
    exchange.unread.push(content);
    exchange.unreadBytes += content.length;
    if (exchange.unreadBytes > mostUnread) pause(exchange.connection, true);
  } else {
    exchange.reader = null;
    reader.resolve(content);
  }
}

function pause(connection: Connection, on: boolean): void {
  if (connection.paused === on) return;
  connection.paused = on;
  if (on) connection.socket?.pause();
  else connection.socket?.resume();
}

/** The answer is whole: the connection is free for the next, unless something is odd about it. */
function finish(exchange: Exchange, surplus: boolean): void {
  const { connection } = exchange;
  leave(exchange);
  if (surplus || !exchange.persistent || connection.unsent !== null || connection.key === unkept) drop(connection);
  else if (!idle.put(connection, exchange.keepAliveMs)) drop(connection);
  pause(connection, false);
  exchange.reader?.resolve(null);
  exchange.reader = null;
}

function leave(exchange: Exchange): void {
  exchange.over = true;
  exchange.connection.exchange = null;
  active.remove(exchange);
}

/** Ends a connection for good. */
function drop(connection: Connection): void {
  idle.remove(connection);
  connection.socket?.terminate();
  connection.socket = null;
}

/** The other side has closed, or the connection broke. */
function ended(connection: Connection, cause: unknown): void {
  connection.opening?.failed(new DialError(connection.secure ? 'tls' : 'connect', cause));
  const { exchange } = connection;
  if (exchange === null) drop(connection);
  else if (exchange.body?.end() === true && cause === null) finish(exchange, false);
  else fail(exchange, new DialError('lost', cause));
}

/** What was read before stays readable; then the error comes. */
function fail(exchange: Exchange, error: unknown): void {
  if (exchange.over) return;
  leave(exchange);
  drop(exchange.connection);
  exchange.broken = error;
  if (exchange.body === null) exchange.reject(error);
  exchange.reader?.reject(error);
  exchange.reader = null;
}

/** Nobody wants the rest. */
function abandon(exchange: Exchange, reason: unknown): void {
  exchange.unread = [];
  exchange.unreadBytes = 0;
  fail(exchange, reason);
}

function replyOf(exchange: Exchange, { status, headers }: Head): Reply {
  return {
    status,
    header: (name) => headers.get(name) ?? null,
    read() {
      if (exchange.unread.length > 0) return takeUnread(exchange);
      if (exchange.broken !== null) return Promise.reject(exchange.broken);
      if (exchange.over) return null;
      return new Promise((resolve, reject) => {
        exchange.reader = { resolve, reject };
      });
    },
    cancel: () => abandon(exchange, new DialError('lost', new Error('cancelled'))),
  };
}

function takeUnread(exchange: Exchange): Buffer {
  const { unread } = exchange;
  exchange.unread = [];
  exchange.unreadBytes = 0;
  if (!exchange.over) pause(exchange.connection, false);
  const [first] = unread;
  return first !== undefined && unread.length === 1 ? first : Buffer.concat(unread);
}

/** One timer for all: silence that lasts too long, and connections that were kept long enough. */
function startSweeper(): ReturnType<typeof setInterval> {
  const timer = setInterval(sweep, sweepMs);
  timer.unref();
  return timer;
}

function sweep(): void {
  const now = performance.now();
  for (const exchange of active.items()) {
    // Asked, not listened to: to add and remove a listener costs a request as much as its way over the socket.
    if (exchange.signal?.aborted === true) {
      abandon(exchange, exchange.signal.reason);
      continue;
    }
    // Who does not read holds the connection up himself.
    if (exchange.connection.paused) exchange.heardAt = now;
    const limit = exchange.body === null ? exchange.timeouts.firstByte : exchange.timeouts.idle;
    if (now - exchange.heardAt >= limit) fail(exchange, timedOut());
  }
  for (const connection of idle.stale(now)) drop(connection);
  if (idle.size > 0 || active.size() > 0 || sweeper === null) return;
  clearInterval(sweeper);
  sweeper = null;
}

function timedOut(): Error {
  return new DOMException('The connection was silent for too long.', 'TimeoutError');
}
