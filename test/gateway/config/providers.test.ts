import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import type { Json, JsonObject } from '../../../src/core/json.ts';
import { directories } from '../../directories.ts';
import { open, own, type Scene } from '../scene.ts';

const directory = directories();
const key = 'sk-CANARY-0123456789abcd';
const headerSecret = 'team-CANARY-0123456789wxyz';
const body: JsonObject = { baseUrl: 'https://api.acme.example/v1', apiKey: key };
let path = '';
let scene: Scene;

beforeEach(async () => {
  path = directory();
  scene = await open(path);
});
afterEach(() => scene[Symbol.asyncDispose]());

const put = (id: string, wanted: Json, ifMatch: string | null = null) => scene.gateway.providers.put(id, wanted, ifMatch, own);
const remove = (id: string, ifMatch: string | null = null) => scene.gateway.providers.remove(id, ifMatch, own);
const shown = (id = 'acme') => scene.gateway.providers.list().providers[id] as JsonObject | undefined;
/** The provider with its secrets in clear, as calls use it. */
const used = (id = 'acme') => scene.gateway.config.snapshot().open.providers?.[id] as unknown as JsonObject | undefined;
const stored = async () => JSON.stringify((await scene.store.config.current(null))?.document ?? {});
const revision = () => scene.gateway.config.snapshot().revision;

async function refused(wanted: Json, id = 'acme') {
  const before = revision();
  const error: unknown = await put(id, wanted).catch((thrown: unknown) => thrown);
  expect(revision()).toBe(before);
  return error as { code: string; status: number; message: string; facts: { param?: string; details?: object } };
}

