import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import type { Json, JsonObject } from '../../../src/core/json.ts';
import { directories } from '../../directories.ts';
import { start } from '../../gateway/scene.ts';
import { type AppOptions, type AppScene, open } from '../scene.ts';

const baseUrl = 'https://api.acme.example/v1';
const secret = 'sk-CANARY-0123456789abcd';
let scene: AppScene;
/** Every answer so far. */
let said = '';
// Before the directory is deleted.
afterEach(async () => {
  expect(said).not.toContain('CANARY');
  await scene.gateway.flush();
  expect(scene.onDisk()).not.toContain('CANARY');
  await scene[Symbol.asyncDispose]();
});
const directory = directories();
async function begin(options: AppOptions = {}): Promise<void> {
  said = '';
  scene = await open(directory(), options);
}
beforeEach(() => begin({ environment: { OPENAI_API_KEY: 'sk-env-0123456789abcd' } }));

/** As an administrator, over the network. */
async function call(method: string, target: string, body?: Json, headers: Record<string, string> = {}) {
  const response = await scene.ask(method, target, {
    headers: { authorization: `Bearer ${scene.tokens.admin}`, 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  said += text;
  return { status: response.status, etag: response.headers.get('etag'), body: JSON.parse(text) as JsonObject };
}
const key = (more: JsonObject = {}): JsonObject => ({ provider: 'openai', type: 'api_key', key: secret, ...more });
const put = (id: string, body: JsonObject) => call('PUT', `/config/auth-profiles/${id}`, body);
const usable = { usable: true, reason: null, why: null };
/** The sources of the credentials that a call would try. */
const sources = async (provider = 'openai') => {
  const { body } = await call('GET', '/config/configured-providers');
  return (body as unknown as { id: string; keys: string[] }[]).find(({ id }) => id === provider)?.keys ?? [];
};
const actions = async () => {
  await scene.gateway.flush();
  const events = await scene.store.audit.list({ limit: 50 });
  return events.map(({ action, details }) => `${action} ${details['profile'] ?? ''}`).filter((each) => each.startsWith('cred'));
};

describe('an auth profile', () => {
  test('is put, shown redacted, replaced, and deleted, each a revision with its audit', async () => {
    expect(await put('openai:work', key({ email: 'me@acme.example' }))).toMatchObject({
      status: 200,
      etag: '"r1"',
      body: { status: 'ok', profile: 'openai:work', ...usable },
    });
    const view = { id: 'openai:work', provider: 'openai', type: 'api_key', key: '[REDACTED]', hint: 'sk-****abcd', ...usable };
    expect(await call('GET', '/config/auth-profiles')).toMatchObject({
      etag: '"r1"',
      body: [{ ...view, email: 'me@acme.example' }],
    });
    // An absent secret stays, every other absent field goes.
    expect((await put('openai:work', { provider: 'openai', type: 'api_key' })).status).toBe(200);
    expect((await call('GET', '/config/auth-profiles/openai:work')).body).toEqual(view);
    expect((await put('openai:work', { provider: 'openai', type: 'api_key', key: null })).body).toMatchObject({
      usable: false,
      reason: 'missing_credential',
      why: expect.any(String),
    });
    expect((await call('DELETE', '/config/auth-profiles/openai:work')).body).toEqual({ status: 'ok', deleted: 'openai:work' });
    for (const method of ['GET', 'DELETE']) {
      const gone = await call(method, '/config/auth-profiles/openai:work');
      expect(gone).toMatchObject({ status: 404, body: { error: { code: 'not_found' } } });
    }
    expect((await call('GET', '/config/revisions')).body).toMatchObject({
      data: [{ summary: 'credential.delete openai:work' }, {}, {}, { summary: 'credential.update openai:work' }],
    });
    expect(await actions()).toEqual(['credential.delete openai:work', ...Array(3).fill('credential.update openai:work')]);
  });

  test.each(['openai:a/b', 'openai:a%2Fb', 'openai%3Aa%2fb'])('is found by its id with a slash, written %s', async (written) => {
    expect((await put(written, key())).body).toMatchObject({ profile: 'openai:a/b' });
    expect((await call('GET', `/config/auth-profiles/${written}`)).body).toMatchObject({ id: 'openai:a/b' });
    expect((await call('POST', '/config/auth-profiles/openai:a%2Fb/disable')).body).toMatchObject({ reason: 'disabled' });
    expect((await call('DELETE', `/config/auth-profiles/${written}`)).body).toMatchObject({ deleted: 'openai:a/b' });
  });

  test.each(['a%2Fb:c', 'a/b', 'a%20b', '%C3%A9', '__proto__', 'a%252Fb', 'x'.repeat(129)])(
    'cannot have the id %s',
    async (id) => {
      expect(await put(id, key())).toMatchObject({
        status: 400,
        body: { error: { code: 'invalid_request', param: 'profile_id' } },
      });
      expect((await call('GET', '/config/auth-profiles')).etag).toBe('"r0"');
    },
  );

  test.each<[why: string, body: JsonObject, status: number, param: string]>([
    ['of an unknown type', key({ type: 'password' }), 422, 'type'],
    ['without a provider', { type: 'api_key', key: secret }, 422, 'provider'],
    ['of a provider whose address nobody knows', key({ provider: 'nowhere' }), 422, 'provider'],
    ['on this machine', key({ baseUrl: 'http://127.0.0.1:1/v1' }), 400, 'baseUrl'],
    ['with a token of ola', key({ key: `ola_${'x'.repeat(49)}` }), 422, 'key'],
    ['with a variable that may not go there', key({ key: ['$', '{HOME}'].join('') }), 422, 'key'],
  ])('%s is refused, and nothing is written', async (_why, body, status, param) => {
    expect(await put('openai:a', body)).toMatchObject({ status, body: { error: { param } } });
    expect((await call('GET', '/config/auth-profiles')).body).toEqual([] as unknown as JsonObject);
  });

  test('whose secret would go to another address is refused: by its base URL, by its provider', async () => {
    await call('PUT', '/config/providers/acme', { baseUrl, authHeader: false });
    await put('openai:a', key());
    for (const more of [{ baseUrl: 'https://evil.example/v1' }, { provider: 'acme' }]) {
      const refused = await put('openai:a', { provider: 'openai', type: 'api_key', ...more });
      expect(refused).toMatchObject({ status: 422, body: { error: { code: 'secret_required', param: 'key' } } });
    }
    expect((await put('openai:a', key({ baseUrl: 'https://evil.example/v1' }))).body).toMatchObject(usable);
  });

  test('is switched off and on; If-Match is kept', async () => {
    await put('openai:a', key());
    expect(await sources()).toEqual(['profile:openai:a', 'OPENAI_API_KEY']);
    const off = { profile: 'openai:a', usable: false, reason: 'disabled', why: 'is disabled' };
    expect((await call('POST', '/config/auth-profiles/openai:a/disable', undefined, { 'if-match': '"r0"' })).status).toBe(412);
    expect(await call('POST', '/config/auth-profiles/openai:a/disable')).toMatchObject({ etag: '"r2"', body: off });
    expect(await sources()).toEqual(['OPENAI_API_KEY']);
    expect((await call('POST', '/config/auth-profiles/openai:a/enable')).body).toMatchObject(usable);
    expect(await sources()).toEqual(['profile:openai:a', 'OPENAI_API_KEY']);
    expect((await call('POST', '/config/auth-profiles/openai:b/enable')).status).toBe(404);
    expect((await actions()).slice(0, 2)).toEqual(['credential.enable openai:a', 'credential.disable openai:a']);
  });

  test('of a login is shown without its tokens, and used until it ends', async () => {
    const login = { provider: 'openai', type: 'oauth', access: 'CANARY-access', refresh: 'CANARY-refresh', expires: 1 };
    const written = await put('openai:login', login);
    expect(written.body).toMatchObject({ usable: false, reason: 'expired' });
    expect(written.body).not.toHaveProperty('renewal');
    expect((await call('GET', '/config/auth-profiles/openai:login')).body).toMatchObject({ access: '[REDACTED]', type: 'oauth' });
    expect(await sources()).toEqual(['OPENAI_API_KEY']);
    const metadata = { tokenUrl: 'https://auth.acme.example/token' };
    const renewed = await put('openai:login', { ...login, expires: start + 3_600_000, metadata });
    expect(renewed.body).toMatchObject({
      ...usable,
      renewal: { state: 'ready', since: null, until: start + 3_600_000, why: null },
    });
    expect(JSON.stringify((await call('GET', '/config/auth-profiles')).body)).not.toContain('CANARY');
    expect(await sources()).toEqual(['profile:openai:login', 'OPENAI_API_KEY']);
  });

  test('whose token ends while nothing is written is used no more from then on', async () => {
    const token = { provider: 'groq', type: 'token', token: secret, expires: start + 1000 };
    expect((await put('groq:t', token)).body).toMatchObject(usable);
    scene.now = start + 999;
    expect(await sources('groq')).toEqual(['profile:groq:t']);
    scene.now = start + 1000;
    expect((await call('GET', '/config/auth-profiles/groq:t')).body).toMatchObject({ usable: false, reason: 'expired' });
    expect(await sources('groq')).toEqual([]);
    const chat = { model: 'groq:t/llama', messages: [{ role: 'user', content: 'x' }] };
    const refused = await call('POST', '/v1/chat/completions', chat, { authorization: `Bearer ${scene.tokens.write}` });
    expect(refused).toMatchObject({ status: 404, body: { error: { message: expect.stringContaining("'groq:t' has expired") } } });
  });

  test('of the older names is written back under the newer ones, and used', async () => {
    const profiles = { 'groq:a': { provider: 'groq', type: 'api_key', key: secret } };
    expect((await call('POST', '/config', { auth: { profiles, order: { groq: ['groq:a'] } } })).body).toEqual({ status: 'ok' });
    const { body } = await call('GET', '/config');
    expect(body).toMatchObject({ authProfiles: { 'groq:a': { key: '[REDACTED]' } }, authOrder: { groq: ['groq:a'] } });
    expect(body['auth']).toBeUndefined();
    expect(await sources('groq')).toEqual(['profile:groq:a']);
  });

  test('is for administrators alone', async () => {
    for (const [method, target] of [
      ['GET', '/config/auth-profiles'],
      ['PUT', '/config/auth-profiles/openai:a'],
      ['POST', '/config/auth-profiles/openai:a/test'],
      ['GET', '/config/auth-order'],
      ['GET', '/config/configured-providers'],
    ] as const) {
      const body = method === 'PUT' ? { provider: 'openai', type: 'api_key' } : undefined;
      const headers = { authorization: `Bearer ${scene.tokens.write}` };
      expect((await call(method, target, body, headers)).status).toBe(403);
    }
  });
});

describe('the order', () => {
  test('is put and shown under canonical ids, and decides who is tried first', async () => {
    await put('xai:a', key({ provider: 'xai', key: `${secret}a` }));
    await put('xai:b', key({ provider: 'grok', key: `${secret}b` }));
    expect(await sources('xai')).toEqual(['profile:xai:a', 'profile:xai:b']);
    expect(await call('PUT', '/config/auth-order', { grok: ['b'] })).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect((await call('GET', '/config/auth-order')).body).toEqual({ xai: ['b'] });
    expect(await sources('xai')).toEqual(['profile:xai:b', 'profile:xai:a']);
    await call('PUT', '/config/auth-order', { xai: [] });
    expect(await sources('xai')).toEqual([]);
    expect((await call('GET', '/config/auth-profiles/xai:a')).body).toMatchObject({ reason: 'excluded_by_order' });
    await call('PUT', '/config/auth-order', {});
    expect(await sources('xai')).toHaveLength(2);
  });

  test('warns of an id that no profile has, and refuses what is no order', async () => {
    await put('openai:work', key());
    expect((await call('PUT', '/config/auth-order', { openai: ['wurk', 'work'] })).body['warnings'] as unknown).toEqual([
      { path: 'openai.0', reason: expect.stringContaining("'openai' has no auth profile of this id") },
    ]);
    for (const body of [{ openai: 'work' }, { 'open ai': [] }, { xai: [], grok: [] }, []] as Json[]) {
      expect((await call('PUT', '/config/auth-order', body)).status).toBe(422);
    }
  });

  test('loses a profile that is deleted; an order that loses its last is gone, and excludes nobody', async () => {
    for (const id of ['openai:a', 'openai:b', 'openai:c']) await put(id, key({ key: `${secret}${id}` }));
    await call('PUT', '/config/auth-order', { openai: ['a', 'openai:b'], groq: [] });
    await call('DELETE', '/config/auth-profiles/openai:a');
    expect((await call('GET', '/config/auth-order')).body).toEqual({ openai: ['openai:b'], groq: [] });
    await call('DELETE', '/config/auth-profiles/openai:b');
    expect((await call('GET', '/config/auth-order')).body).toEqual({ groq: [] });
    expect(await sources()).toEqual(['profile:openai:c', 'OPENAI_API_KEY']);
  });
});

describe('a test of a profile', () => {
  const status = { value: 200 };
  const answers = () => {
    const list = { object: 'list', data: [{ id: 'm1' }, { id: 'm2' }] };
    const seen: (string | null)[] = [];
    const server = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch(request) {
        seen.push(request.headers.get('authorization'));
        return Response.json(status.value === 200 ? list : { error: { message: `${secret} is wrong` } }, {
          status: status.value,
        });
      },
    });
    return { server, seen };
  };

  test('tells what the provider said of it, without its words', async () => {
    const { server, seen } = answers();
    await call('PUT', '/config/providers/acme', { baseUrl: `${server.url}v1`, allowLocal: true, apiKey: 'CANARY-provider-key' });
    await put('acme:a', key({ provider: 'acme' }));
    const of = { profile: 'acme:a', provider: 'acme' };
    for (const path of ['/config/auth-profiles/acme:a/test', '/config/credentials/acme%3Aa/test']) {
      status.value = 200;
      expect((await call('POST', path)).body).toEqual({
        ...{ status: 'ok', outcome: 'works', ...of, modelsFound: 2, models_found: 2, detail: 'It listed 2 models.' },
      });
    }
    for (const [answered, outcome] of [
      [401, 'refused'],
      [403, 'refused'],
      [404, 'unclear'],
      [500, 'unclear'],
    ] as const) {
      status.value = answered;
      const { body } = await call('POST', '/config/auth-profiles/acme:a/test');
      expect(body).toEqual({ status: 'error', outcome, ...of, detail: expect.stringContaining(`HTTP ${answered}`) });
    }
    expect(new Set(seen)).toEqual(new Set([`Bearer ${secret}`]));
    await server.stop(true);
    expect((await call('POST', '/config/auth-profiles/acme:a/test')).body).toMatchObject({
      status: 'error',
      outcome: 'unreachable',
    });
    await scene.gateway.flush();
    const event = (await scene.store.audit.list({ limit: 50 })).find(({ action }) => action === 'credential.test');
    expect(event).toMatchObject({ result: 'failure', details: { ...of, outcome: 'unreachable' } });
  });

  test('that cannot be used is 409 with the reason, of an unknown one 404; nothing is sent', async () => {
    await put('openai:a', key({ enabled: false }));
    expect(await call('POST', '/config/auth-profiles/openai:a/test')).toMatchObject({
      status: 409,
      body: { error: { code: 'conflict', message: expect.stringContaining('is disabled') } },
    });
    expect((await call('POST', '/config/credentials/openai:b/test')).status).toBe(404);
  });
});

test('configured providers tell where they are, where their keys are, and whether they can be used', async () => {
  await call('PUT', '/config/providers/acme', { baseUrl, apiKey: secret });
  await call('PUT', '/config/providers/off', { baseUrl, enabled: false });
  await put('acme:a', key({ provider: 'acme', key: `${secret}a` }));
  await put('acme:b', key({ provider: 'acme', enabled: false }));
  const { body } = await call('GET', '/config/configured-providers');
  const common = { api: 'openai-completions', auth: 'api-key' };
  expect(body as unknown).toEqual([
    {
      ...{ id: 'acme', usable: true, keys: ['profile:acme:a', 'stored'], why: null, baseUrl, ...common, isBuiltin: false },
      customConfig: { baseUrl, apiKey: '[REDACTED]', hint: 'sk-****abcd' },
      authProfileCount: 2,
    },
    {
      ...{ id: 'openai', usable: true, keys: ['OPENAI_API_KEY'], why: null, baseUrl: 'https://api.openai.com/v1', ...common },
      ...{ isBuiltin: true, authProfileCount: 0 },
    },
    {
      ...{ id: 'off', usable: false, keys: [], why: 'switched off', baseUrl, ...common, isBuiltin: false },
      customConfig: { baseUrl, enabled: false },
      authProfileCount: 0,
    },
  ]);
});

test('in file mode profiles are read from the file and used, and a write is 409', async () => {
  await scene[Symbol.asyncDispose]();
  const text = JSON.stringify({ authProfiles: { 'groq:a': key({ provider: 'groq', key: 'file:key' }) } });
  await begin({ file: { path: '/etc/ola/config.json', text }, secretFiles: { key: secret } });
  expect((await call('GET', '/config/auth-profiles')).body as unknown).toMatchObject([
    { id: 'groq:a', key: 'file:key', ...usable },
  ]);
  for (const [method, target, body] of [
    ['PUT', '/config/auth-profiles/groq:a', { provider: 'groq', type: 'token' }],
    ['DELETE', '/config/auth-profiles/groq:a', undefined],
    ['POST', '/config/auth-profiles/groq:a/disable', undefined],
    ['PUT', '/config/auth-order', {}],
  ] as const) {
    expect(await call(method, target, body)).toMatchObject({ status: 409, body: { error: { code: 'config_managed_by_file' } } });
  }
});
