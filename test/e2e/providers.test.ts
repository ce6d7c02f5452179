/** Providers over HTTP: written, shown without their secrets, judged, kept. */
import { describe, expect, test } from 'bun:test';
import { expectError, filesBelow, type Json, type Ola, stage } from './stage.ts';
import { answer } from './upstream.ts';

const { directory, run, start, upstream } = stage();
const key = 'sk-e2e-provider-key-a1b2c3d4e5f6';
/** A reference to a variable, as a document names it. */
const variable = (name: string) => `\${${name}}`;
const headerSecret = 'header-secret-f6e5d4c3b2a1';

async function expectNowhere(ola: Ola, ...secrets: readonly string[]): Promise<void> {
  for (const { path, bytes } of filesBelow(ola.home))
    for (const secret of secrets) expect([path, bytes.includes(secret)]).toEqual([path, false]);
  for (const secret of secrets) expect(ola.out() + ola.err()).not.toContain(secret);
}

test('a provider is put, shown redacted, called, and deleted', async () => {
  const ola = await start();
  const up = await upstream();
  const body = {
    baseUrl: up.baseUrl,
    apiKey: key,
    allowLocal: true,
    headers: { 'X-Team': headerSecret },
    models: [{ id: 'm', contextWindow: 1000 }],
  };
  const put = await ola.ask('PUT', '/config/providers/acme', body);
  expect(put).toMatchObject({ status: 200, json: { status: 'ok', provider: 'acme' } });
  const etag = put.headers.get('etag');
  expect(etag).toMatch(/^"\w+"$/);

  const list = await ola.ask('GET', '/config/providers');
  const shown = (list.json as unknown as { providers: { acme: Json } }).providers.acme as unknown;
  expect(shown).toEqual({ ...body, apiKey: '[REDACTED]', headers: { 'X-Team': '[REDACTED]' }, hint: 'sk-****e5f6' });
  expect(list.headers.get('etag')).toBe(etag);
  const whole = await ola.ask('GET', '/config');
  expect(whole.headers.get('etag')).toBe(etag);
  expect(list.text + whole.text + put.text).not.toContain(key);
  expect(list.text + whole.text + put.text).not.toContain(headerSecret);

  expect((await ola.ask('GET', '/v1/models/acme/m')).json as unknown).toMatchObject({
    id: 'acme/m',
    owned_by: 'acme',
    context_window: 1000,
  });
  expect((await ola.chat('acme/m')).status).toBe(200);
  expect(up.requestFor('m').headers.get('authorization')).toBe(`Bearer ${key}`);
  expect(up.requestFor('m').headers.get('x-team')).toBe(headerSecret);

  expect((await ola.ask('DELETE', '/config/providers/acme')).json as unknown).toEqual({ status: 'ok', deleted: 'acme' });
  expectError(await ola.ask('DELETE', '/config/providers/acme'), 404, 'not_found');
  expectError(await ola.chat('acme/m'), 404, 'provider_resolution_failed');
  await expectNowhere(ola, key, headerSecret);
});

test('a listed model whose id ends like a context size is found and called by it', async () => {
  const ola = await start();
  const up = await upstream();
  await ola.addProvider('acme', up, { models: [{ id: 'big[32k]' }, { id: 'big' }] });
  for (const path of ['acme/big[32k]', 'acme%2Fbig%5B32k%5D', 'big%5B32k%5D']) {
    expect((await ola.ask('GET', `/v1/models/${path}`)).json['id'] as unknown).toBe('acme/big[32k]');
  }
  await ola.chat('acme/big[32k]');
  await ola.chat('acme/big[1m]');
  expect([up.for('big[32k]').length, up.for('big').length]).toEqual([1, 1]);
});

