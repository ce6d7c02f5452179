import { describe, expect, test } from 'bun:test';
import { generateKeyPairSync } from 'node:crypto';
import { isVertexOrigin, readGcpLogin } from '../../src/credentials/gcp.ts';
import { chooseCredentials } from '../../src/credentials/resolve.ts';
import { accountFile, userFile } from '../google-tokens.ts';

const kindOf = (file: unknown) => readGcpLogin(JSON.stringify(file)).kind;
const whyOf = (file: unknown) => {
  const login = readGcpLogin(typeof file === 'string' ? file : JSON.stringify(file));
  return login.kind === 'none' ? login.why : null;
};

describe('a file of credentials', () => {
  test('is that of a login, or of a service account', () => {
    expect(kindOf(userFile)).toBe('user');
    expect(kindOf(accountFile)).toBe('serviceAccount');
  });

  test('of a service account must not choose where its assertion goes', () => {
    for (const uri of [
      'https://evil.example/token',
      'http://oauth2.googleapis.com/token',
      'https://oauth2.googleapis.com/token?a=b',
      undefined,
    ]) {
      expect(whyOf({ ...accountFile, token_uri: uri })).toContain('token_uri');
    }
  });

  test('that cannot be used says why, and none of its secrets', () => {
    const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' });
    for (const file of [
      'no json',
      [],
      { type: 'external_account', credential_source: { url: 'http://169.254.169.254/' } },
      { ...userFile, refresh_token: '' },
      { ...accountFile, client_email: 7 },
      { ...accountFile, private_key: 'private-key-text' },
      { ...accountFile, private_key: curve },
    ]) {
      expect(whyOf(file)).toMatch(/^(?:is|has) /);
      expect(whyOf(file)).not.toMatch(/private-key-text|secret-of-the-client|PRIVATE KEY/);
    }
  });
});

test('a token of Google goes to hosts of Vertex AI alone', () => {
  const hosts = ['aiplatform.googleapis.com', 'europe-west1-aiplatform.googleapis.com', 'aiplatform.eu.rep.googleapis.com'];
  for (const host of hosts) expect([host, isVertexOrigin(`https://${host}`)]).toEqual([host, true]);
  for (const origin of [
    'http://aiplatform.googleapis.com',
    'https://aiplatform.googleapis.com:8443',
    'https://aiplatform.googleapis.com.evil.example',
    'https://x.aiplatform.googleapis.com',
    'https://evil.example',
    'https://generativelanguage.googleapis.com',
  ])
    expect([origin, isVertexOrigin(origin)]).toEqual([origin, false]);
  const facts = {
    profiles: [{ id: 'v:g', kind: 'gcp', rank: 0, expiresAt: null, secret: { text: 'gcp', origins: null, gcp: true } }],
    ...{ rankAfterProfiles: 1, envVars: [], environment: {}, envBinding: () => null, configured: null },
    ...{ needsNone: false, noneWillDo: false },
  } as const;
  const at = (origin: string) => chooseCredentials({ ...facts, origin });
  expect(at('https://aiplatform.googleapis.com').usable).toMatchObject([{ source: 'profile:v:g', gcp: true }]);
  expect(at('https://evil.example')).toMatchObject({ usable: [], named: [], passed: [{ reason: 'origin_mismatch' }] });
});
