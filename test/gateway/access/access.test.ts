import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { type Principal, scopes } from '../../../src/core/access.ts';
import { errorEnvelope, OlaError } from '../../../src/core/errors.ts';
import { mintToken } from '../../../src/core/tokens.ts';
import { anonymous, authorize, legacyAdmin, proxyKey } from '../../../src/gateway/access/access.ts';
import { directories } from '../../directories.ts';
import { open, own, type Scene, type SceneOptions, start } from '../scene.ts';

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

  test('beside what is no credential of ola is the only one: a foreign key, another scheme, an empty header', () => {
    const ways: Record<string, string>[] = [
      { authorization: `Bearer ${token}, Basic abc` },
      { authorization: `Bearer sk-foreign, Bearer ${token}` },
      { authorization: 'Bearer sk-foreign', 'x-api-key': token },
      { authorization: 'Basic abc', 'x-goog-api-key': token },
      { authorization: `Bearer ${token}`, 'x-api-key': 'session-of-another-program', 'x-goog-api-key': 'AIza-foreign' },
      { authorization: '', 'x-api-key': token },
      { authorization: 'Bearer', 'x-api-key': token },
      { authorization: 'Bearer ', 'x-api-key': ' ', 'x-goog-api-key': token },
      { authorization: `Bearer ${token}`, 'x-api-key': '' },
      { authorization: `, Bearer ${token},` },
    ];
    for (const headers of ways) expect(name(ask(headers))).toBe('let in');
  });

  test('that is not valid stays refused beside a foreign key', () => {
    const refused = ask({ authorization: `Bearer ${token}x`, 'x-api-key': 'sk-foreign' });
    expect(name(refused)).toBe('invalid_api_key');
    expect((refused as OlaError).message).toContain('revoked');
  });

  test('of the environment counts as ola’s own, whatever its form: beside a token it is a conflict', async () => {
    await using legacy = await open(directory(), { settings: { adminToken: 'admin-secret', proxyKey: 'proxy-secret' } });
    const { access, tokens } = legacy.gateway;
    const mine = (await tokens.create({ name: 'a', expiresAt: null }, own)).token;
    const by = (one: string, two: string) =>
      access.authenticate(new Headers({ authorization: `Bearer ${one}`, 'x-api-key': two }));
    expect(name(by('admin-secret', mine))).toBe('conflicting_credentials');
    expect(name(by('proxy-secret', 'admin-secret'))).toBe('conflicting_credentials');
    expect(by('admin-secret', 'sk-foreign')).toEqual(legacyAdmin);
    expect(by('sk-foreign', 'proxy-secret')).toEqual(proxyKey);
    expect(by('admin-secret', 'admin-secret')).toEqual(legacyAdmin);
  });
});

describe('a refusal', () => {
  const refusalOf = (headers: Record<string, string>) => {
    const refused = ask(headers);
    if (!(refused instanceof OlaError)) throw new Error(`let in: ${Object.keys(headers).join()}`);
    expect(refused).toMatchObject({ status: 401, facts: { headers: { 'www-authenticate': 'Bearer' } } });
    return JSON.stringify(errorEnvelope(refused));
  };

  test('is the same for every token of ola’s form that is wrong: unknown, misspelt, revoked, expired', async () => {
    const { token: gone, view } = await scene.gateway.tokens.create({ name: 'c', expiresAt: null }, own);
    const { token: old } = await scene.gateway.tokens.create({ name: 'd', expiresAt: start + 1 }, own);
    await scene.gateway.tokens.revoke(view.id, own);
    scene.now = start + 1;
    const wrong = [mintToken((length) => crypto.getRandomValues(new Uint8Array(length))), `${token}x`, gone, old, 'ola_'];
    const answers = wrong.flatMap((text) => [
      refusalOf({ authorization: `Bearer ${text}` }),
      refusalOf({ 'x-api-key': text }),
      refusalOf({ 'x-api-key': 'sk-1', authorization: `Bearer ${text}` }),
    ]);
    expect(new Set(answers).size).toBe(1);
    for (const text of wrong) expect(answers.join()).not.toContain(text === 'ola_' ? token : text);
  });

  test('has a sentence of its own for no token, for one without Bearer and for a foreign key, and repeats none', () => {
    const groups: readonly [word: string, ways: readonly Record<string, string>[]][] = [
      [
        'no access token.',
        [{}, { authorization: '' }, { authorization: 'Bearer' }, { authorization: 'bearer  ' }, { 'x-api-key': '' }],
      ],
      [
        'the word Bearer',
        [
          { authorization: token },
          { authorization: `Basic ${token}` },
          { authorization: 'sk-foreign' },
          { authorization: 'Bearer two words' },
        ],
      ],
      [
        'looks like a provider’s key',
        [
          { authorization: 'Bearer sk-foreign' },
          { 'x-api-key': 'sk-foreign' },
          { 'x-goog-api-key': 'AIza-foreign' },
          { authorization: 'Basic x', 'x-api-key': 'sk-foreign' },
        ],
      ],
    ];
    const sentences = groups.map(([word, ways]) => {
      const answers = new Set(ways.map(refusalOf));
      expect([word, answers.size]).toEqual([word, 1]);
      const [answer = ''] = answers;
      expect(answer).toContain(word);
      expect(answer).toContain('ola token create');
      expect(answer).not.toContain('foreign');
      return answer;
    });
    expect(new Set(sentences).size).toBe(groups.length);
  });

  test('of a token that a file held and that is switched off says no more than of any foreign key', async () => {
    await using imported = await open(directory());
    await imported.gateway.documents.replace(
      { authorization: { tokens: { ci: { token: 'token-of-another-form-0123456789', enabled: false } } } },
      null,
      own,
    );
    const by = (text: string) => imported.gateway.access.authenticate(new Headers({ 'x-api-key': text }));
    expect(by('token-of-another-form-0123456789')).toMatchObject({ code: 'invalid_api_key' });
    expect((by('token-of-another-form-0123456789') as OlaError).message).toBe((by('sk-1') as OlaError).message);
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
    access.setLegacyTokens([{ token: 'one', principal: legacyAdmin }], true);
    access.setLegacyTokens([{ token: 'two', principal: legacyAdmin }], true);
    expect(name(ask({ 'x-api-key': 'one' }))).toBe('invalid_api_key');
    expect(name(ask({ 'x-api-key': 'two' }))).toBe('let in');
  });
});

