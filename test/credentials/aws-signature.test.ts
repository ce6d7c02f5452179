/** Signatures of AWS, judged by AWS's own package. */
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { type AwsKeys, signatureHeaders } from '../../src/credentials/aws-signature.ts';
import { signedByAws } from './aws-judge.ts';

const keys: AwsKeys = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  sessionToken: null,
};
/** 30 August 2015, 12:36:00 UTC, the moment of AWS's published vectors. */
const now = Date.UTC(2015, 7, 30, 12, 36, 0);

describe('signature version 4', () => {
  test('of the published vectors: get-vanilla, and a query whose names are out of order', () => {
    const scope = { region: 'us-east-1', service: 'service' };
    const sign = (path: string) =>
      signatureHeaders({ method: 'GET', host: 'example.amazonaws.com', path, body: '' }, keys, scope, now);
    expect(sign('/')['authorization']).toBe(
      'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
    );
    expect(sign('/?Param2=value2&Param1=value1')['authorization']).toEndWith(
      'Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
    );
  });

  test.each([
    'anthropic.claude-sonnet-4-5-v1:0',
    'arn:aws:bedrock:eu-west-1:1:application-inference-profile/ab',
    "it's (a) *model*!~",
  ])('of the path of the model %s equals the package’s', async (id) => {
    const request = { method: 'POST', host: 'h.example', path: `/model/${encodeURIComponent(id)}/converse`, body: '{"ü":1}' };
    const scope = { region: 'eu-west-1', service: 'bedrock' };
    expect(signatureHeaders(request, keys, scope, now)).toEqual(await signedByAws(request, keys, scope, now));
  });

  test('of any request equals the package’s', async () => {
    const word = fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => text.isWellFormed() && text !== '__proto__');
    const plain = fc.stringMatching(/^[A-Za-z0-9+/=]{1,60}$/);
    const arbitrary = fc.record({
      method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE'),
      segments: fc.array(word, { maxLength: 4 }),
      query: fc.dictionary(word, fc.string({ unit: 'grapheme' }), { maxKeys: 4 }),
      host: fc.constantFrom('h.example', 'bedrock-runtime.us-west-2.amazonaws.com', '127.0.0.1:4010'),
      body: fc.oneof(fc.string({ unit: 'grapheme' }), fc.uint8Array({ maxLength: 100 })),
      secret: plain,
      token: fc.option(plain),
      time: fc.date({ min: new Date('2001-01-01'), max: new Date('2090-01-01'), noInvalidDate: true }),
    });
    await fc.assert(
      fc.asyncProperty(arbitrary, async ({ method, segments, query, host, body, secret, token, time }) => {
        const path = `/${segments
          .map(encodeURIComponent)
          .filter((each) => !/^\.+$/.test(each))
          .join('/')}`;
        const pairs = Object.entries(query).map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
        const request = { method, host, path: pairs.length === 0 ? path : `${path}?${pairs.join('&')}`, body };
        const own = { accessKeyId: 'AKID', secretAccessKey: secret, sessionToken: token };
        const scope = { region: 'us-west-2', service: 'bedrock' };
        expect(signatureHeaders(request, own, scope, time.getTime())).toEqual(
          await signedByAws(request, own, scope, time.getTime()),
        );
      }),
      { numRuns: 200 },
    );
  });

  test('neither the secret nor a part of it stands in the headers', () => {
    const headers = signatureHeaders(
      { method: 'POST', host: 'h', path: '/', body: '' },
      keys,
      { region: 'r', service: 's' },
      now,
    );
    expect(JSON.stringify(headers)).not.toContain(keys.secretAccessKey.slice(0, 12));
  });
});
