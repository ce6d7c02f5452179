/** A request on a connection and the answer to it, driven by the events of the socket. */
import type { DenseList, InDenseList } from '../core/dense-list.ts';
import { DialError, type DialRequest, headLimits, type Reply, type Timeouts } from '../core/ports.ts';
import { type BodyReader, createBodyReader, type Head, headEnd, MalformedBody, MalformedHead, parseHead } from './http1.ts';
import type { IdleConnections, Kept } from './idle-connections.ts';
import type { PlaceRecords } from './place-records.ts';
import type { Socket } from './platform.ts';

/** Bytes of a body that are read ahead of its reader. Then the socket is not read from, and the other side has to wait. */
const mostUnread = 64 * 1024;
/** Milliseconds. A kept connection that ends so soon after a request was sent had ended before: the request was not read. */
const staleMs = 250;
/** The key of a connection that is not kept for another request. */
export const unkept = '';

/** The connections of one dialer. */
export interface Pool {
  /** Milliseconds; it never goes back. */
  readonly now: () => number;
  readonly records: PlaceRecords;
  readonly idle: IdleConnections<Connection>;
  readonly active: DenseList<Exchange>;
  /** Called when an exchange begins, so that its time limits are watched. */
  watch(): void;
  /** Called at requests and answers, so that the rest of idle connections ends. @param at the present time */
  notePoll(at: number): void;
}

/** One connection; it serves one exchange after the other. */
export interface Connection extends Kept {
  readonly pool: Pool;
  /** Null before the socket exists, and after the connection has ended. */
  socket: Socket | null;
  exchange: Exchange | null;
  /** The part of the request that the socket has not taken. */
  unsent: Buffer | null;
  /** An earlier exchange was completed on it. */
  reused: boolean;
  /** The socket is not read from. */
  paused: boolean;
  /** Set while the connection is being made. */
  opening: { opened(): void; failed(error: DialError): void } | null;
  /** `onUnrequested` of the last request. */
  onUnrequested: (() => void) | undefined;
}

/** One request and its answer. */
export interface Exchange extends InDenseList {
  readonly connection: Connection;
  /** The request itself is not kept: its body would stay in memory as long as the answer lasts. */
  readonly method: string;
  readonly signal: AbortSignal | undefined;
  readonly timeouts: Timeouts;
  resolve(reply: Reply): void;
  reject(error: unknown): void;
  /** The received part of an incomplete head. */
  partialHead: Buffer | null;
  /** The offset in `partialHead` up to which no empty line was found. */
  searched: number;
  /** Number of interim answers. */
  interim: number;
  /** Reads the body; null before the head is complete. */
  body: BodyReader | null;
  persistent: boolean;
  keepAliveMs: number | null;
  /** Content that has arrived and was not read. */
  unread: Buffer[];
  unreadBytes: number;
  /** The caller that waits for content. */
  reader: { resolve(bytes: Buffer | null): void; reject(error: unknown): void } | null;
  /** The error that follows the unread content. */
  broken: unknown;
  over: boolean;
  /** Time of the last sign of life: of sending, and after the response head, of receiving. */
  heardAt: number;
}

/** Sends a request on a connection that is free. */
export function exchangeOn(connection: Connection, request: DialRequest, bytes: Buffer): Promise<Reply> {
  const { signal, method, timeouts } = request;
  const { pool } = connection;
  if (signal?.aborted === true) drop(connection);
  signal?.throwIfAborted();
  if (connection.socket === null) throw new DialError('connect', new Error('the connection was closed at once'));
  connection.onUnrequested = request.onUnrequested;
  return new Promise((resolve, reject) => {
    const exchange: Exchange = {
      connection,
      method,
      signal,
      timeouts,
      resolve,
      reject,
      partialHead: null,
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
      heardAt: pool.now(),
      slot: -1,
    };
    connection.exchange = exchange;
    pool.active.add(exchange);
    pool.watch();
    pool.notePoll(exchange.heardAt);
    send(connection, bytes);
  });
}

function send(connection: Connection, bytes: Buffer): void {
  const sent = Math.max(0, connection.socket?.write(bytes) ?? 0);
  connection.unsent = sent < bytes.length ? bytes.subarray(sent) : null;
}

/** Handles a socket that takes more bytes. */
export function drained(connection: Connection): void {
  if (connection.unsent !== null) send(connection, connection.unsent);
  if (connection.exchange !== null) connection.exchange.heardAt = connection.pool.now();
}

/** Handles bytes that have arrived. */
export function received(connection: Connection, bytes: Buffer): void {
  const { exchange } = connection;
  if (exchange === null) {
    receivedIdle(connection, bytes);
    return;
  }
  try {
    if (exchange.body === null) {
      receivedHead(exchange, exchange.partialHead === null ? bytes : Buffer.concat([exchange.partialHead, bytes]));
    } else {
      exchange.heardAt = connection.pool.now();
      receivedBody(exchange, exchange.body, bytes);
    }
  } catch (error) {
    fail(exchange, asDialError(error));
  }
}

function asDialError(error: unknown): unknown {
  if (error instanceof MalformedHead) return new DialError('malformed', error, error.flaw);
  return error instanceof MalformedBody ? new DialError('lost', error) : error;
}

/** A server that closes an idle connection may say so with a 408 (RFC 9110, 15.5.9). */
const idleTimeout = /^HTTP\/1\.[01] 408 /;

