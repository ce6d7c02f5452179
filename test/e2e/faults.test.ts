/** Upstreams that break off, fall silent, lie about themselves or flood: each ends in the truth, and in nothing worse. */
import { Database } from 'bun:sqlite';
import { afterAll, describe, expect, test } from 'bun:test';
import { mkdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { type Answer, adminToken, expectError, fromSource, type Ola, residentBytes, stage, until } from './stage.ts';
import {
  answer,
  type Behaviour,
  bytes,
  chunk,
  completion,
  done,
  event,
  lastChunk,
  type Received,
  stream,
  streamHead,
  usageEvent,
} from './upstream.ts';
import { drained, openChat, type Wire } from './wire.ts';

// Before the stage, which takes its directories away.
const mounts: string[] = [];
afterAll(() => {
  for (const at of mounts) Bun.spawnSync(['umount', '-l', at]);
});

const { directory, start, upstream } = stage();
const certificate = (name: string) => readFileSync(join(import.meta.dir, '../fixtures/tls', name), 'utf8');
const authority = certificate('ca.pem');
const key = certificate('leaf.key');

async function scene(more: object = {}, env: Readonly<Record<string, string>> = {}) {
  const ola = await start({ env });
  const up = await upstream();
  await ola.addProvider('acme', up, { ...more });
  return { ola, up };
}
const shared = scene();

interface Row {
  readonly requested: string;
  readonly status: number;
  readonly error: string | null;
  readonly completion_tokens: number | null;
}

/** The usage rows of a running gateway, once there are so many. */
function rowsOf(ola: Ola, count: number, requested = '%'): Promise<Row[]> {
  return until(`${count} usage rows`, () => {
    const database = new Database(join(ola.home, 'runtime_state.sqlite3'), { readonly: true });
    const rows = database
      .query(
        'SELECT requested, status, error, completion_tokens FROM usage JOIN usage_kinds ON usage_kinds.id = kind WHERE requested LIKE ? ORDER BY usage.id',
      )
      .all(requested) as Row[];
    database.close();
    if (rows.length > count) throw new Error(`${rows.length} usage rows, not ${count}`);
    return rows.length === count && rows;
  });
}

/** Runs so many at a time. */
async function inBatches<T>(items: readonly T[], size: number, run: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  await Promise.all(
    Array.from({ length: size }, async () => {
      for (const item of rest) await run(item);
    }),
  );
}

/** The error event at the end of a stream; what stands before it. */
function ended(text: string): { readonly before: string; readonly code: string } {
  const at = text.lastIndexOf('data: {"error":');
  expect([at >= 0, text.endsWith('\n\n')]).toEqual([true, true]);
  return { before: text.slice(0, at), code: (JSON.parse(text.slice(at + 6)) as { error: { code: string } }).error.code };
}

describe('cut at every byte', () => {
  const framings = {
    'by length': (type: string, text: string) =>
      `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
    chunked: (type: string, text: string) =>
      `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ntransfer-encoding: chunked\r\n\r\n${chunk(text.slice(0, 40))}${chunk(text.slice(40))}${lastChunk}`,
    'by close': (type: string, text: string) => `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\n\r\n${text}`,
  };
  const tiny = (text: string) => `data: {"choices":[{"delta":{"content":"${text}"}}]}\n\n`;
  const finish = 'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n';
  const events = [tiny('Hel'), tiny('lé'), finish, 'data: {"choices":[],"usage":{"completion_tokens":7}}\n\n', done];
  const shown = `${events[0]}${events[1]}${finish}`;
  const whole = JSON.stringify(completion('Hellé'));

  /** A reset takes with it what was not read yet: what comes out is that of some cut up to there. */
  const isReset = (at: number) => at % 5 === 0;

  /** One request for each length that the answer is cut to, cut by an end or a reset. */
  async function cutEverywhere(wire: Buffer, streamed: boolean, judge: (at: number, got: Answer) => void): Promise<void> {
    const { ola, up } = await shared;
    const lengths = Array.from({ length: wire.length }, (_, at) => at);
    const name = `cut-${Bun.hash(wire)}-`;
    for (const at of lengths)
      up.modes.set(`${name}${at}`, ({ socket }) => {
        if (isReset(at)) socket.write(wire.subarray(0, at), () => setTimeout(() => socket.resetAndDestroy(), 5));
        else socket.end(wire.subarray(0, at));
      });
    await inBatches(lengths, 48, async (at) => judge(at, await ola.chat(`acme/${name}${at}`, { stream: streamed })));
    const rows = await rowsOf(ola, lengths.length, `acme/${name}%`);
    for (const { requested, status } of rows) {
      const at = Number(requested.slice(requested.lastIndexOf('-') + 1));
      if (!isReset(at) || status === 200) expect([at, status === 200]).toEqual([at, complete(wire, at, streamed)]);
    }
    for (const at of lengths) {
      const sent = up.for(`${name}${at}`).length;
      // Without a byte of an answer, which a reset may take with it, a kept connection may have ended before the request.
      expect([at, sent === 1 || (sent === 2 && isReset(at))]).toEqual([at, true]);
    }
  }

  /**
   * A stream is whole behind `[DONE]` and its blank line. Where the connection's end is the stream's, it is whole behind any
   * whole event from the finish on, whose blank line may be missing; an answer then is whole behind its last brace.
   */
  function complete(wire: Buffer, at: number, streamed: boolean): boolean {
    const byClose = !/content-length|chunked/.test(wire.toString()) && !isReset(at);
    if (!streamed) return byClose && at === wire.length;
    if (!byClose) return at >= wire.indexOf('[DONE]') + 8;
    return at >= wire.indexOf(finish) + finish.length - 2 && contentAt(wire, at, true).endsWith('\n\n');
  }

  /**
   * What has come of the events, the framing taken off.
   * @param orderly the end is the body's own: a last event that lacks only its blank line has one then
   */
  function contentAt(wire: Buffer, at: number, orderly: boolean): string {
    const body = wire.subarray(wire.indexOf('\r\n\r\n') + 4, at);
    if (!wire.includes('chunked')) {
      const text = body.toString();
      const held = text.slice(text.lastIndexOf('\n\n') + (text.includes('\n\n') ? 2 : 1)).trimEnd();
      return orderly && events.some((each) => each.trimEnd() === held) ? `${text.trimEnd()}\n\n` : text;
    }
    // Two chunks, of 40 bytes and of a length of two digits.
    return Buffer.concat([body.subarray(4, 44), body.subarray(50)]).toString();
  }

  for (const [framing, framed] of Object.entries(framings)) {
    test(`a stream ${framing} never looks complete before its end, and nothing of it is lost`, async () => {
      const wire = Buffer.from(framed('text/event-stream', events.join('')));
      // Before the first event is whole the head has not gone to the client. An orderly end makes one whole without its blank line.
      const blank = wire.indexOf('\n\n', wire.indexOf('data: '));
      await cutEverywhere(wire, true, (at, got) => {
        const endsOrderly = framing === 'by close' && !isReset(at);
        if (at < (endsOrderly ? blank : blank + 2) || (isReset(at) && got.status === 502))
          expectError(got, 502, 'upstream_truncated');
        else if (complete(wire, at, true) && !(isReset(at) && got.text.includes('"error"')))
          expect([at, got.text]).toEqual([at, shown + done]);
        else {
          const { before, code } = ended(got.text);
          expect([at, got.status, code, got.text.includes('DONE')]).toEqual([at, 200, 'upstream_truncated', false]);
          const came = contentAt(wire, at, endsOrderly).split(/(?<=\n\n)/);
          const due = came.filter((each) => each.endsWith('\n\n') && !each.includes('usage')).join('');
          expect([at, isReset(at) ? due.startsWith(before) : before]).toEqual([at, isReset(at) ? true : due]);
        }
      });
    });

    test(`an answer ${framing} is whole or a 502`, async () => {
      const wire = Buffer.from(framed('application/json', whole));
      await cutEverywhere(wire, false, (at, got) => {
        const code = got.json['error']?.['code'] as unknown;
        // With neither length nor chunks, a cut shows in the JSON alone.
        const codes = framing === 'by close' ? ['upstream_truncated', 'provider_error'] : ['upstream_truncated'];
        expect([at, got.status, codes.includes(String(code))]).toEqual([at, 502, true]);
      });
      const { ola, up } = await shared;
      up.modes.set(`whole ${framing}`, ({ socket }) => void (framing === 'by close' ? socket.end(wire) : socket.write(wire)));
      expect((await ola.chat(`acme/whole ${framing}`)).text).toBe(whole);
    });
  }
});

describe('however its bytes come, a text is the same', () => {
  const texts = [
    event('é😀\u{10FFFF}漢') + done,
    `\uFEFF${event('é😀')}: c\n\ndata:{"choices":[1]}\n\ndata: {"choices":\ndata: [2]}\n\n${done}`,
    `data: {"choices":[{"text":"é"}]}\r\n\r\ndata:{"choices":[1]}\r\rid: 1\r\ndata: {"choices":[2]}\n\n: c\r\n\r\ndata: [DONE]\r\n\r\n`,
  ];
  test.each(
    texts.map((text, at) => [['characters of two to four bytes', 'a byte order mark', 'CR, LF and CRLF'][at], text] as const),
  )('%s, split at every offset', async (what, text) => {
    const { ola, up } = await shared;
    const raw = Buffer.from(text);
    const framed = (part: Buffer) => Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')]);
    const offsets = Array.from({ length: raw.length - 1 }, (_, at) => at + 1);
    for (const at of offsets)
      up.modes.set(`${what}-${at}`, ({ socket }) => {
        socket.write(Buffer.concat([Buffer.from(streamHead), framed(raw.subarray(0, at))]));
        setTimeout(() => socket.write(Buffer.concat([framed(raw.subarray(at)), Buffer.from(lastChunk)])), 5);
      });
    await inBatches(offsets, 32, async (at) => {
      const got = await fetchRaw(ola, `acme/${what}-${at}`);
      // Of a blank line that is split in its CRLF only the CR goes on, where the two pieces are read as two.
      const isSplit = raw.subarray(at - 3, at + 1).toString() === '\r\n\r\n';
      const came = isSplit ? Buffer.concat([raw.subarray(0, at), raw.subarray(at + 1)]).toString() : text;
      expect([at, [passed(text), passed(came)]]).toEqual([at, expect.arrayContaining([got.toString()]) as string[]]);
    });
  });

  /** The mark is taken off, a comment loses its blank line, and the end has its usual spelling. */
  const passed = (text: string) =>
    text
      .replace('\uFEFF', '')
      .replace(/(: c\r?\n)(?:\r\n|\r|\n)/, '$1')
      .replace(/data: \[DONE\]\r\n\r\n?$/, done);

  test('an event of 17 MiB goes through as it is; one over 64 MiB is an error that names the limit, not a heap', async () => {
    const { ola, up } = await scene();
    const long = event('x'.repeat(17 << 20));
    up.modes.set('long', stream(event('a'), long, done));
    expect((await ola.chat('acme/long', { stream: true })).text === event('a') + long + done).toBe(true);
    up.modes.set('too-long', stream(event('a'), event('x'.repeat(65 << 20)), done));
    const { text } = await ola.chat('acme/too-long', { stream: true });
    const { before, code } = ended(text);
    expect([before, code]).toEqual([event('a'), 'provider_error']);
    expect(text).toContain('longer than 64 MiB');
  });
});

/** Bytes of an answer: decoding could hide what was lost. */
async function fetchRaw(ola: Ola, model: string): Promise<Buffer> {
  const response = await fetch(`${ola.address}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, stream: true, messages: [{ role: 'user', content: 'x' }] }),
  });
  return Buffer.from(await response.arrayBuffer());
}

