/**
 * Connections made with node:net and node:tls. Under Deno they check the certificate against `hostname` while they dial
 * another address, and use `ca` in place of the system's authorities; `Deno.startTls` would add it to them. Neither reads a
 * proxy from the environment; Deno's fetch does, and no option stops it.
 */
import { connect as connectPlain, isIP, type Socket as NetSocket } from 'node:net';
import { checkServerIdentity, connect as connectTls } from 'node:tls';
import type { CreateConnector, Socket, SocketEvents, SocketTarget } from '../platform.ts';

/** Bytes written at once: small enough to show progress and to queue no megabytes for a slow reader. */
const pieceBytes = 256 * 1024;

export const createConnector: CreateConnector =
  <D>(events: SocketEvents<D>) =>
  (target: SocketTarget, data: D) => {
    const { tls } = target;
    // node:tls treats an empty `ca` as absent and would trust the system's authorities.
    if (tls?.ca !== undefined && !tls.ca.includes('-----BEGIN CERTIFICATE-----')) {
      events.failed(data, 'tls', new Error('the authority is no certificate'));
      return;
    }
    let connected = false;
    let isReady = false;
    const socket = open(target);
    const ended = (cause: unknown) => {
      if (isReady) events.ended(data, cause);
      else events.failed(data, connected && tls !== null ? 'tls' : 'connect', cause);
    };
    const ready = () => {
      isReady = true;
      events.ready(data);
    };
    socket
      .on('connect', () => {
        connected = true;
        if (tls === null) ready();
      })
      .on('secureConnect', ready)
      .on('data', (bytes: Buffer) => events.received(data, bytes))
      .on('drain', () => events.drained(data))
      .on('end', () => ended(null))
      .on('error', ended)
      .on('close', () => ended(null));
    events.attached(data, wrap(socket));
  };

function open({ place, tls }: SocketTarget): NetSocket {
  if ('path' in place) return connectPlain({ path: place.path });
  const { address, port } = place;
  if (tls === null) return connectPlain({ host: address, port, noDelay: true });
  const { hostname, ca } = tls;
  return connectTls({
    host: address,
    port,
    // Set explicitly, because NODE_TLS_REJECT_UNAUTHORIZED=0 would turn the default off.
    rejectUnauthorized: true,
    // An IP address is not sent as a server name (RFC 6066, 3), but the certificate is verified for it.
    ...(isIP(hostname) === 0 ? { servername: hostname } : {}),
    checkServerIdentity: (_, certificate) => checkServerIdentity(hostname, certificate),
    ...(ca === undefined ? {} : { ca }),
  }).setNoDelay(true);
}

function wrap(socket: NetSocket): Socket {
  return {
    write(bytes) {
      let taken = 0;
      for (let more = true; more && taken < bytes.length; taken += pieceBytes) {
        more = socket.write(bytes.subarray(taken, taken + pieceBytes));
      }
      return Math.min(taken, bytes.length);
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    // Sends a reset: a peer that has stopped reading would not notice an orderly end.
    terminate: () => void (socket.connecting ? socket.destroy() : socket.resetAndDestroy()),
  };
}
