/**
 * What a platform brings: the ports of `#platform/*`. package.json leads that specifier to `bun/` or, under Deno, to
 * `deno/`; both folders export the same names, typed by what stands here, so that they cannot drift apart.
 */
import type { SqlRow, SqlValue } from '../core/ports.ts';

/** One connection, as little of it as our own HTTP client needs. */
export interface Socket {
  /** @returns how many bytes were taken; when not all, `drained` is called once more are */
  write(bytes: Buffer): number;
  /** Stops reading: the other side has to wait. */
  pause(): void;
  resume(): void;
  /** Ends it at once; what is not sent is lost. */
  terminate(): void;
}

/** What happens on a connection; `D` is its owner's, handed back with every event. */
export interface SocketEvents<D> {
  /** There is a socket, which may be terminated; nothing may be sent yet. */
  attached(data: D, socket: Socket): void;
  /** It may be written to: connected and, over TLS, its peer verified. */
  ready(data: D): void;
  /** It did not come to be. May be told more than once. */
  failed(data: D, failure: 'connect' | 'tls', cause: unknown): void;
  /** @param bytes the receiver's own */
  received(data: D, bytes: Buffer): void;
  drained(data: D): void;
  /** The other side has closed, or it broke. May be told more than once. @param cause null: closed in order */
  ended(data: D, cause: unknown): void;
}

export interface SocketTarget {
  /** A checked IP address and port, or the path of a Unix socket. */
  readonly place: { readonly address: string; readonly port: number } | { readonly path: string };
  /** null: plain. */
  readonly tls: {
    /** What the certificate must be for: a name or an IP literal. */
    readonly hostname: string;
    /** PEM of the only authorities to trust, in place of the system's. */
    readonly ca: string | undefined;
  } | null;
}

/**
 * Makes connections whose events go to `events`. No proxy is asked, whatever the environment says, and verification
 * cannot be switched off by it.
 */
export type CreateConnector = <D>(events: SocketEvents<D>) => (target: SocketTarget, data: D) => void;

/** A listening socket for HTTP/1.1. */
export interface Listener {
  /** 0 for a Unix socket. */
  readonly port: number;
  /** Requests whose response is not yet sent whole. */
  pending(): number;
  /** Stops accepting and cuts what is still open. */
  stop(): Promise<void>;
  /** The address on the other end; null when it is gone. */
  peer(request: Request): string | null;
  /** Takes the timer of `idleSeconds` off a request, and puts it back. */
  hold(request: Request): void;
  release(request: Request): void;
}

export interface ListenLimits {
  readonly maxBodyBytes: number;
  /** Silence on a connection whose request is not whole yet. */
  readonly idleSeconds: number;
}

/**
 * @param respond renders its own errors
 * @param failed answers what it throws all the same: without source text
 * @throws an error whose `code` is the system's, `EADDRINUSE`
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

/** One connection to a database; closing it lets go of its statements too. */
export interface SqliteConnection {
  /** Runs one or more statements without results. */
  exec(sql: string): void;
  prepare(sql: string): SqliteStatement;
  close(): void;
}

/** `write`: to an existing file. `read`: as others have it open. `frozen`: a file that nobody has open; nothing is made beside it. */
export type SqliteUse = 'write' | 'read' | 'frozen';

/** Opens a file that exists. @throws an Error of the platform's */
export type ConnectSqlite = (path: string, use: SqliteUse) => SqliteConnection;
