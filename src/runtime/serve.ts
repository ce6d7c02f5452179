/** Listening sockets: the parts that are the same on every platform. */
import { chmodSync, rmSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { listenOn } from '#platform/listen.ts';
import type { Connection, Listen } from '../core/server.ts';

/** Longest silence on a connection while its request is incomplete, in seconds. */
const idleSeconds = 30;
const loopback = '127.0.0.1';

export const listen: Listen = {
  tcp({ hostname, port, maxBodyBytes }, handler) {
    const respond = (request: Request) => handler(request, connection);
    const listener = listenOn({ hostname, port }, { maxBodyBytes, idleSeconds }, respond, failed);
    const connection: Connection = {
      kind: 'network',
      // Every peer of a loopback address is this machine, so the system need not be asked at each request.
      peer: hostname === loopback ? () => loopback : listener.peer,
      hold: listener.hold,
      release: listener.release,
    };
    return { hostname, port: listener.port, pending: listener.pending, stop: listener.stop };
  },
  control(path, { maxBodyBytes }, handler) {
    // The caller holds the home's lock, so an existing socket is left over from a dead process.
    rmSync(path, { force: true });
    const respond = (request: Request) => handler(request, connection);
    const listener = listenOn({ path }, { maxBodyBytes, idleSeconds }, respond, failed);
    chmodSync(path, 0o600);
    const connection: Connection = {
      kind: 'control',
      peer: () => null,
      hold: listener.hold,
      release: listener.release,
    };
    return {
      async stop() {
        await listener.stop();
        rmSync(path, { force: true });
      },
    };
  },
};

/** The answer when a handler throws. Handlers render their own errors; this one must not show source text. */
function failed(): Response {
  return new Response(null, { status: 500 });
}

/** The addresses of this machine's interfaces. A listener on all addresses has each of them. */
export function localAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
}
