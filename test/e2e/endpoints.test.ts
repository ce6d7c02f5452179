/** Every inference endpoint through the binary: the upstream gets what was sent, the client what was answered. */
import { Database } from 'bun:sqlite';
import { beforeEach, describe, expect, test } from 'bun:test';
import { askRaw, binary, boundary, endpoints, form, formType } from './endpoints.ts';
import { adminToken, expectError, expectPassed, type Ola, request, stage, until } from './stage.ts';
import { answer, bytes, chunk, type Received, stream, streamHead, type Upstream } from './upstream.ts';
import { exchange, open, requestBytes } from './wire.ts';

const { start, upstream } = stage();
const firstKey = 'env-key-0123456789abcdef';

async function scene(): Promise<{ readonly ola: Ola; readonly up: Upstream }> {
  const keys = { ACME_API_KEY: firstKey, DEEPSEEK_API_KEY: 'x'.repeat(20), OPEN_LLM_AUTH_ENV_REFERENCES: 'ACME_API_KEY' };
  const ola = await start({ env: keys, args: ['--log-level', 'debug'] });
  const up = await upstream();
  await ola.addProvider('acme', up);
  return { ola, up };
}
const shared = scene();
beforeEach(async () => (await shared).ola.endCooldowns('acme'));

/** Headers of an answer that is passed on as it comes. */
const forBytes = {
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
  'x-content-type-options': 'nosniff',
};

const theirs = { error: { message: 'words of the upstream', type: 'x', param: 'input', code: 'their_code' } };

