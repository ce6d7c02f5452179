/** Techniques that the inner rooms need and do not own; `runtime` supplies them, `main` hands them over. */

/** Milliseconds since 1970. */
export type Clock = () => number;

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** A structured log. Field values are data that may be shown: the sink redacts, it is not an excuse to pass a secret. */
export interface Log {
  log(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** A value that SQLite stores. */
export type SqlValue = string | number | bigint | Uint8Array | null;
export type SqlRow = Record<string, SqlValue>;

export interface SqlStatement {
  run(...values: readonly SqlValue[]): { readonly changes: number };
  get(...values: readonly SqlValue[]): SqlRow | undefined;
  all(...values: readonly SqlValue[]): SqlRow[];
}

/** One SQLite connection, synchronous. `prepare` caches by text. */
export interface SqlDatabase {
  /** Runs one or more statements without results. */
  exec(sql: string): void;
  prepare(sql: string): SqlStatement;
  close(): void;
  /** Closes and leaves the file and its log as they are; `close` folds the log in. */
  abandon(): void;
}

/** Request headers by lower-case name. What is made of one object of headers is made once, and kept by its identity. */
export type HeaderMap = Readonly<Record<string, string>>;

/** Names to addresses: every A and AAAA answer, in the resolver's order; rejects when the name does not resolve. */
export type Resolve = (hostname: string) => Promise<readonly string[]>;

/**
 * How long each part of a call may take, in milliseconds. One that takes longer fails: with DialError `connect` for the
 * first, with an error named `TimeoutError` for the others, for which a platform may be a second late.
 */
export interface Timeouts {
  /** Until the connection is there, and its peer verified. */
  readonly connect: number;
  /** From the request being sent to the head of its answer. */
  readonly firstByte: number;
  /** Silence after that. */
  readonly idle: number;
}

/**
 * A request whose destination has been judged; sent to the address handed in beside it and nowhere else. The place is
 * given in parts, so that nobody parses a URL a second time.
 */
export interface DialRequest {
  /** TLS or not. */
  readonly secure: boolean;
  /** The name that goes into `Host` and that the certificate must be for; an IP literal stands without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** Path and query, beginning with `/`. */
  readonly path: string;
  readonly method: string;
  readonly headers: HeaderMap;
  readonly body: string | Uint8Array<ArrayBuffer> | null;
  readonly signal: AbortSignal | undefined;
  readonly timeouts: Timeouts;
  /** PEM of the only certificate authority to trust, in place of the system's. */
  readonly ca: string | undefined;
}

/**
 * How far a request came. `connect`: no connection to this address. `tls`: no trusted peer. `request`: it could not be
 * put on the wire. After these three the other side has seen nothing of it; `lost`: it may have.
 */
export type DialFailure = 'connect' | 'tls' | 'request' | 'lost';

export class DialError extends Error {
  readonly failure: DialFailure;

  constructor(failure: DialFailure, cause: unknown) {
    super(`dial: ${failure}`, { cause });
    this.name = 'DialError';
    this.failure = failure;
  }
}

/** An answer whose head is there; its body comes as it is read. */
export interface Reply {
  readonly status: number;
  /** @param name in lower case; several headers of one name are joined by `, `; null: not there */
  header(name: string): string | null;
  /**
   * The next bytes of the body, which the caller may keep and change; null at its end. At once when they are there. One
   * read at a time. Rejects with DialError `lost`, the reason of the signal, or an error named `TimeoutError`, after
   * what had come before.
   */
  read(): Uint8Array | null | Promise<Uint8Array | null>;
  /** Gives up what is left, and its connection. */
  cancel(): void;
}

/**
 * Sends to one checked address: TLS name and certificate are verified against `hostname`, redirects come back as
 * answers, proxy variables are not read, bodies are not decompressed.
 * Rejects with DialError, with the reason of `signal`, or with an error named `TimeoutError`.
 */
export type Dial = (request: DialRequest, address: string) => Promise<Reply>;
