/** A chat completion through the binary: what the upstream sees, and what the client is told when it fails. */
import { Database } from 'bun:sqlite';
import { beforeEach, describe, expect, test } from 'bun:test';
import { gzipSync } from 'node:zlib';
import { adminToken, expectError, expectPassed, type Json, type Ola, request, stage } from './stage.ts';
import { answer, type Behaviour, bytes, completion, done, event, stream, type Upstream, usage } from './upstream.ts';

const { start, upstream } = stage();
const key = 'key-of-acme-0123456789';

/** A gateway with one provider; `--log-level debug`, so that a leak into the log would show. */
async function scene(env: Readonly<Record<string, string>> = {}): Promise<{ readonly ola: Ola; readonly up: Upstream }> {
  const ola = await start({ env, args: ['--log-level', 'debug'] });
  const up = await upstream();
  await ola.addProvider('acme', up);
  return { ola, up };
}
const shared = scene();
beforeEach(async () => (await shared).ola.endCooldowns('acme'));

const post = (ola: Ola, text: string, headers: Readonly<Record<string, string>> = {}) =>
  request(`${ola.address}/v1/chat/completions`, 'POST', { authorization: `Bearer ${adminToken}`, ...headers }, text);

describe('what the upstream gets', () => {
  test('the body as it came, byte for byte, with only the model replaced', async () => {
    const { ola, up } = await shared;
    const body = (model: string) =>
      `{ "temperature" : 1.0,"seed":12345678901234567890, "x\\u002dvendor":{"deep":[1e2,null,"\\u00e9"]},\n"model": "${model}" ,"messages":[{"role":"user","content":"\\"model\\" é \\ud83d\\ude00"}],"top_k":0.10}`;
    expect((await post(ola, body('acme/as-it-came'))).status).toBe(200);
    expect(up.requestFor('as-it-came').body).toBe(body('as-it-came'));
  });

  test('in a stream too, where usage is asked for besides', async () => {
    const { ola, up } = await shared;
    const rest = '"messages":[{"role":"user","content":"x"}],"stream":true,"seed":12345678901234567890,"top_p":1.0}';
    await post(ola, `{"model":"acme/streamed","n":1.0,${rest}`);
    expect(up.requestFor('streamed').body).toBe(`{"stream_options":{"include_usage":true},"model":"streamed","n":1.0,${rest}`);
  });

  // `"model"` standing twice makes the body be parsed and written anew.
  test('numbers that no double holds, where the body has to be written anew', async () => {
    const { ola, up } = await shared;
    await post(ola, '{"seed":12345678901234567890,"metadata":{"model":"x"},"model":"acme/anew","messages":[{}]}');
    expect(up.requestFor('anew').body).toContain('12345678901234567890');
  });

  test('the provider’s key, and no header of the client', async () => {
    const { ola, up } = await shared;
    const leaks = {
      cookie: 'session=leak-1',
      'x-forwarded-for': '203.0.113.9',
      'user-agent': 'leak-2/1.0',
      'x-custom': 'leak-3',
      referer: 'http://leak-4/',
      'openai-organization': 'leak-5',
      'x-stainless-lang': 'leak-6',
      'x-request-id': 'leak-7',
      traceparent: 'leak-8',
      'x-auth-profile': '',
    };
    expect((await ola.chat('acme/headers', {}, leaks)).status).toBe(200);
    const { head, headers } = up.requestFor('headers');
    expect([...headers.keys()].sort()).toEqual([
      'accept-encoding',
      'authorization',
      'content-length',
      'content-type',
      'host',
      'user-agent',
      'via',
    ]);
    expect(headers.get('authorization')).toBe(`Bearer ${key}`);
    expect(headers.get('accept-encoding')).toBe('identity');
    expect(headers.get('user-agent')).toBe('ola/0.1.0');
    expect(head).not.toContain('leak');
    expect(head).not.toContain(adminToken);
  });
});

test('an answer comes back byte for byte, with who gave it in X-Ola-* and no header of the upstream', async () => {
  const { ola, up } = await shared;
  const body = '{ "choices": [ {"message":{"x":1.0}} ],"vendor":12345678901234567890 , "usage":null}\n';
  up.modes.set('bytes', answer(200, body, { 'set-cookie': 'a=b', 'x-upstream': 'secret', 'x-request-id': 'theirs' }));
  const got = await ola.chat('acme/bytes', {}, { 'x-request-id': 'mine-1.2_3' });
  expect(got.text).toBe(body);
  const { date: _, ...headers } = Object.fromEntries(got.headers) as Record<string, string>;
  expect(headers).toEqual({
    'content-type': 'application/json',
    'content-length': String(body.length),
    'x-request-id': 'mine-1.2_3',
    'x-ola-provider': 'acme',
    'x-ola-model': 'bytes',
    'x-ola-upstream-request-id': 'theirs',
  });
});

