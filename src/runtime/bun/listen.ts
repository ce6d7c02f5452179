/** Listening sockets made with `Bun.serve`. Its defaults (all addresses, shared ports, error pages with source) are turned off. */
import type { ListenOn } from '../platform.ts';

export const listenOn: ListenOn = (place, { maxBodyBytes, idleSeconds }, respond, failed) => {
  const options = {
    development: false,
    // A second limit behind ours, which is lower and answers in the error envelope.
    maxRequestBodySize: 2 * maxBodyBytes,
    fetch: respond,
    error: failed,
  } as const;
  const server =
    'path' in place
      ? Bun.serve({ ...options, unix: place.path })
      : Bun.serve({ ...options, ...place, reusePort: false, idleTimeout: idleSeconds });
  return {
    port: server.port ?? 0,
    pending: () => server.pendingRequests,
    stop: () => server.stop(true),
    peer: (request) => server.requestIP(request)?.address ?? null,
    hold: (request) => server.timeout(request, 0),
    release: (request) => server.timeout(request, idleSeconds),
  };
};
