/** The contract of every dialer, whatever its sockets are. */
import { describe, expect, test } from 'bun:test';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { type Dial, type DialDetail, DialError, type DialRequest, type HeadFlaw } from '../../src/core/ports.ts';
import { type Answer, answer, authority, selfSigned, textOf, type Upstream, until, upstream } from '../egress/upstream.ts';
import type { LateAnswers } from './late-answers.ts';

const key = 'Bearer sk-test-0123456789';
const patient = { connect: 10_000, firstByte: 60_000, idle: 60_000 };

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
    timeouts: patient,
    ca: undefined,
    ...more,
  };
}

const overTls = { secure: true, hostname: 'upstream.example', ca: authority };

/** Sends a word past all verification, and waits for it: what was sent before it has come before it. */
async function probe(server: Upstream, certificate: string): Promise<void> {
  const trusting = { port: server.port, host: '127.0.0.1', servername: `${certificate}.example`, rejectUnauthorized: false };
  const socket = connectTls(trusting, () => socket.write('probe')).on('error', () => undefined);
  await until(() => server.requests.includes('probe'));
  socket.destroy();
}

/** What a call fails with; undefined when it does not. */
export const failureOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => undefined,
    (error: unknown) => error,
  );

/**
 * The outcome of a call over a kept connection. A connection rests before it is used again, so that earlier tries may go over
 * new ones.
 */
async function overKept<T>(server: Upstream, advance: StillDialer['advance'], call: () => Promise<T>): Promise<T> {
  for (let tries = 0; tries < 100; tries++) {
    await advance(3);
    await Bun.sleep(1);
    const before = server.connections;
    const outcome = await call();
    if (server.connections === before) return outcome;
  }
  throw new Error('no connection was used again');
}