describe('without a token', () => {
  const configuredBy: readonly [what: string, options: SceneOptions][] = [
    ['a token of the environment', { settings: { adminToken: 'admin-secret' } }],
    ['the proxy’s key', { settings: { proxyKey: 'proxy-secret' } }],
    ['a token in the file that governs', inFile('', { T: 'token-in-a-variable' })],
    ['one that is switched off', inFile('"enabled": false', { T: 'token-in-a-variable' })],
    ['one whose variable is not set', inFile('', {})],
  ];

  /** @param more a field of the token, or nothing */
  function inFile(more: string, environment: Readonly<Record<string, string>>): SceneOptions {
    const token = `{"token": "\${T}"${more.includes(':') ? `, ${more}` : ''}}`;
    return {
      file: { path: '/etc/ola.json', text: `{"authorization": {"tokens": {"ci": ${token}}}}` },
      environment,
    };
  }
  const proxied: readonly Record<string, string>[] = [
    { forwarded: 'for=192.0.2.1' },
    { via: '1.1 proxy' },
    { 'x-forwarded-for': '127.0.0.1' },
    { 'x-forwarded-proto': 'https' },
    { 'X-Forwarded-Anything': '' },
  ];
  let empty: Scene;
  beforeEach(async () => {
    empty = await open(directory());
  });
  afterEach(() => empty[Symbol.asyncDispose]());
  const come = (headers: Record<string, string> = {}, to = empty) => to.gateway.access.authenticate(new Headers(headers));

  test('nobody is let in unless it is said', () => {
    expect(name(come())).toBe('invalid_api_key');
    expect(empty.gateway.access.isOpen()).toBe(false);
  });

  test('newcomers are admins until a token is made, from that moment on not, and not when it has expired', async () => {
    empty.gateway.access.allowAnonymous('until first token');
    expect(come()).toEqual(anonymous);
    expect(anonymous).toMatchObject({ subject: 'anonymous', scopes: ['read', 'write', 'admin'] });
    const made = await empty.gateway.tokens.create({ name: 'a', scopes: ['read'], expiresAt: start + 1 }, own);
    expect(name(come())).toBe('invalid_api_key');
    expect(come({ 'x-api-key': made.token })).toMatchObject({ scopes: ['read'] });
    empty.now = start + 1;
    expect(name(come())).toBe('invalid_api_key');
    expect(empty.gateway.access.isOpen()).toBe(false);
  });

  for (const [what, options] of configuredBy) {
    test(`newcomers are not let in beside ${what}`, async () => {
      await using other = await open(directory(), options);
      other.gateway.access.allowAnonymous('until first token');
      expect(name(come({}, other))).toBe('invalid_api_key');
    });
  }

  test('newcomers are not let in beside a token that is not honoured', async () => {
    await using other = await open(directory(), { settings: { adminToken: 'admin-secret' } });
    const document = { authorization: { legacyAdminCompatibility: false } };
    await other.gateway.documents.replace(document, null, own);
    other.gateway.access.allowAnonymous('until first token');
    expect(other.gateway.access.configured()).toBe(false);
    expect(name(come({}, other))).toBe('invalid_api_key');
  });

  test('a newcomer who presents something is judged by it', () => {
    empty.gateway.access.allowAnonymous('until first token');
    for (const headers of [
      { authorization: 'Bearer x' },
      { authorization: 'Basic eA==' },
      { authorization: '' },
      { 'x-api-key': 'x' },
      { 'x-api-key': '' },
      { 'x-goog-api-key': 'x' },
    ] as Record<string, string>[]) {
      expect(name(come(headers))).toBe('invalid_api_key');
    }
  });

  test('everybody is let in where authentication is off, whatever they present and whatever is configured', () => {
    const { access } = scene.gateway;
    access.allowAnonymous('always');
    for (const headers of [{}, { authorization: 'Bearer x' }, { authorization: `Bearer ${token}` }, { 'x-api-key': 'x' }]) {
      expect(ask(headers as Record<string, string>)).toEqual(anonymous);
    }
    access.allowAnonymous('never');
    expect(name(ask({}))).toBe('invalid_api_key');
  });

  for (const when of ['until first token', 'always'] as const) {
    test(`anonymous access ${when} refuses proxies and pages of other origins`, () => {
      empty.gateway.access.allowAnonymous(when);
      for (const headers of proxied) expect(come(headers)).toMatchObject({ code: 'invalid_api_key', status: 401 });
      for (const site of ['same-site', 'cross-site', 'x']) {
        expect(name(come({ 'sec-fetch-site': site }))).toBe('origin_not_allowed');
      }
      for (const site of ['same-origin', 'none']) expect(come({ 'sec-fetch-site': site })).toEqual(anonymous);
    });
  }

  test('a proxy may bring a good token where the door is closed', () => {
    scene.gateway.access.allowAnonymous('until first token');
    for (const headers of proxied) expect(name(ask({ ...headers, authorization: `Bearer ${token}` }))).toBe('let in');
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
