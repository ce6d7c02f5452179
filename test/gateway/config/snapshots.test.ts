import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import type { JsonObject } from '../../../src/core/json.ts';
import { directories } from '../../directories.ts';
import { open, own, type Scene } from '../scene.ts';

const directory = directories();
let path = '';
let scene: Scene;
beforeEach(async () => {
  path = directory();
  scene = await open(path);
});
afterEach(() => scene[Symbol.asyncDispose]());

const replace = (document: JsonObject) => scene.gateway.documents.replace(document, null, own);
const snapshots = () => scene.gateway.snapshots;
const save = (name: string) => snapshots().save(name, own);
const importText = (name: string, content: string) => snapshots().import(name, content, own);
const activate = (name: string, ifMatch: string | null = null) => snapshots().activate(name, ifMatch, own);
const inUse = () => scene.gateway.config.snapshot().open as unknown as JsonObject;
const actions = async () => (await scene.store.audit.list({ limit: 20 })).map(({ action }) => action);
const refusal = (code: string, ...words: string[]) =>
  expect.objectContaining({ code, message: expect.stringMatching(new RegExp(words.join('.*'), 's')) });

const key = 'sk-CANARY-0123456789abcd';
const acme = (apiKey: string, host = 'api.acme.example'): JsonObject => ({
  providers: { acme: { baseUrl: `https://${host}/v1`, apiKey, headers: { 'X-Team': 'CANARY-team-value' } } },
});

describe('a snapshot', () => {
  test('brings everything back, secrets too, after they were replaced and after a restart; it can be undone', async () => {
    await replace(acme(key));
    await save('work');
    await replace({ defaultModel: 'a/b' });
    await scene[Symbol.asyncDispose]();
    scene = await open(path);
    const { snapshot, warnings } = await activate('work');
    expect(snapshot).toMatchObject({ revision: 3, etag: '"r3"' });
    expect(warnings).toEqual([]);
    expect(inUse()).toEqual(acme(key));
    expect((await scene.gateway.revisions.list())[0]?.summary).toBe('config.activate work');
    await scene.gateway.revisions.rollback(2, null, own);
    expect(inUse()).toEqual({ defaultModel: 'a/b' });
    expect(await actions()).toEqual(expect.arrayContaining(['snapshot.create', 'config.activate']));
  });

  test('outlives every revision that had its secrets, until it is deleted', async () => {
    await replace(acme(key));
    await save('work');
    for (let n = 0; n < 51; n++) await replace({ defaultModel: `a/${n}` });
    expect(await scene.store.config.secrets()).toHaveLength(2);
    await snapshots().remove('work', own);
    expect(await scene.store.config.secrets()).toHaveLength(0);
    await expect(snapshots().remove('work', own)).rejects.toThrow(refusal('not_found', 'work'));
    await expect(activate('work')).rejects.toThrow(refusal('not_found'));
  });

  test('is listed by name with its age and size, and replaced by one of the same name', async () => {
    await replace({ defaultModel: 'a/b' });
    await save('two words · ümlaut');
    scene.now += 5000;
    await save('again');
    await replace({ defaultModel: 'a/longer' });
    scene.now += 5000;
    await save('again');
    const size = Buffer.byteLength((await snapshots().export('again')).content);
    expect(await snapshots().list()).toEqual([
      { name: 'again', at: scene.now, size },
      { name: 'two words · ümlaut', at: scene.now - 10_000, size: size - 'longer'.length + 1 },
    ]);
  });

  test('is exported as text without secrets, which says where they are missing, and comes back from it', async () => {
    const reference = `\${ACME_KEY}`;
    await replace({ ...acme(key), authProfiles: { 'acme:a': { provider: 'acme', type: 'api_key', key: reference } } });
    await save('work');
    const { content, missing } = await snapshots().export('work');
    expect(missing.toSorted()).toEqual(['providers.acme.apiKey', 'providers.acme.headers.X-Team']);
    expect(content).toContain('ACME_KEY');
    expect(content).not.toContain('CANARY');
    expect(content).toContain('\n  "');
    await importText('back', content);
    await replace({});
    await activate('back');
    expect(scene.gateway.config.snapshot().document).toMatchObject({ authProfiles: { 'acme:a': { key: reference } } });
    expect(inUse()).toMatchObject(acme(key));
  });

  test('has a name that is no path', async () => {
    for (const name of ['', '.'.repeat(2), 'a/b', 'a\\b', 'a..b', 'a\nb', 'a\u0000', 'x'.repeat(129), '\ud800']) {
      const wrong = refusal('invalid_request', 'snapshot');
      await expect(save(name)).rejects.toThrow(wrong);
      await expect(importText(name, '{}')).rejects.toThrow(wrong);
      await expect(activate(name)).rejects.toThrow(wrong);
      await expect(snapshots().export(name)).rejects.toThrow(wrong);
      await expect(snapshots().remove(name, own)).rejects.toThrow(wrong);
    }
    expect(await snapshots().list()).toEqual([]);
    await save('x'.repeat(128));
  });

  test('is not put in force over what somebody has changed meanwhile, nor with an address that is not allowed any more', async () => {
    await scene[Symbol.asyncDispose]();
    scene = await open(path, { settings: { everyProviderLocal: true } });
    await replace({ providers: { near: { baseUrl: 'http://127.0.0.1:9/v1' } } });
    await save('near');
    await replace({});
    await expect(activate('near', '"r1"')).rejects.toThrow(refusal('precondition_failed'));
    await scene[Symbol.asyncDispose]();
    scene = await open(path);
    await expect(activate('near', '"r2"')).rejects.toThrow(refusal('unsafe_destination', 'providers.near.baseUrl'));
    expect(inUse()).toEqual({});
  });
});

