import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { createCatalog } from '../../../src/catalog/lookup.ts';
import type { OlaError } from '../../../src/core/errors.ts';
import type { Json, JsonObject } from '../../../src/core/json.ts';
import { redacted } from '../../../src/core/secrets.ts';
import { readDocument } from '../../../src/gateway/config/read-document.ts';
import { directories } from '../../directories.ts';
import { open, own, refusalOf, type Scene, type SceneOptions, variable } from '../scene.ts';

const directory = directories();
let path = '';
let scene: Scene;

async function begin(options: SceneOptions = {}): Promise<void> {
  path = directory();
  scene = await open(path, options);
}
beforeEach(() => begin());
afterEach(() => scene[Symbol.asyncDispose]());

const key = 'sk-CANARY-0123456789abcd';
const baseUrl = 'https://api.acme.example/v1';
const post = (given: Json, ifMatch: string | null = null) => scene.gateway.documents.replace(given, ifMatch, own);
const shown = () => scene.gateway.documents.show().document;
const used = () => scene.gateway.config.snapshot().open as unknown as JsonObject;
const revision = () => scene.gateway.config.snapshot().revision;
const stored = async () => (await scene.store.config.current(null))?.document ?? {};

/** Nothing is written, and nothing of what was sent is said. */
async function refused(given: Json): Promise<OlaError> {
  const before = revision();
  const error: unknown = await post(given).catch((thrown: unknown) => thrown);
  expect(revision()).toBe(before);
  const refusal = error as OlaError;
  expect(JSON.stringify([refusal.message, refusal.facts])).not.toContain('CANARY');
  return refusal;
}

