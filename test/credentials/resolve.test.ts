import { describe, expect, test } from 'bun:test';
import { mintToken } from '../../src/core/tokens.ts';
import { type CredentialInputs, chooseCredentials, cleanSecret, defaultEnvVar } from '../../src/credentials/resolve.ts';

const here = 'https://api.acme.example';
const elsewhere = 'https://api.other.example';

const chosen = (facts: Partial<CredentialInputs>) =>
  chooseCredentials({
    origin: here,
    profiles: [],
    rankAfterProfiles: 0,
    envVars: [],
    environment: {},
    envBinding: () => null,
    configured: null,
    needsNone: false,
    noneWillDo: false,
    ...facts,
  });
/** The sources and their secrets. */
const choose = (facts: Partial<CredentialInputs>) => {
  const { usable, passed } = chosen(facts);
  return { usable: usable.map(({ source, secret }) => ({ source, secret })), passed };
};
const sources = (facts: Partial<CredentialInputs>) => choose(facts).usable.map(({ source }) => source);

describe('the order', () => {
  test('is the variables as they are listed, then the key of the configuration', () => {
    const facts = {
      envVars: ['B_KEY', 'A_KEY', 'C_KEY'],
      environment: { A_KEY: 'a', B_KEY: 'b', UNLISTED_KEY: 'u' },
      configured: { secret: 'c', origin: here },
    };
    expect(choose(facts)).toEqual({
      usable: [
        { source: 'env:B_KEY', secret: 'b' },
        { source: 'env:A_KEY', secret: 'a' },
        { source: 'provider-config', secret: 'c' },
      ],
      passed: [],
    });
  });

  test('has a variable that is listed twice once, and a secret that stands twice once', () => {
    const environment = { A_KEY: 'same', B_KEY: ' same\n', C_KEY: 'other' };
    const configured = { secret: 'same', origin: here };
    const choice = choose({ envVars: ['A_KEY', 'A_KEY', 'B_KEY', 'C_KEY'], environment, configured });
    expect(choice.usable.map(({ source }) => source)).toEqual(['env:A_KEY', 'env:C_KEY']);
    expect(choice.passed).toEqual([
      { source: 'env:B_KEY', reason: 'duplicate' },
      { source: 'provider-config', reason: 'duplicate' },
    ]);
  });

  test('has no empty variables', () => {
    expect(sources({ envVars: ['A', 'B', 'C'], environment: { A: '', B: ' \r\n' } })).toEqual([]);
  });
});

describe('a secret goes only where it belongs', () => {
  test('a variable of the catalog to the origins of its rows, one that the catalog does not know to any', () => {
    const envBinding = (name: string) => (name === 'ACME_KEY' ? [elsewhere, here] : name === 'OTHER_KEY' ? [elsewhere] : null);
    const environment = { ACME_KEY: 'a', OTHER_KEY: 'o', CUSTOM_KEY: 'c' };
    expect(choose({ envVars: ['ACME_KEY', 'OTHER_KEY', 'CUSTOM_KEY'], environment, envBinding })).toEqual({
      usable: [
        { source: 'env:ACME_KEY', secret: 'a' },
        { source: 'env:CUSTOM_KEY', secret: 'c' },
      ],
      passed: [{ source: 'env:OTHER_KEY', reason: 'origin_mismatch' }],
    });
  });

  test('a key of the configuration to the origin it was entered for: scheme, host and port', () => {
    for (const origin of [elsewhere, 'http://api.acme.example', 'https://api.acme.example:8443', 'https://acme.example']) {
      const choice = choose({ configured: { secret: 'c', origin } });
      expect(choice).toEqual({ usable: [], passed: [{ source: 'provider-config', reason: 'origin_mismatch' }] });
    }
    expect(sources({ configured: { secret: 'c', origin: here } })).toEqual(['provider-config']);
    expect(sources({ configured: { secret: 'c', origin: null } })).toEqual(['provider-config']);
  });

  test('the same secret from a source that is bound here still goes', () => {
    const facts = {
      envVars: ['A'],
      environment: { A: 's' },
      envBinding: () => [elsewhere],
      configured: { secret: 's', origin: here },
    };
    expect(choose(facts)).toEqual({
      usable: [{ source: 'provider-config', secret: 's' }],
      passed: [{ source: 'env:A', reason: 'origin_mismatch' }],
    });
  });
});

describe('an access token of ola', () => {
  test('is no key of a provider, wherever it stands and however it was copied', () => {
    const token = mintToken((length) => crypto.getRandomValues(new Uint8Array(length)));
    for (const text of [token, ` ${token}\n`, `Bearer ${token}`, token.slice(0, 40), `${token}x`]) {
      const facts = { envVars: ['A', 'B'], environment: { A: text, B: 'b' }, configured: { secret: text, origin: here } };
      expect(choose(facts)).toEqual({
        usable: [{ source: 'env:B', secret: 'b' }],
        passed: [
          { source: 'env:A', reason: 'own_token' },
          { source: 'provider-config', reason: 'own_token' },
        ],
      });
    }
  });

  test('is told from keys that only look a little like one', () => {
    for (const text of ['ola_', 'ola_short', 'sk-viola_0123456789012345678901234', 'OLA_0123456789012345678901234'])
      expect(sources({ envVars: ['A'], environment: { A: text } })).toEqual(['env:A']);
  });
});

describe('no credential', () => {
  const facts = { envVars: ['A'], environment: { A: 's' }, configured: { secret: 'c', origin: here } };

  test('is sent where none is wanted, whatever there is', () => {
    expect(choose({ ...facts, needsNone: true })).toEqual({ usable: [{ source: 'none', secret: null }], passed: [] });
  });

  test('will do only when there is no other', () => {
    expect(sources({ ...facts, noneWillDo: true })).toEqual(['env:A', 'provider-config']);
    expect(sources({ noneWillDo: true })).toEqual(['none']);
    expect(sources({})).toEqual([]);
  });
});

describe('names and texts', () => {
  test('the variable of a provider that has none of its own', () => {
    expect(['acme-east', 'a.b_c', 'x--y', 'groq'].map(defaultEnvVar)).toEqual([
      'ACME_EAST_API_KEY',
      'A_B_C_API_KEY',
      'X_Y_API_KEY',
      'GROQ_API_KEY',
    ]);
  });

  test('a pasted key loses its line ends and the space around it', () => {
    expect(cleanSecret(' sk-1\r\n')).toBe('sk-1');
    expect(cleanSecret('sk\n-1\u2028')).toBe('sk-1');
    for (const text of [undefined, '', ' ', '\n']) expect(cleanSecret(text)).toBeNull();
  });
});
