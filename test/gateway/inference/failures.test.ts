import { describe, expect, test } from 'bun:test';
import { errorEnvelope } from '../../../src/core/errors.ts';
import { createRedactor } from '../../../src/core/redaction.ts';
import { refused } from '../../../src/gateway/inference/failures.ts';
import { readFailure as readGoogleFailure } from '../../../src/protocols/google-generative-ai/errors.ts';
import { readFailure } from '../../../src/protocols/openai-completions/errors.ts';

const redact = createRedactor(() => ['hunter2hunter2']);
const said = (message: string, code = 'some_code', param: string | null = 'messages') =>
  JSON.stringify({ error: { message, type: 't', param, code } });
const failed = (
  status: number,
  body = said('CANARY'),
  headers: Readonly<Record<string, string>> = {},
  lacksVersion = false,
  read: typeof readFailure = readFailure,
) => {
  const header = (name: string) => headers[name] ?? null;
  const failure = read(status, header, body);
  return refused({
    provider: 'acme',
    path: '/embeddings',
    lacksVersion,
    failure,
    passed: null,
    inside: false,
    header,
    now: 0,
    redact,
    retryStatuses: null,
    nearest: () => [],
  });
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
  [408, 408, 'some_code', true, true],
  [409, 409, 'some_code', true, true],
  [410, 502, 'upstream_http_error', false, false],
  [413, 413, 'some_code', true, false],
  [415, 502, 'upstream_http_error', false, false],
  [418, 502, 'upstream_http_error', false, false],
  [422, 422, 'some_code', true, false],
  [429, 429, 'some_code', true, true],
  [451, 502, 'upstream_http_error', false, false],
  [499, 502, 'upstream_http_error', false, false],
  [500, 502, 'upstream_http_error', false, true],
  [501, 502, 'upstream_http_error', false, true],
  [502, 502, 'upstream_http_error', false, true],
  [503, 503, 'some_code', true, true],
  [504, 504, 'upstream_timeout', false, true],
  [520, 502, 'upstream_http_error', false, true],
  [529, 529, 'some_code', true, true],
];

describe('a 404 of an upstream whose base URL has no version', () => {
  const hint = expect.stringContaining('/v1');
  test('says so in a header, and in the message where it is our own', () => {
    expect(shown(404, said('CANARY'), {}, true).facts).toMatchObject({ headers: { 'x-ola-hint': hint }, body: said('CANARY') });
    for (const body of ['', 'not here', '<html></html>']) {
      const { message, facts } = shown(404, body, {}, true);
      expect([message, facts.headers]).toEqual([hint, { 'x-ola-hint': hint }] as never);
    }
  });

  test('is the only answer that says so', () => {
    for (const [status] of table.filter(([from]) => from !== 404)) {
      expect(JSON.stringify(shown(status, 'x', {}, true).facts.headers ?? {})).not.toContain('x-ola-hint');
    }
    expect(shown(404, 'not here').message).not.toContain('/v1');
    expect(shown(404).facts.headers).toBeUndefined();
  });
});

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
      // A client of the same protocol gets the body itself.
      expect(error.facts.body).toBe(words ? said('CANARY') : undefined);
      expect(failed(from)).toMatchObject({ status: from, next: again ? 'other' : 'stop' });
    });
  }

  test('that it does not know the key, as Google does with 400, is reported as 401 is', () => {
    const details = [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' }];
    const body = JSON.stringify({ error: { code: 400, message: 'CANARY', status: 'INVALID_ARGUMENT', details } });
    const { error, next } = failed(400, body, {}, false, readGoogleFailure);
    expect([error.status, error.code, error.facts.body, next]).toEqual([502, 'upstream_auth_error', undefined, 'other']);
    expect(error.message).not.toContain('CANARY');
  });

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

  test('nothing in JSON is told in ola’s words, a body that is a list too', () => {
    for (const status of [408, 429, 503, 529]) expect(shown(status, '<html>CANARY').facts.body).toBeUndefined();
    expect(shown(429, '<html>CANARY').message).toContain('limits the rate');
    const list = shown(400, '[{"error":{"message":"words"}}]');
    expect([list.facts.body, list.message]).toEqual([undefined, "Upstream provider 'acme' returned HTTP 400: words"]);
  });

  test('when to come back, is passed on with 429, 502, 503 and 529; with nothing said it is two seconds', () => {
    for (const status of [429, 503, 529]) {
      expect(shown(status).facts.headers).toEqual({ 'retry-after': '2' });
      expect(shown(status, '', { 'retry-after': '7', 'x-should-retry': 'true' }).facts.headers).toEqual({
        'retry-after': '7',
        'x-should-retry': 'true',
      });
    }
    expect(shown(500).facts.headers).toBeUndefined();
    expect(shown(502, '', { 'retry-after': '7' }).facts.headers).toEqual({ 'retry-after': '7' });
    expect(shown(400, '', { 'retry-after': '7', 'x-should-retry': 'false' }).facts.headers).toEqual({
      'x-should-retry': 'false',
    });
    expect(shown(429, '', { 'x-should-retry': 'CANARY' }).facts.headers).toEqual({ 'retry-after': '2' });
    const google = '{"error":{"details":[{"@type":"x/google.rpc.RetryInfo","retryDelay":"17s"}]}}';
    expect(shown(429, google).facts.headers).toEqual({ 'retry-after': '17' });
  });

  test('that a quota is used up, is told apart: waiting does not bring it back', () => {
    const quota = shown(429, said('x', 'insufficient_quota'), { 'retry-after': '7' });
    expect(errorEnvelope(quota).error).toMatchObject({ code: 'insufficient_quota', type: 'rate_limit_error' });
    expect(quota.facts.headers).toEqual({ 'x-should-retry': 'false' });
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
    const text = JSON.stringify(errorEnvelope(error)) + (error.facts.body ?? '');
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