describe('a document that is posted', () => {
  test('is in force at once and after a restart, and shown without its secrets, with hints beside them', async () => {
    const document = {
      providers: { acme: { baseUrl, apiKey: key, headers: { 'X-Team': 'team-CANARY-0123456789' } } },
      authProfiles: {
        'acme:east': { provider: 'acme', type: 'api_key', key: 'sk-CANARY-profile-wxyz', metadata: { plan: 'CANARY' } },
      },
      serverToken: 'CANARY-server-token-0123456789abcdef',
      defaultModel: 'acme/large',
      theirs: { deep: ['CANARY', 1, null, { a: 'CANARY' }] },
    };
    expect(await post(document)).toMatchObject({ etag: '"r1"' });
    expect(used()).toEqual(document);
    expect(shown()).toEqual({
      providers: { acme: { baseUrl, apiKey: redacted, headers: { 'X-Team': redacted }, hint: 'sk-****abcd' } },
      authProfiles: {
        'acme:east': { provider: 'acme', type: 'api_key', key: redacted, metadata: { plan: redacted }, hint: 'sk-****wxyz' },
      },
      serverToken: redacted,
      defaultModel: 'acme/large',
      theirs: { deep: [redacted, 1, null, { a: redacted }] },
    });
    await scene.gateway.flush();
    expect(scene.onDisk()).toContain('acme/large');
    expect(scene.onDisk()).not.toContain('CANARY');
    await scene[Symbol.asyncDispose]();
    scene = await open(path);
    expect(used()).toEqual(document);
  });

  test('says what changed, without values, in the revision and in the audit', async () => {
    await post({ providers: { acme: { baseUrl, apiKey: key } }, defaultModel: 'acme/a' });
    await post({
      providers: { acme: { baseUrl, apiKey: 'sk-CANARY-other' } },
      defaultModel: 'acme/a',
      usage: { retentionDays: 7 },
    });
    expect((await scene.store.config.current(null))?.summary).toBe('config.update providers.acme.apiKey, usage');
    const [event] = (await scene.store.audit.list({ limit: 5 })).filter(({ action }) => action === 'config.update');
    expect(event?.details).toEqual({ changed: ['providers.acme.apiKey', 'usage'], revision: 2 });
    await post(Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`key-${n}\u001b[31m`, n])));
    const summary = (await scene.store.config.current(null))?.summary ?? '';
    expect(summary.length).toBeLessThanOrEqual(200);
    expect(summary).not.toContain('\u001b');
  });

  test('may use older names, other spellings and nulls, as the original program wrote them', async () => {
    const { warnings } = await post({
      auth: { profiles: { 'acme:a': { provider: 'acme', type: 'token', token: 'CANARY' } }, order: { acme: ['acme:a'] } },
      auth_profiles: { 'acme:a': { provider: 'other', type: 'api_key' }, 'acme:b': { provider: 'acme', type: 'cli' } },
      authOrder: null,
      providers: {
        'X-AI': { base_url: 'https://api.x.ai/v1', api_key: key, models: [{ id: 'm', api: null, context_window: 5 }] },
      },
      server_token: null,
      models: { mode: 'merge', providers: null },
    });
    expect(used()).toEqual({
      authProfiles: {
        'acme:a': { provider: 'acme', type: 'token', token: 'CANARY' },
        'acme:b': { provider: 'acme', type: 'cli' },
      },
      authOrder: { acme: ['acme:a'] },
      providers: { xai: { baseUrl: 'https://api.x.ai/v1', apiKey: key, models: [{ id: 'm', contextWindow: 5 }] } },
      models: { mode: 'merge' },
    });
    expect(warnings.map(({ path: where }) => where)).toEqual([
      'authProfiles.acme:b.type',
      'authProfiles.acme:a.provider',
      'authProfiles.acme:b.provider',
    ]);
  });

  test('may hold what this version cannot serve: it is kept, and said', async () => {
    const providers = {
      gemini: { baseUrl: 'https://gemini.example/v1beta', api: 'codex-cli', auth: 'oauth', apiKey: key },
    };
    const { warnings } = await post({ providers });
    expect(warnings.map(({ path: where }) => where)).toEqual(['providers.google.api', 'providers.google.auth']);
    expect(used()['providers']).toEqual({ google: providers.gemini });
    await expect(scene.gateway.providers.put('gemini', providers.gemini, null, own)).rejects.toMatchObject({
      code: 'invalid_field',
    });
  });

  test('is judged by the policy that it brings', async () => {
    const providers = { acme: { baseUrl: 'https://api.acme.example:9000/v1' } };
    expect(await refused({ providers })).toMatchObject({
      code: 'unsafe_destination',
      facts: { param: 'providers.acme.baseUrl' },
    });
    await post({ providers, egressPolicy: { allowedPorts: [9000] } });
    expect(await refused({ providers })).toMatchObject({ code: 'unsafe_destination' });
  });

  test('has every string in a secret place sealed, also one that would name a place in a file', async () => {
    const document = {
      providers: { acme: { baseUrl, headers: { a: 'file:CANARY', b: 'store:CANARY' } } },
      authProfiles: { 'acme:a': { provider: 'acme', type: 'cli', metadata: { a: 'file:CANARY' } } },
      mine: ['file:CANARY', 'store:CANARY'],
      telemetry: { token: 'file:CANARY' },
    };
    await post(document);
    expect(used()).toEqual(document);
    expect(JSON.stringify([shown(), await stored()])).not.toContain('CANARY');
  });

  test('changes what follows from all of it for providers that it leaves as they were', async () => {
    await post({ providers: { acme: { baseUrl, apiKey: key, models: [{ id: 'listed' }] } } });
    expect((await refusalOf(scene, 'acme/other')).code).not.toBe('model_not_found');
    await post({ ...shown(), models: { mode: 'replace' } });
    expect((await refusalOf(scene, 'acme/other')).code).toBe('model_not_found');
  });

  test('that is only checked is not written', async () => {
    await post({ providers: { acme: { baseUrl, apiKey: key } } });
    expect(await scene.gateway.documents.validate({ ...shown(), mine: 1 }, own)).toMatchObject([{ path: 'mine' }]);
    await expect(scene.gateway.documents.validate({ usage: 1 }, own)).rejects.toMatchObject({ facts: { param: 'usage' } });
    expect(revision()).toBe(1);
  });
});

