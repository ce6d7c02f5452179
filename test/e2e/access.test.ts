/** Who is let in, by which token, for how long, and for what. */
import { describe, expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { endpoints } from './endpoints.ts';
import { type Answer, adminToken, expectError, type Ola, request, stage, until } from './stage.ts';

const { start, run, directory, upstream } = stage();
const bare = { OPEN_LLM_AUTH_TOKEN: '' };
const tokenShape = /^ola_[0-9A-Za-z]{49}$/;

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

async function createToken(home: string, ...args: readonly string[]): Promise<string> {
  const { code, out, err } = await run(['token', 'create', ...args], { home });
  expect([code, err]).toEqual([0, '']);
  return out.trim();
}

test('without a terminal and without a token nobody is let in, and the 401 says how a token is made', async () => {
  const ola = await start({ env: bare });
  expect(ola.out()).not.toMatch(/ola_\w{20}/);
  expect(ola.err()).toContain('ola token create');
  for (const [method, path] of [
    ['GET', '/v1/models'],
    ['GET', '/config'],
    ['POST', '/v1/chat/completions'],
    ['POST', '/config/tokens'],
  ] as const) {
    const answer = await request(ola.address + path, method);
    expect(String(expectError(answer, 401, 'invalid_api_key')['message'])).toContain('ola token create');
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  }
  expect((await request(`${ola.address}/health`)).status).toBe(200);
});

test('a token made on the command line while no server runs is valid in the next one', async () => {
  const home = directory();
  const token = await createToken(home, 'laptop');
  expect(token).toMatch(tokenShape);
  const ola = await start({ home, env: bare });
  expect((await request(`${ola.address}/v1/models`, 'GET', bearer(token))).status).toBe(200);
});

test('a token made, listed and revoked on the command line while a server runs is so at once', async () => {
  const ola = await start({ env: bare });
  const token = await createToken(ola.home, 'laptop');
  const models = () => request(`${ola.address}/v1/models`, 'GET', bearer(token));
  expect((await models()).status).toBe(200);
  const listed = await run(['token', 'list'], { home: ola.home });
  expect(listed).toMatchObject({ code: 0, err: '' });
  expect(listed.out).toContain('laptop');
  expect(listed.out).not.toContain(token);
  const json = await run(['token', 'list', '--json'], { home: ola.home });
  expect(JSON.parse(json.out)).toMatchObject({ object: 'list', data: [{ name: 'laptop', scopes: ['read', 'write'] }] });
  expect(await run(['token', 'revoke', 'laptop'], { home: ola.home })).toMatchObject({ code: 0 });
  expect((await models()).status).toBe(401);
  expect(await run(['token', 'revoke', 'laptop'], { home: ola.home })).toMatchObject({ code: 1, out: '' });
  expect(JSON.parse((await run(['token', 'list', '--json'], { home: ola.home })).out)).toMatchObject({ data: [] });
});

test('a token revoked while no server runs is dead in the next one', async () => {
  const home = directory();
  const token = await createToken(home, 'laptop');
  expect(await run(['token', 'revoke', 'laptop'], { home })).toMatchObject({ code: 0 });
  const ola = await start({ home, env: bare });
  expect((await request(`${ola.address}/v1/models`, 'GET', bearer(token))).status).toBe(401);
});

test('a token revoked over HTTP is dead for the next request, on a connection that was open before', async () => {
  const ola = await start();
  const { id, token } = (await ola.ask('POST', '/config/tokens', { name: 'x' })).json as unknown as { id: string; token: string };
  const models = () => request(`${ola.address}/v1/models`, 'GET', bearer(token));
  expect((await models()).status).toBe(200);
  expect((await ola.ask('DELETE', `/config/tokens/${id}`)).status).toBe(200);
  expectError(await models(), 401, 'invalid_api_key');
  expectError(await ola.ask('DELETE', `/config/tokens/${id}`), 404, 'not_found');
});

/**
 * A token that has expired. It was used before: a machine that does not come to it in time gives the next more time.
 * @returns a request with the token
 */
async function expiredToken(ola: Ola): Promise<() => Promise<Answer>> {
  for (let lifeMs = 500; ; lifeMs *= 3) {
    const expiresAt = Date.now() + lifeMs;
    const { token } = (await ola.ask('POST', '/config/tokens', { name: 'short', expiresAt })).json as unknown as {
      token?: string;
    };
    const models = () => request(`${ola.address}/v1/models`, 'GET', bearer(token ?? ''));
    const { status } = await models();
    if (Date.now() >= expiresAt) continue;
    expect(status).toBe(200);
    await until('it has expired', () => Date.now() > expiresAt);
    return models;
  }
}

test('a token ends when it expires, and still counts as configured', async () => {
  const models = await expiredToken(await start());
  expect(String(expectError(await models(), 401, 'invalid_api_key')['message'])).not.toContain('exists yet');
});

describe('what a token may do follows its scopes', () => {
  const routes = [
    ['GET', '/v1/models', 'read'],
    ['GET', '/v1/models/acme/m', 'read'],
    ...endpoints.map(({ path }) => ['POST', path, 'write'] as const),
    ['GET', '/config', 'admin'],
    ['GET', '/config/providers', 'admin'],
    ['PUT', '/config/providers/x', 'admin'],
    ['DELETE', '/config/providers/x', 'admin'],
    ['GET', '/config/tokens', 'admin'],
    ['POST', '/config/tokens', 'admin'],
    ['DELETE', '/config/tokens/x', 'admin'],
  ] as const;
  for (const scope of ['read', 'write', 'admin'] as const) {
    test(`${scope} alone`, async () => {
      const ola = await start();
      const { token } = (await ola.ask('POST', '/config/tokens', { name: scope, scopes: [scope] })).json as unknown as {
        token: string;
      };
      for (const [method, path, needed] of routes) {
        const answer = await request(
          ola.address + path,
          method,
          bearer(token),
          method === 'POST' || method === 'PUT' ? '{' : undefined,
        );
        if (needed === scope || scope === 'admin') expect([path, [401, 403].includes(answer.status)]).toEqual([path, false]);
        else expect(expectError(answer, 403, 'insufficient_scope')['details']).toEqual({ required: needed } as never);
      }
    });
  }
});

test('a short token that was chosen works, and the start warns of it without showing it', async () => {
  const ola = await start({ env: { OPEN_LLM_AUTH_TOKEN: 'short-one' } });
  expect((await request(`${ola.address}/v1/models`, 'GET', bearer('short-one'))).status).toBe(200);
  expect(ola.err()).toContain('OPEN_LLM_AUTH_TOKEN has 9 characters and could be guessed');
  expect(ola.err()).not.toContain('short-one');
  expect((await start()).err()).not.toContain('could be guessed');
});

test('LLM_INTERACTIVE_PROXY_API_KEY reads and writes, and never administers', async () => {
  const ola = await start({ env: { ...bare, LLM_INTERACTIVE_PROXY_API_KEY: 'proxy-key-1234' } });
  const up = await upstream();
  const ask = (method: string, path: string, body?: unknown) =>
    request(ola.address + path, method, bearer('proxy-key-1234'), body);
  expect((await ask('GET', '/v1/models')).status).toBe(200);
  expectError(await ask('POST', '/v1/chat/completions', { model: 'acme/m', messages: [{}] }), 404, 'provider_resolution_failed');
  expectError(await ask('GET', '/config'), 403, 'insufficient_scope');
  expectError(await ask('PUT', '/config/providers/acme', { baseUrl: up.baseUrl }), 403, 'insufficient_scope');
  expectError(await ask('POST', '/config/tokens', { name: 'x', admin: true }), 403, 'insufficient_scope');
});

describe('a token comes in one of three headers', () => {
  const send = async (headers: Readonly<Record<string, string>>, path = '/v1/models'): Promise<Answer> => {
    const ola = await shared;
    return request(ola.address + path, 'GET', headers);
  };
  const shared = start();
  const other = `ola_${'a'.repeat(49)}`;
  const foreign = 'session-of-a-desktop-client-0123456789';

  test.each([
    { authorization: `Bearer ${adminToken}` },
    { authorization: `bearer   ${adminToken}` },
    { 'x-api-key': adminToken },
    { 'x-goog-api-key': adminToken },
    { authorization: `Bearer ${adminToken}`, 'x-api-key': adminToken, 'x-goog-api-key': adminToken },
    { authorization: `Bearer ${foreign}`, 'x-api-key': adminToken },
    { authorization: `Bearer ${adminToken}`, 'x-api-key': foreign },
    { authorization: 'Bearer', 'x-api-key': adminToken },
  ] as Record<string, string>[])('%o is let in', async (headers) => {
    expect((await send(headers)).status).toBe(200);
  });

  test.each([
    { authorization: adminToken },
    { authorization: `Basic ${btoa(`admin:${adminToken}`)}` },
    { authorization: `Bearer ${adminToken}x` },
    { authorization: 'Bearer' },
    { 'x-api-key': '' },
    { cookie: `token=${adminToken}` },
    { 'x-forwarded-authorization': `Bearer ${adminToken}` },
  ] as Record<string, string>[])('%o is not', async (headers) => {
    expectError(await send(headers), 401, 'invalid_api_key');
  });

  test('a token in the query lets nobody in', async () => {
    for (const name of ['key', 'api_key', 'access_token', 'token'])
      expectError(await send({}, `/v1/models?${name}=${adminToken}`), 401, 'invalid_api_key');
  });

  test('none, one without Bearer, a foreign key and a wrong token are told apart, and none is repeated', async () => {
    const words: readonly [Record<string, string>, string][] = [
      [{}, 'has no access token'],
      [{ authorization: adminToken }, 'Bearer'],
      [{ 'x-api-key': foreign }, 'provider’s key'],
      [{ authorization: `Bearer ${other}` }, 'expired'],
    ];
    for (const [headers, word] of words) {
      const answer = await send(headers);
      expect(String(expectError(answer, 401, 'invalid_api_key')['message'])).toContain(word);
      expect(answer.text).not.toMatch(/aaaaaaaa|0123456789/);
    }
  });

  test('two different credentials are refused, even when one of them is good', async () => {
    expectError(await send({ authorization: `Bearer ${adminToken}`, 'x-api-key': other }), 400, 'conflicting_credentials');
    expectError(await send({ 'x-goog-api-key': other, 'x-api-key': adminToken }), 400, 'conflicting_credentials');
  });
});

test('--require-token does not start without one, and does with one', async () => {
  const home = directory();
  const refused = await run(['serve', '--require-token', '--port', '0'], { home });
  expect(refused).toMatchObject({ code: 3, out: '' });
  expect(refused.err).toContain('no access token exists yet');
  expect(refused.err).toContain('OPEN_LLM_AUTH_TOKEN');
  await createToken(home, 'laptop');
  await start({ home, env: bare, args: ['--require-token'] });
});

test('what a token was made with is told once: the token itself never again', async () => {
  const ola = await start();
  const made = await ola.ask('POST', '/config/tokens', { name: 'x', project: 'p', expiresInDays: 2 });
  expect(made.status).toBe(201);
  const { id, token } = made.json as unknown as { id: string; token: string };
  expect(token).toMatch(tokenShape);
  const shown = await ola.ask('GET', `/config/tokens/${id}`);
  expect(shown.json as unknown).toMatchObject({
    id,
    name: 'x',
    project: 'p',
    scopes: ['read', 'write'],
    hint: `ola_****${token.slice(-4)}`,
  });
  expect(shown.text + (await ola.ask('GET', '/config/tokens')).text).not.toContain(token);
});

test('a provider whose name leads to a variable of ola’s own does not get what is in it', async () => {
  const env = { LLM_INTERACTIVE_PROXY_API_KEY: 'proxy-key-1234' };
  const ola = await start({ env });
  const up = await upstream();
  const body = { baseUrl: up.baseUrl, allowLocal: true };
  expect((await ola.ask('PUT', '/config/providers/llm-interactive-proxy', body)).status).toBe(200);
  expectError(await ola.chat('llm-interactive-proxy/m'), 404, 'provider_resolution_failed');
  expect(up.received).toEqual([]);
});

const anonymousOn = { ...bare, OPEN_LLM_AUTH_ALLOW_ANON: '1' };
const linesWith = (text: string, words: string) => text.split('\n').filter((line) => line.includes(words));
const proxied: readonly Record<string, string>[] = [
  { forwarded: 'for=192.0.2.1' },
  { via: '1.1 proxy' },
  { 'x-forwarded-for': '127.0.0.1' },
  { 'x-forwarded-host': 'ola.example' },
];

describe('OPEN_LLM_AUTH_ALLOW_ANON', () => {
  test('lets this machine in as admin until a token is made, warns in one line, and makes no token of its own', async () => {
    const ola = await start({ env: anonymousOn });
    const up = await upstream();
    expect(linesWith(ola.err(), 'OPEN_LLM_AUTH_ALLOW_ANON')).toHaveLength(1);
    expect(ola.err()).not.toContain('every request is answered with 401');
    expect(ola.out()).not.toMatch(/ola_\w{20}/);
    const ask = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
      request(ola.address + path, method, headers, body);
    expect(
      (await ask('PUT', '/config/providers/acme', { baseUrl: up.baseUrl, allowLocal: true, authHeader: false })).status,
    ).toBe(200);
    expect((await ask('GET', '/config/revisions')).json['data']?.[0]?.['actor'] as unknown).toBe('anonymous');
    expect((await ask('POST', '/v1/chat/completions', { model: 'acme/m', messages: [{}] })).status).toBe(200);
    for (const headers of proxied) expectError(await ask('GET', '/config', undefined, headers), 401, 'invalid_api_key');
    for (const headers of [bearer('wrong'), { 'x-api-key': 'wrong' }]) {
      expectError(await ask('GET', '/config', undefined, headers), 401, 'invalid_api_key');
    }
    for (const headers of [{ origin: 'http://evil.example' }, { origin: 'null' }, { 'sec-fetch-site': 'same-site' }] as const) {
      expectError(await ask('GET', '/config', undefined, headers), 403, 'origin_not_allowed');
    }
    expectError(await ask('GET', '/config', undefined, { host: 'rebound.example' }), 421, 'host_not_served');
    const token = await createToken(ola.home, 'laptop');
    expectError(await ask('GET', '/v1/models'), 401, 'invalid_api_key');
    expect((await ask('GET', '/v1/models', undefined, bearer(token))).status).toBe(200);
  });

  test('opens nothing where a token is configured, an expired one too, and says so', async () => {
    const home = directory();
    const first = await start({ home });
    await expiredToken(first);
    first.kill('SIGTERM');
    await first.exited;
    for (const env of [
      anonymousOn,
      { ...anonymousOn, LLM_INTERACTIVE_PROXY_API_KEY: 'proxy-key-1234' },
      { OPEN_LLM_AUTH_ALLOW_ANON: 'on' },
    ]) {
      const ola = await start({ home: env === anonymousOn ? home : directory(), env });
      expectError(await request(`${ola.address}/v1/models`), 401, 'invalid_api_key');
      expect(linesWith(ola.err(), 'OPEN_LLM_AUTH_ALLOW_ANON')).toEqual([expect.stringContaining('has no effect')]);
      ola.kill('SIGKILL');
      await ola.exited;
    }
  });
});

describe('authentication that is switched off', () => {
  test.each([
    [['--disable-auth'], {}],
    [[], { DISABLE_AUTH: 'true' }],
  ])('by %o %o lets this machine in as admin, whatever it sends, and warns', async (args, env) => {
    const ola = await start({ args, env });
    expect(linesWith(ola.err(), 'authentication is off')).toHaveLength(1);
    for (const headers of [{}, bearer('wrong'), bearer(adminToken)] as Record<string, string>[]) {
      expect((await request(`${ola.address}/config`, 'GET', headers)).status).toBe(200);
    }
    for (const headers of proxied) {
      expectError(await request(`${ola.address}/config`, 'GET', { ...headers, ...bearer(adminToken) }), 401, 'invalid_api_key');
    }
    expectError(await request(`${ola.address}/config`, 'GET', { origin: 'http://evil.example' }), 403, 'origin_not_allowed');
    expectError(await request(`${ola.address}/config`, 'GET', { host: 'rebound.example' }), 421, 'host_not_served');
  });

  test('is not undone by a token of the demo: what is printed to be pasted works as it is', async () => {
    const ola = await start({ args: ['--demo', '--disable-auth'], env: bare });
    expect(ola.out()).not.toMatch(/ola_\w{20}|Authorization/);
    expect((await run(['token', 'list', '--json'], { home: ola.home })).out).toContain('"data": []');
    const [, model = ''] = /"model":"([^"]+)"/.exec(ola.out()) ?? [];
    const body = { model, messages: [{ role: 'user', content: 'Hello' }] };
    expect((await request(`${ola.address}/v1/chat/completions`, 'POST', {}, body)).status).toBe(200);
  });

  test('by the document holds from the write on, at the next start, and until it is switched back', async () => {
    const ola = await start();
    const off = { auth: { disableAuth: true } };
    const answer = await ola.ask('POST', '/config', off);
    expect([answer.status, answer.json as unknown]).toEqual([200, { status: 'ok' }]);
    expect((await request(`${ola.address}/config`)).json as unknown).toMatchObject(off);
    expect(linesWith(ola.err(), 'authentication is off')).toHaveLength(1);
    ola.kill('SIGTERM');
    await ola.exited;
    const again = await start({ home: ola.home });
    expect(linesWith(again.err(), 'authentication is off')).toHaveLength(1);
    expect((await request(`${again.address}/config`, 'POST', {}, { auth: { disableAuth: false } })).status).toBe(200);
    expectError(await request(`${again.address}/config`), 401, 'invalid_api_key');
    expect(again.err()).toContain('requests need a token again');
  });

  test('by the document is not obeyed where others could come in', async () => {
    const ola = await start({ args: ['--host', '0.0.0.0'] });
    expect((await ola.ask('POST', '/config', { auth: { disableAuth: true } })).status).toBe(200);
    expectError(await request(`${ola.address}/config`), 401, 'invalid_api_key');
    expect(linesWith(ola.err(), 'is ignored')).toHaveLength(1);
    ola.kill('SIGTERM');
    await ola.exited;
    const refused = await run(['serve', '--host', '0.0.0.0', '--port', '0'], { home: ola.home });
    expect([refused.code, refused.out]).toEqual([3, '']);
    expect(refused.err).toContain('auth.disableAuth');
  });
});

