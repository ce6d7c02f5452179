import { describe, expect, test } from 'bun:test';
import { mintToken } from '../../src/core/tokens.ts';
import { type AuthProfile, rankProfiles } from '../../src/credentials/profiles.ts';
import { type CredentialInputs, chooseCredentials, type ProfileSecret } from '../../src/credentials/resolve.ts';

const here = 'https://api.acme.example';
const elsewhere = 'https://api.other.example';
const now = 1_760_000_000_000;

const sendable = (text: string, origins: readonly string[] | null = [here]): ProfileSecret => ({ text, origins });
const profile = (id: string, more: Partial<AuthProfile> = {}): AuthProfile => ({
  id,
  type: 'api_key',
  enabled: true,
  isRestricted: false,
  expiresAt: null,
  secret: sendable(`secret of ${id}`),
  ...more,
});

function choose(profiles: readonly AuthProfile[], order: readonly string[] | null = null, more: Partial<CredentialInputs> = {}) {
  const ranked = rankProfiles('acme', profiles, order, now);
  return chooseCredentials({
    origin: here,
    profiles: ranked.profiles,
    rankAfterProfiles: ranked.rankAfter,
    envVars: [],
    environment: {},
    envBinding: () => null,
    configured: null,
    needsNone: false,
    noneWillDo: false,
    ...more,
  });
}

describe('the order', () => {
  const many = [
    profile('acme:z'),
    profile('acme:key'),
    profile('acme:t2', { type: 'token' }),
    profile('acme:t1', { type: 'token', expiresAt: now + 1 }),
  ];
  const others = {
    envVars: ['B_KEY', 'A_KEY'],
    environment: { A_KEY: 'a', B_KEY: 'b' },
    configured: { secret: 'c', origin: here },
  };
  const turns = (order: readonly string[] | null) =>
    choose(many, order, others).usable.map(({ source, kind, rank }) => `${source} ${kind} ${rank}`);

  test('is tokens before keys, each by id and of one rank, then variables, then the key of the provider', () => {
    expect(turns(null)).toEqual([
      'profile:acme:t1 token 1',
      'profile:acme:t2 token 1',
      'profile:acme:key api_key 2',
      'profile:acme:z api_key 2',
      'env:B_KEY api_key 4',
      'env:A_KEY api_key 5',
      'provider-config api_key 6',
    ]);
  });

  test('that is configured comes first, each with a rank of its own; its short names, unknown and repeated ones', () => {
    expect(turns(['z', 'acme:gone', 'acme:t2', 'acme:z'])).toEqual([
      'profile:acme:z api_key 0',
      'profile:acme:t2 token 1',
      'profile:acme:t1 token 3',
      'profile:acme:key api_key 4',
      'env:B_KEY api_key 6',
      'env:A_KEY api_key 7',
      'provider-config api_key 8',
    ]);
  });

  test('that is empty excludes the profiles, and nothing else', () => {
    const { usable, named, passed } = choose(many, [], others);
    expect(usable.map(({ source }) => source)).toEqual(['env:B_KEY', 'env:A_KEY', 'provider-config']);
    expect(named).toEqual([]);
    expect(passed.map(({ reason }) => reason)).toEqual(many.map(() => 'excluded_by_order'));
  });

  test('says when a token ends, and that a key does not', () => {
    expect(choose(many).usable.map(({ profile: id, expiresAt }) => [id, expiresAt])).toEqual([
      ['acme:t1', now + 1],
      ['acme:t2', null],
      ['acme:key', null],
      ['acme:z', null],
    ]);
  });
});

describe('a profile is passed over', () => {
  const token = mintToken((length) => crypto.getRandomValues(new Uint8Array(length)));
  test.each<[why: string, more: Partial<AuthProfile>, reason: string]>([
    ['that is disabled, whatever else it is', { enabled: false, type: 'oauth', secret: null }, 'disabled'],
    ['of a login that has ended', { type: 'oauth', expiresAt: now }, 'expired'],
    ['of a command line', { type: 'cli', secret: null }, 'not_built'],
    ['that only some projects may use', { isRestricted: true }, 'not_built'],
    ['that expired this millisecond', { type: 'token', expiresAt: now }, 'expired'],
    ['without its secret', { secret: null }, 'missing_credential'],
    ['whose secret cannot be read', { secret: { reason: 'unresolved_ref', why: 'names the variable A' } }, 'unresolved_ref'],
    ['with an access token of ola', { secret: sendable(token) }, 'own_token'],
    ['whose secret was entered for another address', { secret: sendable('x', [elsewhere]) }, 'origin_mismatch'],
    ['with the secret of another', { secret: sendable('secret of acme:first') }, 'duplicate'],
  ])('%s', (_why, more, reason) => {
    const { usable, passed } = choose([profile('acme:first'), profile('acme:second', more)]);
    expect(usable.map(({ source }) => source)).toEqual(['profile:acme:first']);
    expect(passed).toMatchObject([{ source: 'profile:acme:second', reason: reason as 'expired' }]);
    expect(JSON.stringify(passed)).not.toContain(token);
  });

  test('where no credential is sent at all', () => {
    const { usable, named, passed } = choose([profile('acme:a')], null, { needsNone: true });
    expect(usable.map(({ source, kind }) => [source, kind])).toEqual([['none', 'none']]);
    expect([named, passed]).toEqual([[], [{ source: 'profile:acme:a', reason: 'not_needed' }]]);
  });
});

test('a profile with the secret of another may be named all the same; a variable with a profile’s secret is tried once', () => {
  const same = sendable('same');
  const { usable, named, passed } = choose([profile('acme:a', { secret: same }), profile('acme:b', { secret: same })], null, {
    envVars: ['A_KEY'],
    environment: { A_KEY: 'same' },
  });
  expect(usable.map(({ source }) => source)).toEqual(['profile:acme:a']);
  expect(named.map(({ profile: id }) => id)).toEqual(['acme:a', 'acme:b']);
  expect(passed).toEqual([
    { source: 'profile:acme:b', reason: 'duplicate' },
    { source: 'env:A_KEY', reason: 'duplicate' },
  ]);
});