describe('a document is refused as a whole', () => {
  const acme = (provider: JsonObject): JsonObject => ({
    defaultModel: 'CANARY',
    providers: { good: { baseUrl }, acme: provider },
  });
  const profile = (id: string, fields: JsonObject): JsonObject => ({
    authProfiles: { [id]: { provider: 'acme', type: 'api_key', ...fields } },
  });
  let deep: Json = 'CANARY';
  for (let n = 0; n < 70; n++) deep = { a: deep };
  const table: readonly [what: string, given: Json, code: string, param: string | undefined][] = [
    ['a list', ['CANARY'], 'invalid_field', undefined],
    ['a field of another type', { publicHosts: 'CANARY' }, 'invalid_field', 'publicHosts'],
    ['a field in two spellings', { defaultModel: 'CANARY', default_model: 'b' }, 'invalid_field', 'defaultModel'],
    ['a provider on this machine', acme({ baseUrl: 'http://127.0.0.1:1/v1' }), 'unsafe_destination', 'providers.acme.baseUrl'],
    [
      'the metadata service',
      acme({ baseUrl: 'http://169.254.169.254/', allowLocal: true }),
      'unsafe_destination',
      'providers.acme.baseUrl',
    ],
    [
      'a user in a URL',
      acme({ baseUrl: 'https://CANARY:x@api.acme.example/v1' }),
      'unsafe_destination',
      'providers.acme.baseUrl',
    ],
    ['a user without a name', acme({ baseUrl: 'https://@api.acme.example/v1' }), 'unsafe_destination', 'providers.acme.baseUrl'],
    [
      'a query in a URL',
      acme({ baseUrl: 'https://api.acme.example/v1?key=CANARY' }),
      'unsafe_destination',
      'providers.acme.baseUrl',
    ],
    [
      'a fragment in a URL',
      acme({ baseUrl: 'https://api.acme.example/v1#CANARY' }),
      'unsafe_destination',
      'providers.acme.baseUrl',
    ],
    ['no URL', acme({ baseUrl: 'CANARY' }), 'unsafe_destination', 'providers.acme.baseUrl'],
    [
      'a profile’s URL on this machine',
      profile('acme:a', { baseUrl: 'https://127.0.0.1/' }),
      'unsafe_destination',
      'authProfiles.acme:a.baseUrl',
    ],
    [
      'a profile’s URL with a secret in its query',
      profile('acme:a', { baseUrl: 'https://a.example/?sig=CANARY' }),
      'unsafe_destination',
      'authProfiles.acme:a.baseUrl',
    ],
    ['a key that no header can carry', acme({ baseUrl, apiKey: 'CANARY\n' }), 'invalid_field', 'providers.acme.apiKey'],
    ['a header of ola’s own', acme({ baseUrl, headers: { Host: 'CANARY' } }), 'invalid_field', 'providers.acme.headers.Host'],
    ['an unknown protocol', acme({ baseUrl, api: 'CANARY' }), 'invalid_field', 'providers.acme.api'],
    ['a placeholder where nothing is stored', acme({ baseUrl, apiKey: redacted }), 'invalid_field', 'providers.acme.apiKey'],
    ['a placeholder under an unknown key', { mine: [redacted] }, 'invalid_field', 'mine.0'],
    ['a reference', acme({ baseUrl, apiKey: { $secret: 'CANARY' } }), 'invalid_field', 'providers.acme.apiKey'],
    ['a reference under an unknown key', { mine: { $secret: 'CANARY' } }, 'invalid_field', 'mine'],
    ['a file’s path', acme({ baseUrl, apiKey: 'file:/run/CANARY' }), 'invalid_field', 'providers.acme.apiKey'],
    ['a place in the store', acme({ baseUrl, apiKey: 'store:CANARY' }), 'invalid_field', 'providers.acme.apiKey'],
    ['another database', { durableState: { dbPath: '/CANARY' } }, 'conflict', 'durableState.dbPath'],
    ['a provider id that is none', { providers: { 'a b': { baseUrl } } }, 'invalid_field', 'providers.a b'],
    ['one provider under two names', { providers: { xai: { baseUrl }, grok: { baseUrl } } }, 'invalid_field', 'providers.grok'],
    ['a profile id that is none', profile('a/b:c', {}), 'invalid_field', 'authProfiles.a/b:c'],
    ['a profile without its provider', { authProfiles: { a: { type: 'token' } } }, 'invalid_field', 'authProfiles.a.provider'],
    ['a key named __proto__', JSON.parse('{"mine":{"__proto__":{"a":"CANARY"}}}') as Json, 'invalid_field', '__proto__'],
    ['what is nested too deep', { mine: deep }, 'invalid_field', undefined],
    ['what is too large', { mine: 'CANARY'.repeat(800_000) }, 'request_too_large', undefined],
    ['too many values', { mine: Array.from({ length: 1_500_000 }, () => 1) }, 'request_too_large', undefined],
  ];
  for (const [what, given, code, param] of table) {
    test(`with ${what}`, async () => {
      const error = await refused(given);
      expect({ code: error.code, param: error.facts.param }).toEqual({ code, param } as {
        code: typeof error.code;
        param: string;
      });
    });
  }

  test('with a secret in a URL before any address is judged', () => {
    const facts = {
      mode: 'database',
      catalog: createCatalog(['openai-completions']),
      environment: {},
      everyProviderLocal: true,
    } as const;
    for (const url of [
      'https://CANARY@a.example',
      'https://:CANARY@a.example',
      'https:\\\\CANARY@a.example',
      'https:/CANARY@a.example',
      'HTTPS://@a.example',
    ]) {
      for (const given of [
        { providers: { a: { baseUrl: url } } },
        profile('a:b', { baseUrl: url }),
        { models: { providers: { a: { baseUrl: url } } } },
      ]) {
        expect(() => readDocument(given as Json, {}, facts)).toThrow(expect.objectContaining({ code: 'unsafe_destination' }));
      }
    }
  });

  test('naming every placeholder that stands for nothing', async () => {
    const error = await refused({ providers: { a: { baseUrl, apiKey: redacted }, b: { baseUrl, apiKey: redacted } } });
    expect(error.facts.details).toEqual({ paths: ['providers.a.apiKey', 'providers.b.apiKey'] });
  });
});

