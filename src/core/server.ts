/** The port for listening sockets. */

export interface ServerHandle {
  readonly hostname: string;
  readonly port: number;
  /** Number of requests whose response is not completely sent, streams included. */
  pending(): number;
  /** Stops accepting and cuts open connections. */
  stop(): Promise<void>;
}

/** The runtime's view of the connections of a listener. */
export interface Connection {
  /** `control` is the Unix socket: every caller that can open it owns the home. */
  readonly kind: 'network' | 'control';
  /** IP address of the client; null for the control socket, and when the client has left. */
  peer(request: Request): string | null;
  /** Limits the silence on the request's connection to the short time of a request whose body is incomplete. */
  awaitBody(request: Request): void;
  /** Takes the limit of silence off the request's connection: a slow model is not a dead connection. */
  hold(request: Request): void;
  /** Sets the long limit again, which every request begins with. Call it after the others, and while the response is open. */
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
