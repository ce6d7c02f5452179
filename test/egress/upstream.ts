/** Real servers on loopback that take down what reaches them. */
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import type { Reply } from '../../src/core/ports.ts';

const read = (name: string): string => readFileSync(join(import.meta.dirname, '../fixtures/tls', name), 'utf8');
export const authority = read('ca.pem');
export const selfSigned = read('self-signed.pem');

export interface Upstream extends Disposable {
  readonly port: number;
  /** What was read of each request, decrypted, in order. */
  readonly requests: string[];
  /** TLS names asked for (SNI). */
  readonly names: (string | null)[];
  connections: number;
  /** Connections that are open now. */
  readonly open: Set<Socket>;
}

export type Answer = (head: string, socket: Socket) => void;

export function answer(status: string, headers = '', body = 'ok'): Answer {
  return (_, socket) => socket.write(`HTTP/1.1 ${status}\r\ncontent-length: ${body.length}\r\n${headers}\r\n${body}`);
}

/**
 * A server that speaks bytes, so that every misbehaviour is possible.
 * @param certificate `upstream`, `other`, `expired`, `self-signed`; none: plain
 */
export async function upstream(
  reply: Answer = answer('200 OK'),
  certificate?: string,
  hostname = '127.0.0.1',
): Promise<Upstream> {
  const requests: string[] = [];
  const names: (string | null)[] = [];
  const open = new Set<Socket>();
  const serve = (socket: Socket & { servername?: string | false | null }) => {
    self.connections++;
    names.push(socket.servername === undefined || socket.servername === false ? null : socket.servername);
    open.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => open.delete(socket));
    socket.on('data', (chunk) => {
      const text = chunk.toString('latin1');
      requests.push(text);
      reply(text, socket);
    });
  };
  const server =
    certificate === undefined
      ? createServer(serve)
      : createTlsServer({ key: read('leaf.key'), cert: read(`${certificate}.pem`) }, serve).on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, hostname, resolve));
  const { port } = server.address() as AddressInfo;
  const self: Upstream = {
    port,
    requests,
    names,
    open,
    connections: 0,
    [Symbol.dispose]: () => {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
  return self;
}

/** Waits for something that another thread brings about; fails after ten seconds, more on a busy machine. */
export async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    if (holds()) return;
    await Bun.sleep(10);
  }
  throw new Error('it did not come about');
}

/** The whole body of an answer, one character a byte. */
export async function textOf(reply: Reply): Promise<string> {
  let text = '';
  for (let bytes = await reply.read(); bytes !== null; bytes = await reply.read()) text += Buffer.from(bytes).toString('latin1');
  return text;
}