test('every answer has a request id: the client’s when it is a plain one, else a new one', async () => {
  const { ola } = await shared;
  for (const odd of ['has space', 'a'.repeat(129), 'semi;colon', 'é'.normalize()]) {
    const { headers } = await ola.ask('GET', '/v1/models', undefined, { 'x-request-id': Buffer.from(odd).toString('latin1') });
    expect(headers.get('x-request-id')).toMatch(/^req_[0-9a-f-]{36}$/);
  }
  for (const path of ['/nowhere', '/config', '/health'])
    expect((await request(ola.address + path, 'GET', { 'x-request-id': 'plain-1' })).headers.get('x-request-id')).toBe('plain-1');
});

test('usage is read, counted and stored also when the client did not ask for it', async () => {
  const { ola, up } = await scene();
  const silent = await ola.chat('acme/silent', { stream: true });
  expect(silent.text).not.toContain('usage');
  expect(silent.text).toEndWith('data: [DONE]\n\n');
  const asked = await ola.chat('acme/asked', { stream: true, stream_options: { include_usage: true } });
  expect(asked.text).toContain('"prompt_tokens":11');
  await ola.chat('acme/whole');
  expect(JSON.parse(up.requestFor('silent').body)).toMatchObject({ stream_options: { include_usage: true } });
  ola.kill('SIGTERM');
  expect(await ola.exited).toBe(0);
  const database = new Database(`${ola.home}/runtime_state.sqlite3`, { readonly: true });
  const rows = database
    .query(
      'SELECT model, stream, status, provider, source, subject, prompt_tokens, completion_tokens FROM usage JOIN usage_kinds ON usage_kinds.id = kind ORDER BY usage.id',
    )
    .all();
  database.close();
  const row = {
    provider: 'acme',
    source: 'provider-config',
    subject: 'legacy-admin',
    status: 200,
    prompt_tokens: 11,
    completion_tokens: 7,
  };
  expect(rows).toEqual([
    { ...row, model: 'silent', stream: 1 },
    { ...row, model: 'asked', stream: 1 },
    { ...row, model: 'whole', stream: 0 },
  ]);
});

const theirs = { error: { message: 'words of the upstream', type: 'x', param: 'messages.0', code: 'their_code' } };

