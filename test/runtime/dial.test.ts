import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DialError, type DialRequest } from '../../src/core/ports.ts';
import { dial } from '../../src/runtime/dial.ts';
import { resolve } from '../../src/runtime/resolve.ts';
import { answer, authority, type Upstream, until, upstream } from '../egress/upstream.ts';

const key = 'Bearer sk-test-0123456789';

function to(server: Pick<Upstream, 'port'>, more: Partial<DialRequest> = {}): DialRequest {
  return {
    secure: false,
    hostname: '127.0.0.1',
    port: server.port,
    path: '/v1/x?a=b',
    method: 'POST',
    headers: { authorization: key },
    body: '{"a":1}',
    signal: undefined,
    idleTimeoutMs: 60_000,
    ca: undefined,
    ...more,
  };
}

const overTls = { secure: true, hostname: 'upstream.example', ca: authority };

/** What a call fails with; undefined when it does not. */
const failureOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('what goes out', () => {
  test('is the request as given, to a literal address', async () => {
    using server = await upstream();
    const response = await dial(to(server), '127.0.0.1');
    expect(await response.text()).toBe('ok');
    const [head, body] = server.requests.join('').split('\r\n\r\n');
    expect(head).toStartWith('POST /v1/x?a=b HTTP/1.1\r\n');
    expect(head?.toLowerCase()).toContain(`authorization: ${key}`.toLowerCase());
    expect(head?.toLowerCase()).toContain(`host: 127.0.0.1:${server.port}`);
    expect(head?.toLowerCase()).not.toContain('accept-encoding');
    expect(body).toBe('{"a":1}');
  });

  test('carries the name in Host when it goes to an address of a name, over a Host that the caller set', async () => {
    using server = await upstream();
    await (await dial(to(server, { hostname: 'upstream.example', headers: { HOST: 'other.example' } }), '127.0.0.1')).text();
    const hosts = server.requests[0]?.match(/^host:.*$/gim);
    expect(hosts).toEqual([expect.stringMatching(new RegExp(`^host: upstream\\.example:${server.port}\r?$`, 'i'))]);
  });

  test('reaches an IPv6 address', async () => {
    using server = await upstream(answer('200 OK'), undefined, '::1');
    expect((await dial(to(server, { hostname: '::1' }), '::1')).status).toBe(200);
    expect(server.requests[0]?.toLowerCase()).toContain(`host: [::1]:${server.port}`);
  });

  test('uses one connection for two requests, by address, by name and over TLS', async () => {
    using plain = await upstream();
    using secure = await upstream(answer('200 OK'), 'upstream');
    for (let i = 0; i < 2; i++) await (await dial(to(plain), '127.0.0.1')).text();
    expect(plain.connections).toBe(1);
    for (let i = 0; i < 2; i++) await (await dial(to(plain, { hostname: 'upstream.example' }), '127.0.0.1')).text();
    expect(plain.connections).toBeLessThanOrEqual(2);
    for (let i = 0; i < 3; i++) await (await dial(to(secure, overTls), '127.0.0.1')).text();
    expect(secure.connections).toBe(1);
  });
});