test('no door is opened on an address that others reach: the start is refused, and nothing is made', async () => {
  for (const [args, env, word] of [
    [[], { OPEN_LLM_AUTH_ALLOW_ANON: '1' }, 'OPEN_LLM_AUTH_ALLOW_ANON'],
    [[], { DISABLE_AUTH: 'yes' }, 'DISABLE_AUTH'],
    [['--disable-auth'], {}, '--disable-auth'],
    [['--disable-auth'], { OPEN_LLM_AUTH_TOKEN: adminToken }, '--disable-auth'],
  ] as [string[], Record<string, string>, string][]) {
    for (const host of ['0.0.0.0', '::', '192.0.2.1']) {
      const home = directory();
      const refused = await run(['serve', '--host', host, '--port', '0', ...args], { home, env });
      expect([refused.code, refused.out]).toEqual([3, '']);
      for (const words of [word, host, '127.0.0.1']) expect(refused.err).toContain(words);
      expect(readdirSync(home)).toEqual([]);
    }
  }
  expect(await run(['serve', '--disable-auth', '--require-token'])).toMatchObject({ code: 2, out: '' });
  expect(await run(['serve', '--port', '0'], { env: { DISABLE_AUTH: 'maybe' } })).toMatchObject({ code: 3, out: '' });
});