/** @param advance puts the dialer's clock forward, milliseconds of `performance.now()` */
export function dialContract(dial: Dial, advance: (ms: number) => void | Promise<void>): void {
  describe('what goes out', () => {
    test('is the request as given, to a literal address', async () => {
      using server = await upstream();
      const response = await dial(to(server), '127.0.0.1');
      expect(await textOf(response)).toBe('ok');
      const [head, body] = server.requests.join('').split('\r\n\r\n');
      expect(head).toStartWith('POST /v1/x?a=b HTTP/1.1\r\n');
      expect(head?.toLowerCase()).toContain(`authorization: ${key}`.toLowerCase());
      expect(head?.toLowerCase()).toContain(`host: 127.0.0.1:${server.port}`);
      expect(head?.toLowerCase()).not.toContain('accept-encoding');
      expect(body).toBe('{"a":1}');
    });

    test('carries the name in Host when it goes to an address of a name, over a Host that the caller set', async () => {
      using server = await upstream();
      await textOf(await dial(to(server, { hostname: 'upstream.example', headers: { HOST: 'other.example' } }), '127.0.0.1'));
      const hosts = server.requests[0]?.match(/^host:.*$/gim);
      expect(hosts).toEqual([expect.stringMatching(new RegExp(`^host: upstream\\.example:${server.port}\r?$`, 'i'))]);
    });

    test('reaches an IPv6 address', async () => {
      using server = await upstream(answer('200 OK'), undefined, '::1');
      expect((await dial(to(server, { hostname: '::1' }), '::1')).status).toBe(200);
      expect(server.requests[0]?.toLowerCase()).toContain(`host: [::1]:${server.port}`);
    });

    test('uses a connection again, by address, by name and over TLS', async () => {
      using plain = await upstream();
      using secure = await upstream(answer('200 OK'), 'upstream');
      const call = (server: Upstream, more: Partial<DialRequest>) => async () =>
        textOf(await dial(to(server, more), '127.0.0.1'));
      for (const more of [{}, { hostname: 'upstream.example' }]) {
        await call(plain, more)();
        expect(await overKept(plain, advance, call(plain, more))).toBe('ok');
      }
      await call(secure, overTls)();
      expect(await overKept(secure, advance, call(secure, overTls))).toBe('ok');
    });

    test('uses no connection again for a request that is to be fresh', async () => {
      using server = await upstream();
      const call = async (more: Partial<DialRequest>) => textOf(await dial(to(server, more), '127.0.0.1'));
      await call({});
      await overKept(server, advance, () => call({}));
      const before = server.connections;
      for (let i = 0; i < 3; i++) expect(await call({ fresh: true })).toBe('ok');
      expect(server.connections).toBe(before + 3);
    });
  });

  describe('TLS', () => {
    test('asks for the name and verifies it while the address is dialled', async () => {
      using server = await upstream(answer('200 OK'), 'upstream');
      expect((await dial(to(server, overTls), '127.0.0.1')).status).toBe(200);
      expect(server.names).toEqual(['upstream.example']);
      expect((await dial(to(server, { ...overTls, hostname: '127.0.0.1' }), '127.0.0.1')).status).toBe(200);
    });

    const wrongName: readonly DialDetail[] = ['wrong_name'];
    // Deno does not tell an expired certificate from an unknown authority.
    const refused: readonly [string, string, Partial<DialRequest>, readonly DialDetail[]][] = [
      ['a certificate for another name', 'other', overTls, wrongName],
      [
        'a certificate for the address when a name was asked for',
        'upstream',
        { ...overTls, hostname: 'elsewhere.example' },
        wrongName,
      ],
      [
        'a certificate without the address when the address was asked for',
        'other',
        { ...overTls, hostname: '127.0.0.1' },
        wrongName,
      ],
      [
        'a Host header that would fit the wrong certificate',
        'other',
        { ...overTls, hostname: '127.0.0.1', headers: { host: 'other.example', authorization: key } },
        wrongName,
      ],
      ['a self-signed certificate', 'self-signed', overTls, ['self_signed']],
      ['an expired certificate', 'expired', overTls, ['expired', 'unknown_authority']],
      ['an unknown authority', 'upstream', { ...overTls, ca: undefined }, ['unknown_authority']],
    ];
    for (const [what, certificate, request, details] of refused) {
      test(`refuses ${what} before a byte of the request is sent`, async () => {
        using server = await upstream(answer('200 OK'), certificate);
        const error = await failureOf(dial(to(server, request), '127.0.0.1'));
        expect(error).toBeInstanceOf(DialError);
        expect(error).toMatchObject({ failure: 'tls' });
        expect(details).toContain((error as DialError).detail ?? 'timed_out');
        await probe(server, certificate);
        expect(server.requests).toEqual(['probe']);
      });
    }

    test('any of several authorities is trusted, a certificate may be its own, and what is none refuses', async () => {
      using server = await upstream(answer('200 OK', 'connection: close\r\n'), 'upstream');
      const bundle = { ...overTls, ca: `# two\n${selfSigned}${authority}` };
      expect((await dial(to(server, bundle), '127.0.0.1')).status).toBe(200);
      using own = await upstream(answer('200 OK'), 'self-signed');
      expect((await dial(to(own, { ...overTls, ca: selfSigned }), '127.0.0.1')).status).toBe(200);
      const controller = new AbortController();
      for (const ca of ['no certificate', '']) {
        const error = await failureOf(dial(to(server, { ...overTls, ca, signal: controller.signal }), '127.0.0.1'));
        expect(error).toMatchObject({ failure: 'tls' });
      }
      expect(server.requests.length).toBe(1);
    });

    test('a connection for one name is not reused for another', async () => {
      using server = await upstream(answer('200 OK'), 'upstream');
      await textOf(await dial(to(server, overTls), '127.0.0.1'));
      const error = await failureOf(dial(to(server, { ...overTls, hostname: 'elsewhere.example' }), '127.0.0.1'));
      expect(error).toMatchObject({ failure: 'tls' });
      expect(server.requests.length).toBe(1);
    });

    test('a peer that speaks no TLS is told from one whose certificate is refused, and from one that closes', async () => {
      using plain = await upstream((_, socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
      expect(await failureOf(dial(to(plain, overTls), '127.0.0.1'))).toMatchObject({ failure: 'tls', detail: 'no_tls' });
      using closes = await upstream((_, socket) => socket.end());
      expect(await failureOf(dial(to(closes, overTls), '127.0.0.1'))).toMatchObject({ failure: 'tls', detail: 'closed' });
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
      expect(response.header('content-encoding')).toBe('gzip');
      expect(Buffer.from(await textOf(response), 'latin1')).toEqual(body);
    });

    test('an abort rejects with its own reason and closes the connection, before the headers and after them', async () => {
      using silent = await upstream(() => undefined);
      using stuck = await upstream((_, socket) =>
        socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n'),
      );
      for (const server of [silent, stuck]) {
        const controller = new AbortController();
        const reason = new Error('the client left');
        const call = failureOf(dial(to(server, { signal: controller.signal }), '127.0.0.1').then(textOf));
        await until(() => server.requests.length === 1);
        await Bun.sleep(20);
        controller.abort(reason);
        expect(await call).toBe(reason);
        await until(() => server.open.size === 0);
      }
    });
  });

  describe('a connection', () => {
    const kept = (headers = '') => answer('200 OK', headers);
    const twice = async (server: Upstream) => {
      for (let i = 0; i < 2; i++) await textOf(await dial(to(server), '127.0.0.1'));
      return server.connections;
    };

    test('is not used again after an answer that says it ends, has more than its length, or ends with the connection', async () => {
      using closes = await upstream(kept('connection: close\r\n'));
      using surplus = await upstream((_, socket) =>
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n'),
      );
      using old = await upstream((_, socket) => socket.end('HTTP/1.0 200 OK\r\n\r\nok'));
      for (const server of [closes, surplus, old]) expect(await twice(server)).toBe(2);
    });

    test('is not used again when something comes that nobody asked for', async () => {
      using server = await upstream((head, socket) => {
        kept()(head, socket);
        setTimeout(() => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil'), 10);
      });
      expect(await textOf(await dial(to(server), '127.0.0.1'))).toBe('ok');
      await until(() => server.open.size === 0);
      expect(await textOf(await dial(to(server), '127.0.0.1'))).toBe('ok');
    });

    test('that was kept and closed meanwhile is not used, and is given up when the other side says how long it stays', async () => {
      using server = await upstream((head, socket) => {
        kept()(head, socket);
        setTimeout(() => socket.end(), 10);
      });
      expect(await textOf(await dial(to(server), '127.0.0.1'))).toBe('ok');
      await until(() => server.open.size === 0);
      expect(await textOf(await dial(to(server), '127.0.0.1'))).toBe('ok');
      using brief = await upstream(kept('keep-alive: timeout=1\r\n'));
      await textOf(await dial(to(brief), '127.0.0.1'));
      await until(() => brief.open.size === 0);
    });

    test('serves many at once, more than any pool', async () => {
      const many = 300;
      const waiting: (() => void)[] = [];
      // Nobody is answered before all have asked: a connection that is free early would be used again.
      using server = await upstream((head, socket) => {
        waiting.push(() => kept()(head, socket));
        if (waiting.length === many) for (const go of waiting) go();
      });
      const calls = Array.from({ length: many }, async () => textOf(await dial(to(server), '127.0.0.1')));
      expect(new Set(await Promise.all(calls))).toEqual(new Set(['ok']));
      expect(server.connections).toBe(many);
    });
  });

  describe('an answer', () => {
    test('may come after interim ones, and byte by byte', async () => {
      const whole =
        'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n';
      const drip = async (socket: Socket) => {
        socket.setNoDelay();
        for (const byte of whole) {
          socket.write(byte);
          await Bun.sleep(0);
        }
      };
      using server = await upstream((_, socket) => void drip(socket));
      const reply = await dial(to(server), '127.0.0.1');
      expect(reply.status).toBe(200);
      expect(await textOf(reply)).toBe('abcde');
    });

    test('that breaks gives all that had come before it tells so', async () => {
      for (const cut of ['end', 'resetAndDestroy'] as const) {
        using server = await upstream((_, socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf'));
        const reply = await dial(to(server), '127.0.0.1');
        for (const socket of server.open) socket[cut]();
        await until(() => server.open.size === 0);
        expect(Buffer.from((await reply.read()) ?? []).toString()).toBe('half');
        expect(await failureOf(Promise.resolve(reply.read()))).toMatchObject({ failure: 'lost' });
      }
    });

    test('whose head is refused says why, and its connection ends', async () => {
      const odd: readonly (readonly [string, HeadFlaw])[] = [
        ['SSH-2.0-OpenSSH\r\n\r\n', 'no_status_line'],
        ['HTTP/1.1 101 Switching\r\n\r\n', 'protocol_change'],
        [`HTTP/1.1 200 OK\r\n${'a'.repeat(70_000)}`, 'too_long'],
        [`HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(300)}\r\n`, 'too_many_lines'],
        ['HTTP/1.1 200 OK\r\na: b\r\n c\r\n\r\n', 'folded_line'],
        ['HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n', 'several_codings'],
        ['HTTP/1.1 103 x\r\n\r\n'.repeat(17), 'too_many_interim'],
      ];
      for (const [text, detail] of odd) {
        using server = await upstream((_, socket) => socket.write(text));
        expect(await failureOf(dial(to(server), '127.0.0.1'))).toMatchObject({ failure: 'malformed', detail });
        await until(() => server.open.size === 0);
      }
    });

    test('whose head does not come, comes for ever in pieces or in interim answers, is a timeout of the first byte', async () => {
      const drips =
        (piece: string): Answer =>
        (_, socket) => {
          socket.write('HTTP/1.1 ');
          const timer = setInterval(() => socket.write(piece), 20);
          socket.on('close', () => clearInterval(timer));
        };
      using silent = await upstream(() => undefined);
      using dripping = await upstream(drips('2'));
      const timeouts = { ...patient, firstByte: 300 };
      const call = (server: Upstream) => failureOf(dial(to(server, { timeouts }), '127.0.0.1'));
      for (const error of await Promise.all([silent, dripping].map(call))) expect(error).toMatchObject({ name: 'TimeoutError' });
      await until(() => silent.open.size === 0 && dripping.open.size === 0);
      for (const at of [1, 20_000]) {
        using flood = await upstream((_, socket) => socket.write('HTTP/1.1 103 x\r\n\r\n'.repeat(at === 1 ? 17 : at)));
        expect(await failureOf(dial(to(flood), '127.0.0.1'))).toMatchObject({ failure: 'malformed' });
      }
    });

    test('that goes silent in its body is a timeout of silence; one that goes on is none, however long it takes', async () => {
      const length = 5;
      using server = await upstream((_, socket) => socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${length}\r\n\r\n`));
      const reply = await dial(to(server), '127.0.0.1');
      const goOn = async () => {
        for (const socket of server.open) socket.write('x');
        return Buffer.from((await reply.read()) ?? []).toString();
      };
      for (let at = 1; at < length; at++) {
        await advance(0.4 * patient.idle);
        // The dialer looks at its clock meanwhile, at least when all of it together is longer than the limit.
        if (at === length - 1) await Bun.sleep(300);
        expect(await goOn()).toBe('x');
      }
      await advance(1.1 * patient.idle);
      expect(await failureOf(Promise.resolve(reply.read()))).toMatchObject({ name: 'TimeoutError' });
      await until(() => server.open.size === 0);
    });

    test('to a request that is still being sent does not come too late while the other side takes more of it', async () => {
      const mebibyte = 1024 * 1024;
      const body = 'y'.repeat(20 * mebibyte);
      let received = 0;
      let rests = 0;
      using slow = await upstream((text, socket) => {
        received += text.length;
        if (received > body.length) return answer('200 OK')(text, socket);
        // The last of it is read at once: what the system still holds counts as sent.
        if (received < (rests + 1) * mebibyte || rests === 10) return;
        rests += 1;
        socket.pause();
        void rest(socket);
      });
      // All rests together are longer than the limit, one is a small part of it. In the last the dialer looks at its clock.
      const rest = async (socket: Socket) => {
        await advance(0.15 * patient.firstByte);
        await Bun.sleep(rests === 10 ? 300 : 5);
        socket.resume();
      };
      expect(await textOf(await dial(to(slow, { body }), '127.0.0.1'))).toBe('ok');
      expect(rests).toBe(10);
    });

    test('is left when it is cancelled', async () => {
      using server = await upstream((_, socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhi'));
      (await dial(to(server), '127.0.0.1')).cancel();
      await until(() => server.open.size === 0);
    });

    test('that nobody reads is not read ahead of without a bound, and comes whole once it is read', async () => {
      const piece = Buffer.alloc(64 * 1024, 'x');
      const pieces = 400;
      let sent = 0;
      using server = await upstream((_, socket) => {
        socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${piece.length * pieces}\r\n\r\n`);
        const more = () => {
          while (sent < pieces) {
            sent++;
            if (!socket.write(piece)) return void socket.once('drain', more);
          }
          // Closed by the other side while it is not read: nothing of it may be lost.
          socket.end();
        };
        more();
      });
      const reply = await dial(to(server), '127.0.0.1');
      for (let last = -1; sent !== last; await Bun.sleep(100)) last = sent;
      // What the system's buffers take is some megabytes on each side.
      expect(sent).toBeLessThan(pieces);
      expect((await textOf(reply)).length).toBe(piece.length * pieces);
    });

    test('keeps its bytes while others come', async () => {
      const pieces = Array.from({ length: 20 }, (_, at) => String.fromCharCode(97 + at).repeat(100));
      using server = await upstream((_, socket) => {
        socket.setNoDelay();
        socket.write(`HTTP/1.1 200 OK\r\ncontent-length: 2000\r\n\r\n${pieces[0]}`);
      });
      const reply = await dial(to(server), '127.0.0.1');
      const held: Uint8Array[] = [];
      for (let bytes = await reply.read(); bytes !== null; bytes = await reply.read()) {
        held.push(bytes);
        // The next comes into whatever buffer the one before was read from.
        for (const socket of server.open) socket.write(pieces[held.length] ?? '');
      }
      expect(Buffer.concat(held).toString()).toBe(pieces.join(''));
    });
  });

  test('a large body goes out whole to a reader that is slow, and its answer may come before it is sent', async () => {
    const body = 'y'.repeat(8 * 1024 * 1024);
    let received = 0;
    using slow = await upstream((text, socket) => {
      received += text.length;
      socket.pause();
      setTimeout(() => socket.resume(), 1);
      if (text.endsWith('END')) answer('200 OK')(text, socket);
    });
    expect(await textOf(await dial(to(slow, { body: `${body}END` }), '127.0.0.1'))).toBe('ok');
    expect(received).toBeGreaterThan(body.length);
    using early = await upstream((_, socket) => {
      socket.pause();
      socket.write('HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno');
    });
    const reply = await dial(to(early, { body }), '127.0.0.1');
    expect(reply.status).toBe(413);
    expect(await textOf(reply)).toBe('no');
    await until(() => early.open.size === 0);
  });

  describe('a failure tells how far the request came', () => {
    test('connect: a peer that does not finish its handshake within the limit for connecting', async () => {
      using mute = await upstream(() => undefined);
      const timeouts = { ...patient, connect: 200 };
      const error = await failureOf(dial(to(mute, { ...overTls, timeouts }), '127.0.0.1'));
      expect(error).toMatchObject({ name: 'DialError', failure: 'connect', detail: 'timed_out' });
      await until(() => mute.open.size === 0);
    });
    test('connect: nothing listens there', async () => {
      const server = await upstream();
      server[Symbol.dispose]();
      expect(await failureOf(dial(to(server), '127.0.0.1'))).toMatchObject({ name: 'DialError', failure: 'connect' });
    });
    test('request: a header that cannot be sent', async () => {
      using server = await upstream();
      expect(await failureOf(dial(to(server, { headers: { a: 'x\r\ny: z' } }), '127.0.0.1'))).toMatchObject({
        failure: 'request',
      });
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
  });
}

/** A dialer whose clock stands still until the test moves it. */
export interface StillDialer {
  readonly dial: Dial;
  /** @param ms milliseconds */
  advance(ms: number): void | Promise<void>;
}

export function keptConnectionContract({ dial, advance }: StillDialer): void {
  const call = async (server: Upstream, more: Partial<DialRequest> = {}) => textOf(await dial(to(server, more), '127.0.0.1'));
  /** A server that answers the first request of each connection; `next` has the others. */
  const servesOnce = (next: Answer) => {
    const served = new Set<Socket>();
    return upstream((head, socket) => {
      if (served.has(socket)) return next(head, socket);
      served.add(socket);
      answer('200 OK')(head, socket);
    });
  };
  /** The failure of the first call over a kept connection. */
  const keptFailure = async (server: Upstream, more: Partial<DialRequest> = {}) => {
    await call(server, { fresh: true });
    return overKept(server, advance, () => failureOf(call(server, more)));
  };

  describe('a kept connection that ends when a request comes', () => {
    for (const end of ['end', 'resetAndDestroy'] as const) {
      test(`at once, before a byte of an answer, is stale; nothing is sent a second time (${end})`, async () => {
        using server = await servesOnce((_, socket) => socket[end]());
        expect(await keptFailure(server)).toMatchObject({ name: 'DialError', failure: 'stale' });
        const sent = server.requests.length;
        expect(sent).toBe(server.connections + 1);
        expect(await call(server, { fresh: true })).toBe('ok');
        expect(server.requests.length).toBe(sent + 1);
      });
    }

    test('within 250 ms is stale, later it is lost', async () => {
      for (const [ms, failure] of [
        [250, 'stale'],
        [251, 'lost'],
      ] as const) {
        using server = await servesOnce((_, socket) => void Promise.resolve(advance(ms)).then(() => socket.destroy()));
        expect(await keptFailure(server)).toMatchObject({ failure });
      }
    });

    test('after a part of an answer, or an interim one, is lost', async () => {
      for (const part of ['HTTP/1.1 2', 'HTTP/1.1 103 Early Hints\r\n\r\n']) {
        using server = await servesOnce((_, socket) => socket.end(part));
        expect(await keptFailure(server)).toMatchObject({ failure: 'lost' });
      }
    });

    test('with a 408 is stale; a 408 on a new connection, or one that stays open, is an answer', async () => {
      const late = 'HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n';
      using server = await servesOnce((_, socket) => socket.end(late));
      expect(await keptFailure(server)).toMatchObject({ failure: 'stale' });
      using first = await upstream((_, socket) => socket.end(late));
      expect((await dial(to(first), '127.0.0.1')).status).toBe(408);
      using stays = await servesOnce(answer('408 Request Timeout'));
      expect(await keptFailure(stays)).toBeUndefined();
    });

    test('a connection that is new is lost, not stale', async () => {
      using server = await upstream((_, socket) => socket.end());
      expect(await failureOf(call(server))).toMatchObject({ failure: 'lost' });
    });

    test('twice: connections to that place are kept half as long', async () => {
      using server = await servesOnce((_, socket) => socket.end());
      for (let i = 0; i < 2; i++) expect(await keptFailure(server)).toMatchObject({ failure: 'stale' });
      // The connections from before end first.
      await advance(4000);
      await until(() => server.open.size === 0);
      await call(server);
      expect(server.open.size).toBe(1);
      await advance(2000);
      await until(() => server.open.size === 0);
    });
  });

  describe('bytes that no request asked for', () => {
    const evil = 'HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil';
    /** Three connections that are kept: each answer waits for the third request. */
    const three = async (server: Upstream, waiting: (() => void)[]) => {
      const calls = [1, 2, 3].map(() => call(server));
      await until(() => waiting.length === 3);
      for (const go of waiting.splice(0)) go();
      return Promise.all(calls);
    };
    const sends: Readonly<Record<string, (socket: Socket) => void>> = {
      'on an idle connection': (socket) => void setTimeout(() => socket.write(evil), 10),
      'behind an answer': (socket) => socket.write(evil),
    };
    for (const [where, send] of Object.entries(sends)) {
      test(`${where} end all kept connections to that place, and none is kept for five minutes`, async () => {
        const waiting: (() => void)[] = [];
        let answered = 0;
        let holds = true;
        using server = await upstream((head, socket) => {
          const reply = () => {
            // In one piece, so that both arrive at once.
            socket.cork();
            answer('200 OK')(head, socket);
            if (++answered === 2) send(socket);
            socket.uncork();
          };
          if (holds) waiting.push(reply);
          else reply();
        });
        expect(await three(server, waiting)).toEqual(['ok', 'ok', 'ok']);
        holds = false;
        await until(() => server.open.size === 0);
        expect(await call(server)).toBe('ok');
        await until(() => server.open.size === 0);
        await advance(5 * 60_000 - 1);
        expect(await call(server)).toBe('ok');
        await until(() => server.open.size === 0);
        await advance(1);
        expect(await call(server)).toBe('ok');
        expect(await overKept(server, advance, () => call(server))).toBe('ok');
      });
    }

    test('are told once, and a place that says so with a 408 before it closes is still trusted', async () => {
      let told = 0;
      const onUnrequested = () => void told++;
      using server = await upstream((_, socket) => socket.write(`HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok${evil}`));
      for (let i = 0; i < 3; i++) expect(await call(server, { onUnrequested })).toBe('ok');
      expect([0, 1]).toContain(told);
      using polite = await upstream((head, socket) => {
        answer('200 OK')(head, socket);
        if (polite.connections === 1) setTimeout(() => socket.end('HTTP/1.1 408 Request Timeout\r\n\r\n'), 10);
      });
      await call(polite);
      await until(() => polite.open.size === 0);
      await call(polite);
      expect(await overKept(polite, advance, () => call(polite))).toBe('ok');
    });

    test('before a request is completely sent on a kept connection are no answer to it, unless they refuse it', async () => {
      const body = 'y'.repeat(16 * 1024 * 1024);
      const early = (status: string): Answer => {
        return (head, socket) => {
          if (!head.startsWith('POST')) return;
          socket.pause();
          answer(status)(head, socket);
        };
      };
      using server = await servesOnce(early('200 OK'));
      expect(await keptFailure(server, { body })).toMatchObject({ failure: 'malformed', detail: 'early_answer' });
      using refusing = await servesOnce(early('413 Too Large'));
      await call(refusing);
      expect(await overKept(refusing, advance, async () => (await dial(to(refusing, { body }), '127.0.0.1')).status)).toBe(413);
    });
  });
}

/**
 * The contract of a process that dials, about the variables of proxies.
 * @param command runs `test/runtime/dial-child.ts`; ports follow
 * @param env besides this process's own
 */
export function proxyContract(command: readonly string[], env: Readonly<Record<string, string>> = {}): void {
  test('proxy variables are not read, and the variable that switches verification off is not obeyed', async () => {
    using proxy = await upstream();
    using plain = await upstream();
    using secure = await upstream(answer('200 OK'), 'upstream');
    using untrusted = await upstream(answer('200 OK'), 'self-signed');
    const variables = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy'];
    const child = Bun.spawn([...command, String(plain.port), String(secure.port), String(untrusted.port)], {
      env: {
        ...process.env,
        ...env,
        ...Object.fromEntries(variables.map((name) => [name, `http://127.0.0.1:${proxy.port}`])),
        NODE_TLS_REJECT_UNAUTHORIZED: '0',
      },
      stdout: 'pipe',
      stderr: 'ignore',
    });
    expect(JSON.parse(await new Response(child.stdout).text())).toEqual([200, 200, 200, 200, 'tls', 'tls']);
    expect(proxy.connections).toBe(0);
    expect(untrusted.requests).toEqual([]);
  });
}

/**
 * Nobody gets the answer to another request. The upstream and the dialer share a process, so that a busy machine delays both.
 * @param command runs `test/contract/late-answers-child.ts`; numbers of callers follow
 * @param env besides this process's own
 */
export function lateAnswersContract(command: readonly string[], env: Readonly<Record<string, string>> = {}): void {
  test('2,000 calls by 1, 2 and 16 callers get their own answers from an upstream that repeats some of its answers', async () => {
    const callers = [1, 2, 16];
    const child = Bun.spawn([...command, ...callers.map(String)], {
      env: { ...process.env, ...env },
      stdout: 'pipe',
      stderr: 'inherit',
    });
    const counts = JSON.parse(await new Response(child.stdout).text()) as LateAnswers[];
    expect(counts.length).toBe(callers.length);
    for (const { calls, wrong, late, told } of counts) {
      expect({ calls, wrong }).toEqual({ calls: 2000, wrong: 0 });
      expect(late).toBeGreaterThan(30);
      expect(told).toBeGreaterThan(0);
    }
  }, 60_000);
}
