import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import type { OlaError } from '../../../src/core/errors.ts';
import type { Json, JsonObject } from '../../../src/core/json.ts';
import { redacted } from '../../../src/core/secrets.ts';
import type { SectionContent } from '../../../src/gateway/config/write-section.ts';
import { directories } from '../../directories.ts';
import { open, own, type Scene, variable } from '../scene.ts';

const directory = directories();
const baseUrl = 'https://api.acme.example/v1';
const key = 'sk-CANARY-0123456789abcd';
let scene: Scene;
beforeEach(async () => {
  scene = await open(directory());
});
afterEach(() => scene[Symbol.asyncDispose]());

const write = (path: readonly string[], content: SectionContent) => {
  const record = { action: 'config.update', about: path.join('/'), details: {} };
  return scene.gateway.config.writeSection({ path, content, record }, null, own);
};
const put = (path: readonly string[], value: Json) => write(path, { kind: 'sent', value });
const remove = (path: readonly string[]) => write(path, { kind: 'removed' });
const document = () => scene.gateway.config.snapshot().document;
/** The configuration with its secrets in clear, as calls use it. */
const used = () => scene.gateway.config.snapshot().open as unknown as JsonObject;

/** Nothing is written, and nothing of the secrets is said. */
async function refused(path: readonly string[], value: Json): Promise<OlaError> {
  const { revision } = scene.gateway.config.snapshot();
  const error: unknown = await put(path, value).catch((thrown: unknown) => thrown);
  expect(scene.gateway.config.snapshot().revision).toBe(revision);
  const refusal = error as OlaError;
  expect(JSON.stringify([refusal.message, refusal.facts])).not.toContain('CANARY');
  return refusal;
}

describe('an auth profile that is written alone', () => {
  const path = ['authProfiles', 'acme:main'];
  const profile = (): JsonObject => (used()['authProfiles'] as JsonObject)['acme:main'] as JsonObject;
  const stored: JsonObject = {
    provider: 'acme',
    type: 'oauth',
    access: 'CANARY-access',
    refresh: 'CANARY-refresh',
    metadata: { plan: 'CANARY-plan', team: 'CANARY-team' },
    email: 'a@acme.example',
    own: 'CANARY-own',
  };
  beforeEach(async () => {
    await put([], { providers: { acme: { baseUrl, apiKey: key } }, defaultModel: 'acme/m' });
    await put(path, stored);
  });

  test('is in force beside all the rest, its secrets sealed, in snake_case too', async () => {
    expect(used()).toEqual({
      providers: { acme: { baseUrl, apiKey: key } },
      defaultModel: 'acme/m',
      authProfiles: { 'acme:main': stored },
    });
    await put(['authProfiles', 'acme:two'], { provider: 'acme', type: 'api_key', key, account_id: '7', hint: 'x' });
    expect(used()).toMatchObject({ authProfiles: { 'acme:two': { provider: 'acme', type: 'api_key', key, accountId: '7' } } });
    expect(scene.onDisk()).not.toContain('CANARY');
    const origins = (await scene.store.config.secrets()).map(({ origin }) => origin);
    expect([...new Set(origins)]).toEqual(['https://api.acme.example']);
  });

  test('keeps secrets and unknown keys that are not named, and loses everything else', async () => {
    await put(path, { provider: 'acme', type: 'token' });
    const { email: _, ...kept } = stored;
    expect(profile()).toEqual({ ...kept, type: 'token' });
  });

  test('with null loses a secret, one fact of its metadata, an unknown key', async () => {
    await put(path, { provider: 'acme', type: 'oauth', refresh: null, metadata: { plan: null, new: 'fact' }, own: null });
    expect(profile()).toEqual({
      provider: 'acme',
      type: 'oauth',
      access: 'CANARY-access',
      metadata: { team: 'CANARY-team', new: 'fact' },
    });
  });

  test('with a placeholder keeps what is stored there; a placeholder for nothing is refused', async () => {
    await put(path, { ...stored, access: redacted, metadata: { plan: redacted, team: redacted } });
    expect(profile()).toEqual(stored);
    expect(await refused(path, { ...stored, key: redacted })).toMatchObject({ code: 'invalid_field' });
  });

  test('is refused by the rules of a whole document, naming its own field', async () => {
    const table: readonly [more: JsonObject, code: string, param: string][] = [
      [{ type: 'CANARY' }, 'invalid_field', 'type'],
      [{ provider: null }, 'invalid_field', 'provider'],
      [{ access: 'CANARY\n' }, 'invalid_field', 'access'],
      [{ accountId: 'a', account_id: 'b' }, 'invalid_field', 'accountId'],
      [{ baseUrl: 'https://CANARY@a.example' }, 'unsafe_destination', 'baseUrl'],
      [{ baseUrl: 'http://127.0.0.1:1/v1' }, 'unsafe_destination', 'baseUrl'],
      [{ baseUrl: 'https://evil.example/v1', refresh: redacted }, 'secret_required', 'refresh'],
    ];
    for (const [more, code, param] of table) {
      const { code: said, facts } = await refused(path, { ...stored, ...more });
      expect({ said, param: facts.param }).toEqual({ said: code as OlaError['code'], param });
    }
    expect(await refused(['authProfiles', 'a/b:c'], stored)).toMatchObject({ facts: { param: 'authProfiles.a/b:c' } });
    expect(await refused(['authProfiles', '__proto__'], stored)).toMatchObject({ facts: { param: '__proto__' } });
  });

  test('says which of its secrets would go to another address, and how each is deleted', async () => {
    const error = await refused(path, { provider: 'acme', type: 'oauth', baseUrl: 'https://new.example', metadata: null });
    expect(error.facts.details).toEqual({ paths: ['access', 'refresh', 'own'] });
    expect(error.message).toContain('send null to delete it');
    await put(path, { ...stored, baseUrl: 'https://new.example' });
    expect(profile()).toMatchObject({ baseUrl: 'https://new.example', access: 'CANARY-access' });
  });

  test('is taken out alone, and its provider stays', async () => {
    await remove(path);
    expect(used()).toEqual({ providers: { acme: { baseUrl, apiKey: key } }, defaultModel: 'acme/m', authProfiles: {} });
  });
});