test('a server of one’s own without models is asked for them when they are listed, and its answer is called by', async () => {
  const ola = await start();
  const up = await upstream();
  // A request without a body names no model.
  up.modes.set('', answer(200, { object: 'list', data: [{ id: 'llama' }, { id: 'big[32k]' }] }));
  await ola.addProvider('vllm', up);
  expect(up.received).toHaveLength(0);
  const ids = async () => (await ola.ask('GET', '/v1/models')).json['data']?.map(({ id }) => id as unknown);
  expect(await ids()).toEqual(['vllm/llama', 'vllm/big[32k]']);
  expect(await ids()).toHaveLength(2);
  expect((await ola.chat('vllm/big[32k]')).status).toBe(200);
  expect(expectError(await ola.chat('llama'), 404, 'model_not_found')['message'] as unknown).toContain('vllm/llama');
  expect(up.for('')).toHaveLength(1);
  expect(up.requestFor('').head).toStartWith('GET /v1/models HTTP/1.1');
  expect(up.requestFor('big[32k]').head).toStartWith('POST ');
});

describe('a base URL', () => {
  const chat = { model: 'azure/gpt-4o', messages: [{ role: 'user', content: 'hi' }] };

  test('with a query leads each call behind its path: classic Azure, and the new one', async () => {
    const ola = await start();
    const up = await upstream();
    const root = `http://127.0.0.1:${up.port}/openai`;
    const common = { allowLocal: true, authHeader: false, headers: { 'api-key': key } };
    const put = async (baseUrl: string) =>
      (await ola.ask('PUT', '/config/providers/azure', { ...common, baseUrl })).json as unknown;
    expect(await put(`${root}/deployments/gpt-4o?api-version=2024-10-21`)).toEqual({
      status: 'ok',
      provider: 'azure',
      effectiveUrl: `${root}/deployments/gpt-4o/chat/completions?api-version=2024-10-21`,
    });
    expect((await ola.ask('POST', '/v1/chat/completions', chat)).status).toBe(200);
    await ola.ask('POST', '/v1/embeddings', { model: 'azure-openai/embed', input: 'x' });
    expect(await put(`${root}/v1`)).toMatchObject({ effectiveUrl: `${root}/v1/chat/completions` });
    expect((await ola.ask('POST', '/v1/chat/completions', { ...chat, stream: true })).status).toBe(200);
    expect(up.received.map(({ head }) => head.split('\r\n')[0])).toEqual([
      'POST /openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21 HTTP/1.1',
      'POST /openai/deployments/gpt-4o/embeddings?api-version=2024-10-21 HTTP/1.1',
      'POST /openai/v1/chat/completions HTTP/1.1',
    ]);
    for (const { headers } of up.received) {
      expect([headers.get('api-key'), headers.has('authorization')]).toEqual([key, false]);
    }
  });

  test('with a secret in its query is refused, and the secret is nowhere', async () => {
    const ola = await start();
    const up = await upstream();
    for (const query of [`?code=${key}`, `?api-version=1&x=${key}`]) {
      const got = await ola.ask('PUT', '/config/providers/acme', { baseUrl: up.baseUrl + query, allowLocal: true });
      expectError(got, 400, 'unsafe_destination');
      expect(got.text).not.toContain(key);
    }
    await expectNowhere(ola, key);
  });

  test('with an endpoint at its end is kept without it', async () => {
    const ola = await start();
    const up = await upstream();
    const body = { baseUrl: `${up.baseUrl}/chat/completions`, allowLocal: true, authHeader: false };
    expect((await ola.ask('PUT', '/config/providers/acme', body)).json as unknown).toEqual({
      status: 'ok',
      provider: 'acme',
      effectiveUrl: `${up.baseUrl}/chat/completions`,
      warnings: [{ path: 'baseUrl', reason: expect.stringContaining('cut off') as unknown as string }],
    });
    await ola.chat('acme/m');
    expect(up.requestFor('m').head).toStartWith('POST /v1/chat/completions HTTP/1.1');
  });

  test('without a version is said when it is written, and again when a call is answered with 404', async () => {
    const ola = await start();
    const up = await upstream();
    const body = { baseUrl: `http://127.0.0.1:${up.port}`, allowLocal: true, authHeader: false };
    const { warnings } = (await ola.ask('PUT', '/config/providers/acme', body)).json;
    expect(JSON.stringify(warnings)).toContain(`did you mean ${up.baseUrl}?`);
    up.modes.set('words', answer(404, 'not found', { 'content-type': 'text/plain' }));
    up.modes.set('json', answer(404, { error: { message: 'no such route' } }));
    for (const [model, words] of [
      ['words', 'it may not serve /chat/completions'],
      ['json', 'no such route'],
    ] as const) {
      const got = await ola.chat(`acme/${model}`);
      expect([got.status, got.headers.get('x-ola-hint')]).toEqual([404, expect.stringContaining('/v1') as unknown as string]);
      expect(got.text).toContain(words);
    }
    expect((await ola.chat('acme/words')).text).toContain('/v1');
    up.modes.set('other', answer(400, { error: { message: 'x' } }));
    expect((await ola.chat('acme/other')).headers.has('x-ola-hint')).toBe(false);
  });
});

