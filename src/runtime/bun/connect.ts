/** Connections made with `Bun.connect`. */
import type { CreateConnector, SocketEvents, SocketTarget } from '../platform.ts';

export const createConnector: CreateConnector = <D>(events: SocketEvents<D>) => {
  const handlers: Bun.SocketHandler<D> = {
    open(socket) {
      events.attached(socket.data, socket);
      events.ready(socket.data);
    },
    data: (socket, bytes) => events.received(socket.data, bytes),
    drain: (socket) => events.drained(socket.data),
    end: (socket) => events.ended(socket.data, null),
    close: (socket, error) => events.ended(socket.data, error ?? null),
    error: (socket, error) => events.ended(socket.data, error),
    connectError: (socket, error) => events.failed(socket.data, 'connect', error),
  };
  /** Handlers of TLS connections: nothing is sent before the certificate and its name are verified. */
  const secureHandlers: Bun.SocketHandler<D> = {
    ...handlers,
    open: (socket) => events.attached(socket.data, socket),
    handshake(socket, success, error) {
      if (success && socket.authorized) events.ready(socket.data);
      else events.failed(socket.data, 'tls', error);
    },
  };
  return (target: SocketTarget, data: D) => {
    try {
      connecting(target, data).catch((cause: unknown) => events.failed(data, 'connect', cause));
    } catch (cause) {
      // Bun.connect throws at once when `ca` is not a certificate.
      events.failed(data, target.tls === null ? 'connect' : 'tls', cause);
    }
  };

  function connecting({ place, tls }: SocketTarget, data: D): Promise<unknown> {
    if ('path' in place) return Bun.connect({ unix: place.path, socket: handlers, data });
    const to = { hostname: place.address, port: place.port, data };
    if (tls === null) return Bun.connect({ ...to, socket: handlers });
    const { hostname, ca } = tls;
    return Bun.connect({
      ...to,
      socket: secureHandlers,
      // Set explicitly, because NODE_TLS_REJECT_UNAUTHORIZED=0 would turn the default off.
      tls: { rejectUnauthorized: true, serverName: hostname, ...(ca === undefined ? {} : { ca }) },
    });
  }
};
