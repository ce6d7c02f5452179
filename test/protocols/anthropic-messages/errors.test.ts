import { describe, expect, test } from 'bun:test';
import { OlaError } from '../../../src/core/errors.ts';
import { errorBody, errorEvent, errorType, readFailure } from '../../../src/protocols/anthropic-messages/errors.ts';

const told = (status: number, type: string, message: string, details?: object, headers: Record<string, string> = {}) =>
  readFailure(
    status,
    (name) => headers[name] ?? null,
    JSON.stringify({ type: 'error', error: { type, message, ...(details && { details }) } }),
  );

describe('an upstream’s refusal', () => {
  const spent = { error_code: 'enforced_spend_limit_reached' };
  test.each([
    [400, 'invalid_request_error', 'messages: field required', 'invalid_request'],
    [400, 'invalid_request_error', 'prompt is too long: 208310 tokens > 200000 maximum', 'context_overflow'],
    [400, 'invalid_request_error', 'Your credit balance is too low to access the Anthropic API.', 'billing'],
    [401, 'authentication_error', 'invalid x-api-key', 'auth'],
    [402, 'billing_error', 'Pay.', 'billing'],
    [403, 'permission_error', 'Not allowed.', 'auth'],
    [403, 'permission_error', 'Your organization does not have access to this model.', 'entitlement'],
    [404, 'not_found_error', 'model: claude-x', 'invalid_request'],
    [413, 'request_too_large', 'Request exceeds the maximum size', 'context_overflow'],
    [429, 'rate_limit_error', 'Slow down.', 'rate_limit'],
    [500, 'api_error', 'Internal server error', 'server_error'],
    [504, 'timeout_error', 'Timed out.', 'timeout'],
    [529, 'overloaded_error', 'Overloaded', 'overloaded'],
  ])('%i %s "%s" is %s', (status, type, message, kind) => {
    expect(told(status, type, message)).toMatchObject({ status, kind, message } as never);
  });

  test('enforced_spend_limit_reached: of a spend limit is one of billing, unless it says when to come back', () => {
    expect(told(429, 'rate_limit_error', 'x', spent)).toMatchObject({ kind: 'billing', code: spent.error_code });
    expect(told(429, 'rate_limit_error', 'x', spent, { 'retry-after': '3' })).toMatchObject({ kind: 'rate_limit' });
  });

  test('that is a page has a status alone', () => {
    expect(readFailure(413, () => null, '<html>CANARY</html>')).toMatchObject({
      kind: 'context_overflow',
      message: null,
      body: null,
    });
  });
});

describe('an error of ola’s', () => {
  const bodyOf = (error: OlaError) => JSON.parse(errorBody(error)) as { type: string; error: Record<string, unknown> };

  test('has Anthropic’s type for its status', () => {
    const types = Object.fromEntries(
      [400, 401, 402, 403, 404, 405, 408, 409, 413, 415, 422, 429, 500, 502, 503, 504, 529].map((status) => [
        status,
        errorType(status),
      ]),
    );
    expect(types).toEqual({
      400: 'invalid_request_error',
      401: 'authentication_error',
      402: 'billing_error',
      403: 'permission_error',
      404: 'not_found_error',
      405: 'invalid_request_error',
      408: 'invalid_request_error',
      409: 'conflict_error',
      413: 'request_too_large',
      415: 'invalid_request_error',
      422: 'invalid_request_error',
      429: 'rate_limit_error',
      500: 'api_error',
      502: 'api_error',
      503: 'api_error',
      504: 'timeout_error',
      529: 'overloaded_error',
    });
  });

  test('has the code, the field and the details beside Anthropic’s members', () => {
    const error = new OlaError('invalid_field', 'Why.', { param: 'messages', details: { a: 1 } });
    expect(bodyOf(error)).toEqual({
      type: 'error',
      error: { type: 'invalid_request_error', message: 'Why.', code: 'invalid_field', param: 'messages', details: { a: 1 } },
    });
    expect(new TextDecoder().decode(errorEvent(error))).toBe(`event: error\ndata: ${errorBody(error)}\n\n`);
  });

  test('of a prompt that is too long has the words by which Claude Code compacts, once', () => {
    const facts = { wireCode: 'context_length_exceeded', status: 400 };
    const message = (words: string) => bodyOf(new OlaError('upstream_http_error', words, facts)).error['message'];
    expect(message('The maximum context length is 8192 tokens.')).toBe(
      'prompt is too long: The maximum context length is 8192 tokens.',
    );
    expect(message('groq said: Prompt is too long.')).toBe('groq said: Prompt is too long.');
  });
});
