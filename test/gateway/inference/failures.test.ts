import { describe, expect, test } from 'bun:test';
import { errorEnvelope } from '../../../src/core/errors.ts';
import { createRedactor } from '../../../src/core/redaction.ts';
import { refused, retryAfterSeconds } from '../../../src/gateway/inference/failures.ts';
import { readFailure } from '../../../src/protocols/openai-completions/errors.ts';

const redact = createRedactor(() => ['hunter2hunter2']);
const said = (message: string, code = 'some_code', param: string | null = 'messages') =>
  JSON.stringify({ error: { message, type: 't', param, code } });
const failed = (status: number, body = said('CANARY'), retryAfterHeader: string | null = null) => {
  const failure = readFailure(status, () => null, body);
  return refused({ provider: 'acme', path: '/embeddings', failure, retryAfterHeader, now: 0, redact });
};
const shown = (...given: Parameters<typeof failed>) => failed(...given).error;

/** Upstream's status, ours, our code on the wire, whether the upstream's words are taken over, whether another attempt is made. */
const table: readonly [from: number, to: number, code: string, words: boolean, again: boolean][] = [
  [400, 400, 'some_code', true, false],
  [401, 502, 'upstream_auth_error', false, true],
  [402, 502, 'upstream_auth_error', false, true],
  [403, 502, 'upstream_auth_error', false, true],
  [404, 404, 'some_code', true, false],
  [405, 502, 'upstream_http_error', false, false],
  [406, 502, 'upstream_http_error', false, false],
  [408, 504, 'upstream_timeout', false, true],
  [409, 502, 'upstream_http_error', false, true],
  [410, 502, 'upstream_http_error', false, false],
  [413, 413, 'some_code', true, false],
  [415, 502, 'upstream_http_error', false, false],
  [418, 502, 'upstream_http_error', false, false],
  [422, 422, 'some_code', true, false],
  [429, 429, 'rate_limit_exceeded', false, true],
  [451, 502, 'upstream_http_error', false, false],
  [499, 502, 'upstream_http_error', false, false],
  [500, 502, 'upstream_http_error', false, true],
  [501, 502, 'upstream_http_error', false, true],
  [502, 502, 'upstream_http_error', false, true],
  [503, 502, 'upstream_http_error', false, true],
  [504, 504, 'upstream_timeout', false, true],
  [520, 502, 'upstream_http_error', false, true],
  [529, 502, 'upstream_http_error', false, true],
];

describe('an upstream that says', () => {
  for (const [from, to, code, words, again] of table) {
    test(`${from} is reported as ${to} ${code}${words ? ' with its words' : ''}${again ? ', after other attempts' : ''}`, () => {
      const error = shown(from);
      const { error: envelope } = errorEnvelope(error);
      expect(error.status).toBe(to);
      expect(envelope.code).toBe(code);
      expect(envelope.details).toEqual({ provider: 'acme', upstream_status: from });
      expect(envelope.message).toStartWith(`Upstream provider 'acme' returned HTTP ${from}`);
      expect(JSON.stringify(envelope).includes('CANARY')).toBe(words);
      expect(envelope.param).toBe(words ? 'messages' : null);
      expect(failed(from)).toMatchObject({ status: from, next: again ? 'other' : 'stop' });
    });
  }

  test('nothing that can be read is reported by its status alone', () => {
    expect(shown(400, '<html>CANARY</html>').message).toBe("Upstream provider 'acme' returned HTTP 400.");
    expect(errorEnvelope(shown(404, '')).error).toMatchObject({ code: 'upstream_http_error', param: null });
  });

  test('that a prompt is too long has the code that clients know, and is not tried again', () => {
    const body = said("This model's maximum context length is 8192 tokens.", 'weird');
    expect(errorEnvelope(shown(400, body)).error.code).toBe('context_length_exceeded');
    expect(failed(400, body).next).toBe('stop');
  });

  test('that its filter refused keeps its code, and is not tried again', () => {
    const body = said('no', 'content_filter');
    expect(errorEnvelope(shown(400, body)).error.code).toBe('content_filter');
    expect(failed(400, body).next).toBe('stop');
  });

  test('429 comes with Retry-After, the upstream’s when it gave one; a used-up quota is told apart', () => {
    expect(shown(429).facts.headers).toEqual({ 'retry-after': '30' });
    expect(shown(429, '', '7').facts.headers).toEqual({ 'retry-after': '7' });
    expect(errorEnvelope(shown(429, said('x', 'insufficient_quota'))).error).toMatchObject({
      code: 'insufficient_quota',
      type: 'rate_limit_error',
    });
  });
});