describe('a placeholder that is sent back', () => {
  test('keeps the secret of its own place, also when the items of a list have moved', async () => {
    const models = [
      { id: 'a', headers: { h: 'one' } },
      { id: 'b', headers: { h: 'two' } },
    ];
    await post({ providers: { acme: { baseUrl, models } } });
    const [a, b] = [
      { id: 'a', headers: { h: redacted } },
      { id: 'b', headers: { h: redacted } },
    ];
    await post({ providers: { acme: { baseUrl, models: [{ id: 'new' }, b, a] } } });
    expect(used()).toEqual({ providers: { acme: { baseUrl, models: [{ id: 'new' }, models[1], models[0]] } } } as JsonObject);
  });

  test('in a list whose items have no ids counts only where the list is as long as it was', async () => {
    await post({ mine: ['one', 'two'] });
    await post({ mine: [redacted, 'three'] });
    expect(used()).toEqual({ mine: ['one', 'three'] });
    expect(await refused({ mine: [redacted] })).toMatchObject({ code: 'invalid_field', facts: { param: 'mine.0' } });
  });

  test('is not sent to another address than the one it was entered for: by its provider, by its profile', async () => {
    const profiles = { 'acme:a': { provider: 'acme', type: 'api_key', key: 'sk-CANARY-profile' } };
    await post({ providers: { acme: { baseUrl, apiKey: key } }, authProfiles: profiles });
    const view = shown() as { providers: { acme: JsonObject }; authProfiles: { 'acme:a': JsonObject } };
    const elsewhere = { ...view, providers: { acme: { baseUrl: 'https://evil.example/v1' } } };
    expect(await refused(elsewhere as unknown as Json)).toMatchObject({
      code: 'secret_required',
      facts: { param: 'authProfiles.acme:a.key' },
    });
    const own2 = { ...view, authProfiles: { 'acme:a': { ...view.authProfiles['acme:a'], baseUrl: 'https://evil.example' } } };
    expect(await refused(own2 as unknown as Json)).toMatchObject({ code: 'secret_required' });
    const over = { ...view, models: { providers: { acme: { baseUrl: 'https://evil.example/v1' } } } };
    expect(await refused(over as unknown as Json)).toMatchObject({
      code: 'secret_required',
      facts: { param: 'providers.acme.apiKey' },
    });
  });

  test('is not sent to an address that its provider only gets later', async () => {
    await post({ authProfiles: { 'acme:a': { provider: 'acme', type: 'api_key', key } } });
    const providers = { acme: { baseUrl: 'https://evil.example/v1' } };
    expect(await refused({ ...shown(), providers })).toMatchObject({ code: 'secret_required' });
  });

  test('that has lost its address already may stay: it is sent nowhere', async () => {
    const authProfiles = { 'acme:a': { provider: 'acme', type: 'api_key', key } };
    await post({ providers: { acme: { baseUrl } }, authProfiles });
    await scene.gateway.providers.remove('acme', null, own);
    await post({ ...shown(), defaultModel: 'a/b' });
    expect(used()).toMatchObject({ defaultModel: 'a/b', authProfiles });
    expect((await scene.store.config.secrets()).map(({ origin }) => origin)).toEqual(['https://api.acme.example']);
  });

  test('of a provider that is configured twice goes with the address that holds', async () => {
    const over = 'https://over.example/v1';
    await post({ providers: { acme: { baseUrl, apiKey: key } }, models: { providers: { acme: { baseUrl: over } } } });
    expect((await scene.store.config.secrets()).map(({ origin }) => origin)).toEqual(['https://over.example']);
    await post(shown());
    expect((await refusalOf(scene, 'acme/m')).code).not.toBe('provider_resolution_failed');
  });

  test('of a vendor whose protocol this version cannot speak is bound to the vendor’s address', async () => {
    await post({ authProfiles: { 'claude:a': { provider: 'claude', type: 'api_key', key } } });
    expect((await scene.store.config.secrets()).map(({ origin }) => origin)).toEqual(['https://api.anthropic.com']);
  });
});