describe('a provider that is put', () => {
  test('is used at once and after a restart, and shown without its secrets', async () => {
    const { id, etag, warnings } = await put('acme', { ...body, headers: { 'X-Team': headerSecret }, ports: [8443] });
    expect({ id, etag, warnings }).toEqual({ id: 'acme', etag: '"r1"', warnings: [] });
    const expected = { ...body, headers: { 'X-Team': headerSecret }, ports: [8443] };
    expect(used()).toEqual(expected);
    expect(shown()).toEqual({
      ...expected,
      apiKey: '[REDACTED]',
      headers: { 'X-Team': '[REDACTED]' },
      hint: 'sk-****abcd',
    });
    await scene[Symbol.asyncDispose]();
    scene = await open(path);
    expect(used()).toEqual(expected);
    expect(scene.gateway.config.snapshot().etag).toBe('"r1"');
  });

  test('leaves no secret in the stored document, in any byte on the disk, in the audit or in the log', async () => {
    await put('acme', { ...body, headers: { 'X-Team': headerSecret }, note: 'free text CANARY', deep: [{ a: 'CANARY' }] });
    await scene.gateway.flush();
    expect(await stored()).toContain('$secret');
    expect(await stored()).not.toContain('CANARY');
    expect(scene.onDisk()).toContain('api.acme.example');
    expect(scene.onDisk()).not.toContain('CANARY');
    expect(JSON.stringify([await scene.store.audit.list({ limit: 10 }), scene.log])).not.toContain('CANARY');
    expect(JSON.stringify(scene.gateway.documents.show())).not.toContain('CANARY');
  });

  test('has each secret sealed by itself, bound to its origin, with a hint', async () => {
    await put('acme', { ...body, baseUrl: 'https://api.acme.example:8443/v1', headers: { a: 'short' } });
    const secrets = await scene.store.config.secrets();
    expect(secrets.map(({ origin, hint }) => [origin, hint])).toEqual([
      ['https://api.acme.example:8443', 'sk-****abcd'],
      ['https://api.acme.example:8443', '****'],
    ]);
    expect(new Set(secrets.map(({ envelope }) => envelope)).size).toBe(2);
  });

  test('may be written in snake_case, and under an alias', async () => {
    const { id } = await put('X-AI', { base_url: 'https://api.x.ai/v1', api_key: key, auth_header: true });
    expect(id).toBe('xai');
    expect(used('xai')).toEqual({ baseUrl: 'https://api.x.ai/v1', apiKey: key, authHeader: true });
  });

  test('with a key that ola does not know keeps it, secret, and says so', async () => {
    const { warnings } = await put('acme', { ...body, apikey: 'CANARY' });
    expect(warnings.map(({ path: where }) => where)).toEqual(['apikey']);
    expect(shown()).toMatchObject({ apikey: '[REDACTED]' });
  });

  test('keeps a model with half a price, and says so; the catalog’s price fills the gap', async () => {
    const models = [
      { id: 'a', cost: { input: 1 } },
      { id: 'b', cost: { input: 1, output: 2 } },
    ];
    const { warnings } = await put('acme', { ...body, models });
    expect(warnings).toEqual([{ path: 'models.0.cost', reason: expect.stringContaining('its price is unknown') }]);
    expect((await put('groq', { models: [{ id: 'llama-3.3-70b-versatile', cost: { input: 1 } }] })).warnings).toEqual([]);
  });

  test('with a price that is none is refused', async () => {
    for (const input of [-1, '1', 1_000_001]) {
      const models = [{ id: 'a', cost: { input, output: 2 } }];
      await expect(put('acme', { ...body, models })).rejects.toMatchObject({
        code: 'invalid_field',
        facts: { param: 'models.0.cost.input' },
      });
    }
    await expect(put('acme', { ...body, credentialStyle: 'basic' })).rejects.toMatchObject({ code: 'invalid_field' });
  });

  test('whose address has a part of the user’s own is told the form of it', async () => {
    await expect(put('azure-openai', { apiKey: key })).rejects.toMatchObject({
      code: 'invalid_field',
      facts: { param: 'baseUrl' },
      message: expect.stringContaining('as in https://{resource}.openai.azure.com/openai/v1.'),
    });
    await expect(put('acme', { apiKey: key })).rejects.toMatchObject({ message: expect.stringContaining('not in the catalog') });
  });

  test('says where its chats go', async () => {
    const chat = async (id: string, wanted: JsonObject) => (await put(id, wanted)).effectiveUrl;
    expect(await chat('acme', body)).toBe('https://api.acme.example/v1/chat/completions');
    expect(await chat('groq', { apiKey: key })).toBe('https://api.groq.com/openai/v1/chat/completions');
    const classic = { baseUrl: 'https://a.example/openai/deployments/d/?api-version=2024-10-21' };
    expect(await chat('azure', classic)).toBe('https://a.example/openai/deployments/d/chat/completions?api-version=2024-10-21');
    expect(used('azure')).toEqual(classic);
    const written = await put('x', { baseUrl: 'https://a.example/v1', api: 'openai-completions' });
    expect(written).toMatchObject({ effectiveUrl: 'https://a.example/v1/chat/completions', warnings: [] });
  });

  test('of Anthropic’s protocol may end in a version or not: each call begins with it', async () => {
    const api = 'anthropic-messages';
    for (const baseUrl of ['https://a.example', 'https://a.example/v1', 'https://a.example/v1/messages'])
      expect((await put('acme', { baseUrl, api })).effectiveUrl).toBe('https://a.example/v1/messages');
    expect((await put('other', { baseUrl: 'https://a.example/v1', api })).warnings).toEqual([
      { path: 'baseUrl', reason: 'the version at its end is left out: each call of this protocol begins with it' },
    ]);
    expect((await put('another', { baseUrl: 'https://a.example', api })).warnings).toEqual([]);
    expect((await put('anthropic', { baseUrl: 'https://proxy.example/v1' })).effectiveUrl).toBe(
      'https://proxy.example/v1/messages',
    );
  });

  test('with an endpoint at the end of its base URL is kept without it, and says so', async () => {
    const { warnings, effectiveUrl } = await put('acme', { baseUrl: 'https://api.acme.example/v1/chat/completions?a=b' });
    expect(warnings).toEqual([{ path: 'baseUrl', reason: expect.stringContaining('cut off') }]);
    expect(effectiveUrl).toBe('https://api.acme.example/v1/chat/completions?a=b');
    expect(used()).toEqual({ baseUrl: 'https://api.acme.example/v1?a=b' });
    const document = {
      providers: { b: { baseUrl: 'https://b.example/v1/models/' } },
      models: { providers: { c: { baseUrl: 'https://c.example/v1/embeddings' } } },
      authProfiles: { 'd:e': { provider: 'd', type: 'api_key', baseUrl: 'https://d.example/v1/completions' } },
    };
    const whole = await scene.gateway.documents.replace(document, null, own);
    const cut = whole.warnings.filter(({ reason }) => reason.includes('cut off')).map((each) => each.path);
    expect(cut).toEqual(['providers.b.baseUrl', 'models.providers.c.baseUrl', 'authProfiles.d:e.baseUrl']);
    expect(scene.gateway.documents.show().document as unknown).toEqual({
      providers: { b: { baseUrl: 'https://b.example/v1' } },
      models: { providers: { c: { baseUrl: 'https://c.example/v1' } } },
      authProfiles: { 'd:e': { provider: 'd', type: 'api_key', baseUrl: 'https://d.example/v1' } },
    });
  });

  test('without a version where servers have one is kept, and says so', async () => {
    const said = async (id: string, baseUrl: string) =>
      (await put(id, { baseUrl, allowLocal: true })).warnings.map(({ path: at, reason }) => `${at}: ${reason}`);
    expect(await said('acme', 'https://api.acme.example')).toEqual([
      expect.stringContaining('did you mean https://api.acme.example/v1?'),
    ]);
    expect(await said('acme', 'https://api.acme.example/api/?a=b')).toEqual([
      expect.stringContaining('did you mean https://api.acme.example/api/v1?a=b?'),
    ]);
    expect(await said('vllm', 'http://box.inside.example:8000')).toHaveLength(1);
    expect(await said('ollama', 'http://box.inside.example:11434')).toEqual([]);
    for (const path of ['/v1', '/v4', '/openai/v1', '/v1beta/openai', '/d?api-version=1'])
      expect(await said('acme', `https://api.acme.example${path}`)).toEqual([]);
    expect(await said('perplexity', 'https://api.acme.example')).toEqual([]);
  });

  test('keeps its key when the query of its address changes', async () => {
    await put('acme', { baseUrl: 'https://api.acme.example/d?api-version=1', apiKey: key });
    await put('acme', { baseUrl: 'https://api.acme.example/d?api-version=2' });
    expect(used()).toEqual({ baseUrl: 'https://api.acme.example/d?api-version=2', apiKey: key });
  });

  test('is one revision with one audit event', async () => {
    await put('acme', body);
    expect(await scene.store.config.current(null)).toMatchObject({ number: 1, actor: 'local', summary: 'provider.update acme' });
    const events = (await scene.store.audit.list({ limit: 10 })).filter(({ action }) => action === 'provider.update');
    expect(events).toMatchObject([{ details: { provider: 'acme', revision: 1 }, actor: 'local', result: 'success' }]);
  });
});

