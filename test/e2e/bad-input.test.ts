/** What no proper client sends: every answer is the envelope, or Bun's parser's own refusal, and the process lives on. */
import { afterEach, describe, expect, test } from 'bun:test';
import { adminToken, expectError, fromSource, onBinary, request, stage, until } from './stage.ts';
import { drained, exchange, open, type Reply, requestBytes } from './wire.ts';

const { start, upstream } = stage();
const chatPath = '/v1/chat/completions';
const authorization = `Authorization: Bearer ${adminToken}`;
const json = 'Content-Type: application/json';

const shared = (async () => {
  const ola = await start();
  const up = await upstream();
  await ola.addProvider('acme', up);
  return { ola, up };
})();

afterEach(async () => {
  const { ola } = await shared;
  expect((await request(`${ola.address}/health`)).json as unknown).toMatchObject({ status: 'ok' });
  expect(ola.err()).not.toMatch(/crashed|a request failed|internal_error/);
});

/** A chat request as bytes, with its length unless the headers say otherwise. */
function post(body: string | Buffer, headers: readonly string[] = [authorization, json]): Buffer {
  const length = headers.some((header) => /^(?:content-length|transfer-encoding)/i.test(header))
    ? []
    : [`Content-Length: ${Buffer.byteLength(body)}`];
  return Buffer.concat([Buffer.from(requestBytes(`POST ${chatPath} HTTP/1.1`, [...headers, ...length])), Buffer.from(body)]);
}

async function reply(bytes: string | Uint8Array): Promise<Reply | undefined> {
  const { ola } = await shared;
  return (await exchange(ola.port, bytes))[0];
}

async function expectReply(bytes: string | Uint8Array, status: number, code: string): Promise<void> {
  const got = await reply(bytes);
  expectError(got!, status, code);
  expect(got?.headers.get('content-type')).toBe('application/json');
  expect(got?.headers.get('x-request-id')).toStartWith('req_');
}

const chat = (fields: string) => `{"model":"acme/bad","messages":[{"role":"user","content":"x"}]${fields}}`;
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

