/** Listening sockets: what is the same on every platform. */
import { chmodSync, rmSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { listenOn } from '#platform/listen.ts';
import type { Connection, Listen } from '../core/server.ts';

/** Silence on a connection whose request is not whole yet, in seconds. */
const idleSeconds = 30;
const loopback = '127.0.0.1';

export const listen: Listen = {
  tcp({ hostname, port, maxBodyBytes }, handler) {
    const respond = (request: Request) => handler(request, connection);
    const listener = listenOn({ hostname, port }, { maxBodyBytes, idleSeconds }, respond, failed);
    const connection: Connection = {
      kind: 'network',
      // Who reaches a loopback address is on this machine: asking the system each time would tell nothing more.
      peer: hostname === loopback ? () => loopback : listener.peer,
      hold: listener.hold,
      release: listener.release,
    };
    return { hostname, port: listener.port, pending: listener.pending, stop: listener.stop };
  },
  control(path, { maxBodyBytes }, handler) {
    // Only whoever holds the home's lock comes here, so what is there is left over.
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

/** A handler renders its own errors; what still gets here must not show source text. */
function failed(): Response {
  return new Response(null, { status: 500 });
}

/** The addresses of this machine's interfaces, for a bind to all of them. */
export function localAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
}