describe('TLS', () => {
  test('asks for the name and verifies it while the address is dialled', async () => {
    using server = await upstream(answer('200 OK'), 'upstream');
    expect((await dial(to(server, overTls), '127.0.0.1')).status).toBe(200);
    expect(server.names).toEqual(['upstream.example']);
    expect((await dial(to(server, { ...overTls, hostname: '127.0.0.1' }), '127.0.0.1')).status).toBe(200);
  });

  const refused: readonly [string, string, Partial<DialRequest>][] = [
    ['a certificate for another name', 'other', overTls],
    ['a certificate for the address when a name was asked for', 'upstream', { ...overTls, hostname: 'elsewhere.example' }],
    ['a certificate without the address when the address was asked for', 'other', { ...overTls, hostname: '127.0.0.1' }],
    [
      'a Host header that would fit the wrong certificate',
      'other',
      { ...overTls, hostname: '127.0.0.1', headers: { host: 'other.example', authorization: key } },
    ],
    ['a self-signed certificate', 'self-signed', overTls],
    ['an expired certificate', 'expired', overTls],
    ['an unknown authority', 'upstream', { ...overTls, ca: undefined }],
  ];
  for (const [what, certificate, request] of refused) {
    test(`refuses ${what} before a byte of the request is sent`, async () => {
      using server = await upstream(answer('200 OK'), certificate);
      const error = await failureOf(dial(to(server, request), '127.0.0.1'));
      expect(error).toBeInstanceOf(DialError);
      expect(error).toMatchObject({ failure: 'tls' });
      await Bun.sleep(20);
      expect(server.requests).toEqual([]);
    });
  }

  test('a connection for one name is not reused for another', async () => {
    using server = await upstream(answer('200 OK'), 'upstream');
    await (await dial(to(server, overTls), '127.0.0.1')).text();
    const error = await failureOf(dial(to(server, { ...overTls, hostname: 'elsewhere.example' }), '127.0.0.1'));
    expect(error).toMatchObject({ failure: 'tls' });
    expect(server.requests.length).toBe(1);
  });

  test('a peer that speaks no TLS is a TLS failure', async () => {
    using server = await upstream((_, socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    expect(await failureOf(dial(to(server, overTls), '127.0.0.1'))).toMatchObject({ failure: 'tls' });
  });
});

describe('what comes back', () => {
  test('a redirect comes back as an answer and is not followed', async () => {
    using elsewhere = await upstream();
    using server = await upstream(answer('302 Found', `location: http://127.0.0.1:${elsewhere.port}/\r\n`));
    expect((await dial(to(server), '127.0.0.1')).status).toBe(302);
    expect(elsewhere.connections).toBe(0);
  });

  test('a compressed body stays compressed', async () => {
    const body = gzipSync('hello '.repeat(100));
    using server = await upstream((_, socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${body.length}\r\n\r\n`);
      socket.write(body);
    });
    const response = await dial(to(server), '127.0.0.1');
    expect(response.headers.get('content-encoding')).toBe('gzip');
    expect(Buffer.from(await response.arrayBuffer())).toEqual(body);
  });

  test('an abort rejects with its own reason and closes the connection, before the headers and after them', async () => {
    using silent = await upstream(() => undefined);
    using stuck = await upstream((_, socket) => socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n'));
    for (const server of [silent, stuck]) {
      const controller = new AbortController();
      const reason = new Error('the client left');
      const call = failureOf(dial(to(server, { signal: controller.signal }), '127.0.0.1').then((response) => response.text()));
      await until(() => server.requests.length === 1);
      await Bun.sleep(20);
      controller.abort(reason);
      expect(await call).toBe(reason);
      await until(() => server.open.size === 0);
    }
  });
});

describe('a failure tells how far the request came', () => {
  test('connect: nothing listens there', async () => {
    const server = await upstream();
    server[Symbol.dispose]();
    expect(await failureOf(dial(to(server), '127.0.0.1'))).toMatchObject({ name: 'DialError', failure: 'connect' });
  });
  test('request: a header that cannot be sent', async () => {
    using server = await upstream();
    expect(await failureOf(dial(to(server, { headers: { a: 'x\r\ny: z' } }), '127.0.0.1'))).toMatchObject({ failure: 'request' });
    expect(
      await failureOf(dial(to(server, { hostname: 'upstream.example', headers: { a: 'x\r\ny: z' } }), '127.0.0.1')),
    ).toMatchObject({
      failure: 'request',
    });
    expect(server.connections).toBe(0);
  });
  test('lost: the other side closed or reset after it had the request', async () => {
    using ends = await upstream((_, socket) => socket.end());
    using resets = await upstream((_, socket) => socket.resetAndDestroy());
    for (const server of [ends, resets]) {
      expect(await failureOf(dial(to(server), '127.0.0.1'))).toMatchObject({ failure: 'lost' });
      expect(server.requests.length).toBe(1);
    }
  });
  test('lost: a request on a kept connection is not sent a second time by itself', async () => {
    let served = 0;
    using server = await upstream((head, socket) => (served++ === 0 ? answer('200 OK')(head, socket) : socket.destroy()));
    await (await dial(to(server), '127.0.0.1')).text();
    expect(await failureOf(dial(to(server), '127.0.0.1'))).toMatchObject({ failure: 'lost' });
    await Bun.sleep(20);
    expect(server.requests.length).toBe(2);
  });
});

test('proxy variables are not read, and the variable that switches verification off is not obeyed', async () => {
  using proxy = await upstream();
  using plain = await upstream();
  using secure = await upstream(answer('200 OK'), 'upstream');
  using untrusted = await upstream(answer('200 OK'), 'self-signed');
  const variables = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy'];
  const child = Bun.spawn(
    [process.execPath, join(import.meta.dir, 'dial-child.ts'), String(plain.port), String(secure.port), String(untrusted.port)],
    {
      env: {
        ...process.env,
        ...Object.fromEntries(variables.map((name) => [name, `http://127.0.0.1:${proxy.port}`])),
        NODE_TLS_REJECT_UNAUTHORIZED: '0',
      },
      stdout: 'pipe',
      stderr: 'ignore',
    },
  );
  expect(JSON.parse(await new Response(child.stdout).text())).toEqual([200, 200, 200, 200, 'tls', 'tls']);
  expect(proxy.connections).toBe(0);
  expect(untrusted.requests).toEqual([]);
});

test('the system’s resolver answers for localhost and rejects a name that is none', async () => {
  expect(await resolve('localhost')).toContain('127.0.0.1');
  expect(await failureOf(resolve('no-such-host.invalid'))).toBeInstanceOf(Error);
});