describe.each(endpoints.map((each) => [each.path, each] as const))('POST %s', (path, asked) => {
  const slug = path.replaceAll('/', '-');

  test('sends the body on with only the model replaced, and gives the answer as it came', async () => {
    const { ola, up } = await shared;
    up.modes.set(`good${slug}`, asked.answer);
    const got = await askRaw(ola, path, asked.body(`acme/good${slug}`), asked.type, { 'x-request-id': 'mine-1' });
    expect([got.status, got.text]).toEqual([200, asked.answered.toString()]);
    expect(got.bytes.equals(asked.answered)).toBe(true);
    const { date: _, 'content-length': _length, 'transfer-encoding': _framing, ...headers } = Object.fromEntries(got.headers);
    expect(headers).toEqual({
      'content-type': asked.answeredType,
      'x-request-id': 'mine-1',
      'x-ola-provider': 'acme',
      'x-ola-model': `good${slug}`,
      ...(asked.answeredType === 'application/json' ? {} : forBytes),
    });
    const received = up.requestFor(`good${slug}`);
    expect(received.head).toStartWith(`POST ${path} HTTP/1.1\r\n`);
    expect(received.bytes.equals(Buffer.from(asked.body(`good${slug}`)))).toBe(true);
    expect([...received.headers.keys()].sort()).toEqual([
      'accept-encoding',
      'authorization',
      'content-length',
      'content-type',
      'host',
      'user-agent',
      'via',
    ]);
    expect(received.headers.get('content-type')).toBe(asked.type);
    expect(received.head).not.toContain(adminToken);
  });

  test.each([
    [400, 400, null],
    [401, 502, 'upstream_auth_error'],
    [404, 404, null],
    [429, 429, null],
    [500, 502, 'upstream_http_error'],
  ])('an upstream’s %i is %i, in its own words or in ola’s: %p', async (from, to, code) => {
    const { ola, up } = await shared;
    up.modes.set(`bad-${from}${slug}`, answer(from, theirs));
    const got = await askRaw(ola, path, asked.body(`acme/bad-${from}${slug}`), asked.type);
    if (code === null) expectPassed(got, to, JSON.stringify(theirs));
    else expectError(got, to, code);
    // Where another credential may do better, both were tried.
    expect(up.for(`bad-${from}${slug}`).length).toBe([401, 429, 500].includes(from) ? 2 : 1);
  });

  test('a 404 without words says what may be missing', async () => {
    const { ola, up } = await shared;
    up.modes.set(`none${slug}`, answer(404, '<html>', { 'content-type': 'text/html' }));
    const error = expectError(await askRaw(ola, path, asked.body(`acme/none${slug}`), asked.type), 404, 'upstream_http_error');
    expect(String(error['message'])).toContain(`may not serve ${path.slice(3)}`);
  });

  test('the second credential is tried with the same body', async () => {
    const { ola, up } = await shared;
    up.modes.set(`again${slug}`, (received) =>
      (received.headers.get('authorization') === `Bearer ${firstKey}` ? answer(503, theirs) : asked.answer)(received),
    );
    const got = await askRaw(ola, path, asked.body(`acme/again${slug}`), asked.type);
    expect([got.status, got.headers.get('x-ola-attempts'), got.bytes.equals(asked.answered)]).toEqual([200, '2', true]);
    const [first, second] = up.for(`again${slug}`);
    expect(first?.bytes.equals(second?.bytes ?? Buffer.alloc(0))).toBe(true);
    expect(second?.headers.get('content-type')).toBe(asked.type);
  });

  const opaque = 'application/octet-stream';
  test.each([
    ['text/html', opaque],
    ['text/html; charset=utf-8', opaque],
    ['image/svg+xml', opaque],
    ['application/javascript', opaque],
    ['multipart/mixed', 'multipart/mixed'],
    ['', opaque],
  ])('an answer of type %p that is no page goes where bytes may go, as no page; else it is 502', async (type, label) => {
    const { ola, up } = await shared;
    up.modes.set(`type ${type}${slug}`, answer(200, '<script>CANARY</script>', { 'content-type': type }));
    const got = await askRaw(ola, path, asked.body(`acme/type ${type}${slug}`), asked.type);
    if (path.startsWith('/v1/audio/')) {
      expect([got.status, got.text, got.headers.get('content-type')]).toEqual([200, '<script>CANARY</script>', label]);
      expect(Object.fromEntries(got.headers) as object).toMatchObject(forBytes);
    } else {
      expectError(got, 502, 'provider_error');
      expect(got.text).not.toContain('CANARY');
    }
  });

  test.each(['<!doctype html><p>CANARY', '\ufeff \n<HTML lang="en">CANARY', '<head><title>CANARY', '<body>CANARY'])(
    'the page %p is 502, whatever its type',
    async (page) => {
      const { ola, up } = await shared;
      for (const type of ['text/html', 'text/plain', 'application/json', '']) {
        up.modes.set(`page ${type}${slug}`, answer(200, page, { 'content-type': type }));
        const got = await askRaw(ola, path, asked.body(`acme/page ${type}${slug}`), asked.type);
        expectError(got, 502, 'provider_error');
        expect(got.text).not.toContain('CANARY');
      }
    },
  );

  test('a client that leaves closes the upstream’s connection', async () => {
    const { ola, up } = await shared;
    up.modes.set(`silent${slug}`, () => undefined);
    const wire = await open(ola.port);
    const body = Buffer.from(asked.body(`acme/silent${slug}`));
    const head = [`Authorization: Bearer ${adminToken}`, `Content-Type: ${asked.type}`, `Content-Length: ${body.length}`];
    wire.send(Buffer.concat([Buffer.from(requestBytes(`POST ${path} HTTP/1.1`, head)), body]));
    const received: Received = await until('it is asked', () => up.for(`silent${slug}`)[0]);
    wire.socket.destroy();
    await until('it is closed', () => received.closedAt() !== null);
  });

  test('a body of another type is 415, a strange one 400 or 422, a stranger 401, one who reads 403', async () => {
    const { ola, up } = await shared;
    const ask = (body: string | Buffer, type: string, headers = {}) => askRaw(ola, path, body, type, headers);
    const isForm = asked.type === formType;
    expectError(await ask(asked.body('acme/x'), 'text/plain'), 415, 'unsupported_media_type');
    expectError(await ask(asked.body('acme/x'), isForm ? 'application/json' : formType), 415, 'unsupported_media_type');
    expectError(await ask(asked.body('acme/x'), asked.type, { 'content-encoding': 'gzip' }), 415, 'unsupported_media_type');
    expectError(await ask('', asked.type), 400, isForm ? 'invalid_request' : 'invalid_json');
    if (!isForm) expectError(await ask('[]', asked.type), 422, 'invalid_field');
    expectError(await ask(asked.body('acme/x'), asked.type, { authorization: 'Bearer nobody' }), 401, 'invalid_api_key');
    const made = await ola.ask('POST', '/config/tokens', { name: 'reader', scopes: ['read'] });
    const reader = { authorization: `Bearer ${String(made.json['token'])}` };
    expectError(await ask(asked.body('acme/x'), asked.type, reader), 403, 'insufficient_scope');
    expectError(await ask(asked.body('acme/x'), asked.type, { origin: 'https://evil.example' }), 403, 'origin_not_allowed');
    expectError(await ask(asked.body('acme/x'), asked.type, { 'sec-fetch-site': 'cross-site' }), 403, 'origin_not_allowed');
    expectError(await ask(asked.body('nobody/x'), asked.type), 404, 'provider_resolution_failed');
    expect(up.for('x')).toEqual([]);
  });

  test('a body over 32 MiB is 413, declared or counted', async () => {
    const { ola } = await shared;
    const authorization = `Authorization: Bearer ${adminToken}`;
    const line = `POST ${path} HTTP/1.1`;
    const declared = requestBytes(line, [authorization, `Content-Type: ${asked.type}`, `Content-Length: ${33 * 1024 * 1024}`]);
    expectError((await exchange(ola.port, declared))[0]!, 413, 'request_too_large');
    const wire = await open(ola.port);
    wire.send(requestBytes(line, [authorization, `Content-Type: ${asked.type}`, 'Transfer-Encoding: chunked']));
    const piece = chunk('a'.repeat(1024 * 1024));
    for (let sent = 0; sent < 34 && wire.replies().length === 0; sent++) {
      wire.send(piece);
      await Bun.sleep(5);
    }
    expectError(await until('it is refused', () => wire.replies()[0]), 413, 'request_too_large');
    wire.socket.destroy();
  });
});