describe('a variable', () => {
  const environment = { ACME_KEY: 'CANARY-from-the-environment', MY_TOKEN: 'CANARY-token-0123456789-0123456789' };
  beforeEach(async () => {
    await scene[Symbol.asyncDispose]();
    await begin({ environment });
  });

  test('stays in the document by its name, is shown, and is opened for use', async () => {
    await post({ providers: { acme: { baseUrl, apiKey: variable('ACME_KEY'), headers: { a: variable('ACME_KEY') } } } });
    expect(shown()).toEqual({
      providers: { acme: { baseUrl, apiKey: variable('ACME_KEY'), headers: { a: variable('ACME_KEY') } } },
    });
    expect(await stored()).toEqual(shown());
    expect(used()).toMatchObject({ providers: { acme: { apiKey: environment.ACME_KEY, headers: { a: environment.ACME_KEY } } } });
    expect(await scene.store.config.secrets()).toEqual([]);
    const { etag } = await post(shown());
    expect(used()).toMatchObject({ providers: { acme: { apiKey: environment.ACME_KEY } } });
    await scene.gateway.providers.put('acme', { baseUrl, apiKey: redacted }, etag, own);
    expect(await stored()).toEqual(shown());
  });

  test('by its bare name is one if it is set, else that is a secret like any other', async () => {
    await post({ providers: { a: { baseUrl, apiKey: 'ACME_KEY' }, b: { baseUrl, apiKey: 'OTHER_KEY' } } });
    expect(shown()).toMatchObject({ providers: { a: { apiKey: variable('ACME_KEY') }, b: { apiKey: redacted } } });
    expect(used()).toMatchObject({ providers: { a: { apiKey: environment.ACME_KEY }, b: { apiKey: 'OTHER_KEY' } } });
    await scene.gateway.providers.put('c', { baseUrl, apiKey: 'ACME_KEY' }, null, own);
    expect(shown()).toMatchObject({ providers: { c: { apiKey: variable('ACME_KEY') } } });
    expect(scene.gateway.providers.list().providers).toEqual(shown()['providers'] as JsonObject);
  });

  test('in a header’s value may be a bare name only by chance', async () => {
    await post({ providers: { a: { baseUrl, headers: { h: 'ACME_KEY' } } } });
    expect(used()).toMatchObject({ providers: { a: { headers: { h: 'ACME_KEY' } } } });
  });
});

