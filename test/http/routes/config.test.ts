import { afterEach, describe, expect, test } from 'bun:test';
import type { JsonObject } from '../../../src/core/json.ts';
import { directories } from '../../directories.ts';
import { variable } from '../../gateway/scene.ts';
import { type AppOptions, type AppScene, open } from '../scene.ts';

const directory = directories();
let path = '';
let scene: AppScene;
afterEach(() => scene[Symbol.asyncDispose]());

async function begin(options: AppOptions = {}): Promise<void> {
  path = directory();
  scene = await open(path, options);
}

const baseUrl = 'https://api.acme.example/v1';
const document = { providers: { acme: { baseUrl, apiKey: 'sk-CANARY-0123456789abcd' } }, mine: 1 };

/** As an administrator, over the network. */
async function call(method: string, target: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await scene.ask(method, target, {
    headers: { authorization: `Bearer ${scene.tokens.admin}`, 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, etag: response.headers.get('etag'), body: (await response.json()) as JsonObject };
}

describe('the configuration', () => {
  test('is replaced as a whole, with the tag of what was read, and a word on what is not acted on', async () => {
    await begin();
    const first = await call('GET', '/config');
    expect(first).toEqual({ status: 200, etag: '"r0"', body: {} });
    const written = await call('POST', '/config', document, { 'if-match': '"r0"' });
    expect(written).toMatchObject({ status: 200, etag: '"r1"', body: { status: 'ok', warnings: [{ path: 'mine' }] } });
    const { mine: _, ...known } = document;
    expect(await call('POST', '/config', known, { 'if-match': '"r0"' })).toMatchObject({
      status: 412,
      body: { error: { code: 'precondition_failed' } },
    });
    expect((await call('POST', '/config', known, { 'if-match': '"r1"' })).body).toEqual({ status: 'ok' });
    const { body, etag } = await call('GET', '/config');
    expect(etag).toBe('"r2"');
    expect(body).toEqual({ providers: { acme: { baseUrl, apiKey: '[REDACTED]', hint: 'sk-****abcd' } } });
    expect((await call('POST', '/config', body, { 'if-match': '"r2"' })).status).toBe(200);
  });

  test('is checked without being written', async () => {
    await begin();
    expect((await call('POST', '/config/validate', document)).body).toMatchObject({ status: 'ok', warnings: [{ path: 'mine' }] });
    expect((await call('POST', '/config/validate', {})).body).toEqual({ status: 'ok', warnings: [] });
    const bad = await call('POST', '/config/validate', { providers: { acme: { baseUrl: 'http://10.0.0.1/' } } });
    expect(bad).toMatchObject({ status: 400, body: { error: { code: 'unsafe_destination', param: 'providers.acme.baseUrl' } } });
    expect((await call('GET', '/config')).etag).toBe('"r0"');
  });

  test('that is not accepted says why in the envelope, and not what was sent', async () => {
    await begin();
    const table: readonly [body: unknown, status: number, param: string | null][] = [
      [['CANARY'], 422, null],
      [{ defaultModel: { a: 'CANARY' } }, 422, 'defaultModel'],
      [{ durableState: { dbPath: '/CANARY' } }, 409, 'durableState.dbPath'],
      [{ mine: 'CANARY'.repeat(800_000) }, 413, null],
    ];
    for (const [body, status, param] of table) {
      const answer = await call('POST', '/config', body);
      expect(answer).toMatchObject({ status, body: { error: { param } } });
      expect(JSON.stringify(answer.body)).not.toContain('CANARY');
    }
    await scene.gateway.flush();
    expect(scene.onDisk()).not.toContain('CANARY');
  });

  test('is asked of administrators alone', async () => {
    await begin();
    const routes = [
      ['GET', '/config'],
      ['POST', '/config'],
      ['POST', '/config/validate'],
      ['GET', '/config/config-file-path'],
    ] as const;
    for (const [method, target] of routes) {
      for (const [token, status] of [
        [scene.tokens.read, 403],
        [scene.tokens.write, 403],
        ['wrong', 401],
      ] as const) {
        const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
        const response = await scene.ask(method, target, { headers, ...(method === 'POST' ? { body: '{}' } : {}) });
        expect(response.status).toBe(status);
      }
    }
  });

  test('is in the database', async () => {
    await begin();
    expect((await call('GET', '/config/config-file-path')).body).toEqual({
      configDir: path,
      config_dir: path,
      configFile: `${path}/config.json`,
      config_file: `${path}/config.json`,
      database: `${path}/state.sqlite3`,
      mode: 'database',
      problem: null,
    });
  });
});

describe('a configuration that a file governs', () => {
  const file = '/etc/ola/config.json';
  const begins = () =>
    begin({ file: { path: file, text: `{"providers":{"acme":{"baseUrl":"${baseUrl}","apiKey":"\${ACME_KEY}"}}}` } });

  test('is shown, and not written; the answer names the file', async () => {
    await begins();
    expect((await call('GET', '/config')).body).toEqual({ providers: { acme: { baseUrl, apiKey: variable('ACME_KEY') } } });
    expect((await call('GET', '/config/config-file-path')).body).toMatchObject({
      configFile: file,
      config_file: file,
      mode: 'file',
    });
    const writes = [
      ['POST', '/config', {}],
      ['PUT', '/config/providers/other', { baseUrl }],
      ['DELETE', '/config/providers/acme', undefined],
    ] as const;
    for (const [method, target, body] of writes) {
      const answer = await call(method, target, body);
      expect(answer).toMatchObject({ status: 409, body: { error: { code: 'config_managed_by_file', details: { file } } } });
    }
    expect((await call('POST', '/config/tokens', { name: 'a' })).status).toBe(201);
  });

  test('is degraded while the file cannot be used, and serves on; strangers read names and states', async () => {
    await begins();
    await scene.gateway.config.reload('{"serverToken": "CANARY');
    const response = await scene.ask('GET', '/health');
    expect(response.status).toBe(200);
    const report = (await response.json()) as JsonObject;
    expect(report).toMatchObject({ status: 'degraded', checks: { store: 'ok', config: 'invalid', server: 'ok' } });
    expect(JSON.stringify(report)).not.toContain('etc');
    expect((await call('GET', '/config')).status).toBe(200);
  });
});
