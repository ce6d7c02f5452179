/** Revisions, snapshots, exports and keys over their routes: what they are asked and what they answer. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import type { Connection } from '../../../src/core/server.ts';
import { directories } from '../../directories.ts';
import { type AppScene, open } from '../scene.ts';

const directory = directories();
let scene: AppScene;
beforeEach(async () => {
  scene = await open(directory());
});
afterEach(() => scene[Symbol.asyncDispose]());

const headers = (more: Readonly<Record<string, string>> = {}) => ({
  authorization: `Bearer ${scene.tokens.admin}`,
  'content-type': 'application/json',
  ...more,
});
const get = (path: string) => scene.ask('GET', path, { headers: headers() });
const post = (path: string, body: unknown, more: Readonly<Record<string, string>> = {}) =>
  scene.ask('POST', path, { headers: headers(more), body: JSON.stringify(body) });
const codeOf = async (response: Response) => [
  response.status,
  ((await response.json()) as { error: { code: string } }).error.code,
];

const secret = 'sk-CANARY-0123456789abcd';
const first = { providers: { acme: { baseUrl: 'https://api.acme.example/v1', apiKey: secret } } };

describe('/config/revisions', () => {
  beforeEach(async () => {
    expect((await post('/config', first)).status).toBe(200);
    expect((await post('/config', { defaultModel: 'acme/m' })).status).toBe(200);
  });

  test('is a list by pages, newest first', async () => {
    const list = await get('/config/revisions?limit=1');
    expect(await list.json()).toEqual({
      object: 'list',
      data: [
        {
          id: '2',
          number: 2,
          at: '2025-10-09T08:53:20.000Z',
          actor: expect.stringMatching(/^tok_/),
          summary: expect.stringContaining('config.update'),
        },
      ],
      hasMore: true,
      nextCursor: '2',
    });
    const next = (await (await get('/config/revisions?limit=5&after=2')).json()) as {
      data: { number: number }[];
      hasMore: boolean;
    };
    expect(next).toMatchObject({ data: [{ number: 1 }], hasMore: false });
  });

  test('shows one, compares it with the newest or another, and goes back to it', async () => {
    const shown = await get('/config/revisions/1');
    expect(await shown.json()).toMatchObject({ number: 1, document: { providers: { acme: { apiKey: '[REDACTED]' } } } });
    expect(await (await get('/config/revisions/1/diff')).json()).toEqual({
      from: 1,
      to: 2,
      changes: [
        {
          path: 'providers',
          change: 'removed',
          before: { acme: { baseUrl: 'https://api.acme.example/v1', apiKey: '[REDACTED]' } },
        },
        { path: 'defaultModel', change: 'added', after: 'acme/m' },
      ],
    });
    expect(await (await get('/config/revisions/2/diff?to=2')).json()).toEqual({ from: 2, to: 2, changes: [] });
    expect(await codeOf(await post('/config/revisions/1/rollback', {}, { 'if-match': '"r1"' }))).toEqual([
      412,
      'precondition_failed',
    ]);
    const back = await post('/config/revisions/1/rollback', {}, { 'if-match': '"r2"' });
    expect(back.headers.get('etag')).toBe('"r3"');
    expect(await back.json()).toEqual({ status: 'ok', revision: 3 });
    expect(scene.gateway.config.snapshot().open.providers?.['acme']?.apiKey).toBe(secret);
    expect(await codeOf(await post('/config/revisions/3/rollback', {}))).toEqual([409, 'conflict']);
  });

  test('says which numbers there are, and what is none', async () => {
    for (const path of ['/config/revisions/7', '/config/revisions/7/diff', '/config/revisions/1/diff?to=7']) {
      expect(await codeOf(await get(path))).toEqual([404, 'not_found']);
    }
    expect(await codeOf(await post('/config/revisions/7/rollback', {}))).toEqual([404, 'not_found']);
    for (const number of ['00', 'x', '-1', '1.0', '1e3', '9'.repeat(20)]) {
      expect(await codeOf(await get(`/config/revisions/${number}`))).toEqual([400, 'invalid_request']);
      expect(await codeOf(await get(`/config/revisions/1/diff?to=${number}`))).toEqual([400, 'invalid_request']);
    }
  });
});

describe('/config/profiles', () => {
  test('answers as the original program did', async () => {
    await post('/config', first);
    expect(await (await post('/config/profiles', { name: 'at work' })).json()).toEqual({ status: 'ok', name: 'at work' });
    const list = await get('/config/profiles');
    expect(await list.json()).toEqual([{ name: 'at work', created: '2025-10-09T08:53:20.000Z', size: expect.any(Number) }]);
    const shown = await get('/config/profiles/export/at%20work');
    const { content, ...rest } = (await shown.json()) as { content: string };
    expect(rest).toMatchObject({ name: 'at work', exported_at: '2025-10-09T08:53:20.000Z', missing: ['providers.acme.apiKey'] });
    expect(JSON.parse(content)).toEqual({ providers: { acme: { ...first.providers.acme, apiKey: '[REDACTED]' } } });
    const imported = await post('/config/profiles/import', { name: 'odd', content: '{"oddKey": 1, "defaultModel": null}' });
    expect(await imported.json()).toEqual({
      status: 'ok',
      name: 'odd',
      warnings: [{ path: 'oddKey', reason: expect.any(String) }],
    });
    const active = await post('/config/profiles/odd/activate', {});
    expect(active.headers.get('etag')).toBe('"r2"');
    expect(await active.json()).toMatchObject({ status: 'ok', name: 'odd' });
    const gone = await scene.ask('DELETE', '/config/profiles/odd', { headers: headers() });
    expect(await gone.json()).toEqual({ status: 'ok', deleted: 'odd' });
    expect(await codeOf(await post('/config/profiles/odd/activate', {}))).toEqual([404, 'not_found']);
  });

  test('takes no path for a name, however it is written', async () => {
    for (const name of ['a/b', '..', 'a\\b', '']) {
      expect(await codeOf(await post('/config/profiles', { name }))).toEqual([400, 'invalid_request']);
      expect(await codeOf(await post('/config/profiles/import', { name, content: '{}' }))).toEqual([400, 'invalid_request']);
    }
    for (const name of ['a%2Fb', '..%5C..', 'a%00']) {
      expect(await codeOf(await get(`/config/profiles/export/${name}`))).toEqual([400, 'invalid_request']);
      expect(await codeOf(await post(`/config/profiles/${name}/activate`, {}))).toEqual([400, 'invalid_request']);
    }
    expect(await codeOf(await post('/config/profiles', { name: 7 }))).toEqual([422, 'invalid_field']);
  });
});

describe('/config/export and /config/import', () => {
  const control: Connection = {
    kind: 'control',
    peer: () => null,
    awaitBody: () => undefined,
    hold: () => undefined,
    release: () => undefined,
  };
  const overSocket = (body: unknown) =>
    scene.app.handle(
      new Request('http://localhost/config/export', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
      control,
    );

  test('give secrets over the control socket alone, and take them from anywhere', async () => {
    await post('/config', first);
    const passphrase = 'correct horse';
    expect(await codeOf(await post('/config/export', { passphrase }))).toEqual([403, 'insufficient_scope']);
    const plain = await post('/config/export', {});
    expect(await plain.json()).toEqual({
      content: { providers: { acme: { ...first.providers.acme, apiKey: '[REDACTED]' } } },
      missing: ['providers.acme.apiKey'],
    });
    const response = await overSocket({ passphrase });
    expect(response.status).toBe(200);
    const moved = (await response.json()) as object;
    expect(moved).toMatchObject({ missing: [], sealed: { format: 'ola-sealed', version: 1 } });
    expect(JSON.stringify(moved)).not.toContain('CANARY');
    await post('/config', {});
    const back = await post('/config/import', { ...moved, passphrase });
    expect([back.status, back.headers.get('etag')]).toEqual([200, '"r3"']);
    expect(await back.json()).toEqual({ status: 'ok' });
    expect(scene.gateway.config.snapshot().open.providers?.['acme']?.apiKey).toBe(secret);
  });
});

describe('/config/keys/rotate', () => {
  test('answers with the new key and what became of the old one', async () => {
    await post('/config', first);
    const { keyId, ...rest } = (await (await post('/config/keys/rotate', {})).json()) as { keyId: string };
    expect(keyId).toMatch(/^[0-9a-f]{8}$/);
    expect(rest).toEqual({
      status: 'ok',
      source: expect.stringContaining('master.key'),
      resealed: 1,
      dropped: [expect.stringMatching(/^[0-9a-f]{8}$/)],
      retiredTo: expect.stringContaining('master.key.retired'),
      kept: [],
      damaged: [],
      notes: [expect.stringContaining('Backups')],
    });
    expect(scene.gateway.config.snapshot().open.providers?.['acme']?.apiKey).toBe(secret);
  });
});