test('each call leaves one usage row, under its endpoint, with what it used', async () => {
  const { ola, up } = await scene();
  for (const { path, body, type, answer: good } of endpoints) {
    up.modes.set(`row${path}`, good);
    expect((await askRaw(ola, path, body(`acme/row${path}`), type)).status).toBe(200);
  }
  up.modes.set('refuses', answer(400, theirs));
  await askRaw(ola, '/v1/audio/transcriptions', form('acme/refuses', 'file'), formType);
  ola.kill('SIGTERM');
  expect(await ola.exited).toBe(0);
  const database = new Database(`${ola.home}/runtime_state.sqlite3`, { readonly: true });
  const rows = database
    .query(
      'SELECT endpoint, model, stream, status, provider, prompt_tokens, completion_tokens FROM usage JOIN usage_kinds ON usage_kinds.id = kind ORDER BY usage.id',
    )
    .values();
  database.close();
  expect(rows).toEqual([
    ...endpoints.map(({ path, tokens }) => [path, `row${path}`, 0, 200, 'acme', ...tokens]),
    ['/v1/audio/transcriptions', 'refuses', 0, 400, 'acme', null, null],
  ]);
});

describe('embeddings', () => {
  test.each(['"x"', '["x","y"]', '[1,2,3]', '[[1],[2,3]]'])('input %s is taken', async (input) => {
    const { ola, up } = await shared;
    up.modes.set(`input ${input}`, answer(200, { data: [{ embedding: [1] }] }));
    expect(
      (await ola.ask('POST', '/v1/embeddings', `{"model":${JSON.stringify(`acme/input ${input}`)},"input":${input}}`)).status,
    ).toBe(200);
    expect(up.requestFor(`input ${input}`).body).toEndWith(`"input":${input}}`);
  });

  test.each([
    '""',
    '[]',
    '[""]',
    '["x",""]',
    '["x",1]',
    '[[]]',
    '[[1],"x"]',
    '[1.5]',
    '[-1]',
    '[[1.5]]',
    '1',
    'null',
    '{}',
    'true',
    '[null]',
  ])('input %s is 400', async (input) => {
    const { ola } = await shared;
    const error = expectError(
      await ola.ask('POST', '/v1/embeddings', `{"model":"acme/x","input":${input}}`),
      400,
      'invalid_request',
    );
    expect(error['param'] as unknown).toBe('input');
  });

  test('no input is 400; the default model is used when none is named', async () => {
    const { ola } = await shared;
    expectError(await ola.ask('POST', '/v1/embeddings', { model: 'acme/x' }), 400, 'invalid_request');
    expectError(await ola.ask('POST', '/v1/embeddings', { input: 'x' }), 404, 'model_not_found');
  });

  test('a provider that is known to have none is not asked', async () => {
    const { ola } = await shared;
    expectError(await ola.ask('POST', '/v1/embeddings', { model: 'deepseek/x', input: 'x' }), 400, 'embeddings_not_supported');
  });
});

