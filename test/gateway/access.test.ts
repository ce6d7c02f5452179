import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { type Principal, scopes } from '../../src/core/access.ts';
import { errorEnvelope, OlaError } from '../../src/core/errors.ts';
import { mintToken } from '../../src/core/tokens.ts';
import { authorize, legacyAdmin, proxyKey } from '../../src/gateway/access.ts';
import { directories } from '../directories.ts';
import { open, own, type Scene, type SceneOptions, start } from './scene.ts';

const directory = directories();
let scene: Scene;
let token = '';
let other = '';

async function begin(options: SceneOptions = {}): Promise<void> {
  scene = await open(directory(), options);
  token = (await scene.gateway.tokens.create({ name: 'a', expiresAt: null }, own)).token;
  other = (await scene.gateway.tokens.create({ name: 'b', expiresAt: null }, own)).token;
}
beforeEach(() => begin());
afterEach(() => scene[Symbol.asyncDispose]());

const ask = (headers: Record<string, string> | [string, string][]) => scene.gateway.access.authenticate(new Headers(headers));
const name = (caller: Principal | OlaError) => (caller instanceof OlaError ? caller.code : 'let in');

describe('a token', () => {
  test('is taken from each of its three carriers, `Bearer` in any case', () => {
    const ways: Record<string, string>[] = [
      { authorization: `Bearer ${token}` },
      { authorization: `bearer ${token}` },
      { authorization: `BEARER   ${token}` },
      { 'x-api-key': token },
      { 'x-goog-api-key': token },
    ];
    for (const headers of ways) expect(name(ask(headers))).toBe('let in');
  });

  test('is not taken from anywhere else', () => {
    const ways: Record<string, string>[] = [
      {},
      { authorization: token },
      { authorization: `Basic ${token}` },
      { authorization: `Bearer${token}` },
      { authorization: `Token ${token}` },
      { cookie: `token=${token}` },
      { 'x-auth-token': token },
      { authorization: 'Bearer' },
      { authorization: '' },
      { 'x-api-key': '' },
    ];
    for (const headers of ways) expect(name(ask(headers))).toBe('invalid_api_key');
  });

  test('may be said twice when it is the same', () => {
    expect(name(ask({ authorization: `Bearer ${token}`, 'x-api-key': token, 'x-goog-api-key': token }))).toBe('let in');
    expect(name(ask({ authorization: `Bearer ${token}, Bearer ${token}` }))).toBe('let in');
    expect(name(ask({ 'x-api-key': `${token}, ${token}` }))).toBe('let in');
  });

  test('beside a different one is a conflict, valid ones too, wherever they stand', () => {
    const wrong = mintToken((length) => crypto.getRandomValues(new Uint8Array(length)));
    const ways: Record<string, string>[] = [
      { authorization: `Bearer ${token}, Bearer ${other}` },
      { authorization: `Bearer ${token}`, 'x-api-key': other },
      { authorization: `Bearer ${token}`, 'x-goog-api-key': wrong },
      { 'x-api-key': token, 'x-goog-api-key': other },
      { 'x-api-key': `${token},${other}` },
    ];
    for (const headers of ways) expect(ask(headers)).toMatchObject({ code: 'conflicting_credentials', status: 400 });
  });

  test('beside another scheme lets nobody in', () => {
    expect(name(ask({ authorization: `Bearer ${token}, Basic abc` }))).toBe('invalid_api_key');
  });
});

describe('a refusal', () => {
  test('is the same for every wrong token: unknown, misspelt, revoked, expired, foreign', async () => {
    const { token: gone, view } = await scene.gateway.tokens.create({ name: 'c', expiresAt: null }, own);
    const { token: old } = await scene.gateway.tokens.create({ name: 'd', expiresAt: start + 1 }, own);
    await scene.gateway.tokens.revoke(view.id, own);
    scene.now = start + 1;
    const wrong = [mintToken((length) => crypto.getRandomValues(new Uint8Array(length))), `${token}x`, gone, old, 'sk-1', ''];
    const answers = wrong.map((text) => {
      const refused = ask({ authorization: `Bearer ${text}` });
      if (!(refused instanceof OlaError)) throw new Error(`let in: ${wrong.indexOf(text)}`);
      return JSON.stringify([refused.status, refused.facts.headers, errorEnvelope(refused)]);
    });
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toContain('"www-authenticate":"Bearer"');
  });

  test('where no token was ever made says how to make one', async () => {
    await using empty = await open(directory());
    expect(empty.gateway.access.configured()).toBe(false);
    const refused = empty.gateway.access.authenticate(new Headers({ authorization: `Bearer ${token}` }));
    expect(refused).toMatchObject({ code: 'invalid_api_key', status: 401 });
    expect((refused as OlaError).message).toContain('ola token create');
    expect((refused as OlaError).message).toContain('OPEN_LLM_AUTH_TOKEN');
  });

  test('does not open again when the last token has expired', () => {
    expect(scene.gateway.access.configured()).toBe(true);
  });
});

describe('tokens that the environment and the configuration hold', () => {
  test('are all valid side by side: the admin’s, the proxy’s with read and write alone', async () => {
    await using legacy = await open(directory(), { settings: { adminToken: 'admin-secret', proxyKey: 'proxy-secret' } });
    const { access, tokens } = legacy.gateway;
    const mine = (await tokens.create({ name: 'a', expiresAt: null }, own)).token;
    const by = (text: string) => access.authenticate(new Headers({ 'x-api-key': text }));
    expect(by('admin-secret')).toEqual(legacyAdmin);
    expect(by('proxy-secret')).toEqual(proxyKey);
    expect(proxyKey.scopes).toEqual(['read', 'write']);
    expect(name(by(mine))).toBe('let in');
    for (const wrong of ['admin-secre', 'admin-secret2', 'Admin-secret', 'x']) expect(name(by(wrong))).toBe('invalid_api_key');
  });

  test('count as configured', async () => {
    await using legacy = await open(directory(), { settings: { proxyKey: 'proxy-secret' } });
    expect(legacy.gateway.access.configured()).toBe(true);
  });

  test('are replaced as a whole', async () => {
    const { access } = scene.gateway;
    access.setLegacyTokens([{ token: 'one', principal: legacyAdmin }]);
    access.setLegacyTokens([{ token: 'two', principal: legacyAdmin }]);
    expect(name(ask({ 'x-api-key': 'one' }))).toBe('invalid_api_key');
    expect(name(ask({ 'x-api-key': 'two' }))).toBe('let in');
  });
});

describe('a scope', () => {
  const caller = (list: Principal['scopes']): Principal => ({ subject: 's', project: null, tokenId: null, scopes: list });

  test('is asked for exactly: write is not read, admin is all', () => {
    const table: readonly [has: Principal['scopes'], may: readonly string[]][] = [
      [['read'], ['read']],
      [['write'], ['write']],
      [
        ['read', 'write'],
        ['read', 'write'],
      ],
      [['admin'], ['read', 'write', 'admin']],
      [[], []],
    ];
    for (const [has, may] of table) {
      for (const scope of scopes) {
        if (may.includes(scope)) expect(authorize(caller(has), scope).scopes).toBe(has);
        else {
          expect(() => authorize(caller(has), scope)).toThrow(
            expect.objectContaining({ code: 'insufficient_scope', status: 403, facts: { details: { required: scope } } }),
          );
        }
      }
      expect(authorize(caller(has), 'none').subject).toBe('s');
    }
  });

  test('is not asked of whoever was not let in: that refusal stands', () => {
    const refused = new OlaError('invalid_api_key', 'no');
    expect(() => authorize(refused, 'read')).toThrow(refused);
  });
});
