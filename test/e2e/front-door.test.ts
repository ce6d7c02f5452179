/** Who and what comes in by the front door, byte for byte, and what of it goes out by the back door. */
import { afterEach, describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { adminToken, expectError, type Ola, onBinary, request, stage, until, within } from './stage.ts';
import { answer, bytes, completion } from './upstream.ts';
import { exchange, open, type Reply, requestBytes, type Wire } from './wire.ts';

const { start, upstream } = stage();
const chatPath = '/v1/chat/completions';
const authorization = `Authorization: Bearer ${adminToken}`;
const json = 'Content-Type: application/json';

const shared = (async () => {
  const ola = await start();
  const up = await upstream();
  await ola.addProvider('acme', up);
  // Begun here, so that the last test need not wait for all of its time.
  const half = await Promise.all([0, 1, 2, 3].map(() => open(ola.port)));
  const beginnings = ['', 'GET /v1/mod', 'GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\n', 'POST / HTTP/1.1\r\nX-A: '];
  for (const [at, beginning] of beginnings.entries()) if (beginning !== '') half[at]?.send(beginning);
  return { ola, up, half };
})();

afterEach(async () => {
  const { ola } = await shared;
  expect((await request(`${ola.address}/health`)).json as unknown).toMatchObject({ status: 'ok' });
  expect(ola.err()).not.toMatch(/crashed|a request failed|internal_error/);
});

const body = JSON.stringify({ model: 'acme/framed', messages: [{ role: 'user', content: 'x' }] });
const size = body.length.toString(16);
const chunks = `${size}\r\n${body}\r\n0\r\n\r\n`;
/** What an attacker wants to be taken for a request of its own. */
const hidden = requestBytes('GET /config HTTP/1.1', [authorization]);

function framed(framing: readonly string[], payload: string, line = `POST ${chatPath} HTTP/1.1`): Buffer {
  return Buffer.from(requestBytes(line, [authorization, json, ...framing], payload), 'latin1');
}

/** Sends, and waits until the other side closes. */
async function untilClosed(port: number, sent: Buffer): Promise<Reply[]> {
  const wire = await open(port);
  wire.send(sent);
  await until('the connection is closed', () => wire.closed());
  return wire.replies();
}

describe('framing that two parsers could read in two ways', () => {
  const length = `Content-Length: ${body.length}`;
  const chunked = 'Transfer-Encoding: chunked';
  const cases: readonly (readonly [what: string, sent: Buffer])[] = [
    ...[
      [chunked, chunked],
      ['Transfer-Encoding: identity', chunked],
      ['Transfer-Encoding: chunked, gzip'],
      ['Transfer-Encoding: gzip, chunked'],
      ['Transfer-Encoding: chunked, chunked'],
      ['Transfer-Encoding: chunked-false'],
      ['Transfer-Encoding: xchunked'],
      ['Transfer-Encoding: identity'],
      ['Transfer-Encoding: "chunked"'],
      ['Transfer-Encoding:\x0bchunked'],
      ['Transfer-Encoding:'],
      ['Transfer-Encoding : chunked'],
      ['Transfer-Encoding:', ' chunked'],
      [chunked, length],
      [length, chunked],
    ].map((framing) => [framing.join(' | '), framed(framing, chunks + hidden)] as const),
    ...[
      ['Content-Length: 6', 'Content-Length: 5'],
      ['Content-Length:', length],
      [length, 'Content-Length:'],
      ['Content-Length:'],
      [`Content-Length : ${body.length}`],
      [`Content-Length: +${body.length}`],
      [`Content-Length: -${body.length}`],
      [`Content-Length: ${body.length},${body.length}`],
      [`Content-Length: ${body.length}, ${body.length}`],
      [`Content-Length: 0x${size}`],
      ['Content-Length: 1e1'],
      ['Content-Length: 6 4'],
      ['Content-Length: 99999999999999999999'],
      [`Content-Length: ${2n ** 64n + BigInt(body.length)}`],
      [length, 'X-A: a', ' folded'],
      [length, 'X-A: a', '\tfolded'],
      [`${length}\nX-A: b`],
      [`${length}\rX-A: b`],
      [length, 'X-A: a\0b'],
      [length, 'X\0A: a'],
      [length, 'X-A: a\x01'],
      [length, 'X A: a'],
      [length, 'no colon'],
    ].map((framing) => [framing.join(' | '), framed(framing, body + hidden)] as const),
    ...[
      `${size}\r\n${body}XY0\r\n\r\n`,
      `${size}\r\n${body}\rX0\r\n\r\n`,
      `${size}\r\n${body}X\n0\r\n\r\n`,
      `${size}\r\n${body}\n0\r\n\r\n`,
      `${size}\n${body}\r\n0\r\n\r\n`,
      `${size}\r\n${body}\r\n0\r\nXX`,
      `0x${chunks}`,
      `+${chunks}`,
      `-${chunks}`,
      ` ${chunks}`,
      `\r\n${chunks}`,
      `1000000000000000${chunks}`,
      `${size};a\nb\r\n${body}\r\n0\r\n\r\n`,
      `${size}\r\n${body}\r\n0\r\nContent-Length: 5\r\n\r\n`,
      `${size};${'a'.repeat(2 ** 25)}\r\n${body}\r\n0\r\n\r\n`,
    ].map((payload) => [`chunked: ${payload.slice(0, 30)}`, framed([chunked], payload + hidden)] as const),
    ['chunked in HTTP/1.0', framed([chunked], chunks + hidden, `POST ${chatPath} HTTP/1.0`)],
    [
      'bare line feeds',
      Buffer.from(
        framed([length], body + hidden)
          .toString('latin1')
          .replaceAll('\r\n', '\n'),
      ),
    ],
  ];

  onBinary('which framing its parser refuses; Deno’s takes bare line feeds and blanks before a size', () => {
    test('is refused and the connection closed: nothing is handled, and what hides behind it is no request', async () => {
      const { ola, up } = await shared;
      const answers = await Promise.all(cases.map(([, sent]) => untilClosed(ola.port, sent)));
      const seen = answers.map((replies, at) => [
        cases[at]?.[0],
        replies.length <= 1,
        replies.every(({ status }) => status >= 400),
      ]);
      expect(seen).toEqual(cases.map(([what]) => [what, true, true]));
      expect(answers.flat().filter(({ status }) => ![400, 413, 431, 505].includes(status))).toEqual([]);
      expect(
        answers
          .flat()
          .map(({ text }) => text)
          .join(''),
      ).not.toContain('providers');
      expect(up.for('framed')).toEqual([]);
    });
  });

  onBinary('which framing its parser takes', () => {
    test('is not what is merely unusual: that is read as it is meant', async () => {
      const { ola, up } = await shared;
      for (const sent of [
        framed(['Transfer-Encoding: CHUNKED'], chunks),
        framed(['Transfer-Encoding:\tchunked\t'], chunks),
        framed([chunked], `${size};name=value\r\n${body}\r\n0\r\n\r\n`),
        framed([chunked], `00${size.toUpperCase()}\r\n${body}\r\n000\r\n\r\n`),
        framed([length, length], body),
        framed([`Content-Length: 000${body.length}`], body),
        framed([length, 'Expect: 100-continue'], body),
      ]) {
        const replies = await exchange(ola.port, sent, sent.includes('Expect') ? 2 : 1);
        expect(replies.at(-1)?.status).toBe(200);
      }
      expect(up.for('framed')).toHaveLength(7);
    });
  });

  test('of a body that a route does not read leaves no rest behind', async () => {
    const { ola } = await shared;
    // Bun answers pipelined requests only when the first is answered at once: the providers have been asked for their models.
    await ola.ask('GET', '/v1/models');
    for (const line of [
      'GET /v1/models HTTP/1.1',
      'HEAD /v1/models HTTP/1.1',
      'GET /nothing HTTP/1.1',
      'DELETE /v1/models HTTP/1.1',
    ]) {
      const inside = framed([`Content-Length: ${hidden.length}`], hidden, line);
      const after = requestBytes('GET /health HTTP/1.1', ['X-Request-Id: after']);
      const wire = await open(ola.port);
      wire.send(Buffer.concat([inside, Buffer.from(after)]));
      await until('the second is answered', () => wire.received().includes('after'));
      expect(wire.received().match(/HTTP\/1\.1 \d/g)).toHaveLength(2);
      expect(wire.received()).not.toContain('"providers"');
      wire.socket.destroy();
    }
  });
});

onBinary('what its parser does not take, where Deno’s does', () => {
  test('what its parser does not take is never answered as something else, and hurts nobody', async () => {
    const { ola } = await shared;
    const post = framed([`Content-Length: ${body.length}`], body).toString('latin1');
    const get = requestBytes('GET /health HTTP/1.1', []);
    const lower = requestBytes('post /health HTTP/1.1', []);
    const trailer = framed(['Transfer-Encoding: chunked'], `${size}\r\n${body}\r\n0\r\nX-Trailer: a\r\n\r\n`).toString('latin1');
    for (const sent of [post + post, post + get, `\r\n${post}`, `${post}\r\n`, trailer, lower]) {
      const replies = await untilClosed(ola.port, Buffer.from(sent, 'latin1'));
      expect(replies.filter(({ status, whole }) => status !== 400 || !whole)).toEqual([]);
    }
  });
});

describe('a request line', () => {
  onBinary('which request lines its parser refuses', () => {
    test('that names no path of ours is not found or refused, and the name in it counts for nothing', async () => {
      const { ola } = await shared;
      for (const line of [
        'CONNECT 127.0.0.1:443 HTTP/1.1',
        'CONNECT aaaaaaaa/config://x/health HTTP/1.1',
        'GET config HTTP/1.1',
        'GET ftp://127.0.0.1/config HTTP/1.1',
        'OPTIONS * HTTP/1.1',
        'GET /v1/models /config HTTP/1.1',
        'GET  /config HTTP/1.1',
        'GET\t/config\tHTTP/1.1',
        'GET /v1/mod\0els HTTP/1.1',
        'get /config HTTP/1.1',
        'NONSENSE /config HTTP/1.1',
      ]) {
        const [reply] = await exchange(ola.port, Buffer.from(requestBytes(line, [authorization]), 'latin1'));
        expect([line, [400, 404, 405, 505].includes(reply?.status ?? 400)]).toEqual([line, true]);
      }
      const absolute = 'GET http://127.0.0.1/config HTTP/1.1\r\nHost: evil.example\r\n';
      expectError((await exchange(ola.port, `${absolute}${authorization}\r\n\r\n`))[0]!, 421, 'host_not_served');
    });
  });

  test('with two Hosts is served for neither', async () => {
    const { ola } = await shared;
    for (const host of ['127.0.0.1', 'evil.example']) {
      const [reply] = await exchange(ola.port, requestBytes('GET /config HTTP/1.1', [authorization, `Host: ${host}`]));
      expect(reply?.status).toBeOneOf([400, 421]);
    }
  });
});

describe('headers', () => {
  const models = (...headers: readonly string[]) => requestBytes('GET /v1/models HTTP/1.1', [authorization, ...headers]);

  onBinary('how large headers may be for its parser', () => {
    test('of 15 KiB are read, of 17 KiB not, whether in one line or in many', async () => {
      const { ola } = await shared;
      const lines = (count: number) => Array.from({ length: count }, (_, at) => `X-${at}: ${'a'.repeat(180)}`);
      const status = async (sent: string) => (await exchange(ola.port, sent))[0]?.status;
      expect(await status(models(`X-A: ${'a'.repeat(15 * 1024)}`))).toBe(200);
      expect(await status(models(...lines(80)))).toBe(200);
      expect(await status(models(`X-A: ${'a'.repeat(17 * 1024)}`))).toBe(431);
      expect(await status(models(...lines(95)))).toBe(431);
    });
  });

  onBinary('that headers may have bytes that are no text', () => {
    test('with bytes that are no text come back nowhere', async () => {
      const { ola } = await shared;
      for (const odd of ['a\x7fb', 'a\xffb', '\xc3\xa9', '\u0080']) {
        const sent = Buffer.from(models(`X-Request-Id: ${odd}`, `User-Agent: ${odd}`), 'latin1');
        const [reply] = await exchange(ola.port, sent);
        expect(reply?.status).toBe(200);
        expect(reply?.headers.get('x-request-id')).toStartWith('req_');
      }
      for (const odd of ['a\x7fb', 'a\xffb']) {
        const sent = Buffer.from(
          requestBytes('GET /v1/models HTTP/1.1', [`Authorization: Bearer ${adminToken}${odd}`]),
          'latin1',
        );
        expectError((await exchange(ola.port, sent))[0]!, 401, 'invalid_api_key');
      }
    });
  });
});

/** What the gateway itself sends to a provider, and nothing besides. */
const outward = ['accept-encoding', 'authorization', 'content-length', 'content-type', 'host', 'user-agent', 'via'];
const via = /^1\.1 ola-[0-9a-f]{16}$/;

describe('of a client’s headers', () => {
  const forbidden = [
    'Cookie: CANARY=1',
    'X-Api-Key: ',
    'X-Forwarded-For: CANARY',
    'X-Forwarded-Host: CANARY',
    'Forwarded: for=CANARY',
    'X-Real-IP: CANARY',
    'Via: 1.1 CANARY, 1.0 inner-proxy (CANARY, ola-)',
    'Connection: keep-alive, X-Hop, Authorization',
    'X-Hop: CANARY',
    'Keep-Alive: timeout=CANARY',
    'Proxy-Authorization: Basic CANARY',
    'Proxy-Connection: CANARY',
    'TE: trailers, CANARY',
    'Trailer: X-CANARY',
    'Upgrade: CANARY',
    'Accept: CANARY/x',
    'Accept-Encoding: gzip, CANARY',
    'User-Agent: CANARY',
    'Referer: http://127.0.0.1/CANARY',
    'OpenAI-Organization: CANARY',
    'X-Stainless-Lang: CANARY',
    'X-Request-Id: CANARY',
    'If-Match: CANARY',
    'Range: bytes=CANARY',
    'X-HTTP-Method-Override: DELETE',
  ];

  test('none reaches a provider, not its Host, cookies, credential, nor what proxies add', async () => {
    const { ola, up } = await shared;
    for (const stream of [false, true]) {
      const model = `outward-${stream}`;
      const payload = JSON.stringify({ model: `acme/${model}`, stream, messages: [{}] });
      const [reply] = await exchange(ola.port, framed([...forbidden, `Content-Length: ${payload.length}`], payload));
      expect(reply?.status).toBe(200);
      const { headers, head } = up.requestFor(model);
      expect([...headers.keys()].sort()).toEqual(outward);
      expect(head).not.toMatch(/CANARY|inner-proxy|e2e-admin-token/);
      expect(head).toStartWith('POST /v1/chat/completions HTTP/1.1\r\n');
      expect(headers.get('host')).toBe(`127.0.0.1:${up.port}`);
      expect(headers.get('authorization')).toBe('Bearer key-of-acme-0123456789');
      expect(headers.get('via')).toMatch(via);
    }
  });

  test('none is written by a body either, and a configured header with a line break is not stored', async () => {
    const { ola, up } = await shared;
    const injected = 'x\r\nX-Injected: 1\r\n\r\nGET /stolen HTTP/1.1';
    const fields = {
      user: injected,
      metadata: { [injected]: injected },
      headers: { 'X-Injected': '1' },
      extra_headers: { 'X-Injected': '1' },
    };
    expect((await ola.chat('acme/injected', fields)).status).toBe(200);
    expect([...up.requestFor('injected').headers.keys()].sort()).toEqual(outward);
    for (const value of ['a\r\nX-Injected: 1', 'a\nb', 'a\rb', 'a\0b', '\u2028', 'é']) {
      const provider = { baseUrl: up.baseUrl, allowLocal: true, apiKey: 'key', headers: { 'X-Team': value } };
      expectError(await ola.ask('PUT', '/config/providers/broken', provider), 422, 'invalid_field');
    }
    const misnamed = { baseUrl: up.baseUrl, allowLocal: true, apiKey: 'key', headers: { 'X-Team\r\nX-Injected': '1' } };
    expectError(await ola.ask('PUT', '/config/providers/broken', misnamed), 422, 'invalid_field');
  });
});

describe('of a provider’s headers', () => {
  const sent = {
    'set-cookie': 'session=CANARY',
    server: 'CANARY',
    location: 'http://CANARY.example/',
    'www-authenticate': 'Basic realm=CANARY',
    'access-control-allow-origin': '*',
    'access-control-allow-credentials': 'true',
    'openai-organization': 'CANARY',
    // Not the form of an id: else it would come down as X-Ola-Upstream-Request-Id.
    'x-request-id': 'no id, CANARY',
    'x-ola-provider': 'CANARY',
    'x-powered-by': 'CANARY',
    'alt-svc': 'h3=":443"; CANARY',
    'strict-transport-security': 'max-age=1',
    'content-security-policy': 'CANARY',
    'cache-control': 'public, max-age=9',
    link: '<CANARY>',
    refresh: '0;url=CANARY',
    via: '1.1 CANARY',
    'keep-alive': 'timeout=5, CANARY',
    'proxy-authenticate': 'CANARY',
  };
  const allowed = ['cache-control', 'content-length', 'content-type', 'date', 'retry-after', 'transfer-encoding', 'x-request-id'];
  const headLines = Object.entries(sent)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');

  test.each([200, 400, 401, 403, 404, 429, 500, 503])('none is passed on with %d', async (status) => {
    const { ola, up } = await shared;
    up.modes.set(`inward-${status}`, answer(status, completion('hello'), { ...sent, 'retry-after': '7' }));
    const { headers } = await ola.chat(`acme/inward-${status}`);
    expect([...headers.keys()].filter((name) => !allowed.includes(name) && !name.startsWith('x-ola-'))).toEqual([]);
    expect(JSON.stringify([...headers])).not.toMatch(/CANARY|max-age/);
  });

  test('none is passed on with a stream', async () => {
    const { ola, up } = await shared;
    const events = 'data: {"choices":[{"text":"a"}]}\n\ndata: [DONE]\n\n';
    const head = `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n${headLines}content-length: ${events.length}\r\n\r\n`;
    up.modes.set('inward-stream', bytes(head + events));
    const { status, headers } = await ola.chat('acme/inward-stream', { stream: true });
    expect(status).toBe(200);
    const others = [...headers.keys()].filter((name) => !allowed.includes(name) && !name.startsWith('x-ola-'));
    expect([others, headers.get('x-accel-buffering')]).toEqual([['x-accel-buffering'], 'no']);
    expect(JSON.stringify([...headers])).not.toMatch(/CANARY|max-age/);
  });
});

describe('a page of another origin', () => {
  const origins = ['http://evil.example', 'null', 'http://localhost:1', 'https://127.0.0.1:1'];
  const wanted = ['Access-Control-Request-Method: POST', 'Access-Control-Request-Headers: authorization, content-type'];

  test('is told by no header that it may read or send, asked in advance or not, with a token or without', async () => {
    const { ola } = await shared;
    for (const origin of origins) {
      for (const path of [chatPath, '/v1/models', '/config', '/config/tokens', '/health', '/nothing']) {
        for (const line of [`OPTIONS ${path} HTTP/1.1`, `GET ${path} HTTP/1.1`, `POST ${path} HTTP/1.1`]) {
          const sent = requestBytes(line, [`Origin: ${origin}`, authorization, ...wanted, 'Content-Length: 0']);
          const [reply] = await exchange(ola.port, sent);
          expectError(reply!, 403, 'origin_not_allowed');
          expect([...(reply?.headers.keys() ?? [])].filter((name) => name.startsWith('access-control'))).toEqual([]);
        }
      }
    }
  });

  test('that asks in advance without saying where it is from gets no further than a stranger', async () => {
    const { ola } = await shared;
    for (const path of [chatPath, '/config', '/config/tokens']) {
      for (const headers of [wanted, [...wanted, authorization]]) {
        const [reply] = await exchange(ola.port, requestBytes(`OPTIONS ${path} HTTP/1.1`, headers));
        expectError(reply!, 405, 'method_not_allowed');
        expect([...(reply?.headers.keys() ?? [])].filter((name) => name.startsWith('access-control'))).toEqual([]);
      }
    }
  });
});

/** Passes bytes on, under a port of its own: another name of the same gateway. Counts the calls that go through. */
async function passage(to: () => number) {
  const sockets: Socket[] = [];
  let calls = 0;
  const server = createServer((socket) => {
    const on = connect(to(), '127.0.0.1');
    sockets.push(socket, on);
    for (const each of [socket, on]) each.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      calls += chunk.toString('latin1').split('POST ').length - 1;
      on.write(chunk);
    });
    on.pipe(socket);
    socket.on('close', () => on.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    calls: () => calls,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

describe('gateways in a circle', () => {
  /** Each calls the next, the last one the first. */
  async function ring(size: number) {
    const olas: Ola[] = await Promise.all(Array.from({ length: size }, () => start()));
    const ways = await Promise.all(olas.map((_, at) => passage(() => olas[(at + 1) % size]?.port ?? 0)));
    for (const [at, ola] of olas.entries()) {
      const provider = { baseUrl: ways[at]?.baseUrl, apiKey: adminToken, allowLocal: true, models: [{ id: 'round' }] };
      expect((await ola.ask('PUT', '/config/providers/next', provider)).status).toBe(200);
    }
    return { first: olas[0]!, ways };
  }

  test.each([1, 2, 3])('of %d: a call ends where it began, with each asked once, and the client learns why', async (size) => {
    const { first, ways } = await ring(size);
    for (const [at, stream] of [false, true].entries()) {
      const answer = await first.chat('round', { stream });
      const error = expectError(answer, 403, 'egress_destination_blocked');
      expect(error['details'] as unknown).toEqual({ provider: 'next', reason: 'self_connection' });
      expect(String(error['message'])).toContain('in a circle');
      expect(ways.map(({ calls }) => calls())).toEqual(ways.map(() => at + 1));
    }
    for (const way of ways) way.close();
  });

  test('in a row are no circle: the last one’s provider sees them all, and what else stood in Via not', async () => {
    const { ola, up } = await shared;
    const outer = await start();
    const provider = { baseUrl: `${ola.address}/v1`, apiKey: adminToken, allowLocal: true };
    expect((await outer.ask('PUT', '/config/providers/inner', provider)).status).toBe(200);
    const came = { via: '1.1 office-proxy, 1.1 ola-00000000000000aa (x), 1.0 ola-short' };
    expect((await outer.chat('inner/acme/row', {}, came)).status).toBe(200);
    expect(up.requestFor('row').headers.get('via')).toMatch(
      /^1\.1 ola-00000000000000aa, 1\.1 ola-[0-9a-f]{16}, 1\.1 ola-[0-9a-f]{16}$/,
    );
  });

  test('are at most eight in a row, whoever asks; names that are none do not count', async () => {
    const { ola } = await shared;
    const row = (count: number) =>
      Array.from({ length: count }, (_, at) => `1.1 ola-${at.toString(16).padStart(16, '0')}`).join(', ');
    expect((await ola.chat('acme/eight', {}, { via: row(8) })).status).toBe(200);
    const refused = expectError(await ola.chat('acme/nine', {}, { via: row(9) }), 403, 'egress_destination_blocked');
    expect(refused['details']?.['reason'] as unknown).toBe('self_connection');
    expectError(await request(`${ola.address}/config`, 'GET', { via: row(9) }), 403, 'egress_destination_blocked');
    expect((await ola.chat('acme/proxies', {}, { via: Array.from({ length: 50 }, () => '1.1 p').join(', ') })).status).toBe(200);
  });

  test('have names of their own, new at each start', async () => {
    const { ola, up } = await shared;
    const other = await start();
    await other.addProvider('acme', up);
    await Promise.all([ola.chat('acme/name-1'), other.chat('acme/name-2')]);
    const names = ['name-1', 'name-2'].map((model) => up.requestFor(model).headers.get('via'));
    expect(new Set(names).size).toBe(2);
  });

  test('a provider that claims one without being in it changes nothing but its own failure', async () => {
    const { ola, up } = await shared;
    const claims: [string, number, object, string][] = [
      ['claim-1', 403, { error: { code: 'egress_destination_blocked' } }, 'upstream_auth_error'],
      ['claim-2', 403, { error: { code: 'x', details: { reason: 'self_connection' } } }, 'upstream_auth_error'],
      [
        'claim-3',
        500,
        { error: { code: 'egress_destination_blocked', details: { reason: 'self_connection' } } },
        'upstream_http_error',
      ],
    ];
    for (const [model, status, claim, code] of claims) {
      up.modes.set(model, answer(status, claim));
      expectError(await ola.chat(`acme/${model}`), 502, code);
    }
    const claim = {
      error: { message: 'CANARY', code: 'egress_destination_blocked', details: { reason: 'self_connection', at: 'CANARY' } },
    };
    up.modes.set('claim-4', answer(403, claim));
    const told = await ola.chat('acme/claim-4');
    expectError(told, 403, 'egress_destination_blocked');
    expect(told.text).not.toContain('CANARY');
  });
});

onBinary('a timer for connections that are silent, and numbers of memory', () => {
  describe('a crowd', () => {
    /** Before the crowd is shown out, which would let anybody in. */
    const answerMs = 5000;
    const rss = (ola: Ola) =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${ola.pid}/status`, 'utf8'))?.[1] ?? Number.NaN) / 1024;

    test('of 2,000 connections that say nothing or half a header keeps nobody else out', async () => {
      const { ola } = await shared;
      const wires: Wire[] = [];
      for (let at = 0; at < 2000; at += 100)
        wires.push(...(await Promise.all(Array.from({ length: 100 }, () => open(ola.port)))));
      for (const [at, wire] of wires.entries()) if (at % 2 === 0) wire.send('GET /v1/models HTTP/1.1\r\nX-Slow: ');
      const slow = wires.filter((_, at) => at % 20 === 0);
      const drip = setInterval(() => {
        for (const wire of slow) wire.send('a');
      }, 100);
      expect((await within(answerMs, request(`${ola.address}/health`))).status).toBe(200);
      const chats = await Promise.all(Array.from({ length: 20 }, () => within(answerMs, ola.chat('acme/crowd'))));
      expect(chats.map(({ status }) => status)).toEqual(chats.map(() => 200));
      clearInterval(drip);
      for (const { socket } of wires) socket.destroy();
    });

    test('of strangers who send large bodies costs no memory', async () => {
      const { ola } = await shared;
      const before = rss(ola);
      const size = 4 * 2 ** 20;
      const head = Buffer.from(requestBytes(`POST ${chatPath} HTTP/1.1`, [json, `Content-Length: ${size}`]));
      const wires = await Promise.all(Array.from({ length: 12 }, () => open(ola.port)));
      for (const wire of wires) wire.send(Buffer.concat([head, Buffer.alloc(size, 0x20)]));
      await until('all of it is sent', () => wires.every(({ socket }) => socket.writableLength === 0 || socket.destroyed));
      // What of a body comes does not set the idle timer back: on a busy machine it may cut one that is refused already.
      const isRefused = (wire: Wire) => wire.replies()[0]?.status === 401;
      await until('each is refused or cut', () => wires.every((wire) => isRefused(wire) || wire.closed()));
      expect(wires.some(isRefused)).toBe(true);
      expect(rss(ola) - before).toBeLessThan(30);
      for (const { socket } of wires) socket.destroy();
    });

    test('that never ends its headers is shown out within seconds, without an answer', async () => {
      const { half } = await shared;
      half.at(-1)?.send('a');
      await until('each is closed', () => half.every((wire) => wire.closed()), 20_000);
      expect(half.map((wire) => wire.received())).toEqual(half.map(() => ''));
    });
  });
});