describe('a second put', () => {
  beforeEach(() =>
    put('acme', { ...body, headers: { a: 'one-secret-value', b: 'two' }, ports: [1], models: [{ id: 'm' }], own: 'x' }),
  );

  test('replaces what is known; an absent secret, unknown keys and models stay', async () => {
    await put('acme', { baseUrl: 'https://api.acme.example/v2', allowLocal: false });
    expect(used()).toEqual({
      baseUrl: 'https://api.acme.example/v2',
      allowLocal: false,
      apiKey: key,
      headers: { a: 'one-secret-value', b: 'two' },
      models: [{ id: 'm' }],
      own: 'x',
    });
  });

  test('of what was shown changes nothing', async () => {
    const before = used();
    const view = shown() as JsonObject;
    expect(JSON.stringify(view)).not.toContain('one-secret-value');
    await put('acme', view);
    expect(used()).toEqual(before as JsonObject);
    expect(await scene.store.config.secrets()).toHaveLength(4);
  });

  test('with null deletes: a secret, one header, all headers, an unknown key, the models', async () => {
    const cases: readonly [wanted: JsonObject, gone: string, kept: string][] = [
      [{ ...body, headers: { a: null } }, 'one-secret-value', 'two'],
      [{ baseUrl: 'https://api.acme.example/v1', apiKey: null }, key, 'two'],
      [{ baseUrl: 'https://api.acme.example/v1', headers: null }, 'two', '"m"'],
      [{ baseUrl: 'https://api.acme.example/v1', own: null }, '"own"', '"m"'],
      [{ baseUrl: 'https://api.acme.example/v1', models: null }, '"m"', 'api.acme'],
    ];
    for (const [wanted, gone, kept] of cases) {
      expect(JSON.stringify(used())).toContain(gone);
      await put('acme', wanted);
      expect(JSON.stringify(used())).not.toContain(gone);
      expect(JSON.stringify(used())).toContain(kept);
    }
  });

  test('with a new value replaces the secret, and its hint', async () => {
    await put('acme', { ...body, apiKey: 'sk-other-9876543210wxyz' });
    expect(used()).toMatchObject({ apiKey: 'sk-other-9876543210wxyz', headers: { a: 'one-secret-value' } });
    expect(shown()).toMatchObject({ hint: 'sk-****wxyz' });
  });

  test('to another address does not take a secret along', async () => {
    for (const baseUrl of ['https://evil.example/v1', 'https://api.acme.example:8443/v1', 'http://api.acme.example/v1']) {
      const wanted = { baseUrl, apiKey: '[REDACTED]', headers: { a: null, b: null }, own: null };
      const error = await refused({ ...wanted, ...(baseUrl.startsWith('http:') ? { allowLocal: true } : {}) });
      expect(error).toMatchObject({ code: 'secret_required', status: 422, facts: { param: 'apiKey' } });
      expect(error.message).not.toContain('CANARY');
    }
    expect((await refused({ baseUrl: 'https://evil.example/v1', apiKey: null, own: null })).facts.param).toBe('headers.a');
    expect((await refused({ baseUrl: 'https://evil.example/v1', apiKey: null, headers: null })).facts.param).toBe('own');
    await put('acme', { baseUrl: 'https://new.example/v1', apiKey: 'sk-new-0123456789', headers: null, own: null });
    expect(used()).toMatchObject({ baseUrl: 'https://new.example/v1', apiKey: 'sk-new-0123456789' });
  });

  test('that takes the address away does not send the key to the catalog’s', async () => {
    await put('openai', { baseUrl: 'https://proxy.example/v1', apiKey: key });
    expect(await refused({}, 'openai')).toMatchObject({ code: 'secret_required' });
  });
});