describe('failures that a client recovers from by their words keep status and body of the upstream', () => {
  test.each([
    [400, 'upstream_http_error', null],
    [404, 'upstream_http_error', null],
    [408, 'upstream_timeout', null],
    [409, 'upstream_http_error', null],
    [413, 'upstream_http_error', null],
    [422, 'upstream_http_error', null],
    [429, 'upstream_http_error', '7'],
    [503, 'upstream_http_error', '7'],
    [529, 'upstream_http_error', '7'],
  ])('%i', async (status, code, retryAfter) => {
    const { ola, up } = await shared;
    const body = `{ "vendor" : 12345678901234567890,${JSON.stringify(theirs).slice(1)}\n`;
    for (const streamed of [false, true]) {
      await ola.endCooldowns('acme');
      up.modes.set(`says-${status}`, answer(status, body, { 'x-leak': 'words of the upstream', 'retry-after': '7' }));
      const got = await ola.chat(`acme/says-${status}`, { stream: streamed });
      expectPassed(got, status, body.trim(), code);
      expect(got.headers.get('retry-after')).toBe(retryAfter);
      expect(JSON.stringify([...got.headers])).not.toContain('words of');
    }
    expect(up.for(`says-${status}`)).toHaveLength(2);
  });

  test.each([
    [400, 400, 'upstream_http_error'],
    [404, 404, 'upstream_http_error'],
    [408, 504, 'upstream_timeout'],
    [409, 409, 'upstream_http_error'],
    [413, 413, 'context_length_exceeded'],
    [422, 422, 'upstream_http_error'],
    [429, 429, 'rate_limit_exceeded'],
    [503, 503, 'upstream_http_error'],
    [529, 529, 'upstream_http_error'],
  ])('a page as %i is %i %s without a word of it', async (theirStatus, status, code) => {
    const { ola, up } = await shared;
    up.modes.set(`page-${theirStatus}`, answer(theirStatus, '<html>words of db-7</html>', { 'content-type': 'text/html' }));
    const got = await ola.chat(`acme/page-${theirStatus}`);
    const error = expectError(got, status, code);
    expect(String(error['message'])).toStartWith(`Upstream provider 'acme' returned HTTP ${theirStatus}`);
    expect(error['details'] as unknown).toEqual({ provider: 'acme', upstream_status: theirStatus });
    expect(got.text).not.toMatch(/db-7|words of|html/);
  });

  test('words of another form are taken over: a prompt that is too long has the code that clients know', async () => {
    const { ola, up } = await shared;
    const tooLong = { error: { message: "This model's maximum context length is 8192 tokens.", param: 'messages' } };
    up.modes.set('too-long', answer(400, tooLong));
    expectPassed(await ola.chat('acme/too-long'), 400, JSON.stringify(tooLong));
    up.modes.set('too-long-list', answer(400, [tooLong]));
    expect(expectError(await ola.chat('acme/too-long-list'), 400, 'context_length_exceeded') as unknown).toMatchObject({
      message: `Upstream provider 'acme' returned HTTP 400: ${tooLong.error.message}`,
      param: 'messages',
      details: { provider: 'acme', upstream_status: 400 },
    });
  });

  test('a key among the words is cut out, and of a form that is taken over a long text cut off', async () => {
    const { ola, up } = await shared;
    const said = (authorization: string) => ({ message: `bad key ${authorization} ${'x'.repeat(5000)}`, code: key });
    up.modes.set('echoes', (received) => answer(400, { error: said(received.headers.get('authorization') ?? '') })(received));
    up.modes.set('echoes-list', (received) => answer(400, [said(received.headers.get('authorization') ?? '')])(received));
    const got = await ola.chat('acme/echoes');
    expectPassed(got, 400, JSON.stringify({ error: said(`Bearer ${key}`) }).replaceAll(key, '[REDACTED]'));
    const other = await ola.chat('acme/echoes-list');
    expect(other.text).not.toContain(key);
    expect(other.text).toContain('[REDACTED]');
    expect(other.text.length).toBeLessThan(1000);
  });
});

