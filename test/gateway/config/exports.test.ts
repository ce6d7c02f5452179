import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { createCipheriv, scryptSync } from 'node:crypto';
import type { Json, JsonObject } from '../../../src/core/json.ts';
import { openWithPassphrase } from '../../../src/credentials/passphrase.ts';
import { directories } from '../../directories.ts';
import { open, own, type Scene } from '../scene.ts';

const directory = directories();
let from: Scene;
let to: Scene;
beforeEach(async () => {
  from = await open(directory());
  to = await open(directory());
});
afterEach(async () => {
  await from[Symbol.asyncDispose]();
  await to[Symbol.asyncDispose]();
});

const words = 'correct horse';
const exported = (passphrase: string | null, local = true) => from.gateway.exports.export({ passphrase, local }, own);
const importInto = (
  scene: Scene,
  content: Json,
  sealed?: unknown,
  passphrase: string | null = null,
  ifMatch: string | null = null,
) => scene.gateway.exports.import({ content, sealed, passphrase }, ifMatch, own);
const inUse = (scene: Scene) => scene.gateway.config.snapshot().open as unknown as JsonObject;
const refusal = (code: string, ...parts: string[]) =>
  expect.objectContaining({ code, message: expect.stringMatching(new RegExp(parts.join('.*'), 's')) });

const reference = `\${OTHER_KEY}`;
const whole: JsonObject = {
  providers: {
    acme: {
      baseUrl: 'https://api.acme.example/v1',
      apiKey: 'sk-CANARY-0123456789abcd',
      headers: { 'X.Team': 'CANARY' },
      'un "known".key': 'CANARY u',
      extra: [{ a: 'CANARY in a list' }, 'CANARY'],
    },
    other: { baseUrl: 'https://other.example', apiKey: reference },
  },
  serverToken: 'CANARY-server-token',
  defaultModel: 'acme/m',
};
const write = () => from.gateway.documents.replace(whole, null, own);

describe('an export', () => {
  test('without a passphrase has no secrets, and says where they are missing', async () => {
    await write();
    const { content, missing, sealed } = await exported(null, false);
    expect(sealed).toBeNull();
    expect(JSON.stringify(content)).not.toContain('CANARY');
    expect(content).toMatchObject({ defaultModel: 'acme/m', providers: { other: { apiKey: reference } } });
    expect(missing).toHaveLength(6);
    expect(missing).toContain('providers.acme.apiKey');
    expect(missing).not.toContain('providers.other.apiKey');
    await expect(importInto(to, content)).rejects.toThrow(refusal('invalid_field', 'providers.acme.apiKey', 'serverToken'));
    expect(inUse(to)).toEqual({});
  });

  test('with a passphrase moves everything to another machine, sealed there with its own key', async () => {
    await write();
    const moved = JSON.parse(JSON.stringify(await exported(words)));
    expect(JSON.stringify(moved)).not.toContain('CANARY');
    expect(moved.missing).toEqual([]);
    const { snapshot, warnings } = await importInto(to, moved.content, moved.sealed, words);
    expect(snapshot.revision).toBe(1);
    expect(warnings.map(({ path }) => path).length).toBeGreaterThan(0);
    expect(inUse(to)).toEqual(inUse(from));
    expect(inUse(to)).toMatchObject({ serverToken: 'CANARY-server-token' });
    expect(to.onDisk()).not.toContain('CANARY');
    const bound = (scene: Scene) =>
      [...scene.gateway.config.snapshot().secrets.values()].map(({ origin, value }) => [value, origin]).toSorted();
    expect(bound(to)).toEqual(bound(from));
  });

  test('brings a refresh token to no other token endpoint than that of the export', async () => {
    const login = { provider: 'acme', type: 'oauth', access: 'CANARY-a', refresh: 'CANARY-r' };
    const metadata = { tokenUrl: 'https://auth.acme.example/token' };
    const acme = { baseUrl: 'https://api.acme.example/v1' };
    await from.gateway.documents.replace(
      { providers: { acme }, authProfiles: { 'acme:login': { ...login, metadata } } },
      null,
      own,
    );
    const { content, sealed } = JSON.parse(JSON.stringify(await exported(words)));
    const changed = structuredClone(content);
    changed.authProfiles['acme:login'].metadata = { tokenUrl: 'https://elsewhere.example/token' };
    const strange = refusal('secret_required', 'authProfiles.acme:login.refresh');
    await expect(importInto(to, changed, sealed, words)).rejects.toThrow(strange);
    await importInto(to, content, sealed, words);
    expect(inUse(to)).toEqual(inUse(from));
  });

  test('has a secret that cannot be opened among the missing, and leaves it out', async () => {
    await write();
    const secrets = await from.store.config.secrets();
    const damaged = secrets.find(({ hint }) => hint.endsWith('abcd'));
    const { id = '', envelope = '' } = damaged ?? {};
    await from.store.config.reseal([{ id, from: envelope, to: `${envelope.slice(0, -4)}AAAA` }]);
    const path = from.gateway.place.home;
    await from[Symbol.asyncDispose]();
    from = await open(path);
    const { missing, sealed } = await exported(words);
    expect(missing).toEqual(['providers.acme.apiKey']);
    expect(await openWithPassphrase(sealed, words)).not.toContain('sk-CANARY');
  });

  test('of secrets is refused over the network, to an administrator too, and with a short passphrase', async () => {
    await write();
    await expect(exported(words, false)).rejects.toThrow(refusal('insufficient_scope', 'ola config export'));
    await expect(exported('short')).rejects.toThrow(refusal('invalid_field', '8 characters'));
  });

  test('is in the audit before it is handed out', async () => {
    await write();
    await exported(words);
    await exported(null);
    const events = (await from.store.audit.list({ limit: 2 })).map(({ action, details }) => [action, details]);
    expect(events).toEqual([
      ['config.export', { revision: 1, withSecrets: false }],
      ['config.export', { revision: 1, withSecrets: true }],
    ]);
  });
});

