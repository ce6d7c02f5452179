/** Keys of AWS, asked of their sources through a door that answers from a table. */
import { describe, expect, test } from 'bun:test';
import type { AwsPorts } from '../../src/core/aws.ts';
import type { Destination, OutboundRequest } from '../../src/core/egress.ts';
import { OlaError } from '../../src/core/errors.ts';
import type { Reply } from '../../src/core/ports.ts';
import { createAwsCredentials } from '../../src/gateway/aws-credentials.ts';
import { signedByAws } from '../credentials/aws-judge.ts';

interface Sent extends OutboundRequest {
  readonly to: Destination;
}

type Respond = (request: Sent) => { readonly status: number; readonly text: string };

function reply(status: number, text: string): Reply {
  const pieces: (Uint8Array | null)[] = [new TextEncoder().encode(text), null];
  return { status, header: () => null, headers: () => [], read: () => pieces.shift() ?? null, cancel: () => undefined };
}

interface Scene {
  readonly environment?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly respond?: Respond;
  readonly run?: AwsPorts['run'];
}

const start = Date.UTC(2026, 0, 1);

function scene({ environment = {}, files = {}, respond, run }: Scene) {
  const sent: Sent[] = [];
  const log: string[] = [];
  const clock = { now: start };
  const kept = createAwsCredentials({
    environment,
    aws: {
      home: '/home/u',
      readText: (path) => files[path] ?? null,
      run: run ?? (() => Promise.reject(new OlaError('upstream_unreachable', 'no program'))),
    },
    egress: () => ({
      send: async (to, request) => {
        sent.push({ ...request, to });
        const { status, text } = respond?.({ ...request, to }) ?? { status: 500, text: '' };
        return reply(status, text);
      },
    }),
    everyProviderLocal: false,
    userAgent: 'ola/test',
    now: () => clock.now,
    log: { log: (_level, message) => void log.push(message) },
  });
  const ring = (profile: string | null = null, instanceMetadata = false) => kept.open({ profile, instanceMetadata });
  return { kept, ring, sent, log, clock };
}

const lent = (id: string, lasts: number | null, from = start) =>
  JSON.stringify({
    AccessKeyId: id,
    SecretAccessKey: `secret-${id}`,
    Token: `token-${id}`,
    Expiration: lasts === null ? undefined : new Date(from + lasts).toISOString(),
  });
const hour = 3_600_000;
const config = '/home/u/.aws/config';
const process = { [config]: '[default]\ncredential_process = give\n' };

/** A program that gives other keys each time. */
function program(lasts: number | null) {
  let count = 0;
  const made = scene({ files: process, run: async () => lent(`K${++count}`, lasts, made.clock.now) });
  return { ...made, count: () => count };
}

test('keys of the environment are there without a question', async () => {
  const { ring, sent } = scene({ environment: { AWS_ACCESS_KEY_ID: 'A', AWS_SECRET_ACCESS_KEY: 'S' } });
  expect(await ring().keys(start)).toEqual({ accessKeyId: 'A', secretAccessKey: 'S', sessionToken: null });
  expect(sent).toEqual([]);
  expect(ring().secrets()).toEqual(['S']);
});

describe('keys that end', () => {
  test('are asked for once for all calls, again five minutes before their end, and at once otherwise', async () => {
    const { ring, clock, count } = program(hour);
    const all = await Promise.all(Array.from({ length: 9 }, () => ring().keys(start)));
    expect(new Set(all.map(({ accessKeyId }) => accessKeyId))).toEqual(new Set(['K1']));
    clock.now = start + hour - 300_001;
    expect(ring().keys(clock.now)).toMatchObject({ accessKeyId: 'K1' });
    clock.now += 2;
    expect(await ring().keys(clock.now)).toMatchObject({ accessKeyId: 'K2' });
    expect(count()).toBe(2);
  });

  test('are used while they last when there are no others, and the source is not asked at every call', async () => {
    let works = true;
    let asked = 0;
    const { ring, clock, log } = scene({
      files: process,
      run: () => {
        asked++;
        return works ? Promise.resolve(lent('K', hour)) : Promise.reject(new OlaError('upstream_unreachable', 'It failed.'));
      },
    });
    await ring().keys(start);
    works = false;
    clock.now = start + hour - 1000;
    expect(await ring().keys(clock.now)).toMatchObject({ accessKeyId: 'K' });
    expect(ring().keys(clock.now)).toMatchObject({ accessKeyId: 'K' });
    expect(asked).toBe(2);
    clock.now = start + hour;
    await expect(Promise.resolve(ring().keys(clock.now))).rejects.toThrow('It failed.');
    await expect(Promise.resolve(ring().keys(clock.now + 10_000))).rejects.toThrow('It failed.');
    expect(log).toContain('It failed.');
  });

  test('are asked for again when they are refused, but not when they have only just come', async () => {
    const { ring, clock } = program(null);
    const first = await ring().keys(start);
    expect(await ring().renew(first, clock.now)).toBe(false);
    clock.now += 60_000;
    expect(await ring().renew(first, clock.now)).toBe(true);
    expect(ring().keys(clock.now)).toMatchObject({ accessKeyId: 'K2' });
    // A later call that was refused with the old keys may try the new ones.
    expect(await ring().renew(first, clock.now)).toBe(true);
  });

  test('that the source gives again are no others', async () => {
    const { ring, clock } = scene({ environment: { AWS_ACCESS_KEY_ID: 'A', AWS_SECRET_ACCESS_KEY: 'S' } });
    const keys = await ring().keys(start);
    clock.now += 600_000;
    expect(await ring().renew(keys, clock.now)).toBe(false);
  });
});