describe('a provider is refused, and nothing is saved', () => {
  const table: readonly [name: string, wanted: Json, code: string, param: string | undefined][] = [
    ['without an address that is known', { apiKey: 'k' }, 'invalid_field', 'baseUrl'],
    ['on this machine', { baseUrl: 'http://127.0.0.1:1/v1' }, 'unsafe_destination', 'baseUrl'],
    [
      'at the metadata service, even as a local one',
      { baseUrl: 'http://169.254.169.254/', allowLocal: true },
      'unsafe_destination',
      'baseUrl',
    ],
    ['by a name that does not resolve', { baseUrl: 'https://nowhere.invalid.test.acme.xyz/v1' }, 'unsafe_destination', 'baseUrl'],
    ['with a user in its address', { baseUrl: 'https://CANARY:x@api.acme.example/v1' }, 'unsafe_destination', 'baseUrl'],
    ['with a secret in its query', { baseUrl: 'https://api.acme.example/v1?sig=CANARY' }, 'unsafe_destination', 'baseUrl'],
    ['with a fragment', { baseUrl: 'https://api.acme.example/v1?a=b#CANARY' }, 'unsafe_destination', 'baseUrl'],
    ['with a query that is none', { baseUrl: 'https://api.acme.example/v1?CANARY|' }, 'unsafe_destination', 'baseUrl'],
    ['with a placeholder where nothing is stored', { ...body, apiKey: '[REDACTED]' }, 'invalid_field', 'providers.acme.apiKey'],
    ['with a key that no header can carry', { ...body, apiKey: 'CANARY\nx' }, 'invalid_field', 'apiKey'],
    ['with an empty key', { ...body, apiKey: '' }, 'invalid_field', 'apiKey'],
    ['with a protocol of no version', { ...body, api: 'CANARY' }, 'invalid_field', 'api'],
    ['with a model of such a protocol', { ...body, models: [{ id: 'm', api: 'CANARY' }] }, 'invalid_field', 'models.0.api'],
    ['with a protocol of another version', { ...body, api: 'codex-cli' }, 'invalid_field', 'api'],
    ['with a way of signing of another version', { ...body, auth: 'cli' }, 'invalid_field', 'auth'],
    ['with a region that is none', { ...body, region: 'CANARY/' }, 'invalid_field', 'region'],
    ['with a header of ola’s own', { ...body, headers: { Host: 'CANARY' } }, 'invalid_field', 'headers.Host'],
    ['with a header that is none', { ...body, headers: { 'a b': 'CANARY' } }, 'invalid_field', 'headers.a b'],
    ['with a header that breaks the line', { ...body, headers: { a: 'CANARY\r\nb: c' } }, 'invalid_field', 'headers.a'],
    ['with a field of another type', { ...body, ports: 'CANARY' }, 'invalid_field', 'ports'],
    ['with a field in two spellings', { ...body, base_url: 'CANARY' }, 'invalid_field', 'baseUrl'],
    ['that is no object', ['CANARY'], 'invalid_field', undefined],
  ];
  for (const [name, wanted, code, param] of table) {
    test(name, async () => {
      const error = await refused(wanted);
      expect(error.code).toBe(code);
      expect(error.facts.param).toBe(param as string);
      expect(JSON.stringify([error.message, error.facts])).not.toContain('CANARY');
    });
  }

  test('with words on where the secret of a query belongs', async () => {
    const { message } = await refused({ baseUrl: 'https://api.acme.example/v1?api-version=1&api_key=CANARY' });
    expect(message).toContain('looks like a secret');
    expect(message).toContain('headers');
  });

  test('with an access token of ola as its key, or in a header, in any form', async () => {
    const token = `ola_${'x'.repeat(49)}`;
    const wrong: readonly (readonly [JsonObject, string])[] = [
      [{ ...body, apiKey: token }, 'apiKey'],
      [{ ...body, apiKey: `Bearer ${token}` }, 'apiKey'],
      [{ ...body, headers: { 'x-key': token } }, 'headers.x-key'],
    ];
    for (const [wanted, param] of wrong) {
      const error = await refused(wanted);
      expect(error).toMatchObject({ code: 'invalid_field', status: 422, facts: { param } });
      expect(error.message).toContain('is an access token of ola');
      expect(error.message).not.toContain(token);
    }
    const profile = { authProfiles: { 'acme:a': { provider: 'acme', type: 'api_key', key: token } } };
    expect(scene.gateway.documents.replace(profile, null, own)).rejects.toMatchObject({
      code: 'invalid_field',
      facts: { param: 'authProfiles.acme:a.key' },
    });
  });

  test('with the denial’s facts, and a word on what to do about a local one', async () => {
    const error = await refused({ baseUrl: 'http://127.0.0.1:1/v1' });
    expect(error.facts.details).toMatchObject({ provider: 'acme', host: '127.0.0.1', phase: 'write' });
    expect(error.message).toContain('allowLocal');
    await put('acme', { baseUrl: 'http://127.0.0.1:1/v1', allowLocal: true });
  });

  test('under an id that is none', async () => {
    for (const id of ['', '-a', 'a/b', 'a b', 'é', '__proto__', '..', 'a'.repeat(65)]) {
      expect(await refused(body, id)).toMatchObject({ code: 'invalid_request', status: 400 });
    }
  });

  test('under the id of a provider of this process', async () => {
    const demo = { id: 'demo', protocol: 'openai-completions', baseUrl: 'http://127.0.0.1:1', apiKey: 'k', models: [] };
    await using other = await open(directory(), { processProviders: [demo] });
    await expect(other.gateway.providers.put('demo', body, null, own)).rejects.toMatchObject({ code: 'conflict' });
    await expect(other.gateway.providers.remove('demo', null, own)).rejects.toMatchObject({ code: 'conflict' });
  });

  test('that sends a reference instead of a value: nobody points at a stored secret, or hides one as a reference', async () => {
    await put('other', { ...body, baseUrl: 'https://other.example/v1' });
    const [secret] = await scene.store.config.secrets();
    for (const id of [secret?.id ?? '', 'CANARY-in-clear-text']) {
      for (const wanted of [{ apiKey: { $secret: id } }, { own: { $secret: id } }, { headers: { a: { $secret: id } } }]) {
        expect(await refused({ baseUrl: 'https://api.acme.example/v1', ...wanted })).toMatchObject({
          code: 'invalid_field',
          status: 422,
        });
      }
    }
    expect(scene.onDisk()).not.toContain('CANARY');
  });
});