test('providers and their keys survive a restart, sealed', async () => {
  const first = await start();
  const up = await upstream();
  await first.addProvider('acme', up, { apiKey: key, headers: { 'X-Team': headerSecret } });
  first.kill('SIGTERM');
  expect(await first.exited).toBe(0);
  await expectNowhere(first, key, headerSecret);
  const second = await start({ home: first.home });
  expect((await second.chat('acme/after')).status).toBe(200);
  expect(up.requestFor('after').headers.get('authorization')).toBe(`Bearer ${key}`);
  expect(up.requestFor('after').headers.get('x-team')).toBe(headerSecret);
});

test('a placeholder or an absent key keeps the stored one, null deletes it, and a placeholder for nothing is refused', async () => {
  const ola = await start();
  const up = await upstream();
  const put = (body: object) => ola.ask('PUT', '/config/providers/acme', { baseUrl: up.baseUrl, allowLocal: true, ...body });
  expectError(await put({ apiKey: '[REDACTED]' }), 422, 'invalid_field');
  expect((await put({ apiKey: key })).status).toBe(200);
  expect((await put({ apiKey: '[REDACTED]' })).status).toBe(200);
  expect((await put({})).status).toBe(200);
  await ola.chat('acme/kept');
  expect(up.requestFor('kept').headers.get('authorization')).toBe(`Bearer ${key}`);
  expect((await put({ apiKey: null })).status).toBe(200);
  expectError(await ola.chat('acme/gone'), 404, 'provider_resolution_failed');
});

test('a key follows its provider to no other address', async () => {
  const ola = await start();
  const [up, other] = [await upstream(), await upstream()];
  await ola.addProvider('acme', up, { apiKey: key });
  const moved = await ola.ask('PUT', '/config/providers/acme', { baseUrl: other.baseUrl, allowLocal: true });
  expect(expectError(moved, 422, 'secret_required')['param'] as unknown).toBe('apiKey');
  await ola.chat('acme/m');
  expect([up.received.length, other.received.length]).toEqual([1, 0]);
});