describe('limits of time', () => {
  const brief = { timeouts: { connectSeconds: 1, firstByteSeconds: 1, idleSeconds: 1 } };
  const silent: Behaviour = () => undefined;
  const firstKey = 'first-key-0123456789';
  const limited = scene(brief, { PAIR_API_KEY: firstKey, OPEN_LLM_AUTH_ENV_REFERENCES: 'PAIR_API_KEY' });

  test('no head in time: 504, and the next credential may try; in a stream as in an answer', async () => {
    const { ola, up } = await limited;
    up.modes.set('silent', silent);
    const half = bytes('HTTP/1.1 200 OK\r\ncontent-ty');
    up.modes.set('half a head', half);
    up.modes.set('first silent', (received) =>
      (received.headers.get('authorization') === `Bearer ${firstKey}` ? silent : answer(200, completion('second')))(received),
    );
    const calls = ['silent', 'half a head'].flatMap((model) =>
      [true, false].map((streamed) => ola.chat(`acme/${model}`, { stream: streamed })),
    );
    await ola.addProvider('pair', up, brief);
    const second = await ola.chat('pair/first silent');
    expect([second.status, second.headers.get('x-ola-attempts')]).toEqual([200, '2']);
    for (const got of await Promise.all(calls)) {
      const error = expectError(got, 504, 'upstream_timeout');
      expect(error['details'] as unknown).toMatchObject({ provider: 'acme', sent: true });
    }
    expect(up.for('silent')).toHaveLength(2);
    await until('all are closed', () => up.for('silent').every((received) => received.closedAt() !== null));
    expect(await rowsOf(ola, 2, 'acme/silent')).toMatchObject([{ status: 504 }, { status: 504 }]);
  });

  test('silence later: an error event in a stream, 504 for an answer, no second try; quiet drops are no silence', async () => {
    const { ola, up } = await limited;
    up.modes.set('stalls', ({ socket }) => void socket.write(streamHead + chunk(event('a'))));
    up.modes.set('stalls at once', ({ socket }) => void socket.write(streamHead));
    up.modes.set('stalls inside', ({ socket }) => void socket.write(streamHead + chunk(event('a') + event('b').slice(0, 30))));
    up.modes.set(
      'half JSON',
      bytes('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{"choices":['),
    );
    up.modes.set('drips', async ({ socket }) => {
      socket.write(streamHead);
      for (const part of [event('a'), ': here\n\n', event('b'), ': here\n\n', done]) {
        await Bun.sleep(900);
        socket.write(chunk(part));
      }
      socket.write(lastChunk);
    });
    await ola.addProvider('pair', up, { timeouts: { connectSeconds: 1, firstByteSeconds: 1, idleSeconds: 4 } });
    const chat = (model: string, streamed = true) => ola.chat(`pair/${model}`, { stream: streamed });
    const [stalls, atOnce, inside, json, drips] = await Promise.all([
      chat('stalls'),
      chat('stalls at once'),
      chat('stalls inside'),
      chat('half JSON', false),
      chat('drips'),
    ]);
    expect(ended(stalls.text)).toEqual({ before: event('a'), code: 'upstream_timeout' });
    expect(ended(inside.text)).toEqual({ before: event('a'), code: 'upstream_timeout' });
    // Before its first content a stream has no head yet, so that its failure has a status.
    expectError(atOnce, 504, 'upstream_timeout');
    expect(drips.text).toBe(`${event('a')}: here\n${event('b')}: here\n${done}`);
    expectError(json, 504, 'upstream_timeout');
    // Another credential is there; it is not tried.
    for (const model of ['stalls', 'stalls at once', 'stalls inside', 'half JSON']) {
      expect(up.for(model)).toHaveLength(1);
      await until('it is closed', () => up.requestFor(model).closedAt() !== null);
    }
  });

  test('a peer that accepts and says nothing in a TLS handshake: nothing was sent, 502', async () => {
    const { ola } = await limited;
    const mute = await upstream();
    await ola.addProvider('mute', mute, { ...brief, baseUrl: mute.baseUrl.replace('http:', 'https:') });
    const error = expectError(await ola.chat('mute/x'), 502, 'upstream_unreachable');
    expect(error['details'] as unknown).toMatchObject({ sent: false });
    expect(mute.received).toEqual([]);
  });

  test('that make no sense are refused where they are written; sensible ones and authorities are shown', async () => {
    const { ola, up } = await limited;
    const put = (more: object) => ola.ask('PUT', '/config/providers/other', { baseUrl: up.baseUrl, allowLocal: true, ...more });
    for (const name of ['connectSeconds', 'firstByteSeconds', 'idleSeconds'])
      for (const value of [0, 3601, 1.5, '5', -1])
        expect(String(expectError(await put({ timeouts: { [name]: value } }), 422, 'invalid_field')['param'])).toBe(
          `timeouts.${name}`,
        );
    const key64 = key.slice(0, 200);
    for (const ca of ['', 'x', key, authority.slice(0, -40), authority.replace(/[A-Za-z0-9]{64}/, ''), authority + key64]) {
      const got = await put({ ca });
      expect(String(expectError(got, 422, 'invalid_field')['param'])).toBe('ca');
      expect(got.text).not.toContain('PRIVATE');
    }
    const said = {
      timeouts: { connectSeconds: 1, firstByteSeconds: 3600, idleSeconds: 5 },
      ca: `# ours\n${authority}${authority}`,
    };
    expect((await put(said)).status).toBe(200);
    const { json } = await ola.ask('GET', '/config/providers');
    expect(json['providers']?.['other'] as unknown).toMatchObject(said);
  });
});

