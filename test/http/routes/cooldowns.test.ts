/** Cooldowns over HTTP, as an administrator meets them. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { JsonObject } from '../../../src/core/json.ts';
import { directories } from '../../directories.ts';
import { type AppScene, open } from '../scene.ts';

const directory = directories();
let scene: AppScene;
beforeAll(async () => {
  scene = await open(directory(), {
    environment: { GROQ_API_KEY: 'gsk_0123456789abcdef', OPENCODE_API_KEY: 'oc_0123456789abcdef' },
  });
});
afterAll(() => scene[Symbol.asyncDispose]());

async function send(method: string, path: string, body?: JsonObject, scope: 'admin' | 'write' = 'admin') {
  const response = await scene.ask(method, path, {
    headers: { authorization: `Bearer ${scene.tokens[scope]}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as JsonObject };
}
const listed = async () => ((await send('GET', '/config/cooldowns')).body['data'] as unknown as JsonObject[]).map(({ id }) => id);

describe('a cooldown', () => {
  test('is forced, listed, and ended by the id of the credential', async () => {
    const forced = await send('PUT', '/config/cooldowns/env:GROQ_API_KEY', { seconds: 60, model: 'm' });
    expect(forced).toMatchObject({
      status: 200,
      body: { credential: 'env:GROQ_API_KEY', provider: 'groq', model: 'm', reason: 'forced' },
    });
    expect(await listed()).toEqual(['env:GROQ_API_KEY m']);
    expect(await send('DELETE', '/config/cooldowns/env%3AGROQ_API_KEY')).toMatchObject({ status: 200, body: { ended: 1 } });
    expect(await listed()).toEqual([]);
  });

  test('of a variable is of every provider that has its key there', async () => {
    await send('PUT', '/config/cooldowns/env:OPENCODE_API_KEY', { seconds: 60 });
    expect(await listed()).toHaveLength(2);
    expect((await send('DELETE', '/config/cooldowns/env:OPENCODE_API_KEY')).body['ended']).toBe(2);
  });

  test('can be of a profile that is used only when it is named, because another one has its secret', async () => {
    for (const name of ['a', 'b']) {
      const profile = { provider: 'groq', type: 'api_key', key: 'gsk_fedcba9876543210' };
      expect((await send('PUT', `/config/auth-profiles/groq:${name}`, profile)).status).toBe(200);
    }
    expect((await send('PUT', '/config/cooldowns/groq:b', { seconds: 60 })).status).toBe(200);
    const call = { model: 'groq:b/m', messages: [{ role: 'user', content: 'x' }] };
    expect((await send('POST', '/v1/chat/completions', call)).status).toBe(429);
    for (const name of ['a', 'b']) await send('DELETE', `/config/auth-profiles/groq:${name}`);
    expect(await listed()).toEqual([]);
  });

  test('is told by the error of a call, without a word on the secret', async () => {
    await send('PUT', '/config/cooldowns/env:GROQ_API_KEY', { seconds: 60 });
    const call = { model: 'groq/m', messages: [{ role: 'user', content: 'x' }] };
    const answer = await send('POST', '/v1/chat/completions', call);
    expect(answer).toMatchObject({
      status: 429,
      body: { error: { code: 'all_credentials_cooling_down', type: 'rate_limit_error' } },
    });
    expect(JSON.stringify(answer)).not.toContain('gsk_');
    await send('DELETE', '/config/cooldowns/env:GROQ_API_KEY');
  });

  test('is written to the audit', async () => {
    await send('PUT', '/config/cooldowns/env:GROQ_API_KEY', { seconds: 60 });
    await send('DELETE', '/config/cooldowns/env:GROQ_API_KEY');
    await scene.gateway.flush();
    const events = await scene.store.audit.list({ limit: 20 });
    expect(events.map(({ action }) => action)).toEqual(expect.arrayContaining(['cooldown.force', 'cooldown.clear']));
  });
});

describe('is refused:', () => {
  test('a credential that nobody has, with the nearest names', async () => {
    const { status, body } = await send('PUT', '/config/cooldowns/env:GROK_API_KEY', { seconds: 60 });
    expect([status, JSON.stringify(body)]).toEqual([404, expect.stringContaining('env:GROQ_API_KEY')]);
    expect((await send('DELETE', '/config/cooldowns/nobody')).status).toBe(404);
  });

  test.each([{}, { seconds: 0 }, { seconds: 700_000 }, { seconds: '60' }, { seconds: 60, models: ['m'] }])('%j', async (body) => {
    expect((await send('PUT', '/config/cooldowns/env:GROQ_API_KEY', body as JsonObject)).status).toBe(422);
  });

  test('a token that may not administrate', async () => {
    expect((await send('GET', '/config/cooldowns', undefined, 'write')).status).toBe(403);
  });
});
