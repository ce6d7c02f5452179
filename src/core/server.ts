/** A listening socket, as a port. */

export interface ServerHandle {
  readonly hostname: string;
  readonly port: number;
  /** Requests whose response is not yet sent whole, streams included. */
  pending(): number;
  /** Stops accepting and cuts what is still open. */
  stop(): Promise<void>;
}

/** What the runtime knows of a listener's requests in flight. */
export interface Connection {
  /** `control`: the Unix socket; whoever can open it owns the home. */
  readonly kind: 'network' | 'control';
  /** The address on the other end; null for the control socket, and when the other end is gone. */
  peer(request: Request): string | null;
  /** Takes the idle timer off: a slow model is not a dead connection. */
  hold(request: Request): void;
  /** Puts it back, while the response is still open: a connection that is kept alive must not stay for ever. */
  release(request: Request): void;
}

export type Handler = (request: Request, connection: Connection) => Response | Promise<Response>;

export interface Listen {
  tcp(
    options: { readonly hostname: string; readonly port: number; readonly maxBodyBytes: number },
    handler: Handler,
  ): ServerHandle;
  /** A Unix socket, mode 0600. */
  control(path: string, options: { readonly maxBodyBytes: number }, handler: Handler): Pick<ServerHandle, 'stop'>;
}
