import { describe, expect, test } from 'bun:test';
import { catalogProviders } from '../../src/catalog/providers.ts';
import { accountHeader } from '../../src/credentials/accounts.ts';
import { staticCandidate } from '../../src/credentials/candidates.ts';

const header = {
  name: 'x-account',
  claims: [['https://api.example.com/auth', 'account_id'], ['account_id'], ['teams', '0', 'id']],
};
const token = (claims: unknown) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`;
const of = (claims: unknown, account?: string) => accountHeader(header, token(claims), account)?.[1] ?? null;

describe('the account of a login', () => {
  test('is the configured one, else the first claim that tells it', () => {
    const claims = { 'https://api.example.com/auth': { account_id: 'a1' }, account_id: 'a2', teams: [{ id: 'a3' }] };
    expect(of(claims, 'mine')).toBe('mine');
    expect(of(claims)).toBe('a1');
    expect(of({ ...claims, 'https://api.example.com/auth': {} })).toBe('a2');
    expect(of({ teams: claims.teams })).toBe('a3');
  });

  test.each([[{}], [null], [[]], [{ account_id: 7 }], [{ account_id: '' }], [{ account_id: 'a\r\nx: y' }], [{ teams: 'x' }]])(
    'is not told from %j',
    (claims) => {
      expect(of(claims)).toBeNull();
    },
  );

  test('is not told from a token of another form', () => {
    expect(accountHeader(header, 'sk-plain', undefined)).toBeNull();
    expect(accountHeader(header, 'a.b', undefined)).toBeNull();
  });
});

test('ChatGPT’s backend is told the account of the login, unless the configuration sets the header', () => {
  const { account } = catalogProviders.find(({ id }) => id === 'openai-codex')!;
  const secret = token({ 'https://api.openai.com/auth': { chatgpt_account_id: 'acct-1' } });
  const credential = { source: 'profile:a', profile: 'a', kind: 'oauth', rank: 0, expiresAt: null, secret } as const;
  const given = {
    style: 'bearer',
    isStyleConfigured: false,
    forms: [],
    account: account ?? null,
    userAgent: 'ola',
    via: 'v',
  } as const;
  const signed = (extra: Record<string, string>, more: object = {}) =>
    staticCandidate({ ...credential, ...more }, { ...given, extra }).sign({ method: 'POST', path: '/', body: '' }, 0);
  expect(signed({})).toMatchObject({ 'chatgpt-account-id': 'acct-1', authorization: `Bearer ${secret}` });
  expect(signed({}, { account: 'acct-2' })).toMatchObject({ 'chatgpt-account-id': 'acct-2' });
  expect(signed({ 'ChatGPT-Account-Id': 'acct-3' })).toMatchObject({ 'chatgpt-account-id': 'acct-3' });
});