describe('TLS: the key goes to nobody who is not who he should be', () => {
  const faults: readonly (readonly [what: string, cert: string, ca: string | undefined, words: string])[] = [
    // Deno gives an expired certificate the code of an unknown authority.
    ['expired', 'expired.pem', authority, fromSource ? 'does not trust' : 'has expired'],
    ['another name', 'other.pem', authority, 'is for another name'],
    ['self-signed', 'self-signed.pem', authority, 'is self-signed'],
    ['an authority that is not the named one', 'upstream.pem', certificate('self-signed.pem'), 'does not trust'],
    ['an authority that the system does not know', 'upstream.pem', undefined, 'does not trust'],
  ];
  test.each(faults)('%s', async (_, cert, ca, words) => {
    const { ola } = await shared;
    const up = await upstream({ key, cert: certificate(cert) });
    await ola.addProvider('secure', up, ca === undefined ? {} : { ca });
    const error = expectError(await ola.chat('secure/x'), 502, 'upstream_unreachable');
    expect(error['details'] as unknown).toEqual({ provider: 'secure', reason: 'tls_failed', sent: false });
    expect(String(error['message'])).toContain(words);
    expect(up.received).toEqual([]);
  });

  test('TLS 1.1', async () => {
    const { ola } = await shared;
    const up = await upstream({ key, cert: certificate('upstream.pem'), minVersion: 'TLSv1', maxVersion: 'TLSv1.1' });
    await ola.addProvider('secure', up, { ca: authority });
    const error = expectError(await ola.chat('secure/x'), 502, 'upstream_unreachable');
    expect(String(error['message'])).toContain('no version of TLS from 1.2 on');
    expect(up.received).toEqual([]);
  });

  test('plain HTTP where TLS was asked for, from a server that waits for more and from one that answers', async () => {
    const { ola } = await shared;
    const up = await upstream();
    const timeouts = { connectSeconds: 1 };
    await ola.addProvider('secure', up, { baseUrl: up.baseUrl.replace('http:', 'https:'), timeouts });
    const waits = expectError(await ola.chat('secure/x'), 502, 'upstream_unreachable');
    expect(String(waits['message'])).toContain('speaks TLS on this port');
    expect(up.received).toEqual([]);
    const answers = createServer((socket) => socket.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await new Promise<void>((resolve) => answers.listen(0, '127.0.0.1', resolve));
    const { port } = answers.address() as AddressInfo;
    await ola.addProvider('secure', up, { baseUrl: `https://127.0.0.1:${port}/v1` });
    const told = expectError(await ola.chat('secure/x'), 502, 'upstream_unreachable');
    expect(String(told['message'])).toContain('it does not speak TLS. Is its address http://...?');
    answers.close();
  });

  test('and a good one is used, its connection for streams and for answers', async () => {
    const { ola } = await shared;
    const up = await upstream({ key, cert: certificate('upstream.pem') });
    await ola.addProvider('secure', up, { ca: authority });
    for (const streamed of [true, false, true]) {
      const before = up.received.length;
      await until('a connection is used again', async () => {
        const known = new Set(up.received.map(({ socket }) => socket));
        expect((await ola.chat('secure/x', { stream: streamed })).status).toBe(200);
        return before > 0 ? known.has(up.received.at(-1)?.socket as never) : true;
      });
    }
  });
});

describe('answers that are not what they should be', () => {
  const json = 'content-type: application/json\r\n';
  const whole = JSON.stringify(completion('fine'));
  const sized = (status: number, headers: string, body: string | Buffer): Behaviour => {
    return ({ socket }) => {
      socket.write(`HTTP/1.1 ${status} X\r\n${headers}content-length: ${body.length}\r\n\r\n`);
      socket.write(body);
    };
  };

  test.each(['text/html', 'application/json', 'text/plain', ''])('a stream of type “%s” is none', async (type) => {
    const { ola, up } = await shared;
    const header = type === '' ? '' : `content-type: ${type}\r\n`;
    const model = `typed ${type === '' ? 'not at all' : type}`;
    up.modes.set(model, sized(200, header, `<html>${event('words of the upstream')}${done}`));
    const got = await ola.chat(`acme/${model}`, { stream: true });
    expectError(got, 502, 'provider_error');
    expect(got.text).not.toContain('words of');
  });

  test('1 MiB of headers', async () => {
    const { ola, up } = await shared;
    for (const [name, headers] of [
      ['one', `x-long: ${'a'.repeat(1 << 20)}\r\n`],
      ['many', 'x-many: aaaaaaaaaaaaaaaaaaaaaaaa\r\n'.repeat(1 << 15)],
      ['endless', `x-long: ${'a'.repeat(1 << 20)}`],
    ] as const) {
      up.modes.set(
        `headers ${name}`,
        bytes(
          `HTTP/1.1 200 OK\r\n${headers}${name === 'endless' ? '' : `${json}content-length: ${whole.length}\r\n\r\n${whole}`}`,
        ),
      );
      const error = expectError(await ola.chat(`acme/headers ${name}`), 502, 'provider_error');
      expect(String(error['message'])).toContain('a head that is not HTTP/1.1: more than 64 KiB');
      await until('it is closed', () => up.requestFor(`headers ${name}`).closedAt() !== null);
    }
  });

  test('interim answers are passed over; a change of protocol and a flood of them are refused', async () => {
    const { ola, up } = await shared;
    const fine = `HTTP/1.1 200 OK\r\n${json}content-length: ${whole.length}\r\n\r\n${whole}`;
    up.modes.set('interim', bytes(`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n${fine}`));
    expect((await ola.chat('acme/interim')).text).toBe(whole);
    up.modes.set('switching', bytes(`HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n${fine}`));
    up.modes.set('flood', bytes('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(50_000)));
    for (const model of ['switching', 'flood']) expectError(await ola.chat(`acme/${model}`), 502, 'provider_error');
  });

  test('a request on a kept connection that had ended is sent once more, on a new one, and the answer says so', async () => {
    const { ola, up } = await scene();
    const served = new Set<unknown>();
    up.modes.set('stale', (received) => {
      if (served.has(received.socket)) return void received.socket.end();
      served.add(received.socket);
      return answer(200, whole)(received);
    });
    const repeated = await until('a kept connection is used', async () => {
      const got = await ola.chat('acme/stale');
      expect([got.status, got.text]).toEqual([200, whole]);
      return got.headers.get('x-ola-attempts') === '2' && got;
    });
    expect(repeated.text).toBe(whole);
    expect(up.for('stale').filter(({ socket }) => socket === up.for('stale').at(-2)?.socket).length).toBe(2);
    expect(up.for('stale').filter(({ socket }) => socket === up.for('stale').at(-1)?.socket).length).toBe(1);
  });

  test('what stands behind an answer is nobody’s answer', async () => {
    const { ola, up } = await scene();
    const evil = `HTTP/1.1 200 OK\r\n${json}content-length: 15\r\n\r\n{"choices":[1]}`;
    const heads: Readonly<Record<string, string>> = {
      'behind a 204': `HTTP/1.1 204 No Content\r\ncontent-length: ${evil.length}\r\n\r\n`,
      'behind a chunked 204': 'HTTP/1.1 204 No Content\r\ntransfer-encoding: chunked\r\n\r\n',
      'behind a length': `HTTP/1.1 200 OK\r\n${json}content-length: ${whole.length}\r\n\r\n${whole}`,
      'behind a last chunk': `HTTP/1.1 200 OK\r\n${json}transfer-encoding: chunked\r\n\r\n${chunk(whole)}${lastChunk}`,
      'behind an error': 'HTTP/1.1 500 X\r\ncontent-length: 2\r\n\r\n{}',
    };
    for (const [what, head] of Object.entries(heads)) {
      up.modes.set(what, ({ socket }) => void socket.write(head + evil));
      await ola.chat(`acme/${what}`);
      const next = await ola.chat('acme/plain');
      expect([what, next.json['choices']?.[0]?.['message']?.['content'] as unknown]).toEqual([what, 'Hello']);
      await until('it is closed', () => up.requestFor(what).closedAt() !== null);
    }
  });

  test('bombs: 100 MiB of zeros in a few kilobytes are not unpacked', async () => {
    const { ola, up } = await scene();
    const zeros = Buffer.alloc(100 << 20);
    const before = residentBytes(ola.pid);
    const packed = {
      gzip: gzipSync(zeros),
      br: brotliCompressSync(zeros, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }),
    };
    for (const [encoding, body] of Object.entries(packed))
      for (const status of [200, 400, 500])
        for (const streamed of [true, false]) {
          const name = `${encoding} ${status} ${streamed}`;
          const type = streamed ? 'content-type: text/event-stream\r\n' : json;
          up.modes.set(name, sized(status, `${type}content-encoding: ${encoding}\r\n`, body));
          const got = await ola.chat(`acme/${name}`, { stream: streamed });
          expect([name, got.status, got.text.length < 1000]).toEqual([name, status === 400 ? 400 : 502, true]);
        }
    expect(residentBytes(ola.pid) - before).toBeLessThan(48e6);
  });

  test('an answer and an error without end are given up, whatever length they say', async () => {
    const { ola, up } = await scene();
    const flood =
      (head: string): Behaviour =>
      async ({ socket }) => {
        socket.write(head);
        const block = chunk(' '.repeat(1 << 20));
        while (!socket.destroyed) if (!socket.write(block)) await drained(socket);
      };
    const chunked = 'transfer-encoding: chunked\r\n\r\n';
    up.modes.set('endless', flood(`HTTP/1.1 200 OK\r\n${json}${chunked}`));
    up.modes.set('endless error', flood(`HTTP/1.1 500 X\r\n${json}${chunked}`));
    // Its parser would take many seconds, in which nobody else is served.
    up.modes.set('deep', sized(200, json, '['.repeat(60 << 20)));
    expectError(await ola.chat('acme/deep'), 502, 'provider_error');
    expectError(await ola.chat('acme/endless'), 502, 'provider_error');
    expectError(await ola.chat('acme/endless error'), 502, 'upstream_http_error');
    await until('both are closed', () => up.received.every((received) => received.closedAt() !== null));
  });
});

describe('a client that leaves', () => {
  const silent: Behaviour = () => undefined;
  const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 999\r\n\r\n';
  const stages: readonly (readonly [what: string, behaviour: Behaviour, streamed: boolean, sees: string])[] = [
    ['before the head of a stream', silent, true, ''],
    ['before the head of an answer', silent, false, ''],
    ['behind the head of a stream, which is held', ({ socket }) => void socket.write(streamHead), true, ''],
    ['in an event', ({ socket }) => void socket.write(streamHead + chunk(`${event('a')}data: {"cho`)), true, '"a"'],
    ['in the middle of a stream', ({ socket }) => void socket.write(streamHead + chunk(event('a'))), true, '"a"'],
    [
      'in the last event',
      ({ socket }) => void socket.write(streamHead + chunk(`${event('a') + usageEvent}data: [DO`)),
      true,
      '"a"',
    ],
    ['in the middle of an answer', ({ socket }) => void socket.write(`${head}{"choices":[`), false, ''],
    ['in the middle of an error', ({ socket }) => void socket.write(head.replace('200', '500')), false, ''],
  ];
  test.each(stages)('%s frees the upstream, and is recorded once, as 499', async (what, behaviour, streamed, sees) => {
    const { ola, up } = await shared;
    up.modes.set(what, behaviour);
    const wire = await openChat(ola.port, adminToken, { model: `acme/${what}`, stream: streamed });
    await until('it is that far', () => up.for(what).length === 1 && wire.received().includes(sees));
    wire.socket.destroy();
    await until('the upstream is left', () => up.requestFor(what).closedAt() !== null);
    const [row] = await rowsOf(ola, 1, `acme/${what}`);
    expect(row).toMatchObject({ status: 499, error: 'client_closed_request' });
    // What was used up to there is known when the upstream had said it.
    expect(row?.completion_tokens).toBe(what === 'in the last event' ? 7 : null);
  });

  test('before there is a connection to the upstream: the attempt is given up', async () => {
    const { ola } = await shared;
    const mute = await upstream();
    await ola.addProvider('mute', mute, { baseUrl: mute.baseUrl.replace('http:', 'https:') });
    for (const streamed of [true, false]) {
      const wire = await openChat(ola.port, adminToken, { model: 'mute/x', stream: streamed });
      await until('it connects', () => mute.open() === 1);
      wire.socket.destroy();
      await until('it is given up', () => mute.open() === 0);
    }
    expect(await rowsOf(ola, 2, 'mute/x')).toMatchObject([{ status: 499 }, { status: 499 }]);
  });
});

test('a failure behind the first byte is not tried again and nothing is spliced, though another credential is there', async () => {
  const { ola, up } = await scene({}, { ACME_API_KEY: 'first-key-0123456789', OPEN_LLM_AUTH_ENV_REFERENCES: 'ACME_API_KEY' });
  up.modes.set('breaks', bytes(streamHead + chunk(event('a')), 'end'));
  up.modes.set('reports', stream(event('a'), 'data: {"error":{"code":429}}\n\n'));
  up.modes.set('breaks whole', bytes('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{', 'end'));
  for (const model of ['breaks', 'reports'])
    expect(ended((await ola.chat(`acme/${model}`, { stream: true })).text).before).toBe(event('a'));
  expectError(await ola.chat('acme/breaks whole'), 502, 'upstream_truncated');
  for (const model of ['breaks', 'reports', 'breaks whole']) expect(up.for(model)).toHaveLength(1);
  expect((await rowsOf(ola, 3)).map(({ status, error }) => [status, error])).toEqual([
    [502, 'upstream_truncated'],
    [429, 'upstream_http_error'],
    [502, 'upstream_truncated'],
  ]);
});

test('killed in the middle of streams: every client sees one that was cut, and the next start serves', async () => {
  const { ola, up } = await scene();
  up.modes.set('held', ({ socket }) => void socket.write(streamHead + chunk(event('a'))));
  const wires: Wire[] = [];
  for (let i = 0; i < 10; i++) wires.push(await openChat(ola.port, adminToken, { model: 'acme/held', stream: true }));
  await ola.chat('acme/before');
  await until('all stream', () => wires.every((wire) => wire.received().includes('"a"')));
  await rowsOf(ola, 1);
  ola.kill('SIGKILL');
  await until('all are closed', () => wires.every((wire) => wire.closed()));
  for (const wire of wires) {
    const [reply] = wire.replies();
    expect([reply?.whole, reply?.text]).toEqual([false, event('a')]);
  }
  await until('the upstream is left', () => up.for('held').every((received: Received) => received.closedAt() !== null));
  const again = await start({ home: ola.home });
  expect((await again.chat('acme/after')).status).toBe(200);
  expect((await rowsOf(again, 2)).map(({ requested }) => requested)).toEqual(['acme/before', 'acme/after']);
});

/** A file system of a few MiB; null where this user may not mount one. */
function smallDisk(): string | null {
  const at = realpathSync(directory());
  const { exitCode } = Bun.spawnSync(['mount', '-t', 'tmpfs', '-o', 'size=4m,mode=700', 'tmpfs', at], { stderr: 'ignore' });
  if (exitCode !== 0) return null;
  mounts.push(at);
  return at;
}
const disk = process.platform === 'linux' ? smallDisk() : null;

test.skipIf(disk === null)(
  'a disk that fills up in a stream (skipped without one): it goes on, and is recorded later',
  async () => {
    const home = join(disk ?? '', 'home');
    mkdirSync(home, { mode: 0o700 });
    const ola = await start({ home });
    const up = await upstream();
    await ola.addProvider('acme', up);
    up.modes.set('held', ({ socket }) => void socket.write(streamHead + chunk(event('a'))));
    const wire = await openChat(ola.port, adminToken, { model: 'acme/held', stream: true });
    await until('it streams', () => wire.received().includes('"a"'));
    const filler = join(disk ?? '', 'filler');
    Bun.spawnSync(['dd', 'if=/dev/zero', `of=${filler}`, 'bs=4096'], { stderr: 'ignore' });
    // Many kinds of rows, so that what room the log of the database has is used up.
    for (let at = 0; at < 300; at++) await ola.chat(`acme/${'x'.repeat(400)}${at}`);
    await until('rows wait', () => ola.err().includes('could not be written'));
    up.requestFor('held').socket.write(chunk(event('b') + usageEvent + done) + lastChunk);
    await until('it is whole', () => wire.replies()[0]?.whole === true);
    expect(wire.replies()[0]?.text).toBe(event('a') + event('b') + done);
    wire.socket.destroy();
    rmSync(filler);
    expect(await rowsOf(ola, 1, 'acme/held')).toMatchObject([{ status: 200, completion_tokens: 7 }]);
    await rowsOf(ola, 301);
  },
);