describe('keys from the environment', () => {
  test('<ID>_API_KEY is the key of a provider of that id, when the owner wrote its address', async () => {
    const ola = await start({ env: { ACME_EAST_API_KEY: key } });
    const [up, stranger] = [await upstream(), await upstream()];
    const entry = JSON.stringify({ baseUrl: up.baseUrl, allowLocal: true });
    expect(await run(['config', 'set', 'providers.acme-east', entry], { home: ola.home })).toMatchObject({ code: 0 });
    await ola.chat('acme-east/m');
    expect(up.requestFor('m').headers.get('authorization')).toBe(`Bearer ${key}`);
    await ola.addProvider('acme-east', stranger, { apiKey: undefined });
    expectError(await ola.chat('acme-east/m'), 404, 'provider_resolution_failed');
    expect(stranger.received).toHaveLength(0);
    await expectNowhere(ola, key);
  });

  test('a variable of the server that is named over HTTP is refused with the line that the owner may run, and the line works', async () => {
    const ola = await start({ env: { MY_SECRET: key } });
    const up = await upstream();
    const sent = { baseUrl: up.baseUrl, allowLocal: true, apiKey: variable('MY_SECRET') };
    const refused = expectError(await ola.ask('PUT', '/config/providers/mine', sent), 422, 'invalid_field');
    const [, words = ''] = /`ola (config set [^`]+)`/.exec(String(refused['message'])) ?? [];
    expect(words).toBe(`config set providers.mine.apiKey '${variable('MY_SECRET')}'`);
    await ola.addProvider('mine', up, { apiKey: undefined });
    expect(await run(words.replaceAll("'", '').split(' '), { home: ola.home })).toMatchObject({ code: 0 });
    await ola.chat('mine/m');
    expect(up.requestFor('m').headers.get('authorization')).toBe(`Bearer ${key}`);
  });

  test('OPEN_LLM_AUTH_ENV_REFERENCES lists variables that may be named over HTTP', async () => {
    const ola = await start({ env: { MY_SECRET: key, OPEN_LLM_AUTH_ENV_REFERENCES: 'OTHER, MY_SECRET' } });
    const up = await upstream();
    await ola.addProvider('mine', up, { apiKey: variable('MY_SECRET') });
    await ola.chat('mine/m');
    expect(up.requestFor('m').headers.get('authorization')).toBe(`Bearer ${key}`);
  });

  test('an access token of ola is never sent to a provider, and a warning names the variable', async () => {
    const home = directory();
    const { out } = await run(['token', 'create', 'x'], { home });
    const token = out.trim();
    const ola = await start({ home, env: { VLLM_API_KEY: token, OPENAI_API_KEY: token } });
    const up = await upstream();
    await ola.addProvider('vllm', up, { apiKey: undefined });
    await ola.chat('vllm/m');
    expect(up.received.map(({ head }) => head).join()).not.toContain('ola_');
    expect((await ola.ask('GET', '/v1/models')).text).not.toContain('openai/');
    expect(ola.err()).toContain('OPENAI_API_KEY is an access token of ola, not the key of a provider');
    expect(ola.err()).not.toContain(token);
  });

  test("a vendor's own variable is not sent to another address under the vendor's name", async () => {
    const ola = await start({ env: { OPENAI_API_KEY: key } });
    const up = await upstream();
    await ola.addProvider('openai', up, { apiKey: undefined });
    const refused = expectError(await ola.chat('openai/gpt-5'), 404, 'provider_resolution_failed');
    expect(String(refused['message'])).toContain('origin_mismatch');
    const told = String(refused['message']);
    for (const line of ['providers.openai.apiKey --stdin', `providers.openai.apiKey '${variable('OPENAI_API_KEY')}'`])
      expect(told).toContain(`\`ola config set ${line}\``);
    await ola.addProvider('openai', up, { apiKey: 'the-key-of-the-other-place' });
    await ola.chat('openai/gpt-5');
    expect(up.requestFor('gpt-5').headers.get('authorization')).toBe('Bearer the-key-of-the-other-place');
    expect(up.received.map(({ head }) => head).join()).not.toContain(key);
  });
});

describe('an unsafe address is refused and nothing is saved', () => {
  const shared = start();
  const unsafe = async (body: object, reason: string) => {
    const ola = await shared;
    const before = (await ola.ask('GET', '/config')).text;
    const error = expectError(
      await ola.ask('PUT', '/config/providers/acme', { apiKey: key, ...body }),
      400,
      'unsafe_destination',
    );
    expect(error['details'] as unknown).toMatchObject({ provider: 'acme', reason, phase: 'write' });
    expect((await ola.ask('GET', '/config')).text).toBe(before);
  };

  test.each([
    ['http://127.0.0.1:9/v1', 'loopback_ip'],
    ['https://127.1/v1', 'loopback_ip'],
    ['https://0x7f000001/v1', 'loopback_ip'],
    ['https://[::1]/v1', 'loopback_ip'],
    ['https://[::ffff:127.0.0.1]/v1', 'reserved_ip'],
    ['https://localhost/v1', 'localhost_forbidden'],
    ['https://10.0.0.1/v1', 'private_ip'],
    ['https://intranet/v1', 'single_label_host'],
    ['http://93.184.216.34/v1', 'insecure_http_forbidden'],
    ['https://93.184.216.34:22/v1', 'port_forbidden'],
    ['ftp://93.184.216.34/v1', 'unsupported_scheme'],
    ['https://user:secret@93.184.216.34/v1', 'userinfo_forbidden'],
  ])('%s: %s', (baseUrl, reason) => unsafe({ baseUrl }, reason));

  test.each([
    ['http://169.254.169.254/v1', 'metadata_ip'],
    ['http://[fd00:ec2::254]/v1', 'metadata_ip'],
    ['http://metadata.google.internal/v1', 'metadata_host'],
  ])('%s even with allowLocal: %s', (baseUrl, reason) => unsafe({ baseUrl, allowLocal: true }, reason));

  test('ola itself, even with allowLocal', async () => {
    const ola = await shared;
    await unsafe({ baseUrl: `${ola.address}/v1`, allowLocal: true }, 'self_connection');
  });
});