describe('words that are taken over', () => {
  const wordsOf = (message: string) =>
    shown(400, said(message)).message.slice("Upstream provider 'acme' returned HTTP 400: ".length);

  test('are at most 500 characters', () => {
    expect(wordsOf('x'.repeat(500))).toBe('x'.repeat(500));
    expect(wordsOf('x'.repeat(501))).toBe(`${'x'.repeat(499)}…`);
    expect(wordsOf('x'.repeat(60_000))).toHaveLength(500);
    const long = shown(400, said('m', 'c'.repeat(900), 'p'.repeat(900))).facts;
    expect(long.param).toHaveLength(500);
    expect(long.wireCode).toHaveLength(500);
  });

  test('are not cut in the middle of a character', () => {
    for (const before of [497, 498, 499]) {
      const words = wordsOf(`${'x'.repeat(before)}${'😀'.repeat(50)}`);
      expect(words.isWellFormed()).toBe(true);
      expect(words.length).toBeLessThanOrEqual(500);
      expect(words.endsWith('…')).toBe(true);
    }
  });

  test('have no secret in them: not a held one, not one by its shape, in no field, and not half of one at the cut', () => {
    const secret = 'hunter2hunter2';
    const key = 'sk-abcdefghijklmnop';
    const error = shown(400, said(`Incorrect key ${key} or ${secret}`, `code ${secret}`, `param ${key}`));
    const text = JSON.stringify(errorEnvelope(error));
    expect(text).not.toContain('hunter2');
    expect(text).not.toContain('abcdefgh');
    expect(error.message).toContain('Incorrect key [REDACTED] or [REDACTED]');
    expect(wordsOf(`${'x'.repeat(490)}${secret}`)).not.toContain('hunter2');
  });
});

test('a 404 or 405 without words of the upstream says that the endpoint may be missing there', () => {
  expect(shown(404, '<html>').message).toBe(
    "Upstream provider 'acme' returned HTTP 404: it may not serve /embeddings, or not this model.",
  );
  expect(shown(405, said('CANARY')).message).toContain('may not serve /embeddings');
  expect(shown(404, said('gone')).message).toBe("Upstream provider 'acme' returned HTTP 404: gone");
  expect(shown(400, '<html>').message).toBe("Upstream provider 'acme' returned HTTP 400.");
});

describe('Retry-After', () => {
  const now = Date.parse('2026-11-21T10:00:00Z');

  test('is seconds or a date, in whole seconds from one to a day', () => {
    const table: readonly [header: string | null, seconds: number | null][] = [
      ['7', 7],
      [' 7 ', 7],
      ['0', 1],
      ['Sat, 21 Nov 2026 10:01:30 GMT', 90],
      ['Sat, 21 Nov 2026 09:00:00 GMT', 1],
      ['999999999', 86_400],
      ['Fri, 31 Dec 9999 23:59:59 GMT', 86_400],
      [null, null],
      ['', null],
      ['soon', null],
    ];
    for (const [header, seconds] of table) expect(retryAfterSeconds(header, now)).toBe(seconds);
    expect(retryAfterSeconds('Sat, 21 Nov 2026 10:00:01 GMT', now + 500)).toBe(1);
  });
});