describe('access tokens in a document', () => {
  const text = 'CANARY-imported-token-0123456789abcdef';
  const tokens = { ci: { token: text, scopes: ['read', 'write'] }, boss: { id: 'the-boss', token: `${text}-2`, admin: true } };
  const caller = (token: string) => scene.gateway.access.authenticate(new Headers({ authorization: `Bearer ${token}` }));

  test('become hashed tokens that work at once and after a restart, and leave it', async () => {
    const { warnings } = await post({ authorization: { tokens, legacyAdminCompatibility: true } });
    expect(warnings.map(({ path: where }) => where)).toEqual(['authorization.tokens.ci', 'authorization.tokens.boss']);
    expect(shown()).toEqual({ authorization: { legacyAdminCompatibility: true } });
    expect(caller(text)).toMatchObject({ subject: 'ci', scopes: ['read', 'write'] });
    expect(caller(`${text}-2`)).toMatchObject({ subject: 'the-boss', scopes: ['read', 'write', 'admin'] });
    await scene[Symbol.asyncDispose]();
    expect(scene.onDisk()).not.toContain('CANARY');
    scene = await open(path);
    expect(caller(text)).toMatchObject({ subject: 'ci' });
    expect(scene.gateway.tokens.list()).toMatchObject([
      { id: 'ci', name: 'ci', expiresAt: null },
      { id: 'the-boss', name: 'boss' },
    ]);
  });

  test('that are there already are skipped, revoked ones too; another one under the same id is a conflict', async () => {
    await post({ authorization: { tokens } });
    await post({ authorization: { tokens: { again: { token: text } } } });
    expect(scene.gateway.tokens.list()).toHaveLength(2);
    expect(await refused({ authorization: { tokens: { ci: { token: 'CANARY-another-token-0123456789abc' } } } })).toMatchObject({
      code: 'conflict',
      status: 409,
      facts: { details: { id: 'ci' } },
    });
    await scene.gateway.tokens.revoke('ci', own);
    await post({ authorization: { tokens } });
    expect(caller(text)).toMatchObject({ code: 'invalid_api_key' });
  });

  test('that are switched off, or may do nothing, stay so', async () => {
    await post({ authorization: { tokens: { off: { token: text, enabled: false }, idle: { token: `${text}-3` } } } });
    expect(caller(text)).toMatchObject({ code: 'invalid_api_key' });
    expect(caller(`${text}-3`)).toMatchObject({ subject: 'idle', scopes: [] });
  });

  test('that nobody could use, or that would act as somebody else, are refused', async () => {
    const table: readonly [name: string, config: JsonObject, param: string][] = [
      ['local', { token: text }, 'authorization.tokens.local'],
      ['a', { id: 'user:1', token: text }, 'authorization.tokens.a.id'],
      ['a\nb', { token: text }, 'authorization.tokens.a\nb'],
      ['a', { token: 'CANARY with spaces' }, 'authorization.tokens.a.token'],
      ['a', { token: '' }, 'authorization.tokens.a.token'],
      ['a', { token: redacted }, 'authorization.tokens.a.token'],
      ['a', { token: 'ola_CANARY' }, 'authorization.tokens.a.token'],
      ['a', { token: variable('NOT_SET') }, 'authorization.tokens.a.token'],
    ];
    for (const [name, config, param] of table) {
      const error = await refused({ authorization: { tokens: { [name]: config } } });
      expect({ status: error.status, param: error.facts.param }).toEqual({ status: 422, param });
    }
    expect(scene.gateway.tokens.list()).toEqual([]);
  });

  test('of the original program’s kind are honoured until the document says otherwise', async () => {
    await scene[Symbol.asyncDispose]();
    await begin({ settings: { adminToken: 'env-token', proxyKey: 'proxy' } });
    await post({ serverToken: 'server-token' });
    for (const token of ['env-token', 'server-token']) expect(caller(token)).toMatchObject({ subject: 'legacy-admin' });
    await post({ ...shown(), authorization: { legacyAdminCompatibility: false } });
    for (const token of ['env-token', 'server-token']) expect(caller(token)).toMatchObject({ code: 'invalid_api_key' });
    expect(caller('proxy')).toMatchObject({ subject: 'proxy-key' });
  });
});

