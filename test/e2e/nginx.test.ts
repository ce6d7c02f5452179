/** nginx in front of ola with nothing but `proxy_pass`: what streams arrives piece by piece. Left out, and a line says so, without nginx. */
import { afterAll, describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { adminToken, type Ola, stage, until } from './stage.ts';
import { chunk, done, event, lastChunk, streamHead, type Upstream } from './upstream.ts';

const nginx = Bun.which('nginx');
if (nginx === null) process.stderr.write('left out, there is no nginx: streams through a proxy that buffers\n');

const { directory, start, upstream } = stage();
const stops: (() => Promise<unknown>)[] = [];
afterAll(() => Promise.all(stops.map((stop) => stop())));

/** As a package installs it, but for its places: one process, a socket file, the user who runs the test. */
function configuration(at: string, port: number, more: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${at}/${name};`);
  return `daemon off; master_process off; pid ${at}/pid; error_log ${at}/error.log;
events {}
http {
  access_log off; ${temporary.join(' ')} ${more}
  server { listen unix:${at}/socket; location / { proxy_pass http://127.0.0.1:${port}; } }
}
`;
}

/** @returns the place of its socket */
async function proxy(port: number, more: string): Promise<string> {
  const at = directory();
  writeFileSync(join(at, 'nginx.conf'), configuration(at, port, more));
  const command = [nginx ?? '', '-p', at, '-e', join(at, 'error.log'), '-c', join(at, 'nginx.conf')];
  const child = Bun.spawn(command, { stdio: ['ignore', 'ignore', 'pipe'] });
  stops.push(() => {
    child.kill('SIGTERM');
    return child.exited;
  });
  const socket = join(at, 'socket');
  await until('nginx listens', () =>
    fetch('http://x/health', { unix: socket }).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  return socket;
}

async function scene(): Promise<{ readonly ola: Ola; readonly up: Upstream; readonly plain: string; readonly packing: string }> {
  const ola = await start();
  const up = await upstream();
  await ola.addProvider('acme', up);
  const packs = 'gzip on; gzip_proxied any; gzip_min_length 1; gzip_types *;';
  return { ola, up, plain: await proxy(ola.port, ''), packing: await proxy(ola.port, packs) };
}

/** What has come of an answer. */
interface Came {
  readonly response: Response;
  text(): string;
  isOver(): boolean;
}

async function ask(socket: string, path: string, body: object): Promise<Came> {
  const response = await fetch(`http://x${path}`, {
    unix: socket,
    method: 'POST',
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  let text = '';
  let isOver = false;
  const read = async () => {
    const decoder = new TextDecoder();
    for await (const piece of response.body ?? []) text += decoder.decode(piece as Uint8Array, { stream: true });
    isOver = true;
  };
  void read();
  return { response, text: () => text, isOver: () => isOver };
}

describe.skipIf(nginx === null)('behind nginx', () => {
  const shared = nginx === null ? null : scene();

  test.each(['plain', 'packing'] as const)(
    '(%s) the upstream sends an event when the client has the one before',
    async (which) => {
      const { up, [which]: socket } = await (shared as NonNullable<typeof shared>);
      up.modes.set(which, ({ socket: to }) => void to.write(streamHead + chunk(event('0'))));
      const body = { model: `acme/${which}`, stream: true, messages: [{ role: 'user', content: 'x' }] };
      const came = await ask(socket, '/v1/chat/completions', body);
      let sent = event('0');
      for (const content of ['1', '2', '3', '4']) {
        await until(
          () => `all up to the event before ${content}, but: ${came.text()}`,
          () => came.text() === sent,
        );
        sent += event(content);
        up.requestFor(which).socket.write(chunk(event(content)));
      }
      up.requestFor(which).socket.write(chunk(done) + lastChunk);
      await until('the stream is over', came.isOver);
      expect(came.text()).toBe(sent + done);
      expect(came.response.headers.get('content-encoding')).toBe(which === 'packing' ? 'gzip' : null);
    },
  );

  test('the upstream sends a piece of speech when the client has the one before', async () => {
    const { up, plain } = await (shared as NonNullable<typeof shared>);
    up.modes.set(
      'speech',
      ({ socket: to }) => void to.write('HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ncontent-length: 400\r\n\r\n'),
    );
    const speech = ask(plain, '/v1/audio/speech', { model: 'acme/speech', input: 'x' });
    const to = (await until('it is asked', () => up.for('speech')[0])).socket;
    to.write('0'.repeat(100));
    const came = await speech;
    for (const at of [1, 2, 3]) {
      await until(
        () => `${100 * at} bytes, but: ${came.text().length}`,
        () => came.text().length === 100 * at,
      );
      to.write(String(at).repeat(100));
    }
    await until('it is over', came.isOver);
    expect(came.text()).toBe([0, 1, 2, 3].map((at) => String(at).repeat(100)).join(''));
  });
});
