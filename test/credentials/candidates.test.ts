import { describe, expect, test } from 'bun:test';
import type { SecretForm } from '../../src/core/providers.ts';
import { renewableCandidate, type StaticHeaders, staticCandidate } from '../../src/credentials/candidates.ts';
import type { Grant } from '../../src/credentials/grants.ts';
import type { Credential } from '../../src/credentials/resolve.ts';

const forms: readonly SecretForm[] = [
  { prefix: 'tok-', style: 'bearer', headers: { 'x-features': 'tokens-1' } },
  { variables: ['ACME_TOKEN'], kinds: ['token'], style: 'bearer' },
];
const given: StaticHeaders = {
  style: 'x-api-key',
  isStyleConfigured: false,
  forms,
  account: null,
  extra: {},
  userAgent: 'ola/1',
  via: '1.1 ola',
};
const request = { method: 'POST', path: '/x', body: '' };
const usual = {
  'content-type': 'application/json',
  'accept-encoding': 'identity',
  'user-agent': 'ola/1',
  via: '1.1 ola',
};

const key: Credential = { source: 'env:ACME_API_KEY', profile: null, kind: 'api_key', rank: 0, expiresAt: null, secret: 'key-1' };
const profile = (kind: 'token' | 'oauth' | 'api_key', secret: string): Credential => ({
  ...key,
  source: 'profile:acme:work',
  profile: 'acme:work',
  kind,
  secret,
});
const headers = (credential: Credential, more: Partial<StaticHeaders> = {}) =>
  staticCandidate(credential, { ...given, ...more }).sign(request, 0) as Readonly<Record<string, string>>;

describe('a secret', () => {
  test('of no special form is in the header that the endpoint’s style names, and in no other', () => {
    expect(headers(key)).toEqual({ ...usual, 'x-api-key': 'key-1' });
    expect(headers(key, { style: 'bearer' })).toEqual({ ...usual, authorization: 'Bearer key-1' });
    expect(headers(profile('api_key', 'key-2'))).toEqual({ ...usual, 'x-api-key': 'key-2' });
  });

  test.each<[place: string, credential: Credential]>([
    ['a variable', { ...key, secret: 'tok-1' }],
    ['a variable of another form', { ...key, source: 'env:ACME_TOKEN', secret: 'tok-1' }],
    ['the provider', { ...key, source: 'provider-config', secret: 'tok-1' }],
    ['a profile with a key', profile('api_key', 'tok-1')],
    ['a profile with a token', profile('token', 'tok-1')],
    ['a login', profile('oauth', 'tok-1')],
  ])('that begins like a form goes as that form says, wherever it is kept: %s', (_place, credential) => {
    const expected = { ...usual, authorization: 'Bearer tok-1', 'x-features': 'tokens-1' };
    expect(headers(credential)).toEqual(expected);
    expect(headers(credential, { isStyleConfigured: true, style: 'api-key' })).toEqual(expected);
  });

  test('from a variable or a profile of a form goes as that form says, unless the configuration names the style', () => {
    const variable = { ...key, source: 'env:ACME_TOKEN' };
    for (const credential of [variable, profile('token', 'key-1')]) {
      expect(headers(credential)).toEqual({ ...usual, authorization: 'Bearer key-1' });
      expect(headers(credential, { isStyleConfigured: true })).toEqual({ ...usual, 'x-api-key': 'key-1' });
    }
    expect(headers(profile('oauth', 'key-1'))).toEqual({ ...usual, 'x-api-key': 'key-1' });
  });

  test('that only contains the beginning of a form has not that form', () => {
    expect(headers({ ...key, secret: 'my-tok-1' })).toEqual({ ...usual, 'x-api-key': 'my-tok-1' });
  });

  test('of a form keeps the configured list of the same header', () => {
    const extra = { 'X-Features': 'mine-1, tokens-1' };
    expect(headers({ ...key, secret: 'tok-1' }, { extra })['x-features']).toBe('mine-1, tokens-1');
    expect(headers({ ...key, secret: 'tok-1' }, { extra: { 'x-features': 'mine-1' } })['x-features']).toBe('mine-1, tokens-1');
    expect(headers(key, { extra })['x-features']).toBe('mine-1, tokens-1');
  });

  test('that is absent leaves no header', () => {
    expect(headers({ ...key, secret: null })).toEqual(usual);
  });
});

test('the tokens of a login take their form one by one', async () => {
  let access = 'tok-1';
  const grant: Grant = { access: () => access, secrets: () => [access], renew: () => Promise.resolve(true) } as Grant;
  const login = renewableCandidate(profile('oauth', 'old'), given, grant);
  expect(await login.sign(request, 0)).toEqual({ ...usual, authorization: 'Bearer tok-1', 'x-features': 'tokens-1' });
  access = 'other-2';
  expect(await login.sign(request, 0)).toEqual({ ...usual, 'x-api-key': 'other-2' });
});