describe('any document', () => {
  const word = fc.stringMatching(/^[a-z]{1,6}$/);
  const { canonicalId } = createCatalog(['openai-completions']);
  /** An alias is stored as the id that it stands for. */
  const providerId = word.filter((text) => canonicalId(text) === text);
  const secret = fc.stringMatching(/^[A-Za-z0-9]{8,16}$/).map((text) => `CANARY${text}`);
  const free = fc.letrec<{ value: Json }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      secret,
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(word, tie('value'), { maxKeys: 3 }) as fc.Arbitrary<Json>,
    ),
  })).value;
  // Null is nothing where the schema knows the object around it.
  const something = free.filter((value) => value !== null);
  const provider = fc.record(
    {
      baseUrl: fc.constantFrom(baseUrl, 'https://other.example/v1', 'https://third.example:8443'),
      apiKey: secret,
      // A bare word may be one of ola's own, `te`.
      headers: fc.dictionary(
        word.map((name) => `x-${name}`),
        secret,
        { maxKeys: 2 },
      ),
      models: fc.uniqueArray(fc.record({ id: word, headers: fc.dictionary(word, secret, { maxKeys: 1 }) }), {
        selector: ({ id }) => id,
        maxLength: 3,
      }),
      mine: something,
    },
    { requiredKeys: ['baseUrl'] },
  );
  const profile = fc.record(
    {
      provider: word,
      type: fc.constantFrom('api_key', 'oauth'),
      key: secret,
      refresh: secret,
      metadata: fc.dictionary(word, secret, { maxKeys: 2 }),
    },
    { requiredKeys: ['provider', 'type'] },
  );
  const document = fc.record(
    {
      providers: fc.dictionary(providerId, provider, { maxKeys: 4 }),
      authProfiles: fc.dictionary(word, profile, { maxKeys: 4 }),
      serverToken: secret,
      telemetry: fc.dictionary(word, something, { maxKeys: 2 }),
      extra: something,
    },
    { requiredKeys: [] },
  ) as unknown as fc.Arbitrary<JsonObject>;

  test('is used as it was sent, shown without a secret, and the same after what was shown is sent back', async () => {
    await fc.assert(
      fc.asyncProperty(document, async (given) => {
        await post({});
        await post(given);
        expect(used()).toEqual(given);
        expect(JSON.stringify(shown())).not.toContain('CANARY');
        expect(JSON.stringify(await stored())).not.toContain('CANARY');
        const secrets = await stored();
        await post(shown());
        expect(await stored()).toEqual(secrets);
        expect(used()).toEqual(given);
      }),
      { numRuns: 60 },
    );
    await scene.gateway.flush();
    expect(scene.onDisk()).not.toContain('CANARY');
  });

  test('keeps every secret that a kept revision names, through changes and rollbacks', async () => {
    const step = fc.oneof(
      document.map((given) => ({ given })),
      fc.record({ id: word, apiKey: secret }).map((put) => ({ put })),
      fc.nat({ max: 60 }).map((back) => ({ back })),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
        const seen = new Map<number, Json>();
        for (const taken of steps) {
          if ('given' in taken) await post(taken.given);
          else if ('put' in taken)
            await scene.gateway.providers.put(
              taken.put.id,
              { baseUrl, apiKey: taken.put.apiKey, headers: null, models: null, mine: null },
              null,
              own,
            );
          else {
            const numbers = [...seen.keys()];
            const number = numbers[taken.back % Math.max(1, numbers.length)];
            if (number === undefined) continue;
            const old = await scene.store.config.revision(number);
            await scene.gateway.config.writeSection(
              {
                path: [],
                content: { kind: 'stored', value: old?.document ?? {} },
                record: { action: 'config.rollback', about: 'back', details: {} },
              },
              null,
              own,
            );
            expect(used()).toEqual(seen.get(number) as JsonObject);
          }
          seen.set(revision(), used());
        }
        const ids = new Set((await scene.store.config.secrets()).map(({ id }) => id));
        for (const { number } of await scene.store.config.revisions({ file: null, limit: 50 })) {
          const named = JSON.stringify((await scene.store.config.revision(number))?.document).matchAll(/"\$secret":"([^"]+)"/g);
          for (const [, id] of named) expect(ids.has(id ?? '')).toBe(true);
        }
      }),
      { numRuns: 15 },
    );
  });

  test('of fifty that are posted with one tag is taken once', async () => {
    const { etag } = await post({ defaultModel: 'a' });
    const ends = await Promise.allSettled(Array.from({ length: 50 }, (_, n) => post({ defaultModel: `b${n}` }, etag)));
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const end of ends)
      if (end.status === 'rejected') expect(end.reason).toMatchObject({ code: 'precondition_failed', status: 412 });
    expect(revision()).toBe(2);
  });
});