test('a write with a stale If-Match is refused, and changes nothing', async () => {
  const ola = await start();
  const up = await upstream();
  const old = (await ola.ask('GET', '/config')).headers.get('etag') ?? '';
  await ola.addProvider('acme', up);
  const body = { baseUrl: up.baseUrl, apiKey: key, allowLocal: true };
  expectError(await ola.ask('PUT', '/config/providers/other', body, { 'if-match': old }), 412, 'precondition_failed');
  expectError(await ola.ask('DELETE', '/config/providers/acme', undefined, { 'if-match': old }), 412, 'precondition_failed');
  const now = (await ola.ask('GET', '/config')).headers.get('etag') ?? '';
  expect(Object.keys((await ola.ask('GET', '/config/providers')).json['providers']!)).toEqual(['acme']);
  expect((await ola.ask('PUT', '/config/providers/other', body, { 'if-match': now })).status).toBe(200);
});

test('twenty writes at once with the same If-Match: one is taken', async () => {
  const ola = await start();
  const up = await upstream();
  const etag = (await ola.ask('GET', '/config')).headers.get('etag') ?? '';
  const writes = Array.from({ length: 20 }, (_, n) =>
    ola.ask('PUT', `/config/providers/p${n}`, { baseUrl: up.baseUrl, apiKey: key, allowLocal: true }, { 'if-match': etag }),
  );
  const statuses = (await Promise.all(writes)).map(({ status }) => status);
  expect(statuses.filter((status) => status === 200)).toEqual([200]);
  expect(statuses.filter((status) => status === 412).length).toBe(19);
});

test('what a provider cannot be is refused, naming the field and repeating no value', async () => {
  const ola = await start();
  const up = await upstream();
  const cases: readonly (readonly [body: object, param: string])[] = [
    [{ apiKey: 12345678 }, 'apiKey'],
    [{ apiKey: 'two\nlines-of-secret' }, 'apiKey'],
    [{ headers: { Host: 'secret-value' } }, 'headers.Host'],
    [{ headers: { 'Content-Length': 'secret-value' } }, 'headers.Content-Length'],
    [{ headers: { 'X-A': 'a\r\nX-Injected: secret-value' } }, 'headers.X-A'],
    [{ api: 'codex-cli' }, 'api'],
    [{ auth: 'oauth' }, 'auth'],
    [{ models: [{ id: '' }] }, 'models.0.id'],
    [{ baseUrl: 7 }, 'baseUrl'],
    [{ base_url: up.baseUrl }, 'baseUrl'],
  ];
  for (const [more, param] of cases) {
    const answer = await ola.ask('PUT', '/config/providers/acme', { baseUrl: up.baseUrl, allowLocal: true, ...more });
    expect([answer.status, answer.json['error']?.['param'] as unknown, answer.text.includes('secret')]).toEqual([
      422,
      param,
      false,
    ]);
  }
  for (const id of ['', 'UPPER CASE', 'a/b', '..', '-x', 'a'.repeat(65), '%00'])
    expect((await ola.ask('PUT', `/config/providers/${encodeURIComponent(id)}`, { baseUrl: up.baseUrl })).status).toBeOneOf([
      400, 404, 405,
    ]);
  expect((await ola.ask('GET', '/config')).text).toBe('{}');
});
