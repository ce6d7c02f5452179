import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import type { Json, JsonObject } from '../../../src/core/json.ts';
import type { Requester } from '../../../src/gateway/records/audit.ts';
import { directories } from '../../directories.ts';
import { open, own, refusalOf, type Scene, type SceneOptions, variable } from '../scene.ts';

const directory = directories();
const environment = {
  MY_KEY: 'CANARY-my-0123456789',
  ACME_API_KEY: 'CANARY-acme-0123456789',
  OPENAI_API_KEY: 'sk-CANARY-openai-0123456789',
  VLLM_API_KEY: 'CANARY-vllm-0123456789',
  GOOGLE_API_KEY: 'CANARY-google-0123456789',
};
const baseUrl = 'https://api.acme.example/v1';
const evil = 'https://evil.example/v1';
/** The holder of an admin token, over HTTP. */
const remote: Requester = { ...own, principal: { ...own.principal, subject: 'tok_1', tokenId: 'tok_1' } };

let path = '';
let scene: Scene;
async function begin(options: SceneOptions = {}): Promise<void> {
  path = directory();
  scene = await open(path, { environment, ...options });
}
async function restart(): Promise<void> {
  await scene[Symbol.asyncDispose]();
  scene = await open(path, { environment });
}
beforeEach(() => begin());
afterEach(() => scene[Symbol.asyncDispose]());

const put = (id: string, body: JsonObject, by = remote) => scene.gateway.providers.put(id, body, null, by);
const post = (document: Json, by = remote) => scene.gateway.documents.replace(document, null, by);
const shown = () => scene.gateway.documents.show().document;
/** The keys that a provider is called with; why it cannot be called when it cannot. */
const stateOf = (id: string) => {
  const state = scene.gateway.providerStates().find((each) => each.id === id);
  return state?.why ?? state?.keys;
};
const noKey = 'is not for the present address';

describe('over HTTP', () => {
  test('a reference to a variable of the server at an address of the sender’s choice is refused with the line to run', async () => {
    const key = variable('MY_KEY');
    const writes: readonly (readonly [() => Promise<unknown>, string, string])[] = [
      [() => put('acme', { baseUrl, apiKey: key }), 'apiKey', 'providers.acme.apiKey'],
      [() => put('acme', { baseUrl, apiKey: 'MY_KEY' }), 'apiKey', 'providers.acme.apiKey'],
      [() => put('acme', { baseUrl, apiKey: 'k', headers: { 'x-key': key } }), 'headers.x-key', 'providers.acme.headers.x-key'],
      [() => put('openai', { baseUrl, apiKey: variable('OPENAI_API_KEY') }), 'apiKey', 'providers.openai.apiKey'],
      [() => put('openai', { apiKey: key }), 'apiKey', 'providers.openai.apiKey'],
      [() => post({ providers: { acme: { baseUrl, apiKey: key } } }), 'providers.acme.apiKey', 'providers.acme.apiKey'],
      [
        () => post({ models: { providers: { acme: { baseUrl, apiKey: key } } } }),
        'models.providers.acme.apiKey',
        'models.providers.acme.apiKey',
      ],
      [
        () => post({ authProfiles: { 'openai:a': { provider: 'openai', type: 'api_key', key } } }),
        'authProfiles.openai:a.key',
        'authProfiles.openai:a.key',
      ],
    ];
    for (const [write, param, place] of writes) {
      const error = (await write().catch((thrown: unknown) => thrown)) as { code: string; status: number; message: string };
      expect(error).toMatchObject({ code: 'invalid_field', status: 422, facts: { param } });
      expect(error.message).toContain(`\`ola config set ${place} '\${`);
      expect(error.message).not.toContain('CANARY');
    }
    expect(shown()).toEqual({});
  });

  test('a variable of the catalog may be named for its provider’s own address', async () => {
    await put('openai', { apiKey: variable('OPENAI_API_KEY') });
    await put('mine', { baseUrl: 'https://api.openai.com/v1', apiKey: variable('OPENAI_API_KEY') });
    expect([stateOf('openai'), stateOf('mine')]).toEqual([['OPENAI_API_KEY'], ['OPENAI_API_KEY']]);
  });

  test('a provider gets no variable by its id at an address that the sender chose', async () => {
    await put('acme', { baseUrl: evil });
    await put('openai', { baseUrl: evil });
    await put('vllm', { baseUrl: evil, authHeader: true });
    await put('google', { baseUrl: evil });
    for (const id of ['acme', 'openai', 'google'])
      expect([id, String(stateOf(id))]).toEqual([id, expect.stringContaining(noKey)]);
    // A server of one's own may be called without a key.
    expect(stateOf('vllm')).toEqual([]);
    const { message } = await refusalOf(scene, 'acme/m');
    expect(message).toContain('ACME_API_KEY is not for the present address: origin_mismatch');
    expect(message).toContain(`\`ola config set providers.acme.apiKey '${variable('ACME_API_KEY')}'\``);
  });

  test('a variable that OPEN_LLM_AUTH_ENV_REFERENCES lists may be named for any address', async () => {
    await scene[Symbol.asyncDispose]();
    await begin({ settings: { envReferences: ['MY_KEY', 'ACME_API_KEY'] } });
    await put('mine', { baseUrl, apiKey: variable('MY_KEY') });
    await put('acme', { baseUrl });
    expect([stateOf('mine'), stateOf('acme')]).toEqual([['MY_KEY'], ['ACME_API_KEY']]);
  });
});

