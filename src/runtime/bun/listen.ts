/** Listening sockets made with `Bun.serve`. Its defaults (all addresses, shared ports, error pages with source) are turned off. */
import type { ListenOn } from '../platform.ts';

export const listenOn: ListenOn = (place, { maxBodyBytes, bodySeconds, idleSeconds }, respond, failed) => {
  const options = {
    development: false,
    maxRequestBodySize: maxBodyBytes,
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
    // Bun reads on behind an answer, and drops what it reads. The limit runs from the answer: bytes do not set it back.
    awaitBody: (request) => server.timeout(request, bodySeconds),
    hold: (request) => server.timeout(request, 0),
    release: (request) => server.timeout(request, idleSeconds),
  };
};