describe('an imported snapshot', () => {
  test('is taken from the original program’s file, nulls and all, its secrets sealed at once', async () => {
    const dump = {
      authProfiles: {
        'acme:main': { id: 'acme:main', provider: 'acme', type: 'api_key', key: 'CANARY-profile-key', token: null },
      },
      authOrder: null,
      providers: { acme: { base_url: 'https://api.acme.example/v1', apiKey: key, auth: null, headers: null, models: null } },
      models: { mode: 'merge', providers: null },
      authorization: { tokens: { ci: { token: 'CANARY-token-of-32-characters-0123', scopes: ['read'] } } },
      defaultModel: null,
      serverToken: null,
    };
    const warnings = await importText('old', JSON.stringify(dump));
    expect(warnings).toContainEqual({ path: 'authorization.tokens.ci', reason: expect.stringContaining('left out') });
    expect(scene.gateway.tokens.list()).toEqual([]);
    expect(scene.onDisk()).not.toContain('CANARY');
    expect(inUse()).toEqual({});
    await activate('old');
    expect(inUse()).toMatchObject({
      providers: { acme: { baseUrl: 'https://api.acme.example/v1', apiKey: key } },
      authProfiles: { 'acme:main': { key: 'CANARY-profile-key' } },
    });
    expect(await actions()).toContain('snapshot.import');
  });

  test('takes a redacted secret from what stands there now, if it is for the same address; else all places are named', async () => {
    await replace(acme(key));
    const given = (document: JsonObject) => importText('x', JSON.stringify(document));
    await given(acme('[REDACTED]'));
    const moved = {
      providers: { acme: { baseUrl: 'https://evil.example/v1', apiKey: '[REDACTED]', headers: { 'X-Team': '[REDACTED]' } } },
    };
    await expect(given(moved)).rejects.toThrow(
      refusal('secret_required', 'providers.acme.apiKey', 'providers.acme.headers.X-Team'),
    );
    const unknown = {
      providers: {
        b: { baseUrl: 'https://b.example', apiKey: '[REDACTED]' },
        c: { baseUrl: 'https://c.example', apiKey: '[REDACTED]' },
      },
    };
    await expect(given(unknown)).rejects.toThrow(refusal('invalid_field', 'providers.b.apiKey', 'providers.c.apiKey'));
    expect(await snapshots().list()).toHaveLength(1);
  });

  test('is checked as a whole: text, schema, addresses; nothing is kept of one that is refused', async () => {
    const cases: readonly [text: string, code: string][] = [
      ['{"a": CANARY', 'invalid_json'],
      ['[]', 'invalid_field'],
      ['['.repeat(200_000), 'invalid_json'],
      [`{"a": ${'['.repeat(100)}${']'.repeat(100)}}`, 'invalid_field'],
      ['{"__proto__": {"defaultModel": "a/b"}}', 'invalid_field'],
      ['{"defaultModel": 7}', 'invalid_field'],
      ['{"providers": {"acme": {"baseUrl": "http://127.0.0.1/v1"}}}', 'unsafe_destination'],
      ['{"providers": {"acme": {"baseUrl": "https://u:p@api.acme.example"}}}', 'unsafe_destination'],
      ['{"providers": {"acme": {"baseUrl": "https://api.acme.example", "apiKey": "file:/etc/passwd"}}}', 'invalid_field'],
      ['{"providers": {"acme": {"baseUrl": "https://api.acme.example", "apiKey": {"$secret": "x"}}}}', 'invalid_field'],
    ];
    for (const [text, code] of cases) {
      const error: unknown = await importText('x', text).catch((thrown: unknown) => thrown);
      expect(error, text).toMatchObject({ code });
      expect(String(error)).not.toContain('CANARY');
    }
    expect(await snapshots().list()).toEqual([]);
    expect(await scene.store.config.secrets()).toEqual([]);
  });
});

describe('when a file governs', () => {
  const file = (text: string) => ({ path: '/etc/ola.json', text });
  const governing =
    '{"providers": {"acme": {"baseUrl": "https://api.acme.example/v1", "apiKey": "file:key", "headers": {"X-A": "CANARY-x"}}}}';

  test('snapshots are saved, exported and deleted, and not put in force', async () => {
    await scene[Symbol.asyncDispose]();
    scene = await open(path, { file: file(governing), secretFiles: { key } });
    await save('of the file');
    const { content } = await snapshots().export('of the file');
    expect(content).toContain('file:key');
    expect(content).not.toContain('CANARY');
    await expect(activate('of the file')).rejects.toThrow(refusal('config_managed_by_file', '/etc/ola.json'));
    await importText('for the database', JSON.stringify(acme(key)));
    await scene[Symbol.asyncDispose]();
    scene = await open(path);
    await expect(activate('of the file')).rejects.toThrow(refusal('invalid_field', 'providers.acme.apiKey'));
    await snapshots().remove('of the file', own);
    await activate('for the database');
    expect(inUse()).toEqual(acme(key));
  });
});