describe('legacy completions', () => {
  test('a stream ends with [DONE], its usage is asked for and kept back', async () => {
    const { ola, up } = await shared;
    const event = 'data: {"choices":[{"text":"a"}]}\n\n';
    const used = 'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}\n\n';
    up.modes.set('legacy', stream(event, used, 'data: [DONE]\n\n'));
    const got = await ola.ask('POST', '/v1/completions', '{"model":"acme/legacy","prompt":"x","stream":true}');
    expect(got.text).toBe(`${event}data: [DONE]\n\n`);
    expect(up.requestFor('legacy').body).toBe(
      '{"stream_options":{"include_usage":true},"model":"legacy","prompt":"x","stream":true}',
    );
  });

  test('a stream that breaks off ends with an error and no [DONE]', async () => {
    const { ola, up } = await shared;
    up.modes.set('legacy-cut', bytes(streamHead + chunk('data: {"choices":[{"text":"a"}]}\n\n'), 'end'));
    const got = await ola.ask('POST', '/v1/completions', { model: 'acme/legacy-cut', prompt: 'x', stream: true });
    expect(got.text).toContain('upstream_truncated');
    expect(got.text).not.toContain('[DONE]');
  });
});

test('a moderation must name its model: the default model is not asked', async () => {
  const { ola, up } = await scene();
  await ola.ask('POST', '/config', { ...(await ola.ask('GET', '/config')).json, defaultModel: 'acme/chat' });
  const before = up.received.length;
  for (const model of [undefined, null, '', ' ', 'default']) {
    expectError(await ola.ask('POST', '/v1/moderations', { input: 'x', model }), 404, 'model_not_found');
  }
  expect(up.received.length).toBe(before);
  expect((await ola.ask('POST', '/v1/chat/completions', { messages: [{}] })).status).toBe(200);
});

