import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { asOlaError, type ErrorCode, errorEnvelope, errorStatus, errorType, OlaError } from '../../src/core/errors.ts';

const codes = Object.keys(errorStatus) as ErrorCode[];
/** Statuses by code, as docs/api.md promises them. */
const promised = new Map(
  [...readFileSync(join(import.meta.dir, '../../docs/api.md'), 'utf8').matchAll(/^\| (\d{3}) \| `(\w+)` \|/gm)].map(
    ([, status, code]) => [code, Number(status)],
  ),
);
/** OpenAI's types by status, as the HTTP API promises them. */
const types: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'invalid_request_error',
  405: 'invalid_request_error',
  408: 'invalid_request_error',
  409: 'invalid_request_error',
  412: 'invalid_request_error',
  413: 'invalid_request_error',
  415: 'invalid_request_error',
  421: 'invalid_request_error',
  422: 'invalid_request_error',
  429: 'rate_limit_error',
  499: 'invalid_request_error',
  500: 'api_error',
  501: 'api_error',
  502: 'api_error',
  503: 'api_error',
  504: 'api_error',
};

describe('every code of the table', () => {
  for (const code of codes) {
    test(`${code}: its status, the type that follows from it, and the whole envelope`, () => {
      const error = new OlaError(code, 'what to do next');
      expect(promised.get(code)).toBe(error.status);
      const type = types[error.status];
      expect(type).toBeDefined();
      expect(errorEnvelope(error)).toEqual({ error: { message: 'what to do next', type: type as string, param: null, code } });
    });
  }

  test('is written as codes are', () => {
    for (const code of codes) expect(code).toMatch(/^[a-z]+(?:_[a-z]+)*$/);
  });
});

describe('an error', () => {
  test('has the type of the status that is sent, not of its code', () => {
    expect(errorEnvelope(new OlaError('upstream_http_error', 'm', { status: 404 })).error.type).toBe('invalid_request_error');
    expect(errorEnvelope(new OlaError('upstream_http_error', 'm', { status: 429 })).error.type).toBe('rate_limit_error');
    expect(errorType(529)).toBe('api_error');
    expect(errorType(499)).not.toBe('api_error');
  });

  test('shows param, details and a better-known code, and none of its cause or headers', () => {
    const error = new OlaError('upstream_http_error', 'm', {
      param: 'messages.0',
      wireCode: 'context_length_exceeded',
      details: { provider: 'acme' },
      headers: { 'retry-after': '3' },
      cause: new Error('connection string'),
    });
    const { error: shown } = errorEnvelope(error);
    expect(shown).toEqual({
      message: 'm',
      type: 'api_error',
      param: 'messages.0',
      code: 'context_length_exceeded',
      details: { provider: 'acme' },
    });
    expect(error.cause).toBeInstanceOf(Error);
  });

  test('of ours stays itself; anything else becomes one that says nothing of it', () => {
    const own = new OlaError('conflict', 'm');
    expect(asOlaError(own)).toBe(own);
    for (const thrown of [new Error('password is hunter2'), 'hunter2', undefined, null, { code: 'conflict' }]) {
      const error = asOlaError(thrown);
      expect(error.code).toBe('internal_error');
      expect(error.cause).toBe(thrown);
      expect(JSON.stringify(errorEnvelope(error))).not.toContain('hunter2');
    }
  });
});