/** As an export has it, at a cost that lets a test open it often. */
function sealCheaply(value: Json) {
  const kdf = { name: 'scrypt', N: 2, r: 1, p: 1 };
  const header = { format: 'ola-sealed', version: 1, kdf, salt: 'AAECAwQFBgcICQoLDA0ODw', nonce: 'EBESExQVFhcYGRob' };
  const cipher = createCipheriv(
    'aes-256-gcm',
    scryptSync(words, Buffer.from(header.salt, 'base64url'), 32, kdf),
    Buffer.from(header.nonce, 'base64url'),
  );
  cipher.setAAD(Buffer.from(JSON.stringify(['ola-sealed', 1, 'scrypt', 2, 1, 1, header.salt, header.nonce])));
  const data = Buffer.concat([cipher.update(JSON.stringify(value)), cipher.final(), cipher.getAuthTag()]);
  return { ...header, data: data.toString('base64url') };
}

describe('an import', () => {
  const acme = 'https://api.acme.example';
  const sealed = sealCheaply({
    '["providers","acme","apiKey"]': { value: 'CANARY-key', origin: acme },
    '["providers","acme","headers","X.Team"]': { value: 'CANARY-team', origin: acme },
    '["serverToken"]': { value: 'CANARY-server-token', origin: null },
  });
  const at = (address: string): JsonObject => ({
    providers: { acme: { baseUrl: `${address}/v1`, apiKey: '[REDACTED]', headers: { 'X.Team': '[REDACTED]' } } },
    serverToken: '[REDACTED]',
  });

  test('of an address that was changed gives no secret to it', async () => {
    const others = ['https://evil.example', 'https://api.acme.example:8443', 'https://api.acme.example.evil.example'];
    for (const address of others) {
      const error: unknown = await importInto(to, at(address), sealed, words).catch((thrown: unknown) => thrown);
      expect(error).toEqual(refusal('secret_required', 'providers.acme.apiKey', 'providers.acme.headers.X.Team'));
      expect(String(error)).not.toContain('CANARY');
    }
    expect(inUse(to)).toEqual({});
    expect(await to.store.config.secrets()).toEqual([]);
    await importInto(to, at(acme), sealed, words);
    expect(inUse(to)).toMatchObject({ providers: { acme: { apiKey: 'CANARY-key', headers: { 'X.Team': 'CANARY-team' } } } });
  });

  test('takes what was edited: a secret that was replaced or left out is not put back', async () => {
    const edited = {
      providers: { acme: { baseUrl: 'https://new.example/v1', apiKey: 'sk-new-0123456789' } },
      serverToken: '[REDACTED]',
    };
    await importInto(to, edited, sealed, words);
    expect(inUse(to)).toEqual({ ...edited, serverToken: 'CANARY-server-token' });
  });

  test('needs the passphrase, the right one, and secrets that were sealed for this', async () => {
    const cases: readonly [sealed: unknown, passphrase: string | null, says: string][] = [
      [sealed, null, 'passphrase'],
      [sealed, 'wrong horse!', 'The passphrase is wrong'],
      [{}, words, 'was not encrypted by ola'],
      [sealCheaply('a key of something else'), words, 'something else'],
      [sealCheaply({ '["serverToken"]': { value: 7, origin: null } }), words, 'something else'],
    ];
    for (const [given, passphrase, says] of cases) {
      await expect(importInto(to, at(acme), given, passphrase)).rejects.toThrow(refusal('invalid_field', says));
    }
    expect(inUse(to)).toEqual({});
  });

  test('of something endlessly nested is refused like any other', async () => {
    let deep: Json = '[REDACTED]';
    for (let level = 0; level < 200_000; level++) deep = [deep];
    await expect(importInto(to, { deep }, sealed, words)).rejects.toThrow(refusal('invalid_field', 'levels deep'));
  });

  test('is one revision with one event, keeps what is redacted, and heeds If-Match', async () => {
    await to.gateway.documents.replace({ serverToken: 'CANARY-of-here' }, null, own);
    const content = { serverToken: '[REDACTED]', defaultModel: 'a/b' };
    await expect(importInto(to, content, undefined, null, '"r9"')).rejects.toThrow(refusal('precondition_failed'));
    const { snapshot } = await importInto(to, content, undefined, null, '"r1"');
    expect(snapshot.revision).toBe(2);
    expect(inUse(to)).toEqual({ serverToken: 'CANARY-of-here', defaultModel: 'a/b' });
    expect((await to.gateway.revisions.list())[0]).toMatchObject({ summary: 'config.import defaultModel' });
    const [event] = await to.store.audit.list({ limit: 1 });
    expect(event).toMatchObject({ action: 'config.import', details: { withSecrets: false, revision: 2 } });
  });

  test('makes tokens of the access tokens in it, and judges addresses', async () => {
    const token = 'a-token-of-32-characters-0123456789';
    await importInto(to, { authorization: { tokens: { ci: { token, scopes: ['read'] } } } });
    expect(to.gateway.tokens.find(token)).toMatchObject({ subject: 'ci', scopes: ['read'] });
    await expect(importInto(to, { providers: { x: { baseUrl: 'http://10.0.0.1/v1' } } })).rejects.toThrow(
      refusal('unsafe_destination', 'providers.x.baseUrl'),
    );
  });
});