describe('a form', () => {
  const post = async (body: Buffer, headers = {}) =>
    askRaw((await shared).ola, '/v1/audio/transcriptions', body, formType, headers);

  test('without a model gets the default one, in front of all else', async () => {
    const { ola, up } = await scene();
    await ola.ask('POST', '/config', { ...(await ola.ask('GET', '/config')).json, defaultModel: 'acme/whisper' });
    up.modes.set('whisper', answer(200, { text: 'x' }));
    expect((await askRaw(ola, '/v1/audio/transcriptions', form(null, 'file'), formType)).status).toBe(200);
    const sent = up.requestFor('whisper').bytes;
    expect(sent.subarray(sent.length - form(null, 'file').length).equals(form(null, 'file'))).toBe(true);
  });

  test('with a model twice, or one that is too long, a file, or has control characters, is refused', async () => {
    const twice = Buffer.concat([
      Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="model"\r\n\r\nacme/a\r\n`),
      form('acme/b', 'file'),
    ]);
    expectError(await post(twice), 400, 'invalid_request');
    expectError(await post(form(`acme/${'a'.repeat(600)}`, 'file')), 400, 'invalid_request');
    expectError(await post(form(null, 'model')), 400, 'invalid_request');
    expectError(await post(form('acme/a\u0001b', 'file')), 422, 'invalid_field');
  });

  test('may begin with a line end and name the types and charsets of its fields', async () => {
    const { up } = await shared;
    up.modes.set('typed-field', answer(200, { text: 'x' }));
    const part = (type: string, value: string) =>
      `--${boundary}\r\nContent-Type: ${type}\r\nContent-Disposition: form-data; name="model"\r\n\r\n${value}\r\n`;
    for (const type of ['text/plain; charset=ISO-8859-1', 'application/json']) {
      const sent = (value: string) => Buffer.concat([Buffer.from(part(type, value)), form(null, 'file')]);
      expect((await post(Buffer.concat([Buffer.from('\r\n'), sent('acme/typed-field')]))).status).toBe(200);
      expect(up.received.at(-1)?.bytes.equals(sent('typed-field'))).toBe(true);
    }
    const other = Buffer.concat([Buffer.from(part('text/plain; charset=utf-16', 'acme/typed-field')), form(null, 'file')]);
    expectError(await post(other), 400, 'invalid_request');
  });

  test('that does not end is refused', async () => {
    expectError(await post(form('acme/a', 'file').subarray(0, -20)), 400, 'invalid_request');
  });

  test('comes through whole in chunks too, and its via and profile are looked at', async () => {
    const { ola, up } = await shared;
    up.modes.set('chunked', answer(200, { text: 'x' }));
    const body = form('acme/chunked', 'file');
    const head = [
      `Authorization: Bearer ${adminToken}`,
      `Content-Type: ${formType}`,
      'Transfer-Encoding: chunked',
      'Via: 1.1 ola-0123456789abcdef',
    ];
    const pieces = [body.subarray(0, 50), body.subarray(50, 51), body.subarray(51)];
    const framed = pieces.flatMap((piece) => [Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]);
    const [got] = await exchange(
      ola.port,
      Buffer.concat([
        Buffer.from(requestBytes('POST /v1/audio/transcriptions HTTP/1.1', head)),
        ...framed,
        Buffer.from('0\r\n\r\n'),
      ]),
    );
    expect([got?.status, got?.text]).toEqual([200, '{"text":"x"}']);
    const received = up.requestFor('chunked');
    expect(received.bytes.includes(binary)).toBe(true);
    expect(received.headers.get('via')).toStartWith('1.1 ola-0123456789abcdef, 1.1 ola-');
    expectError(await post(body, { 'x-auth-profile': 'work' }), 404, 'provider_resolution_failed');
  });
});

test('with an open door a page of another site cannot post a form either', async () => {
  const ola = await start({ env: { OPEN_LLM_AUTH_TOKEN: '', OPEN_LLM_AUTH_ALLOW_ANON: '1' } });
  const up = await upstream();
  const ask = (headers: Readonly<Record<string, string>>) =>
    request(
      `${ola.address}/v1/audio/transcriptions`,
      'POST',
      { 'content-type': formType, ...headers },
      form('acme/x', 'file').toString('latin1'),
    );
  for (const headers of [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ]) {
    expectError(await ask(headers), 403, 'origin_not_allowed');
  }
  expect(up.received).toEqual([]);
  expect((await ask({})).status).not.toBe(403);
});

test('a call that circles is told for every endpoint', async () => {
  const { ola, up } = await shared;
  const circle = { error: { code: 'egress_destination_blocked', details: { reason: 'self_connection' } } };
  up.modes.set('circle', answer(403, circle));
  for (const { path, body, type } of endpoints) {
    expectError(await askRaw(ola, path, body('acme/circle'), type), 403, 'egress_destination_blocked');
  }
});

test('the demo answers embeddings', async () => {
  const ola = await start({ args: ['--demo'] });
  const got = await ola.ask('POST', '/v1/embeddings', { model: 'demo/echo', input: ['a', 'b', 'a'] });
  expect(got.status).toBe(200);
  const vectors = [...got.json['data']!].map((each) => each['embedding'] as unknown as number[]);
  expect(vectors.map(({ length }) => length)).toEqual([8, 8, 8]);
  expect(vectors[0]).toEqual(vectors[2]!);
  expect(vectors[0]).not.toEqual(vectors[1]!);
});