describe('If-Match', () => {
  test('lets a write pass that started from the newest revision, and no other', async () => {
    const { etag } = await put('acme', body);
    const { etag: next } = await put('acme', body, etag);
    expect([etag, next]).toEqual(['"r1"', '"r2"']);
    await expect(put('acme', body, etag)).rejects.toMatchObject({ code: 'precondition_failed', status: 412 });
    await expect(remove('acme', etag)).rejects.toMatchObject({ code: 'precondition_failed' });
    expect(revision()).toBe(2);
  });

  test('may be a list or `*`; a weak tag is none', async () => {
    await put('acme', body);
    await put('acme', body, '"r9", "r1"');
    await put('acme', body, '*');
    for (const tag of ['W/"r3"', 'r3', ''])
      await expect(put('acme', body, tag)).rejects.toMatchObject({ code: 'precondition_failed' });
  });

  test('of fifty writers with one tag lets one win', async () => {
    const { etag } = await put('acme', body);
    const writers = Array.from({ length: 50 }, (_, n) => put('acme', { ...body, ports: [n + 1] }, etag));
    const ends = await Promise.allSettled(writers);
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const end of ends) if (end.status === 'rejected') expect(end.reason).toMatchObject({ code: 'precondition_failed' });
    expect(revision()).toBe(2);
    expect(used()).toMatchObject({ ports: [1] });
  });

  test('is not needed: without it every writer has its turn and nothing is lost', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, n) => put(`acme-${n}`, body)));
    expect(Object.keys(scene.gateway.providers.list().providers)).toHaveLength(20);
    expect(revision()).toBe(20);
  });

  test('a write that is refused does not stop those behind it', async () => {
    const ends = await Promise.allSettled([put('a', body), put('b', { baseUrl: 'nonsense' }), put('c', body)]);
    expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(revision()).toBe(2);
  });
});