describe('STS', () => {
  const xml = (id: string) =>
    `<R><Credentials><SessionToken>token-${id}</SessionToken><AccessKeyId>${id}</AccessKeyId><SecretAccessKey>secret-${id}</SecretAccessKey><Expiration>2026-01-01T01:00:00Z</Expiration></Credentials></R>`;
  const role = `[default]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\nexternal_id = e&f\nregion = eu-west-1\n`;
  const base = '[base]\naws_access_key_id = B\naws_secret_access_key = BS\n';
  const files = { [config]: role, '/home/u/.aws/credentials': base };

  test('is asked for a role by a request that AWS’s package signs alike', async () => {
    const { ring, sent } = scene({ files, respond: () => ({ status: 200, text: xml('ROLE') }) });
    expect(await ring().keys(start)).toEqual({
      accessKeyId: 'ROLE',
      secretAccessKey: 'secret-ROLE',
      sessionToken: 'token-ROLE',
    });
    const [request] = sent;
    expect(request?.to).toMatchObject({ baseUrl: 'https://sts.eu-west-1.amazonaws.com', allowLocal: false });
    const body = String(request?.body);
    expect(Object.fromEntries(new URLSearchParams(body))).toEqual({
      Action: 'AssumeRole',
      Version: '2011-06-15',
      RoleArn: 'arn:aws:iam::1:role/r',
      RoleSessionName: 'ola',
      ExternalId: 'e&f',
    });
    const signed = await signedByAws(
      { method: 'POST', host: 'sts.eu-west-1.amazonaws.com', path: '/', body },
      { accessKeyId: 'B', secretAccessKey: 'BS', sessionToken: null },
      { region: 'eu-west-1', service: 'sts' },
      start,
    );
    expect(request?.headers).toMatchObject(signed);
  });

  test('is given the token of a web identity, without a signature', async () => {
    const environment = { AWS_WEB_IDENTITY_TOKEN_FILE: '/t', AWS_ROLE_ARN: 'arn:w', AWS_REGION: 'cn-north-1' };
    const { ring, sent } = scene({ environment, files: { '/t': 'jwt\n' }, respond: () => ({ status: 200, text: xml('WEB') }) });
    expect(await ring().keys(start)).toMatchObject({ accessKeyId: 'WEB' });
    expect(sent[0]?.to.baseUrl).toBe('https://sts.cn-north-1.amazonaws.com.cn');
    expect(new URLSearchParams(String(sent[0]?.body)).get('WebIdentityToken')).toBe('jwt');
    expect(sent[0]?.headers['authorization']).toBeUndefined();
  });

  test.each([
    [{ status: 403, text: '<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>' }, 'HTTP 403, AccessDenied'],
    [{ status: 200, text: '<html>' }, 'HTTP 200'],
    [{ status: 200, text: xml('BAD KEY') }, 'HTTP 200'],
  ])('%j is told', async (answer, words) => {
    const { ring } = scene({ files, respond: () => answer });
    await expect(Promise.resolve(ring().keys(start))).rejects.toThrow(words);
  });
});

describe('a container and an instance', () => {
  test('of a container is asked at its fixed address, with its token', async () => {
    const environment = {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://169.254.170.23/v1/credentials?a=b',
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: '/token',
    };
    const { ring, sent } = scene({
      environment,
      files: { '/token': 'secret token\n' },
      respond: () => ({ status: 200, text: lent('POD', hour) }),
    });
    expect(await ring(null, true).keys(start)).toMatchObject({ accessKeyId: 'POD', sessionToken: 'token-POD' });
    expect(sent[0]).toMatchObject({
      to: { baseUrl: 'http://169.254.170.23', awsMetadata: true },
      path: '/v1/credentials?a=b',
      headers: { authorization: 'secret token' },
    });
    await expect(Promise.resolve(ring().keys(start))).rejects.toThrow('allowInstanceMetadata');
  });

  test('of an instance is asked by the second version of its protocol', async () => {
    const { ring, sent } = scene({
      respond: ({ method, path, headers }) => {
        if (method === 'PUT') return { status: 200, text: 'session' };
        if (headers['x-aws-ec2-metadata-token'] !== 'session') return { status: 401, text: '' };
        return { status: 200, text: path.endsWith('/') ? 'my role\n' : lent('EC2', hour) };
      },
    });
    expect(await ring(null, true).keys(start)).toMatchObject({ accessKeyId: 'EC2' });
    expect(sent.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'PUT /latest/api/token',
      'GET /latest/meta-data/iam/security-credentials/',
      'GET /latest/meta-data/iam/security-credentials/my%20role',
    ]);
    expect(sent.every(({ to }) => to.baseUrl === 'http://169.254.169.254' && to.awsMetadata === true)).toBe(true);
  });

  test('without a role has no keys', async () => {
    const { ring } = scene({ respond: () => ({ status: 404, text: '' }) });
    await expect(Promise.resolve(ring(null, true).keys(start))).rejects.toThrow('no role');
  });
});

test('secrets of all keys are known, and stand in no message', async () => {
  const { kept, ring, log } = program(hour);
  await ring().keys(start);
  expect([...kept.secrets()]).toEqual(['secret-K1', 'token-K1']);
  expect(log).toEqual([]);
});