describe('bodies', () => {
  const cases: readonly (readonly [what: string, body: string | Buffer, status: number, code: string])[] = [
    ['empty', '', 400, 'invalid_json'],
    ['white space', ' \n ', 400, 'invalid_json'],
    ['half', '{"model":"acme/x","messages":[', 400, 'invalid_json'],
    ['two documents', '{}{}', 400, 'invalid_json'],
    ['a byte order mark of UTF-16', Buffer.from('\ufeff{}', 'utf16le'), 400, 'invalid_json'],
    ['random bytes', Buffer.from(Array.from({ length: 512 }, (_, i) => (i * 89) % 256)), 400, 'invalid_json'],
    ['NUL bytes', Buffer.alloc(1000), 400, 'invalid_json'],
    ['a comment', '{/* */}', 400, 'invalid_json'],
    ['NaN', chat(',"temperature":NaN'), 400, 'invalid_json'],
    ['a number', '7', 422, 'invalid_field'],
    ['null', 'null', 422, 'invalid_field'],
    ['an array', '[]', 422, 'invalid_field'],
    ['100,000 brackets that close', nested(100_000), 422, 'invalid_field'],
    ['100,000 brackets that do not', '['.repeat(100_000), 400, 'invalid_json'],
    ['no messages', '{"model":"acme/x"}', 422, 'invalid_field'],
    ['messages that are none', '{"model":"acme/x","messages":"hello"}', 422, 'invalid_field'],
    ['an empty list of messages', '{"model":"acme/x","messages":[]}', 422, 'invalid_field'],
    ['messages of wrong types', '{"model":"acme/x","messages":["hi",7,null]}', 422, 'invalid_field'],
    ['messages that are lists', '{"model":"acme/x","messages":[[]]}', 422, 'invalid_field'],
    ['stream: "yes"', chat(',"stream":"yes"'), 422, 'invalid_field'],
    ['stream: 1', chat(',"stream":1'), 422, 'invalid_field'],
    ['stream_options: true', chat(',"stream":true,"stream_options":true'), 422, 'invalid_field'],
    ['include_usage: "no"', chat(',"stream":true,"stream_options":{"include_usage":"no"}'), 422, 'invalid_field'],
    ['a model that is a number', '{"model":7,"messages":[{}]}', 422, 'invalid_field'],
    ['a model that is a list', '{"model":["a"],"messages":[{}]}', 422, 'invalid_field'],
    ['a model of 513 characters', `{"model":"${'a'.repeat(513)}","messages":[{}]}`, 422, 'invalid_field'],
    ['a model with a line break', '{"model":"acme/x\\r\\nX-Injected: 1","messages":[{}]}', 422, 'invalid_field'],
    ['a model with NUL', '{"model":"acme/\\u0000","messages":[{}]}', 422, 'invalid_field'],
    ['a model with an escape sequence', '{"model":"acme/\\u001b[2J","messages":[{}]}', 422, 'invalid_field'],
    ['an empty model', '{"model":"","messages":[{}]}', 404, 'model_not_found'],
    ['no model', '{"messages":[{}]}', 404, 'model_not_found'],
    ['model: null', '{"model":null,"messages":[{}]}', 404, 'model_not_found'],
    ['a provider without a model', '{"model":"acme/","messages":[{}]}', 404, 'model_not_found'],
    ['a slash', '{"model":"/","messages":[{}]}', 404, 'model_not_found'],
    ['an unknown provider', '{"model":"nobody/x","messages":[{}]}', 404, 'provider_resolution_failed'],
    ['an unknown bare model', '{"model":"zzz","messages":[{}]}', 404, 'model_not_found'],
    ['a provider named __proto__', '{"model":"__proto__/x","messages":[{}]}', 404, 'provider_resolution_failed'],
    ['an auth profile that is not there', '{"model":"acme:work/x","messages":[{}]}', 404, 'provider_resolution_failed'],
    ['Model beside model', chat(',"Model":"acme/y"'), 400, 'invalid_request'],
    ['Model alone', '{"Model":"acme/x","messages":[{}]}', 400, 'invalid_request'],
    ['model twice', chat(',"model":"acme/y"'), 400, 'invalid_request'],
    ['model twice, once with an escape', chat(',"mod\\u0065l":"acme/y"'), 400, 'invalid_request'],
    ['model twice, once with an escaped capital', chat(',"\\u004dodel":"acme/y"'), 400, 'invalid_request'],
    ['stream twice', chat(',"stream":false,"stream" :true'), 400, 'invalid_request'],
    ['messages twice', chat(',"messages":[{}]'), 400, 'invalid_request'],
    ['max_tokens with the sign of Kelvin', chat(',"max_tokens":1,"max_to\u212aens":9'), 400, 'invalid_request'],
    ['__proto__ as a field', '{"__proto__":{"model":"acme/x","messages":[{}]}}', 422, 'invalid_field'],
  ];
  test.each(cases)('%s', (_, body, status, code) => expectReply(post(body), status, code));

  test('a refusal repeats nothing of the body', async () => {
    const got = await reply(
      post('{"model":"acme/x","messages":"prompt-words","api_key":"prompt-words","stream":"prompt-words"}'),
    );
    expect(got?.text).not.toContain('prompt-words');
  });

  test('what is odd but allowed reaches the upstream', async () => {
    const { ola, up } = await shared;
    const odd = [
      '{"model":"acme/..%2f..\\u2028x","messages":[{}]}'.replace('\\u2028', ''),
      '{"model":"acme/\\ud800","messages":[{"content":"\\ud800"}]}',
      '{"messages":[{"role":"x","content":{"deep":'.concat(nested(500), '}}],"model":"acme/odd"}'),
      '{"__proto__":{"a":1},"constructor":7,"model":"acme/proto","messages":[{}]}',
      '{"model":"acme/inner","messages":[{"model":"a","model":"b","Model":"c","content":"\\"model\\":\\u006d"}]}',
    ];
    for (const body of odd) expect((await ola.ask('POST', chatPath, body)).status).toBe(200);
    expect(up.requestFor('odd').body).toContain(nested(500));
    expect(up.requestFor('inner').body).toContain('[{"model":"a","model":"b","Model":"c",');
    expect(up.requestFor('proto').body).toBe('{"__proto__":{"a":1},"constructor":7,"model":"proto","messages":[{}]}');
  });
});