/** No request is waiting for these bytes, and the next answer could not be told from them. */
function receivedIdle(connection: Connection, bytes: Buffer): void {
  const wasKept = connection.pool.idle.remove(connection);
  drop(connection);
  if (wasKept && !idleTimeout.test(bytes.toString('latin1', 0, 16))) distrust(connection);
}

/** The place may send more such bytes on any connection: none of them is used again, and none is kept for some minutes. */
function distrust({ key, pool, onUnrequested }: Connection): void {
  if (key === unkept) return;
  const isNew = pool.records.distrust(key, pool.now());
  for (const connection of pool.idle.removeAll(key)) drop(connection);
  if (isNew) onUnrequested?.();
}

function receivedHead(exchange: Exchange, bytes: Buffer): void {
  let rest = bytes;
  for (;;) {
    const end = headEnd(rest, exchange.searched);
    if ((end < 0 ? rest.length : end) > headLimits.bytes) throw new MalformedHead('too_long');
    if (end < 0) {
      exchange.partialHead = rest;
      exchange.searched = Math.max(0, rest.length - 2);
      return;
    }
    const head = parseHead(rest.toString('latin1', 0, end), exchange.method);
    rest = rest.subarray(end);
    exchange.searched = 0;
    if (head.status >= 200) {
      exchange.partialHead = null;
      refuseFalseAnswer(exchange, head);
      begin(exchange, head, rest);
      return;
    }
    // The final answer follows an interim one. A change of protocol was not asked for.
    if (head.status === 101) throw new MalformedHead('protocol_change');
    if (++exchange.interim > headLimits.interim) throw new MalformedHead('too_many_interim');
  }
}

/** Refuses an answer on a kept connection that cannot be the answer to this request. */
function refuseFalseAnswer(exchange: Exchange, head: Head): void {
  const { connection } = exchange;
  if (!connection.reused) return;
  // Only a refusal may come before the other side has the complete request.
  if (connection.unsent !== null && head.status < 400) {
    distrust(connection);
    throw new MalformedHead('early_answer');
  }
  // The server had ended the idle connection when the request was on its way.
  if (head.status === 408 && !head.persistent && isAtOnce(exchange)) throw new DialError('stale', null);
}

function isAtOnce({ connection, heardAt }: Exchange): boolean {
  return connection.pool.now() - heardAt <= staleMs;
}

/** @param rest the bytes behind the head */
function begin(exchange: Exchange, head: Head, rest: Buffer): void {
  const body = createBodyReader(head.framing);
  exchange.heardAt = exchange.connection.pool.now();
  exchange.body = body;
  exchange.persistent = head.persistent && head.framing.kind !== 'close';
  exchange.keepAliveMs = keepAliveOf(head);
  exchange.resolve(replyOf(exchange, head));
  if (rest.length > 0 || body.done) receivedBody(exchange, body, rest);
}

/** Milliseconds of `Keep-Alive: timeout=5`, less a second for the way of the next request. */
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

/** The answer is complete. Its connection is kept for the next request, unless something about it is odd. */
function finish(exchange: Exchange, surplus: boolean): void {
  const { connection } = exchange;
  leave(exchange);
  if (surplus) distrust(connection);
  const mayStay = !surplus && exchange.persistent && connection.unsent === null && connection.key !== unkept;
  if (mayStay && connection.pool.idle.put(connection, exchange.keepAliveMs)) connection.pool.notePoll(connection.idleSince);
  else drop(connection);
  pause(connection, false);
  exchange.reader?.resolve(null);
  exchange.reader = null;
}

function leave(exchange: Exchange): void {
  exchange.over = true;
  exchange.connection.exchange = null;
  exchange.connection.pool.active.remove(exchange);
}

/** Ends a connection for good. */
export function drop(connection: Connection): void {
  connection.pool.idle.remove(connection);
  connection.socket?.terminate();
  connection.socket = null;
}

/** Handles a connection that the other side has closed, or that broke. */
export function ended(connection: Connection, cause: unknown): void {
  const { exchange } = connection;
  if (exchange === null) drop(connection);
  else if (exchange.body?.end() === true && cause === null) finish(exchange, false);
  else if (isStale(exchange)) failStale(exchange, cause);
  else fail(exchange, new DialError('lost', cause, isSilent(exchange) ? 'silent' : null));
}

/** No byte of an answer has come. */
function isSilent(exchange: Exchange): boolean {
  return exchange.body === null && exchange.partialHead === null && exchange.interim === 0;
}

/** The connection was kept, and ended at once, before a byte of an answer. */
function isStale(exchange: Exchange): boolean {
  return exchange.connection.reused && isSilent(exchange) && isAtOnce(exchange);
}

function failStale(exchange: Exchange, cause: unknown): void {
  const { key, keptShare, pool } = exchange.connection;
  pool.records.noteStale(key, keptShare, pool.now());
  fail(exchange, new DialError('stale', cause));
}

/** Ends an exchange. The content that arrived before stays readable; the error follows it. */
export function fail(exchange: Exchange, error: unknown): void {
  if (exchange.over) return;
  leave(exchange);
  drop(exchange.connection);
  exchange.broken = error;
  if (exchange.body === null) exchange.reject(error);
  exchange.reader?.reject(error);
  exchange.reader = null;
}

/** Ends an exchange whose caller does not want the rest. */
export function abandon(exchange: Exchange, reason: unknown): void {
  exchange.unread = [];
  exchange.unreadBytes = 0;
  fail(exchange, reason);
}

function replyOf(exchange: Exchange, { status, headers }: Head): Reply {
  return {
    status,
    header: (name) => headers.get(name) ?? null,
    headers: () => headers,
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
