/** How long a listener keeps silent connections. Seconds here: the platform counts in steps of four. */
import { afterAll, test } from 'bun:test';
import { listenOn } from '#platform/listen.ts';
import type { Listener } from '../../src/runtime/platform.ts';
import { until } from '../e2e/stage.ts';
import { open, requestBytes } from '../e2e/wire.ts';

const limits = { maxBodyBytes: 1024, bodySeconds: 1, idleSeconds: 120 };
const listener: Listener = listenOn(
  { hostname: '127.0.0.1', port: 0 },
  limits,
  answer,
  () => new Response(null, { status: 500 }),
);
afterAll(() => listener.stop());

async function answer(request: Request): Promise<Response> {
  listener.awaitBody(request);
  if (request.headers.get('x-read') !== null) {
    await request.bytes();
    listener.release(request);
  }
  return new Response('ok');
}

test('a connection whose request is incomplete or unread is closed, one that waits for its next request is kept', async () => {
  const post = (length: number, headers: readonly string[]) =>
    requestBytes('POST / HTTP/1.1', [`Content-Length: ${length}`, ...headers], 'hello');
  const kept = await open(listener.port);
  kept.send(post(5, ['X-Read: 1']));
  await until('it is answered', () => kept.replies().length === 1);
  const short = await Promise.all(
    [post(500, []), post(500, ['X-Read: 1']), post(5, [])].map(async (sent) => {
      const wire = await open(listener.port);
      wire.send(sent);
      return wire;
    }),
  );
  await until('the others are closed', () => short.every((wire) => wire.closed()));
  kept.send(post(5, ['X-Read: 1']));
  await until('it is answered again', () => kept.replies().length === 2);
  kept.socket.destroy();
});
