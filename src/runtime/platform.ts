/**
 * The types of `#platform/*`. package.json maps that specifier to `bun/` or, under Deno, to `deno/`. Both folders export the
 * same names with these types, so that they cannot drift apart.
 */
import type { SqlRow, SqlValue } from '../core/ports.ts';

/** One connection: the part of a socket that our HTTP client needs. */
export interface Socket {
  /** @returns the number of bytes taken. If it is not all of them, `drained` is called when more can be written */
  write(bytes: Buffer): number;
  /** Stops reading, so that the other side has to wait. */
  pause(): void;
  resume(): void;
  /** Ends the connection at once; unsent bytes are lost. */
  terminate(): void;
}

/** The events of a connection. `D` is a value of its owner that is handed back with every event. */
export interface SocketEvents<D> {
  /** The socket exists and may be terminated, but not written to yet. */
  attached(data: D, socket: Socket): void;
  /** The socket may be written to: it is connected and, with TLS, its peer is verified. */
  ready(data: D): void;
  /** The connection could not be made. May be called more than once. */
  failed(data: D, failure: 'connect' | 'tls', cause: unknown): void;
  /** @param bytes belong to the receiver, who may keep them */
  received(data: D, bytes: Buffer): void;
  drained(data: D): void;
  /** The other side closed the connection, or it broke. May be called more than once. @param cause null for an orderly close */
  ended(data: D, cause: unknown): void;
}

export interface SocketTarget {
  /** A checked IP address and port, or the path of a Unix socket. */
  readonly place: { readonly address: string; readonly port: number } | { readonly path: string };
  /** Null for a connection without TLS. */
  readonly tls: {
    /** The name or IP literal that the certificate must be valid for. */
    readonly hostname: string;
    /** PEM of the only authorities to trust; undefined for the system's. */
    readonly ca: string | undefined;
  } | null;
}

/**
 * Makes connections whose events go to `events`. The environment can neither set a proxy nor turn the verification of
 * certificates off.
 */
export type CreateConnector = <D>(events: SocketEvents<D>) => (target: SocketTarget, data: D) => void;

/** A listening socket for HTTP/1.1. */
export interface Listener {
  /** The port; 0 for a Unix socket. */
  readonly port: number;
  /** Number of requests whose response is not completely sent. */
  pending(): number;
  /** Stops accepting and cuts open connections. */
  stop(): Promise<void>;
  /** IP address of the client; null when it has left. */
  peer(request: Request): string | null;
  /** `awaitBody` limits the silence on the request's connection to `bodySeconds`, `release` to `idleSeconds`; `hold` takes the limit off. */
  awaitBody(request: Request): void;
  hold(request: Request): void;
  release(request: Request): void;
}

export interface ListenLimits {
  /** Largest body that the platform accepts, in bytes. Larger ones it refuses itself, with an answer that many clients cannot read. */
  readonly maxBodyBytes: number;
  /** Longest silence on a connection while the body of its request is incomplete, or unread behind the answer, in seconds. */
  readonly bodySeconds: number;
  /** Longest silence on a connection between an answer and the next request, in seconds. */
  readonly idleSeconds: number;
}

/**
 * @param respond answers a request; it renders its own errors
 * @param failed gives the answer if `respond` throws all the same; that answer must not show source text
 * @throws an error whose `code` is the system's, such as `EADDRINUSE`
 */
export type ListenOn = (
  place: { readonly hostname: string; readonly port: number } | { readonly path: string },
  limits: ListenLimits,
  respond: (request: Request) => Response | Promise<Response>,
  failed: () => Response,
) => Listener;

/** One compiled statement. */
export interface SqliteStatement {
  run(...values: readonly SqlValue[]): { readonly changes: number };
  get(...values: readonly SqlValue[]): SqlRow | null | undefined;
  all(...values: readonly SqlValue[]): SqlRow[];
}

/** One connection to a database. Closing it also ends its statements. */
export interface SqliteConnection {
  /** Runs one or more statements without results. */
  exec(sql: string): void;
  prepare(sql: string): SqliteStatement;
  close(): void;
}

/**
 * `write` writes to an existing file. `read` reads a file that others may have open. `frozen` reads a file that no process
 * has open, and creates no file beside it.
 */
export type SqliteUse = 'write' | 'read' | 'frozen';

/** Opens an existing file. @throws the platform's Error */
export type ConnectSqlite = (path: string, use: SqliteUse) => SqliteConnection;