describe('any part', () => {
  test('may be a field: a provider is switched off, also where it stands under models.providers or resolves no more', async () => {
    const gone = { baseUrl: 'https://acme.example/v1', apiKey: key };
    await put([], { providers: { acme: gone, other: gone }, models: { mode: 'merge', providers: { acme: { ports: [443] } } } });
    await put(['providers', 'acme', 'enabled'], false);
    expect(used()).toEqual({
      providers: { acme: { ...gone, ports: [443], enabled: false }, other: gone },
      models: { mode: 'merge', providers: {} },
    });
    await put(['providers', 'acme', 'enabled'], null);
    expect(used()).toMatchObject({ providers: { acme: { ...gone, ports: [443] } } });
    expect(document()).not.toMatchObject({ providers: { acme: { enabled: false } } });
    expect(await refused(['providers', 'acme', 'enabled'], 'yes')).toMatchObject({ code: 'invalid_field' });
  });

  test('that is an address alone does not take the secrets of its provider along', async () => {
    await put(['providers', 'acme'], { baseUrl, apiKey: key });
    const error = await refused(['providers', 'acme', 'baseUrl'], 'https://evil.example/v1');
    expect(error).toMatchObject({ code: 'secret_required', facts: { param: 'providers.acme.apiKey' } });
    await put(['providers', 'acme', 'baseUrl'], 'https://api.acme.example/v2');
  });

  test('may be a list or a text of the document', async () => {
    await put(['publicHosts'], ['a.example']);
    await put(['defaultModel'], 'acme/m');
    await put(['serverToken'], 'CANARY-server-token-0123456789abcdef');
    expect(used()).toEqual({
      publicHosts: ['a.example'],
      defaultModel: 'acme/m',
      serverToken: 'CANARY-server-token-0123456789abcdef',
    });
    await put(['serverToken'], redacted);
    expect(used()).toMatchObject({ serverToken: 'CANARY-server-token-0123456789abcdef' });
    expect(await refused(['publicHosts'], 'CANARY')).toMatchObject({ code: 'invalid_field' });
    expect(scene.onDisk()).not.toContain('CANARY');
  });

  test('is judged alone: what stands elsewhere and could not be written today refuses no other part', async () => {
    const near = { providers: { near: { baseUrl: 'http://127.0.0.1:9/v1' } } };
    await write([], { kind: 'stored', value: near });
    expect(await refused([], near)).toMatchObject({ code: 'unsafe_destination', facts: { param: 'providers.near.baseUrl' } });
    await put(['providers', 'acme'], { baseUrl });
    await put(['providers', 'near', 'enabled'], false);
    await put(['usage'], { retentionDays: 7 });
    for (const field of ['allowLocal', 'ports']) {
      const value = field === 'ports' ? [9] : false;
      expect(await refused(['providers', 'near', field], value)).toMatchObject({ facts: { param: 'providers.near.baseUrl' } });
    }
  });

  test('of the egress policy judges every address, by the policy that it makes', async () => {
    const provider = { baseUrl: 'https://api.acme.example:9000/v1' };
    await put(['egressPolicy'], { allowedPorts: [9000] });
    await put(['providers', 'acme'], provider);
    const error = await refused(['egressPolicy'], { allowedPorts: [443] });
    expect(error).toMatchObject({ code: 'unsafe_destination', facts: { param: 'providers.acme.baseUrl' } });
    expect(await refused(['egressPolicy', 'allowedPorts'], [443])).toMatchObject({ code: 'unsafe_destination' });
    await put(['egressPolicy'], { allowedPorts: [443, 9000] });
  });

  test('of access tokens makes tokens of them, and the document keeps none', async () => {
    const token = 'a-token-of-32-characters-0123456789';
    const { warnings } = await put(['authorization'], { tokens: { ci: { token, scopes: ['read'] } } });
    expect(warnings.map(({ path }) => path)).toEqual(['authorization.tokens.ci']);
    expect(scene.gateway.tokens.find(token)).toMatchObject({ subject: 'ci' });
    expect(document()).toEqual({});
  });

  test('with the older name of another part in it is refused, and nothing is lost', async () => {
    const profiles = { 'acme:main': { provider: 'acme', type: 'api_key', key } };
    for (const path of [['auth'], ['auth', 'profiles']]) {
      const error = await refused(path, path.length === 1 ? { disableAuth: false, profiles } : profiles);
      expect(error).toMatchObject({ code: 'invalid_field', facts: { param: 'authProfiles' } });
    }
    await put(['auth'], { disableAuth: false });
    expect(used()).toEqual({ auth: { disableAuth: false } });
  });

  test('that leads nowhere in the schema is a mistake of the caller', async () => {
    await expect(put(['nothing', 'of', 'this'], {})).rejects.toThrow('nothing.of.this');
    expect(document()).toEqual({});
  });
});

