/**
 * Ola under Deno does what a gateway is for. `npm test -- --only deno-all` asks it everything that asks nothing of the
 * binary itself, and its dialer the whole contract.
 */
import { describe, expect, test } from 'bun:test';
import { adminToken, type Json, stage, until } from '../e2e/stage.ts';
import { answer, bytes, chunk, completion, done, event, lastChunk, stream, streamHead, usageEvent } from '../e2e/upstream.ts';
import { openChat } from '../e2e/wire.ts';

const { start, upstream } = stage();
const key = 'sk-deno-provider-key-a1b2c3d4e5f6';

/** One process for all tests: from source each takes a second to start. */
const shared = (async () => {
  const up = await upstream();
  return { ola: await start(), up };
})();

describe('what a gateway is for, under Deno', () => {
  describe('a provider written over HTTP', () => {
    test('is kept, and shown without its key, which no answer has', async () => {
      const { ola, up } = await shared;
      await ola.addProvider('acme', up, { apiKey: key });
      const list = await ola.ask('GET', '/config/providers');
      const { acme } = (list.json as unknown as { providers: { acme: Json } }).providers;
      expect(acme as unknown).toMatchObject({ baseUrl: up.baseUrl, apiKey: '[REDACTED]', hint: 'sk-****e5f6' });
      expect(list.text + ola.out() + ola.err()).not.toContain(key);
    });

    test('is asked with its own key, and its answer comes back byte for byte', async () => {
      const { ola, up } = await shared;
      const body = `${JSON.stringify(completion('hello é'))}\n`;
      up.modes.set('plain', answer(200, body));
      expect(await ola.chat('acme/plain', { temperature: 1.5 })).toMatchObject({ status: 200, text: body });
      const asked = up.requestFor('plain');
      expect(asked.headers.get('authorization')).toBe(`Bearer ${key}`);
      expect(asked.head).not.toContain(adminToken);
      expect(JSON.parse(asked.body)).toMatchObject({ model: 'plain', temperature: 1.5 });
    });
  });

  test('a stream comes whole and in order, and one that breaks off says so', async () => {
    const { ola, up } = await shared;
    const two = event('Hel') + event('lo');
    up.modes.set('whole', stream(two, usageEvent, done));
    expect((await ola.chat('acme/whole', { stream: true })).text).toBe(two + done);
    up.modes.set('broken', bytes(streamHead + chunk(two), 'end'));
    const { text } = await ola.chat('acme/broken', { stream: true });
    expect(text).toStartWith(two);
    expect(text.slice(two.length)).toStartWith('data: {"error":');
    expect(text).not.toContain('[DONE]');
  });

  test('SIGTERM lets a stream finish, and the process exits 0', async () => {
    const { ola, up } = await shared;
    up.modes.set('held', ({ socket }) => void socket.write(streamHead + chunk(event('first'))));
    const client = await openChat(ola.port, adminToken, { model: 'acme/held', stream: true });
    await until('the first event is there', () => client.received().includes('first'));
    ola.kill('SIGTERM');
    await until('it drains', async () => (await ola.ask('GET', '/health')).status === 503);
    up.requestFor('held').socket.write(chunk(event('last') + done) + lastChunk);
    expect(await ola.exited).toBe(0);
    await until('the client is left', () => client.closed());
    expect(client.replies()[0]?.text).toBe(event('first') + event('last') + done);
  });
});