describe('a provider that stands under models.providers too', () => {
  const both = {
    providers: { acme: body },
    models: { mode: 'merge', providers: { acme: { ...body, apiKey: `${key}-2` }, other: body } },
  };
  const document = () => scene.gateway.documents.show().document as JsonObject;

  test('is put in one place, where it is in force; what was not sent stays as it was in force', async () => {
    await scene.gateway.documents.replace(both as unknown as Json, null, own);
    await put('acme', { ...body, apiKey: `${key}-3` });
    expect(scene.gateway.config.snapshot().open.providers?.['acme']?.apiKey).toBe(`${key}-3`);
    expect(document()).toMatchObject({ models: { mode: 'merge', providers: { other: {} } } });
    expect(Object.keys((document()['models'] as JsonObject)['providers'] as JsonObject)).toEqual(['other']);
  });

  test('keeps the secret that was in force, and is gone from both when it is deleted', async () => {
    await scene.gateway.documents.replace(both as unknown as Json, null, own);
    await put('acme', { baseUrl: 'https://api.acme.example/v1' });
    expect(scene.gateway.config.snapshot().open.providers?.['acme']?.apiKey).toBe(`${key}-2`);
    await remove('acme');
    await remove('other');
    expect(document()).toEqual({ providers: {}, models: { mode: 'merge', providers: {} } });
    await expect(remove('other')).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('a provider that is deleted', () => {
  test('is gone, also under its alias, and cannot be deleted twice', async () => {
    await put('xai', { apiKey: key });
    const { id } = await remove('Grok');
    expect(id).toBe('xai');
    expect(shown('xai')).toBeUndefined();
    await expect(remove('xai')).rejects.toMatchObject({ code: 'not_found', status: 404 });
  });

  test('and was never there is 404, whatever its name', async () => {
    for (const id of ['nobody', 'openai', 'constructor']) {
      await expect(remove(id)).rejects.toMatchObject({ code: 'not_found' });
    }
    expect(revision()).toBe(0);
  });
});

describe('a stored secret that cannot be opened', () => {
  test('is left out and said; the rest is used', async () => {
    await put('acme', body);
    await put('other', { ...body, baseUrl: 'https://other.example/v1' });
    const [first] = await scene.store.config.secrets();
    await scene[Symbol.asyncDispose]();
    const database = new (await import('bun:sqlite')).Database(`${path}/state.sqlite3`);
    database.run("UPDATE secrets SET envelope = replace(envelope, 'v1.', 'v1.0') WHERE id = ?", [first?.id ?? '']);
    database.close();
    scene = await open(path);
    expect(used('acme')).toEqual({ baseUrl: 'https://api.acme.example/v1' });
    expect(used('other')).toMatchObject({ apiKey: key });
    expect(scene.log).toMatchObject([{ level: 'error', fields: { secret: first?.id } }]);
  });
});
