/** Errors of Google's API, both ways. */
import { describe, expect, test } from 'bun:test';
import { OlaError } from '../../../src/core/errors.ts';
import { errorBody, errorEvent, failureInside, readFailure } from '../../../src/protocols/google-generative-ai/errors.ts';
import type { Fields } from './fixtures.ts';

const type = (name: string) => `type.googleapis.com/google.rpc.${name}`;
const body = (code: number, status: string, message: string, ...details: readonly Fields[]) => ({
  error: { code, message, status, details },
});
const read = (status: number, given: unknown) => readFailure(status, () => null, JSON.stringify(given));
const retry = { '@type': type('RetryInfo'), retryDelay: '37s' };
const quota = (quotaId: string) => ({ '@type': type('QuotaFailure'), violations: [{ quotaMetric: 'm', quotaId }] });
const exhausted = (...details: readonly Fields[]) =>
  body(429, 'RESOURCE_EXHAUSTED', 'You exceeded your current quota, please check your plan and billing details.', ...details);

describe('a refusal of an upstream', () => {
  test('of a quota of the minute is a rate limit, which says when to come back', () => {
    const perMinute = quota('GenerateRequestsPerMinutePerProjectPerModel-FreeTier');
    expect(read(429, exhausted(perMinute, retry))).toMatchObject({ kind: 'rate_limit', retryAfterMs: 37_000, code: null });
    expect(read(429, exhausted())).toMatchObject({ kind: 'rate_limit', retryAfterMs: null });
  });

  test('of a quota of the day is one that the account must wait or pay for: the delay beside it is none', () => {
    const perDay = quota('GenerateRequestsPerDayPerProjectPerModel-FreeTier');
    expect(read(429, exhausted(perDay, retry))).toMatchObject({ kind: 'billing', retryAfterMs: null });
  });

  test('in a list of one is read like one', () => {
    expect(read(429, [exhausted(quota('PerDay'))])).toMatchObject({ kind: 'billing', status: 429 });
  });

  test('of a key comes as 400 too', () => {
    const info = { '@type': type('ErrorInfo'), reason: 'API_KEY_INVALID', domain: 'googleapis.com' };
    expect(read(400, body(400, 'INVALID_ARGUMENT', 'API key not valid.', info)).kind).toBe('auth');
    expect(read(400, body(400, 'INVALID_ARGUMENT', 'API key expired.', { ...info, reason: 'API_KEY_EXPIRED' })).kind).toBe(
      'auth',
    );
    expect(read(400, body(400, 'INVALID_ARGUMENT', 'bad field')).kind).toBe('invalid_request');
    expect(read(403, body(403, 'PERMISSION_DENIED', 'denied')).kind).toBe('auth');
  });

  test('of a prompt that is too long is told apart', () => {
    const message = 'The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).';
    expect(read(400, body(400, 'INVALID_ARGUMENT', message)).kind).toBe('context_overflow');
  });

  test('of the server, and of time, are known by their status', () => {
    expect(read(500, body(500, 'INTERNAL', 'x')).kind).toBe('server_error');
    expect(read(503, body(503, 'UNAVAILABLE', 'x')).kind).toBe('overloaded');
    expect(read(504, body(504, 'DEADLINE_EXCEEDED', 'x')).kind).toBe('timeout');
  });

  test('with odd details is read without them', () => {
    for (const details of [null, 'x', [null, 7], [{ violations: 'x' }], [{ reason: 7 }]]) {
      const given = { error: { code: 429, message: 'm', status: 'RESOURCE_EXHAUSTED', details } };
      expect(read(429, given)).toMatchObject({ kind: 'rate_limit', message: 'm' });
    }
  });
});

describe('an error inside of an answer', () => {
  const inside = (given: Fields) => failureInside(given, JSON.stringify(given));

  test('has the status of its code, or of its name', () => {
    expect(inside(body(429, 'RESOURCE_EXHAUSTED', 'x', quota('PerDay')))).toMatchObject({ kind: 'billing', status: 429 });
    for (const [status, code] of [
      ['UNAVAILABLE', 503],
      ['INTERNAL', 500],
      ['DEADLINE_EXCEEDED', 504],
      ['FAILED_PRECONDITION', 400],
      ['PERMISSION_DENIED', 403],
      ['SOMETHING_NEW', 502],
    ] as const)
      expect(inside({ error: { message: 'x', status } })).toMatchObject({ status: code });
  });

  test('that is null or empty is none', () => {
    for (const error of [null, '', false, 0]) expect(inside({ error, candidates: [] })).toBeNull();
  });
});

describe('an error for a client', () => {
  const error = new OlaError('model_not_found', 'No such model.', { param: 'model', details: { candidates: ['a/b'] } });

  test('has Google’s envelope, ola’s code as the reason', () => {
    expect(JSON.parse(errorBody(error))).toEqual({
      error: {
        code: 404,
        message: 'No such model.',
        status: 'NOT_FOUND',
        details: [
          {
            '@type': type('ErrorInfo'),
            reason: 'MODEL_NOT_FOUND',
            domain: 'open-llm-auth',
            metadata: { param: 'model', details: '{"candidates":["a/b"]}' },
          },
        ],
      },
    });
  });

  test('has a name for every status', () => {
    const nameOf = (status: number) =>
      (JSON.parse(errorBody(new OlaError('provider_error', 'x', { status }))) as { error: { status: string } }).error.status;
    expect([400, 401, 403, 404, 405, 422, 429, 500, 502, 503, 504, 529].map(nameOf)).toEqual([
      'INVALID_ARGUMENT',
      'UNAUTHENTICATED',
      'PERMISSION_DENIED',
      'NOT_FOUND',
      'INVALID_ARGUMENT',
      'INVALID_ARGUMENT',
      'RESOURCE_EXHAUSTED',
      'INTERNAL',
      'INTERNAL',
      'UNAVAILABLE',
      'DEADLINE_EXCEEDED',
      'UNAVAILABLE',
    ]);
  });

  test('in a stream is one event', () => {
    expect(new TextDecoder().decode(errorEvent(error))).toBe(`data: ${errorBody(error)}\n\n`);
  });
});
