/** Credentials of AWS on requests: what is signed is what the dialer sends. */
import { describe, expect, test } from 'bun:test';
import { type AwsKeyring, awsCandidate } from '../../src/credentials/aws-candidate.ts';
import type { AwsKeys } from '../../src/credentials/aws-signature.ts';
import { signedByAws } from './aws-judge.ts';

const keys: AwsKeys = { accessKeyId: 'AKID', secretAccessKey: 'secret', sessionToken: 'token' };
const now = Date.UTC(2026, 0, 1);
const given = {
  style: 'bearer',
  isStyleConfigured: false,
  forms: [],
  account: null,
  extra: { 'X-Own': 'x' },
  userAgent: 'ola/t',
  via: '1.1 ola',
} as const;
const credential = {
  source: 'aws-sdk:default',
  profile: null,
  kind: 'aws-sdk',
  rank: 0,
  expiresAt: null,
  secret: 'aws-sdk',
} as const;

function ring(more: Partial<AwsKeyring> = {}): AwsKeyring {
  return { keys: () => keys, renew: async () => false, secrets: () => ['secret', 'token'], ...more };
}

const candidate = (baseUrl: string, more: Partial<AwsKeyring> = {}, query = '') =>
  awsCandidate(
    credential,
    given,
    { destination: { name: 'aws', baseUrl, allowLocal: false, ...(query === '' ? {} : { query }) }, region: 'eu-west-1' },
    ring(more),
  );

describe('a request is signed', () => {
  test.each([
    [
      'https://bedrock-runtime.us-west-2.amazonaws.com',
      '',
      'us-west-2',
      'bedrock-runtime.us-west-2.amazonaws.com',
      '/model/a%3A0/converse',
    ],
    [
      'https://vpce-1-2.bedrock-runtime.us-gov-west-1.vpce.amazonaws.com',
      '',
      'us-gov-west-1',
      'vpce-1-2.bedrock-runtime.us-gov-west-1.vpce.amazonaws.com',
      '/model/a%3A0/converse',
    ],
    ['http://127.0.0.1:4010/base/', '', 'eu-west-1', '127.0.0.1:4010', '/base/model/a%3A0/converse'],
    ['https://gateway.example:443', '?a=b', 'eu-west-1', 'gateway.example', '/model/a%3A0/converse?a=b'],
  ])('for %s%s', async (baseUrl, query, region, host, path) => {
    const request = { method: 'POST', path: '/model/a%3A0/converse', body: '{"x":1}' };
    const headers = await candidate(baseUrl, {}, query).sign(request, now);
    expect(headers).toMatchObject(await signedByAws({ ...request, host, path }, keys, { region, service: 'bedrock' }, now));
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'x-own': 'x', 'user-agent': 'ola/t', via: '1.1 ola' });
  });

  test('anew each time, by what its keys are then, and says no secret', async () => {
    let count = 0;
    const signing = candidate('https://h.example', { keys: async () => ({ ...keys, accessKeyId: `K${++count}` }) });
    const sign = (body: string) => signing.sign({ method: 'POST', path: '/', body }, now);
    const [one, other] = [await sign('a'), await sign('b')];
    expect(one['authorization']).toContain('Credential=K1/');
    expect(other['authorization']).toContain('Credential=K2/');
    expect(JSON.stringify(one)).not.toMatch(/secret|aws-sdk/);
    expect(signing.secrets).toEqual(['secret', 'token']);
  });
});

test('refused headers lead back to the keys that signed them', async () => {
  const refused: AwsKeys[] = [];
  const signing = candidate('https://h.example', {
    renew: async (these) => {
      refused.push(these);
      return true;
    },
  });
  const headers = await signing.sign({ method: 'POST', path: '/', body: '' }, now);
  expect(await signing.renew?.(headers, now)).toBe(true);
  expect(refused).toEqual([keys]);
  expect(await signing.renew?.({ ...headers }, now)).toBe(false);
});
