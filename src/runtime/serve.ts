/** Listening sockets: the parts that are the same on every platform. */
import { chmodSync, rmSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { listenOn } from '#platform/listen.ts';
import type { Connection, Listen } from '../core/server.ts';

/** Longest silence on a connection while the body of its request is incomplete, or unread behind the answer, in seconds. */
const bodySeconds = 30;
/** Longest silence on a connection between an answer and the next request, in seconds. Load balancers keep theirs for 60 and may use one of them in its last moment. */
const idleSeconds = 75;
/**
 * Declared lengths up to this multiple of the limit for bodies reach the handler, whose refusal clients can read: the rest
 * of such a body is read and dropped. A client that only notices a closed connection does not read the answer.
 */
const drainedBodies = 8;
const loopback = '127.0.0.1';

export const listen: Listen = {
  tcp({ hostname, port, maxBodyBytes }, handler) {
    const respond = (request: Request) => handler(request, connection);
    const listener = listenOn({ hostname, port }, limitsOf(maxBodyBytes), respond, failed);
    const connection: Connection = {
      kind: 'network',
      // Every peer of a loopback address is this machine, so the system need not be asked at each request.
      peer: hostname === loopback ? () => loopback : listener.peer,
      awaitBody: listener.awaitBody,
      hold: listener.hold,
      release: listener.release,
    };
    return { hostname, port: listener.port, pending: listener.pending, stop: listener.stop };
  },
  control(path, { maxBodyBytes }, handler) {
    // The caller holds the home's lock, so an existing socket is left over from a dead process.
    rmSync(path, { force: true });
    const respond = (request: Request) => handler(request, connection);
    const listener = listenOn({ path }, limitsOf(maxBodyBytes), respond, failed);
    chmodSync(path, 0o600);
    const connection: Connection = {
      kind: 'control',
      peer: () => null,
      awaitBody: listener.awaitBody,
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

function limitsOf(maxBodyBytes: number) {
  return { maxBodyBytes: drainedBodies * maxBodyBytes, bodySeconds, idleSeconds };
}

/** The answer when a handler throws. Handlers render their own errors; this one must not show source text. */
function failed(): Response {
  return new Response(null, { status: 500 });
}

/** The addresses of this machine's interfaces. A listener on all addresses has each of them. */
export function localAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
}
