/** Ports: techniques that the inner rooms use. `runtime` implements them, `compose` hands them in. */

/** Milliseconds since 1970. */
export type Clock = () => number;

/** SHA-256 of a text in UTF-8, in hex. */
export type Digest = (text: string) => string;

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** A structured log. Field values must be fit to be shown. The sink redacts them, but that is no reason to pass a secret. */
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
  /** Closes without changing the file and its log; `close` merges the log into the file. */
  abandon(): void;
}

/** Request headers by lower-case name. Data derived from a map is cached by the map's identity, so a map never changes. */
export type HeaderMap = Readonly<Record<string, string>>;

/** Resolves a name to all its A and AAAA addresses, in the resolver's order; rejects when the name does not resolve. */
export type Resolve = (hostname: string) => Promise<readonly string[]>;

/**
 * Time limits of a call, in milliseconds. A call that exceeds `connect` fails with DialError `connect`, one that exceeds the
 * others with an error named `TimeoutError`; a platform may notice those a second late.
 */
export interface Timeouts {
  /** Time until the connection is made and its peer verified. */
  readonly connect: number;
  /** Time from the sent request to the head of its answer. */
  readonly firstByte: number;
  /** Longest silence after that. */
  readonly idle: number;
}

/**
 * A request to a checked destination. It is sent to the address that is handed in with it and nowhere else. The URL is given
 * in parts, so that it is not parsed a second time.
 */
export interface DialRequest {
  /** True for TLS. */
  readonly secure: boolean;
  /** The host name, sent in `Host` and verified against the certificate; an IP literal is without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** Path and query; begins with `/`. */
  readonly path: string;
  readonly method: string;
  readonly headers: HeaderMap;
  readonly body: string | Uint8Array<ArrayBuffer> | null;
  readonly signal: AbortSignal | undefined;
  readonly timeouts: Timeouts;
  /** PEM of the only certificate authorities to trust; undefined for the system's. */
  readonly ca: string | undefined;
  /** The request gets a new connection, never one that was kept from an earlier request. */
  readonly fresh?: true | undefined;
  /** Called when the other side sent bytes that no request asked for, once in the minutes in which its connections are not kept. */
  readonly onUnrequested?: (() => void) | undefined;
}

/**
 * How far a request came. `connect`: no connection to this address was made. `tls`: its peer is not trusted. `request`: the
 * request has characters that cannot be sent. After these three the other side has seen nothing of the request.
 * `malformed`: the head of the answer was refused. `stale`: the connection was kept from an earlier request and ended at
 * once, before a byte of an answer; the request is probably unread. `lost`: the connection broke in any other way.
 */
export type DialFailure = 'connect' | 'tls' | 'request' | 'malformed' | 'stale' | 'lost';

/** Why a peer is not trusted, where the platform says so. */
export type TlsFlaw =
  | 'no_tls'
  | 'closed'
  | 'unsupported_version'
  | 'wrong_name'
  | 'expired'
  | 'not_yet_valid'
  | 'self_signed'
  | 'unknown_authority';

/** Why the head of an answer is refused. */
export type HeadFlaw =
  | 'no_status_line'
  | 'control_character'
  | 'too_many_lines'
  | 'too_long'
  | 'folded_line'
  | 'nameless_line'
  | 'length_and_coding'
  | 'several_codings'
  | 'unknown_coding'
  | 'several_lengths'
  | 'bad_length'
  | 'protocol_change'
  | 'too_many_interim'
  | 'early_answer';

/** Limits of an answer's head. */
export const headLimits = {
  /** Bytes of the status line and all header lines. */
  bytes: 64 * 1024,
  /** Header lines. */
  lines: 256,
  /** Interim answers (100, 103) to one request: a few are usual, a flood of them would never end. */
  interim: 16,
} as const;

/** `silent`: no byte of an answer had come. */
export type DialDetail = 'timed_out' | 'silent' | TlsFlaw | HeadFlaw;

export class DialError extends Error {
  readonly failure: DialFailure;
  /** The reason, where it is known; null where `failure` says all there is. */
  readonly detail: DialDetail | null;

  constructor(failure: DialFailure, cause: unknown, detail: DialDetail | null = null) {
    super(`dial: ${failure}${detail === null ? '' : ` (${detail})`}`, { cause });
    this.name = 'DialError';
    this.failure = failure;
    this.detail = detail;
  }
}

/** An answer whose head has arrived. Its body is read piece by piece. */
export interface Reply {
  readonly status: number;
  /** @param name in lower case. @returns the value, several joined by `, `; null when the header is absent */
  header(name: string): string | null;
  /** All headers, by lower-case name; several of one name are joined by `, `. */
  headers(): Iterable<readonly [name: string, value: string]>;
  /**
   * The next bytes of the body, which the caller may keep and change; null at its end. Returns bytes that are there without
   * a promise. One read at a time. After all received bytes it rejects with DialError `lost`, with the reason of the signal,
   * or with an error named `TimeoutError`.
   */
  read(): Uint8Array | null | Promise<Uint8Array | null>;
  /** Gives up the rest of the body and its connection. */
  cancel(): void;
}

/**
 * Sends a request to one checked address. The certificate is verified for `hostname`. Redirects are returned as answers,
 * proxy variables are not read, bodies are not decompressed.
 * Rejects with DialError, with the reason of `signal`, or with an error named `TimeoutError`.
 */
export type Dial = (request: DialRequest, address: string) => Promise<Reply>;