describe('content types', () => {
  test.each([
    '',
    'text/plain',
    'text/plain; charset=application/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonp',
    'json',
    'application/json, text/plain',
    '*/*',
  ])('%p is refused', (type) =>
    expectReply(
      post(chat(''), type === '' ? [authorization] : [authorization, `Content-Type: ${type}`]),
      415,
      'unsupported_media_type',
    ),
  );
  test.each(['application/json; charset=utf-8', 'APPLICATION/JSON', 'application/vnd.api+json', 'application/json ; a=b'])(
    '%p is taken',
    async (type) => {
      expect((await reply(post(chat(''), [authorization, `Content-Type: ${type}`])))?.status).toBe(200);
    },
  );
  test.each(['gzip', 'identity, gzip', 'zstd', 'br', 'none'])('a body coded as %p is refused', async (coding) => {
    const got = await reply(post(Bun.gzipSync(chat('')) as never, [authorization, json, `Content-Encoding: ${coding}`]));
    expectError(got!, 415, 'unsupported_media_type');
    expect(got?.headers.get('accept-encoding')).toBe('identity');
  });
  test.each(['', 'identity', 'Identity', 'IDENTITY, identity', ', identity,'])(
    'a body coded as %p is not coded',
    async (coding) => {
      expect((await reply(post(chat(''), [authorization, json, `Content-Encoding: ${coding}`])))?.status).toBe(200);
    },
  );
});

describe('sizes', () => {
  const most = 32 * 1024 * 1024;

  test('a declared length over 32 MiB is refused before it is sent', () =>
    expectReply(post('{', [authorization, json, `Content-Length: ${most + 1}`]), 413, 'request_too_large'));

  const way = (what: string, headers: readonly string[], status: number, code: string) => ({ what, headers, status, code });
  test.each([
    way('too large', [authorization, json], 413, 'request_too_large'),
    way('a stranger’s', [json], 401, 'invalid_api_key'),
    way('of another origin', [authorization, json, 'Origin: http://evil.example'], 403, 'origin_not_allowed'),
    way('no JSON', [authorization, 'Content-Type: text/plain'], 415, 'unsupported_media_type'),
  ])(
    '40 MiB that are refused ($what) are read to the end, so that the refusal can be read',
    async ({ headers, status, code }) => {
      const { ola } = await shared;
      const wire = await open(ola.port);
      const size = 40 * 1024 * 1024;
      wire.send(requestBytes(`POST ${chatPath} HTTP/1.1`, [...headers, `Content-Length: ${size}`]));
      const block = Buffer.alloc(1024 * 1024, 0x20);
      for (let sent = 0; sent < size && !wire.closed(); sent += block.length) {
        if (!wire.socket.write(block)) await drained(wire.socket);
      }
      const whole = (count: number) => () => wire.replies().filter((each) => each.whole).length === count;
      await until('it is answered', whole(1));
      const [refused] = wire.replies();
      expectError(refused!, status, code);
      // Deno ends the connection behind the refusal, once it has read the rest.
      if (!fromSource) {
        expect(refused?.headers.has('connection')).toBe(false);
        wire.send(requestBytes('GET /v1/models HTTP/1.1', [authorization]));
        await until('the next is answered', whole(2));
        expect(wire.replies()[1]?.status).toBe(200);
      }
      wire.socket.destroy();
    },
  );

  test('a chunked body is counted as it comes', async () => {
    const { ola } = await shared;
    const wire = await open(ola.port);
    wire.send(requestBytes(`POST ${chatPath} HTTP/1.1`, [authorization, json, 'Transfer-Encoding: chunked']));
    const block = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(0x100000, 0x20), Buffer.from('\r\n')]);
    for (let sent = 0; sent < 33 && wire.replies().length === 0; sent++) {
      if (!wire.socket.write(block)) await drained(wire.socket);
    }
    await until('it is answered', () => wire.replies()[0]?.whole);
    expectError(wire.replies()[0]!, 413, 'request_too_large');
    wire.socket.destroy();
  });

  test('31 MiB are taken', async () => {
    const { ola, up } = await shared;
    const body = `{"model":"acme/large","messages":[{"role":"user","content":"${'x'.repeat(31 * 1024 * 1024)}"}]}`;
    expect((await ola.ask('POST', chatPath, body)).status).toBe(200);
    expect(up.requestFor('large').body.length).toBe(body.length - 'acme/'.length);
  });

  test('a stranger’s body is refused by who he is, not by what he sends', () =>
    expectReply(post('{', [json, `Content-Length: ${most + 1}`]), 401, 'invalid_api_key'));

  test('a body that stops half way, and a client that leaves in it, hurt nobody', async () => {
    const { ola } = await shared;
    for (const how of ['end', 'reset', 'half-close'] as const) {
      const wire = await open(ola.port);
      wire.send(post('{"model":', [authorization, json, 'Content-Length: 1000']));
      await Bun.sleep(10);
      if (how === 'end') wire.socket.destroy();
      else if (how === 'reset') wire.socket.resetAndDestroy();
      else wire.socket.end();
      await Bun.sleep(10);
      wire.socket.destroy();
    }
  });
});