describe('a write of one part', () => {
  const provider = (host: string): JsonObject => ({
    baseUrl: `https://${host}.example/v1`,
    apiKey: `sk-CANARY-${host}-0123456789`,
    models: [{ id: 'm' }],
  });
  const opened = (id: string) => scene.gateway.config.snapshot().open.providers?.[id];

  test('leaves the objects of all others as they were, with the verdicts and connections that are kept by them', async () => {
    await put([], { providers: { one: provider('one'), two: provider('two') } });
    const [one, two] = [opened('one'), opened('two')];
    await put(['providers', 'one'], { ...provider('one'), ports: [443] });
    expect(opened('one')).not.toBe(one);
    expect(opened('two')).toBe(two as NonNullable<typeof two>);
    await scene.gateway.revisions.rollback(1, null, own);
    expect(opened('two')).toBe(two as NonNullable<typeof two>);
    await put([], scene.gateway.documents.show().document);
    expect(opened('two')).toBe(two as NonNullable<typeof two>);
  });

  test('keeps the order of providers, in which they are preferred', async () => {
    await put([], { providers: { one: provider('one'), two: provider('two') } });
    await put(['providers', 'one'], { ...provider('one'), ports: [443] });
    expect(Object.keys(used()['providers'] as JsonObject)).toEqual(['one', 'two']);
  });

  test('that stores the same secret in another way makes another object: its address may be another', async () => {
    await scene[Symbol.asyncDispose]();
    scene = await open(directory(), { environment: { OPENAI_API_KEY: key } });
    await put([], { providers: { evil: { baseUrl: 'https://evil.example/v1', apiKey: variable('OPENAI_API_KEY') } } });
    const before = opened('evil');
    await put(['providers', 'evil'], { baseUrl: 'https://evil.example/v1', apiKey: key });
    expect(opened('evil')).toEqual(before as NonNullable<typeof before>);
    expect(opened('evil')).not.toBe(before as NonNullable<typeof before>);
  });
});
