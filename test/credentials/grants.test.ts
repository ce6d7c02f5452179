import { describe, expect, test } from 'bun:test';
import { mintToken } from '../../src/core/tokens.ts';
import {
  dueAt,
  enteredExpiry,
  grantId,
  isValid,
  jwtExpiry,
  pauseAfter,
  type Renewal,
  readRenewal,
  renewalRequest,
  tokensInUse,
} from '../../src/credentials/grants.ts';

const now = 1_760_000_000_000;
const hour = 3_600_000;
const day = 24 * hour;

function jwt(claims: unknown): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part(claims)}.c2ln`;
}
const inAnHour = jwt({ exp: (now + hour) / 1000 });
const own = mintToken((length) => crypto.getRandomValues(new Uint8Array(length)));

const read = (status: number, body: unknown): Renewal =>
  readRenewal({ status, text: typeof body === 'string' ? body : JSON.stringify(body) }, now);

describe('the life of a renewed token', () => {
  test.each<[told: string, body: Record<string, unknown>, expiresAt: number | null, isCapped: boolean]>([
    ['in seconds', { access_token: 'a2', expires_in: 3600 }, now + hour, false],
    ['as a text', { access_token: 'a2', expires_in: '3600' }, now + hour, false],
    ['as a text with blanks and decimals', { access_token: 'a2', expires_in: ' 3600.5 ' }, now + hour + 500, false],
    ['in milliseconds', { access_token: 'a2', expires_in: 3_600_000 }, now + day, true],
    ['of a day', { access_token: 'a2', expires_in: 86_400 }, now + day, false],
    ['without end', { access_token: 'a2', expires_in: Number.MAX_SAFE_INTEGER }, now + day, true],
    ['not at all', { access_token: 'a2' }, null, false],
    ['not at all, of a JWT', { access_token: inAnHour }, now + hour, false],
    ['not at all, of a JWT that has ended by this clock', { access_token: jwt({ exp: now / 1000 - 1 }) }, null, false],
    ['not at all, of a JWT of ten days', { access_token: jwt({ exp: (now + 10 * day) / 1000 }) }, now + day, false],
    ['not at all, of a JWT with a broken end', { access_token: jwt({ exp: 'soon' }) }, null, false],
    ['as 0', { access_token: 'a2', expires_in: 0 }, null, false],
    ['as 0, of a JWT', { access_token: inAnHour, expires_in: 0 }, now + hour, false],
    ['below 0', { access_token: 'a2', expires_in: -5 }, null, false],
    ['below a second', { access_token: 'a2', expires_in: 0.001 }, null, false],
    ['in words', { access_token: 'a2', expires_in: 'soon' }, null, false],
    ['as null', { access_token: 'a2', expires_in: null }, null, false],
    ['as a list', { access_token: 'a2', expires_in: [3600] }, null, false],
  ])('told %s', (_told, body, expiresAt, isCapped) => {
    expect(read(200, body)).toMatchObject({ kind: 'renewed', access: body['access_token'], expiresAt, isCapped });
  });
});

describe('an answer', () => {
  test.each<[what: string, refresh: Record<string, unknown>, kept: string | null]>([
    ['with a refresh token replaces the old one', { refresh_token: 'r2' }, 'r2'],
    ['without one keeps it', {}, null],
    ['with an empty one keeps it', { refresh_token: '' }, null],
    ['with a blank one keeps it', { refresh_token: ' ' }, null],
    ['with null keeps it', { refresh_token: null }, null],
  ])('%s', (_what, refresh, kept) => {
    expect(read(200, { access_token: 'a2', ...refresh })).toMatchObject({ kind: 'renewed', refresh: kept });
  });

  test.each<[what: string, status: number, body: unknown, kind: 'refused' | 'failed', reason: RegExp]>([
    ['invalid_grant', 400, { error: 'invalid_grant' }, 'refused', /invalid_grant/],
    ['invalid_grant as 401', 401, { error: 'invalid_grant', error_description: 'gone' }, 'refused', /invalid_grant/],
    ['invalid_grant inside 200', 200, { error: 'invalid_grant' }, 'refused', /invalid_grant/],
    ['invalid_grant from a server that is at fault', 503, { error: 'invalid_grant' }, 'failed', /HTTP 503/],
    ['a word of invalid_grant elsewhere', 400, { error: 'other', message: 'invalid_grant' }, 'failed', /HTTP 400 \(other\)$/],
    ['temporarily_unavailable', 400, { error: 'temporarily_unavailable' }, 'failed', /HTTP 400 \(temporarily_unavailable\)$/],
    ['invalid_client', 401, { error: 'invalid_client' }, 'failed', /HTTP 401 \(invalid_client\)$/],
    ['an error that is no code', 400, { error: 'CANARY secret' }, 'failed', /^answered HTTP 400$/],
    ['an error that is an object', 400, { error: { code: 'invalid_grant' } }, 'failed', /^answered HTTP 400$/],
    ['429', 429, 'slow down', 'failed', /HTTP 429/],
    ['500', 500, '', 'failed', /HTTP 500/],
    ['a page', 200, '<html>CANARY</html>', 'failed', /without an access token/],
    ['nothing', 200, '', 'failed', /without an access token/],
    ['a list', 200, [], 'failed', /without an access token/],
    ['an empty access token', 200, { access_token: '' }, 'failed', /without an access token/],
    ['an access token with a line end', 200, { access_token: 'a\r\nx: y' }, 'failed', /without an access token/],
    ['an access token of ola', 200, { access_token: own }, 'failed', /without an access token/],
    ['a redirect', 302, '', 'failed', /HTTP 302/],
  ])('of %s', (_what, status, body, kind, reason) => {
    const renewal = read(status, body);
    expect(renewal).toEqual({ kind, reason: expect.stringMatching(reason) });
    expect(JSON.stringify(renewal)).not.toContain('CANARY');
  });
});

test('a token is due five minutes before its end, or a tenth of its life', () => {
  const tokens = (obtainedAt: number | null, expiresAt: number | null) => ({ access: 'a', refresh: 'r', obtainedAt, expiresAt });
  expect(dueAt(tokens(now, now + day))).toBe(now + day - 300_000);
  expect(dueAt(tokens(null, now + day))).toBe(now + day - 300_000);
  expect(dueAt(tokens(now, now + 2000))).toBe(now + 1800);
  expect(dueAt(tokens(now, null))).toBe(Number.POSITIVE_INFINITY);
  expect(isValid(tokens(now, now + 1), now)).toBe(true);
  expect(isValid(tokens(now, now), now)).toBe(false);
  expect(isValid({ ...tokens(now, null), access: null }, now)).toBe(false);
});

test('an entered end is told in seconds or milliseconds, by its size, else by the token', () => {
  expect(enteredExpiry(now, null)).toBe(now);
  expect(enteredExpiry(now / 1000, null)).toBe(now);
  expect(enteredExpiry(0, 'opaque')).toBeNull();
  expect(enteredExpiry(undefined, null)).toBeNull();
  expect(enteredExpiry(undefined, inAnHour)).toBe(now + hour);
  for (const text of ['a.b.c', 'a.!!.c', jwt(null), jwt([]), jwt({ exp: -1 }), jwt({ exp: now })])
    expect(jwtExpiry(text)).toBeNull();
});

test('of the entered and the renewed access token the one that ends later is used, with the renewed refresh token; the one that was renewed does not come back', () => {
  const endpoint = { tokenUrl: 'https://auth.example/token', clientId: null, style: 'form' } as const;
  const entered = { access: 'a1', refresh: 'r1', expiresAt: now + hour, endpoint };
  const renewed = { access: 'a2', refresh: 'r2', obtainedAt: now, expiresAt: now + 2 * hour, entered: 'a0' };
  expect(tokensInUse(entered, null)).toEqual({ access: 'a1', refresh: 'r1', obtainedAt: null, expiresAt: now + hour });
  expect(tokensInUse(entered, renewed)).toEqual(renewed);
  expect(tokensInUse({ ...entered, expiresAt: now + 3 * hour }, renewed)).toMatchObject({ access: 'a1', refresh: 'r2' });
  expect(tokensInUse({ ...entered, expiresAt: null }, renewed)).toEqual(renewed);
  const sameAsThen = { ...renewed, entered: 'a1' };
  expect(tokensInUse({ ...entered, expiresAt: now + 3 * hour }, sameAsThen)).toEqual(sameAsThen);
});

test('the pauses grow, and heed what the endpoint asks for', () => {
  expect([1, 2, 3, 4, 5, 99].map((failures) => pauseAfter(failures, null))).toEqual([
    5000, 10_000, 20_000, 40_000, 60_000, 60_000,
  ]);
  expect(pauseAfter(1, 30_000)).toBe(30_000);
  expect(pauseAfter(3, 1000)).toBe(20_000);
  expect(pauseAfter(1, day)).toBe(600_000);
});

test('the request is a form or JSON', () => {
  const endpoint = { tokenUrl: 'https://auth.example/token', clientId: 'app', style: 'form' } as const;
  const form = renewalRequest(endpoint, 'r&1');
  expect(form.headers['content-type']).toBe('application/x-www-form-urlencoded');
  expect(Object.fromEntries(new URLSearchParams(form.body))).toEqual({
    grant_type: 'refresh_token',
    refresh_token: 'r&1',
    client_id: 'app',
  });
  const json = renewalRequest({ ...endpoint, clientId: null, style: 'json' }, 'r1');
  expect(json.headers['content-type']).toBe('application/json');
  expect(JSON.parse(json.body)).toEqual({ grant_type: 'refresh_token', refresh_token: 'r1' });
});

test('a grant is known by profile and refresh token, and its id tells neither', () => {
  const id = grantId('acme:login', 'refresh-1');
  expect(grantId('acme:login', 'refresh-1')).toBe(id);
  expect(new Set([id, grantId('acme:other', 'refresh-1'), grantId('acme:login', 'refresh-2')]).size).toBe(3);
  expect(id).toMatch(/^[0-9a-f]{32}$/);
});