describe('every other failure is told without a word of the upstream', () => {
  const cases: readonly (readonly [theirStatus: number, status: number, code: string, retryAfter: string | null])[] = [
    [401, 502, 'upstream_auth_error', null],
    [402, 502, 'upstream_auth_error', null],
    [403, 502, 'upstream_auth_error', null],
    [405, 502, 'upstream_http_error', null],
    [418, 502, 'upstream_http_error', null],
    [451, 502, 'upstream_http_error', null],
    [500, 502, 'upstream_http_error', '7'],
    [501, 502, 'upstream_http_error', '7'],
    [504, 504, 'upstream_timeout', null],
    [599, 502, 'upstream_http_error', '7'],
  ];
  test.each(cases)('%i becomes %i %s', async (theirStatus, status, code, retryAfter) => {
    const { ola, up } = await shared;
    for (const streamed of [false, true]) {
      up.modes.set(
        `fails-${theirStatus}`,
        answer(theirStatus, theirs, { 'x-leak': 'words of the upstream', 'retry-after': '7' }),
      );
      const got = await ola.chat(`acme/fails-${theirStatus}`, { stream: streamed });
      const error = expectError(got, status, code);
      expect(error['details'] as unknown).toEqual({ provider: 'acme', upstream_status: theirStatus });
      expect(JSON.stringify([...got.headers]) + got.text).not.toMatch(/words of|their_code|messages\.0/);
      expect(got.headers.get('retry-after')).toBe(retryAfter);
      expect(got.headers.get('x-ola-code')).toBe(code);
    }
  });

  test('429 without Retry-After gets 2 s; a quota that is used up does not come back by waiting', async () => {
    const { ola, up } = await shared;
    const hints = async (model: string) => {
      const { status, headers } = await ola.chat(`acme/${model}`);
      return [status, headers.get('retry-after'), headers.get('x-should-retry')];
    };
    up.modes.set('limit', answer(429, { error: { message: 'm' } }));
    up.modes.set('quota', answer(429, { error: { message: 'm', code: 'insufficient_quota' } }));
    expect(await hints('limit')).toEqual([429, '2', null]);
    expect(await hints('quota')).toEqual([429, null, 'false']);
    up.modes.set('quota-list', answer(429, [{ error: { message: 'm', code: 'insufficient_quota' } }]));
    expectError(await ola.chat('acme/quota-list'), 429, 'insufficient_quota');
  });

  const withBody =
    (status: number, headers: string, body: string | Buffer): Behaviour =>
    ({ socket }) => {
      socket.write(`HTTP/1.1 ${status} X\r\n${headers}content-length: ${body.length}\r\n\r\n`);
      socket.write(body);
    };
  const json = 'content-type: application/json\r\n';
  const whole = JSON.stringify(completion('words of the upstream'));
  const broken: readonly (readonly [what: string, behaviour: Behaviour, status: number, code: string])[] = [
    ['HTML with 200', withBody(200, 'content-type: text/html\r\n', '<html>words of the upstream</html>'), 502, 'provider_error'],
    ['garbage', withBody(200, json, '{"choices":[words of the upstream'), 502, 'provider_error'],
    ['nothing', withBody(200, json, ''), 502, 'provider_error'],
    ['JSON of another kind', withBody(200, json, '{"message":"words of the upstream"}'), 502, 'provider_error'],
    ['an array', withBody(200, json, '[]'), 502, 'provider_error'],
    ['gzip that nobody asked for', withBody(200, `${json}content-encoding: gzip\r\n`, gzipSync(whole)), 502, 'provider_error'],
    ['gzip with 500', withBody(500, `${json}content-encoding: gzip\r\n`, gzipSync(whole)), 502, 'upstream_http_error'],
    ['204', bytes('HTTP/1.1 204 No Content\r\n\r\n'), 502, 'provider_error'],
    ['304', bytes('HTTP/1.1 304 Not Modified\r\n\r\n'), 502, 'upstream_http_error'],
    ['no HTTP', bytes('220 smtp.example words of the upstream\r\n\r\n', 'end'), 502, 'provider_error'],
    ['a closed connection', bytes('', 'end'), 502, 'upstream_truncated'],
    ['a reset connection', bytes('', 'reset'), 502, 'upstream_truncated'],
    ['half a head', bytes('HTTP/1.1 200 OK\r\ncontent-ty', 'end'), 502, 'upstream_truncated'],
    [
      'half a body',
      bytes('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9999\r\n\r\n{"choices":[]}', 'end'),
      502,
      'upstream_truncated',
    ],
    [
      'a chunked body that is cut',
      bytes('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"cho', 'end'),
      502,
      'upstream_truncated',
    ],
  ];
  test.each(broken)('%s', async (what, behaviour, status, code) => {
    const { ola, up } = await shared;
    up.modes.set(what, behaviour);
    const got = await ola.chat(`acme/${what}`);
    expectError(got, status, code);
    expect(got.text).not.toContain('words of');
  });

  test('a redirect is not followed, and its target hears nothing', async () => {
    const { ola, up } = await shared;
    const target = await upstream();
    for (const status of [301, 302, 303, 307, 308]) {
      up.modes.set(`moved-${status}`, answer(status, '', { location: `${target.baseUrl}/chat/completions?words` }));
      const got = await ola.chat(`acme/moved-${status}`);
      expect(expectError(got, 502, 'upstream_http_error')['details'] as unknown).toMatchObject({ reason: 'redirect_forbidden' });
      expect(got.text).not.toContain(String(target.port));
      expect(got.headers.get('location')).toBeNull();
    }
    expect(target.received).toEqual([]);
  });

  test('a stream that was asked for and did not come: a page', async () => {
    const { ola, up } = await shared;
    up.modes.set('not-a-stream', answer(200, '<html>words of the upstream', { 'content-type': 'text/event-stream' }));
    const got = await ola.chat('acme/not-a-stream', { stream: true });
    expectError(got, 502, 'provider_error');
    expect(got.text).not.toContain('words of');
  });

  test('nobody there', async () => {
    const { ola } = await scene();
    const gone = await upstream();
    await ola.addProvider('gone', gone);
    await gone.close();
    const error = expectError(await ola.chat('gone/x'), 502, 'upstream_unreachable');
    expect(error['details'] as unknown).toMatchObject({ provider: 'gone', sent: false });
  });
});