describe('headers', () => {
  const models = (...headers: readonly string[]) => requestBytes('GET /v1/models HTTP/1.1', headers);
  const withHost = (host: string) => `GET /v1/models HTTP/1.1\r\nHost: ${host}\r\n${authorization}\r\n\r\n`;

  test('two credentials of ola under one name are refused; the same one twice, or an empty or foreign one beside it, is not', async () => {
    await expectReply(models(authorization, 'Authorization: Bearer ola_other'), 400, 'conflicting_credentials');
    await expectReply(models(authorization, 'x-api-key: ola_other'), 400, 'conflicting_credentials');
    await expectReply(models(`${authorization}, Bearer ola_other`), 400, 'conflicting_credentials');
    expect((await reply(models(authorization, authorization)))?.status).toBe(200);
    expect((await reply(models(authorization, 'Authorization: Bearer foreign')))?.status).toBe(200);
    expect((await reply(models('Authorization:', `x-api-key: ${adminToken}`)))?.status).toBe(200);
  });

  test.each([
    'evil.example',
    'evil.example:8080',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    '127.0.0.2',
    '0.0.0.0',
    '[::2]',
    'localhost:99999999',
    'a@127.0.0.1',
    '',
    '127.0.0.1, evil.example',
  ])('Host %p is not served', async (host) => expectError((await reply(withHost(host)))!, 421, 'host_not_served'));
  test.each(['127.0.0.1', '127.0.0.1:1', 'localhost', 'LOCALHOST:8080', '[::1]:80'])('Host %p is', async (host) => {
    expect((await reply(withHost(host)))?.status).toBe(200);
  });

  test.each([
    'http://evil.example',
    'null',
    'http://127.0.0.1.evil.example',
    'https://127.0.0.1:1',
    'chrome-extension://abc',
    'http://127.0.0.1@evil.example',
  ])('Origin %s is refused, with a good token too', (origin) =>
    expectReply(models(authorization, `Origin: ${origin}`), 403, 'origin_not_allowed'),
  );
  test('a cross-site request is refused, also to /health; one of this origin is not', async () => {
    await expectReply(models(authorization, 'Sec-Fetch-Site: cross-site'), 403, 'origin_not_allowed');
    expect((await reply(models(authorization, 'Origin: http://127.0.0.1', 'Sec-Fetch-Site: same-origin')))?.status).toBe(200);
  });

  test('a preflight request of another origin opens nothing', async () => {
    const got = await reply(
      requestBytes(`OPTIONS ${chatPath} HTTP/1.1`, ['Origin: http://evil.example', 'Access-Control-Request-Method: POST']),
    );
    expect(got?.status).toBe(403);
    expect([...(got?.headers.keys() ?? [])].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  const absurd = [
    models(`X-A: ${'a'.repeat(100_000)}`),
    models(...Array.from({ length: 1000 }, (_, n) => `X-${n}: a`)),
    requestBytes(`GET /${'a'.repeat(100_000)} HTTP/1.1`, []),
  ];
  test('absurd sizes are refused by the parser', async () => {
    for (const bytes of absurd) expect((await reply(bytes))?.status).toBeOneOf([400, 431, 414]);
  });
  onBinary('the status of absurd sizes, which is its parser’s', () => {
    test('absurd sizes are 431', async () => {
      for (const bytes of absurd) expect((await reply(bytes))?.status).toBe(431);
    });
  });

  test('framing that parsers disagree about is refused, and what stands behind it is no request', async () => {
    const smuggled = requestBytes('GET /config HTTP/1.1', [authorization]);
    for (const framing of [
      ['Content-Length: 5', 'Content-Length: 6'],
      ['Content-Length: 5', 'Transfer-Encoding: chunked'],
      ['Transfer-Encoding: chunked, identity'],
      ['Transfer-Encoding: xchunked'],
      ['Content-Length: -5'],
      ['Content-Length: +5'],
      ['Content-Length: 0x5'],
      ['Content-Length: 99999999999999999999'],
    ]) {
      const { ola } = await shared;
      const replies = await exchange(
        ola.port,
        `${requestBytes(`POST ${chatPath} HTTP/1.1`, [authorization, json, ...framing])}0\r\n\r\n${smuggled}`,
      );
      expect([framing, replies.map(({ status }) => status >= 400)]).toEqual([framing, [true]]);
    }
  });

  test('control characters and spaces in header lines are refused', async () => {
    for (const header of ['X-A: a\0b', 'X-A: a\u0001b', 'X-A : a', 'X A: a', ': a', ' folded'])
      expect((await reply(models(header)))?.status).toBe(400);
  });
});

describe('paths and methods', () => {
  const get = (path: string, method = 'GET', version = 'HTTP/1.1') =>
    requestBytes(`${method} ${path} ${version}`, [authorization]);

  test.each([
    '/nowhere',
    '//config',
    '/v1%2Fmodels',
    '/config%2Fproviders',
    '/v1/models/../../nowhere',
    '/V1/models',
    '/v1/',
    '/%',
    '/%zz',
    '/a%00b',
    '/..%2f..%2fetc/passwd',
    `/${'a'.repeat(8000)}`,
  ])('%s is nothing', (path) => expectReply(get(path), 404, 'route_not_found'));

  test('steps up in a path do not go round a scope', async () => {
    const { ola } = await shared;
    const { token } = (await ola.ask('POST', '/config/tokens', { name: 'reader', scopes: ['read'] })).json as unknown as {
      token: string;
    };
    for (const path of [
      '/v1/../config',
      '/v1/%2e%2e/config',
      '/v1/models/../../config',
      '/./config',
      '/config/',
      '/config?x',
      '/config/tokens',
      '/v1/../config/tokens',
    ]) {
      const got = await reply(requestBytes(`GET ${path} HTTP/1.1`, [`Authorization: Bearer ${token}`]));
      expect([path, [403, 404].includes(got?.status ?? 0)]).toEqual([path, true]);
    }
  });

  test('odd model ids in the path are not found, and end there', async () => {
    for (const path of ['acme%2Fx', 'acme/..%2F..%2Fconfig', '%', '%zz', '%00', '%E0%A4%A', `${'a'.repeat(5000)}`])
      await expectReply(get(`/v1/models/${path}`), 404, 'model_not_found');
  });

  test('a wrong method on a known path is 405 and says which are right', async () => {
    for (const [method, path, allow] of [
      ['DELETE', '/v1/models', 'GET, HEAD'],
      ['GET', chatPath, 'POST'],
      ['PATCH', '/config/providers/x', 'PUT, DELETE'],
      ['TRACE', '/health', 'GET, HEAD'],
    ] as const) {
      const got = await reply(get(path, method));
      expectError(got!, 405, 'method_not_allowed');
      expect(got?.headers.get('allow')).toBe(allow);
    }
  });

  test('HEAD answers as GET does, without the body', async () => {
    const { ola } = await shared;
    for (const path of ['/health', '/v1/models', '/config', '/nowhere']) {
      const [head, whole] = [await ola.ask('HEAD', path), await ola.ask('GET', path)];
      expect([path, head.status, head.text]).toEqual([path, whole.status, '']);
      // The time since the start stands in it.
      if (path !== '/health') expect(head.headers.get('content-length')).toBe(whole.headers.get('content-length'));
    }
  });

  test('HTTP/1.0 is answered, other versions are refused', async () => {
    expect((await reply(get('/health', 'GET', 'HTTP/1.0')))?.status).toBe(200);
    expect((await reply(get('/v1/models', 'GET', 'HTTP/1.0')))?.status).toBe(200);
    for (const version of ['HTTP/2.0', 'HTTP/9.9', 'HTP/1.1', ''])
      expect((await reply(get('/health', 'GET', version)))?.status).toBeOneOf([400, 505]);
  });

  test('what is no HTTP is refused or cut off', async () => {
    for (const bytes of ['hello\r\n\r\n', '\0'.repeat(100), 'GET\r\n\r\n', Buffer.from([0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0])])
      expect((await reply(bytes))?.status ?? 400).toBeOneOf([400, 505]);
  });

  onBinary('that HTTP/2 is refused: Deno.serve speaks it to whoever begins with its preface', () => {
    test('the preface of HTTP/2 is refused', async () => {
      expect((await reply('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'))?.status ?? 400).toBeOneOf([400, 505]);
    });
  });
});

test('pipelined requests are answered in order', async () => {
  const { ola } = await shared;
  const ids = ['one', 'two', 'three'];
  const bytes = ids.map((id) => requestBytes('GET /v1/models HTTP/1.1', [authorization, `X-Request-Id: ${id}`])).join('');
  const replies = await exchange(ola.port, bytes, 3);
  expect(replies.map(({ status, headers }) => [status, headers.get('x-request-id')])).toEqual(ids.map((id) => [200, id]));
});

// A probe of that kind is what HAProxy sends unless told otherwise; the path of such a request is read wrongly.
test('a health probe without a Host, as HTTP/1.0 allows, is answered', async () => {
  expect((await reply('GET /health HTTP/1.0\r\n\r\n'))?.status).toBe(200);
});
onBinary('that the URL of a request without a Host is relative', () => {
  test('nothing but the health probe is answered without a Host', async () => {
    for (const target of ['/health/config', '/health/more/config', '/health?x=/config', '/aaaaaaa/config?://x/health']) {
      expectError((await reply(`GET ${target} HTTP/1.0\r\n\r\n`))!, 421, 'host_not_served');
    }
  });
});

test('100 bad requests at once, and good ones between them', async () => {
  const { ola } = await shared;
  const bad = Array.from({ length: 100 }, (_, n) => {
    const bytes = [
      post('{'),
      post(chat(',"stream":"yes"')),
      post('{}', [json]),
      requestBytes('GET /nowhere HTTP/1.1', []),
      'garbage\r\n\r\n',
    ][n % 5]!;
    return exchange(ola.port, bytes);
  });
  const good = Array.from({ length: 20 }, () => ola.chat('acme/between'));
  const statuses = (await Promise.all(bad)).map(([first]) => first?.status ?? 0);
  expect([...new Set(statuses)].sort()).toEqual([400, 401, 404, 422]);
  expect((await Promise.all(good)).map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
});