describe('the owner of the machine', () => {
  test('binds a variable to the address of the provider by naming it there', async () => {
    await put('mine', { baseUrl, apiKey: variable('MY_KEY') }, own);
    await put('openai', { baseUrl, apiKey: variable('OPENAI_API_KEY') }, own);
    expect([stateOf('mine'), stateOf('openai')]).toEqual([['MY_KEY'], ['OPENAI_API_KEY']]);
    await restart();
    expect([stateOf('mine'), stateOf('openai')]).toEqual([['MY_KEY'], ['OPENAI_API_KEY']]);
  });

  test('and nobody takes it to another address over HTTP', async () => {
    await put('mine', { baseUrl, apiKey: variable('MY_KEY') }, own);
    await expect(put('mine', { baseUrl: evil })).rejects.toMatchObject({ code: 'invalid_field', facts: { param: 'apiKey' } });
    await expect(put('sly', { baseUrl: evil, apiKey: variable('MY_KEY') })).rejects.toMatchObject({ code: 'invalid_field' });
    // At the address that has the key already it may be named again.
    await put('other', { baseUrl: 'https://api.acme.example/other', apiKey: variable('MY_KEY') });
    expect(stateOf('other')).toEqual(['MY_KEY']);
  });

  test('gives ACME_API_KEY to acme by writing its address', async () => {
    await put('acme', { baseUrl }, own);
    expect(stateOf('acme')).toEqual(['ACME_API_KEY']);
    await put('acme', { baseUrl: evil });
    expect(stateOf('acme')).toContain(noKey);
    await restart();
    expect(stateOf('acme')).toContain(noKey);
  });

  test('does not consent to what somebody else wrote by writing something else', async () => {
    await put('acme', { baseUrl: evil });
    await post({ ...shown(), defaultModel: 'openai/gpt-5' }, own);
    expect(stateOf('acme')).toContain(noKey);
    await post({ ...shown(), providers: { acme: { baseUrl: evil, apiKey: variable('ACME_API_KEY') } } }, own);
    expect(stateOf('acme')).toEqual(['ACME_API_KEY']);
  });

  test('may have it undone and redone over HTTP', async () => {
    await put('mine', { baseUrl, apiKey: variable('MY_KEY') }, own);
    await scene.gateway.snapshots.save('with', own);
    await scene.gateway.providers.remove('mine', null, remote);
    await scene.gateway.revisions.rollback(1, null, remote);
    expect(stateOf('mine')).toEqual(['MY_KEY']);
    await scene.gateway.providers.remove('mine', null, remote);
    await scene.gateway.snapshots.activate('with', null, remote);
    expect(stateOf('mine')).toEqual(['MY_KEY']);
  });

  test('writes the file that governs', async () => {
    await scene[Symbol.asyncDispose]();
    const text = JSON.stringify({ providers: { mine: { baseUrl, apiKey: variable('MY_KEY') }, acme: { baseUrl } } });
    await begin({ file: { path: '/etc/ola.json', text } });
    expect([stateOf('mine'), stateOf('acme')]).toEqual([['MY_KEY'], ['ACME_API_KEY']]);
  });
});

test('what an older version stored, which asked for no consent, stays honoured', async () => {
  const document = { providers: { mine: { baseUrl, apiKey: variable('MY_KEY') }, acme: { baseUrl } } };
  const revision = { number: 1, at: 1, actor: 'tok_1', summary: 's', document, file: null, consents: null };
  const event = { timestamp: 1, action: 'config.update', actor: 'tok_1', result: 'success', ...nobody, details: {} } as const;
  await scene.store.config.write({ revision, secrets: [], tokens: [], event });
  await restart();
  expect([stateOf('mine'), stateOf('acme')]).toEqual([['MY_KEY'], ['ACME_API_KEY']]);
  await put('acme', { baseUrl: evil });
  expect([stateOf('mine'), String(stateOf('acme'))]).toEqual([['MY_KEY'], expect.stringContaining(noKey)]);
});

const nobody = { projectId: null, requestId: null, clientIp: null, userAgent: null };