describe('two credentials: the environment’s, then the configured one', () => {
  const first = 'env-key-0123456789abcdef';
  const pair = scene({ ACME_API_KEY: first, OPEN_LLM_AUTH_ENV_REFERENCES: 'ACME_API_KEY' });
  beforeEach(async () => (await pair).ola.endCooldowns('acme'));
  const byKey =
    (forFirst: Behaviour): Behaviour =>
    (received) =>
      (received.headers.get('authorization') === `Bearer ${first}` ? forFirst : answer(200, completion('second')))(received);
  const keysFor = (up: Upstream, model: string) => up.for(model).map(({ headers }) => headers.get('authorization')?.slice(7));

  test.each([401, 402, 403, 408, 429, 500, 503, 529])('%i on the first tries the second', async (status) => {
    const { ola, up } = await pair;
    up.modes.set(`try-${status}`, byKey(answer(status, theirs)));
    const got = await ola.chat(`acme/try-${status}`);
    expect([got.status, got.headers.get('x-ola-attempts')]).toEqual([200, '2']);
    expect(keysFor(up, `try-${status}`)).toEqual([first, key]);
  });

  test.each([400, 404, 413, 422])('%i on the first is the answer', async (status) => {
    const { ola, up } = await pair;
    up.modes.set(`stop-${status}`, byKey(answer(status, theirs)));
    expect((await ola.chat(`acme/stop-${status}`)).status).toBe(status);
    expect(keysFor(up, `stop-${status}`)).toEqual([first]);
  });

  test('when both fail, the last failure is told', async () => {
    const { ola, up } = await pair;
    up.modes.set('both', (received) => answer(keysFor(up, 'both').length === 1 ? 401 : 429, theirs)(received));
    expect((await ola.chat('acme/both')).status).toBe(429);
  });

  test('after the first byte there is no second try', async () => {
    const { ola, up } = await pair;
    up.modes.set('begun', byKey(stream(event('Hel'))));
    const got = await ola.chat('acme/begun', { stream: true });
    expect(got.text).toStartWith(event('Hel'));
    expect(got.text).toContain('upstream_truncated');
    expect(keysFor(up, 'begun')).toEqual([first]);
  });

  test('a request that may have been carried out is not sent a second time', async () => {
    const { ola, up } = await pair;
    up.modes.set('perhaps', byKey(bytes('HTTP/1.1 2', 'end')));
    expectError(await ola.chat('acme/perhaps'), 502, 'upstream_truncated');
    expect(keysFor(up, 'perhaps')).toEqual([first]);
  });
});

test('a stream that is answered by one JSON answer is a stream of one chunk, and of usage where it was asked for', async () => {
  const { ola, up } = await scene();
  up.modes.set('whole', answer(200, completion('Hello')));
  const base = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'up' };
  const choices = [{ index: 0, finish_reason: 'stop', delta: { role: 'assistant', content: 'Hello' } }];
  const first = `data: ${JSON.stringify({ ...base, choices })}\n\n`;
  const silent = await ola.chat('acme/whole', { stream: true });
  expect([silent.status, silent.headers.get('content-type'), silent.text]).toEqual([200, 'text/event-stream', first + done]);
  const asked = await ola.chat('acme/whole', { stream: true, stream_options: { include_usage: true } });
  expect(asked.text).toBe(`${first}data: ${JSON.stringify({ ...base, choices: [], usage })}\n\n${done}`);
});

test('nothing of what upstreams said is in the log', async () => {
  const { ola } = await shared;
  expect(ola.out() + ola.err()).not.toMatch(/words of|their_code|key-of-acme|leak/);
});

test('TLS is verified, whatever the environment says: a self-signed upstream never sees the key', async () => {
  const ola = await start({ env: { NODE_TLS_REJECT_UNAUTHORIZED: '0' } });
  const fixtures = `${import.meta.dir}/../fixtures/tls`;
  let asked = 0;
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    tls: { key: Bun.file(`${fixtures}/leaf.key`), cert: Bun.file(`${fixtures}/self-signed.pem`) },
    fetch: () => Response.json(completion(String(asked++))),
  });
  const body = { baseUrl: `https://127.0.0.1:${server.port}/v1`, apiKey: key, allowLocal: true };
  expect((await ola.ask('PUT', '/config/providers/acme', body)).status).toBe(200);
  const error: Json = expectError(await ola.chat('acme/m'), 502, 'upstream_unreachable');
  expect(error['details'] as unknown).toMatchObject({ reason: 'tls_failed' });
  expect(asked).toBe(0);
  await server.stop(true);
});
