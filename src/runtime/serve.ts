/** Listening sockets, by `Bun.serve`: its defaults (all addresses, shared ports, error pages with source) switched off. */
import { chmodSync, rmSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import type { Connection, Listen } from '../core/server.ts';

/** Silence on a connection whose request is not whole yet, in seconds. */
const idleSeconds = 30;
const loopback = '127.0.0.1';

export const listen: Listen = {
  tcp({ hostname, port, maxBodyBytes }, handler) {
    const server = Bun.serve({
      hostname,
      port,
      reusePort: false,
      development: false,
      idleTimeout: idleSeconds,
      // Ours is lower and answers in the envelope; this one is for what slips past it.
      maxRequestBodySize: 2 * maxBodyBytes,
      fetch: (request): Response | Promise<Response> => handler(request, connection),
      error: failed,
    });
    const connection: Connection = {
      kind: 'network',
      // Who reaches a loopback address is on this machine: asking the system each time would tell nothing more.
      peer: hostname === loopback ? () => loopback : (request) => server.requestIP(request)?.address ?? null,
      hold: (request) => server.timeout(request, 0),
      release: (request) => server.timeout(request, idleSeconds),
    };
    return {
      hostname,
      port: server.port ?? port,
      pending: () => server.pendingRequests,
      stop: () => server.stop(true),
    };
  },
  control(path, { maxBodyBytes }, handler) {
    // Only whoever holds the home's lock comes here, so what is there is left over.
    rmSync(path, { force: true });
    const server = Bun.serve({
      unix: path,
      development: false,
      maxRequestBodySize: 2 * maxBodyBytes,
      fetch: (request): Response | Promise<Response> => handler(request, connection),
      error: failed,
    });
    chmodSync(path, 0o600);
    const connection: Connection = {
      kind: 'control',
      peer: () => null,
      hold: (request) => server.timeout(request, 0),
      release: (request) => server.timeout(request, idleSeconds),
    };
    return {
      async stop() {
        await server.stop(true);
        rmSync(path, { force: true });
      },
    };
  },
};

/** A handler renders its own errors; what still gets here must not show source text. */
function failed(): Response {
  return new Response(null, { status: 500 });
}

/** The addresses of this machine's interfaces, for a bind to all of them. */
export function localAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
}
