/** Streams: an end is told as it is, nobody holds what nobody reads, and many run at once. */
import { describe, expect, test } from 'bun:test';
import { adminToken, type Ola, onBinary, residentBytes, stage, standsStill, until } from './stage.ts';
import {
  answer,
  type Behaviour,
  bytes,
  chunk,
  done,
  event,
  lastChunk,
  type Received,
  stream,
  streamHead,
  type Upstream,
  usageEvent,
} from './upstream.ts';
import { drained, openChat, requestBytes } from './wire.ts';

const { start, upstream } = stage();

async function scene(): Promise<{ readonly ola: Ola; readonly up: Upstream }> {
  const ola = await start();
  const up = await upstream();
  await ola.addProvider('acme', up);
  return { ola, up };
}
const shared = scene();

/** The chunk that ends a choice. */
const ending = (index: number) => event('', { choices: [{ index, delta: {}, finish_reason: 'stop' }] });

const ask = (ola: Ola, model: string, more: object = { stream: true }) => openChat(ola.port, adminToken, { model, ...more });

function errorOf(text: string): { readonly code: string; readonly type: string } {
  const last = text.trimEnd().split('\n\n').at(-1) ?? '';
  expect(last).toStartWith('data: {"error":');
  return (JSON.parse(last.slice(6)) as { error: { code: string; type: string } }).error;
}

describe('whole events go through unchanged', () => {
  const odd = [
    'data:{"choices":[],"x":1.0}\n\n',
    ': a comment\n\n',
    'event: message\nid: 7\ndata: {"choices":[]}\n\n',
    'data: {"choices":\ndata: []}\n\n',
    'data: {"choices":[{"delta":{"content":"\\"usage\\" \\"error\\""}}]}\n\n',
    event('é😀\\u2028'),
  ];
  /** A block of comments is passed on without its blank line, which some clients take for an event. */
  const passed = odd.join('').replace(': a comment\n\n', ': a comment\n');
  test.each(['in one piece', 'byte by byte'])('%s', async (how) => {
    const { ola, up } = await shared;
    const whole = odd.join('') + done;
    up.modes.set(`odd ${how}`, async ({ socket }) => {
      socket.write(streamHead);
      if (how === 'in one piece') socket.write(chunk(whole));
      else
        for (const byte of Buffer.from(whole))
          socket.write(Buffer.concat([Buffer.from('1\r\n'), Buffer.from([byte]), Buffer.from('\r\n')]));
      socket.write(lastChunk);
    });
    expect((await ola.chat(`acme/odd ${how}`, { stream: true })).text).toBe(passed + done);
  });

  test('with CRLF and CR line ends too', async () => {
    const { ola, up } = await shared;
    const a = event('a').trimEnd();
    const events = `${a}\r\n\r\ndata: {"choices":[1]}\r\r: c\r\n\r\n${a}\r\n\r\n`;
    up.modes.set('crlf', stream(`${events}data: [DONE]\r\n\r\n`));
    const got = await ola.chat('acme/crlf', { stream: true });
    expect(got.text).toBe(events.replace(': c\r\n\r\n', ': c\r\n') + done);
  });

  test('all but those that carry no chunk: both official packages fail on them', async () => {
    const { ola, up } = await shared;
    const none = ['data: null', 'data: []', 'data: "ping"', 'data: 7', 'data:', 'data', 'event: ping', 'id: 7', 'retry: 9'];
    up.modes.set('none', stream(event('a'), ...none.map((each) => `${each}\n\n`), event('b'), done));
    expect((await ola.chat('acme/none', { stream: true })).text).toBe(event('a') + event('b') + done);
  });

  test('nothing goes on after [DONE]', async () => {
    const { ola, up } = await shared;
    up.modes.set('goes-on', stream(event('a'), done, event('late'), done));
    expect((await ola.chat('acme/goes-on', { stream: true })).text).toBe(event('a') + done);
  });

  test('a [DONE] that the connection ends right behind counts', async () => {
    const { ola, up } = await shared;
    up.modes.set('tight', bytes(`HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n${event('a')}data: [DONE]`, 'end'));
    expect((await ola.chat('acme/tight', { stream: true })).text).toBe(event('a') + done);
  });
});

describe('a stream that ends before its end says so, and has no [DONE]', () => {
  const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n';
  const two = event('Hel') + event('lo');
  const cases: readonly (readonly [string, Behaviour, string])[] = [
    ['chunked, the connection closed', bytes(streamHead + chunk(two), 'end'), 'upstream_truncated'],
    ['chunked, ended in order without [DONE]', stream(two), 'upstream_truncated'],
    ['chunked, inside an event', bytes(streamHead + chunk(two + event('half').slice(0, 40)), 'end'), 'upstream_truncated'],
    ['chunked, ended in order inside an event', stream(two, event('half').slice(0, 40)), 'upstream_truncated'],
    ['by length, cut', bytes(`${head}content-length: 9999\r\n\r\n${two}`, 'end'), 'upstream_truncated'],
    ['by length, without [DONE]', bytes(`${head}content-length: ${two.length}\r\n\r\n${two}`), 'upstream_truncated'],
    ['by close, without [DONE]', bytes(`${head}\r\n${two}`, 'end'), 'upstream_truncated'],
    ['an event that is no JSON', stream(two, 'data: words of the upstream\n\n', done), 'provider_error'],
    ['an event that is half JSON', stream(two, 'data: {"choices":[ words of the upstream\n\n', done), 'provider_error'],
    ['an error event', stream(two, 'data: {"error":{"message":"words of the upstream"}}\n\n', done), 'upstream_http_error'],
    [
      'a named error event',
      stream(two, 'event: error\ndata: {"message":"words of the upstream"}\n\n', done),
      'upstream_http_error',
    ],
    [
      'an error in the choice',
      stream(
        two,
        event('', { choices: [{ index: 0, finish_reason: 'error', error: { message: 'words of the upstream' } }] }),
        done,
      ),
      'upstream_http_error',
    ],
    ['chunked, ended in order with one of two choices at its end', stream(two, ending(1)), 'upstream_truncated'],
    ['chunked, the connection closed behind a finish', bytes(streamHead + chunk(two + ending(0)), 'end'), 'upstream_truncated'],
    [
      'by length, cut behind a finish',
      bytes(`${head}content-length: 9999\r\n\r\n${two}${ending(0)}`, 'end'),
      'upstream_truncated',
    ],
    [
      'broken chunk framing',
      ({ socket }) => {
        socket.write(streamHead + chunk(two));
        setTimeout(() => socket.write('zz\r\nwords of the upstream'), 30);
      },
      'upstream_truncated',
    ],
  ];
  test.each(cases)('%s', async (what, behaviour, code) => {
    const { ola, up } = await shared;
    up.modes.set(what, behaviour);
    const { status, text } = await ola.chat(`acme/${what}`, { stream: true });
    expect([status, text.slice(0, two.length)]).toEqual([200, two]);
    expect(errorOf(text)).toMatchObject({ code, type: 'api_error' });
    expect(text.split('\n\n').length).toBe(/finish|two choices/.test(what) ? 5 : 4);
    expect(text).not.toMatch(/DONE|words of|half/);
  });

  test('reset', async () => {
    const { ola, up } = await shared;
    up.modes.set('reset', ({ socket }) => void socket.write(streamHead + chunk(two)));
    const wire = await ask(ola, 'acme/reset');
    // A reset takes with it what was not read yet.
    await until('both events are there', () => wire.received().includes(event('lo')));
    up.requestFor('reset').socket.resetAndDestroy();
    const { status, text } = await until('it has ended', () => wire.replies().find(({ whole }) => whole));
    expect([status, text.slice(0, two.length)]).toEqual([200, two]);
    expect(errorOf(text)).toMatchObject({ code: 'upstream_truncated', type: 'api_error' });
    expect(text).not.toContain('DONE');
    wire.socket.destroy();
  });

  test('an event without end is not gathered without end', async () => {
    const { ola, up } = await shared;
    let stop = false;
    up.modes.set('endless', async ({ socket }) => {
      socket.write(streamHead + chunk(event('a')) + chunk('data: {"'));
      const block = chunk('x'.repeat(256 * 1024));
      while (!stop && !socket.destroyed) if (!socket.write(block)) await Bun.sleep(1);
    });
    const { text } = await ola.chat('acme/endless', { stream: true });
    stop = true;
    expect(errorOf(text).code).toBe('provider_error');
    expect(text.length).toBeLessThan(2000);
  });
});

describe('a stream that ends in order behind the finish of all its choices is complete, and gets the [DONE] that is missing', () => {
  const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n';
  const said = event('Hel') + event('lo');
  const whole = said + ending(0);
  const cases: readonly (readonly [string, Behaviour])[] = [
    ['chunked', stream(said, ending(0))],
    ['by length', bytes(`${head}content-length: ${whole.length}\r\n\r\n${whole}`)],
    ['by close', bytes(`${head}\r\n${whole}`, 'end')],
    ['chunked, without its last blank line', stream(said, ending(0).trimEnd())],
    ['by length, without its last blank line', bytes(`${head}content-length: ${whole.length - 2}\r\n\r\n${whole.trimEnd()}`)],
    ['by close, without its last blank line', bytes(`${head}\r\n${whole.trimEnd()}`, 'end')],
    ['chunked, with usage behind it', stream(said, ending(0), usageEvent)],
    ['chunked, with usage behind it, without its last blank line', stream(said, ending(0), usageEvent.trimEnd())],
  ];
  test.each(cases)('%s', async (what, behaviour) => {
    const { ola, up } = await shared;
    up.modes.set(`whole ${what}`, behaviour);
    expect((await ola.chat(`acme/whole ${what}`, { stream: true })).text).toBe(whole + done);
  });
});

describe('what fails before the first content has a status', () => {
  const role = event('', { choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }] });
  const cases: readonly (readonly [string, Behaviour, number, string, code?: string])[] = [
    ['nothing', stream(), 502, 'upstream_truncated'],
    ['a comment alone', stream(': words\n\n'), 502, 'upstream_truncated'],
    ['a role alone', stream(role), 502, 'upstream_truncated'],
    ['a role, then the connection closed', bytes(streamHead + chunk(role), 'end'), 502, 'upstream_truncated'],
    ['[DONE] alone', stream(done), 502, 'provider_error'],
    ['no JSON', stream(role, 'data: words\n\n'), 502, 'provider_error'],
    ['an error of a number', stream(role, 'data: {"error":{"code":429,"message":"words"}}\n\n'), 429, 'upstream_http_error'],
    ['an error as a text', stream(role, 'data: {"error":"words"}\n\n'), 502, 'upstream_http_error'],
    ['a page', answer(200, '<html>words', { 'content-type': 'text/event-stream' }), 502, 'provider_error'],
  ];
  test.each(cases)('%s', async (what, behaviour, status, code) => {
    const { ola, up } = await shared;
    up.modes.set(`first ${what}`, behaviour);
    const got = await ola.chat(`acme/first ${what}`, { stream: true });
    expect([got.status, got.headers.get('content-type'), got.headers.get('x-ola-code')]).toEqual([
      status,
      'application/json',
      code,
    ]);
  });
});

describe('a client that leaves frees the upstream', () => {
  const silent: Behaviour = () => undefined;
  const begun: Behaviour = ({ socket }) => void socket.write(streamHead + chunk(event('a')));
  const busy: Behaviour = async ({ socket }) => {
    socket.write(streamHead);
    while (!socket.destroyed) {
      socket.write(chunk(event('a')));
      await Bun.sleep(5);
    }
  };
  test.each([
    ['before the headers of a stream', silent, { stream: true }, 0],
    ['before an answer', silent, {}, 0],
    ['in a stream that is quiet', begun, { stream: true }, 1],
    ['in a stream that flows', busy, { stream: true }, 1],
  ] as const)('%s', async (what, behaviour, more, events) => {
    const { ola, up } = await shared;
    for (const how of ['end', 'reset'] as const) {
      const model = `${what} ${how}`;
      up.modes.set(model, behaviour);
      const wire = await ask(ola, `acme/${model}`, more);
      await until('the upstream is asked', () => up.for(model).length === 1 && wire.received().includes('data:') === events > 0);
      if (how === 'end') wire.socket.destroy();
      else wire.socket.resetAndDestroy();
      await until('the upstream is left', () => up.requestFor(model).closedAt() !== null);
    }
  });
});

onBinary('numbers of memory', () => {
  describe('memory', () => {
    const memory = scene();

    test('1,000 streams that are left leave neither connections nor memory behind', async () => {
      const { ola, up } = await memory;
      const block = chunk(event('x'.repeat(200)).repeat(4));
      up.modes.set('flows', async ({ socket }) => {
        socket.write(streamHead);
        while (!socket.destroyed) {
          socket.write(block);
          await Bun.sleep(2);
        }
      });
      const leave = async (at: number) => {
        const wire = await ask(ola, 'acme/flows');
        await until('it flows', () => wire.received().includes('data:'));
        if (at % 2 === 0) wire.socket.destroy();
        else wire.socket.resetAndDestroy();
      };
      const leaveMany = async (rounds: number) => {
        for (let round = 0; round < rounds; round++) await Promise.all(Array.from({ length: 50 }, (_, at) => leave(at)));
      };
      await leaveMany(4);
      const before = residentBytes(ola.pid);
      await leaveMany(20);
      await until('all upstream connections are closed', () => up.open() === 0);
      await until('the memory is back', () => residentBytes(ola.pid) - before < 40e6);
      expect((await ola.ask('GET', '/health')).status).toBe(200);
    });

    test('a reader that does not read slows the upstream down, and is not paid for in memory', async () => {
      const { ola, up } = await memory;
      let sent = 0;
      const block = chunk(event('x'.repeat(32 * 1024)).repeat(4));
      up.modes.set('flood', async ({ socket }) => {
        socket.write(streamHead);
        for (let own = 0; own < 64 << 20 && !socket.destroyed; own += block.length) {
          sent += block.length;
          if (!socket.write(block)) await drained(socket);
        }
      });
      const before = residentBytes(ola.pid);
      const readers = await Promise.all(Array.from({ length: 5 }, () => ask(ola, 'acme/flood')));
      for (const { socket } of readers) socket.pause();
      // The flood stands still when everything between is full.
      await until('the flood has begun', () => sent > 0);
      await standsStill(() => sent);
      // What the system's buffers take is some megabytes for each of the four ends.
      expect(sent).toBeLessThan(5 * (32 << 20));
      await until('the memory is what is held, not what went through', () => residentBytes(ola.pid) - before < 24e6);
      // Others are served meanwhile.
      expect((await ola.chat('acme/other', { stream: true })).text).toEndWith(done);
      for (const { socket } of readers) socket.destroy();
      await until('the upstreams are left', () => up.open() <= 1);
    });
  });
});

test('a reader that is slow gets every byte', async () => {
  const { ola, up } = await shared;
  const piece = event('x'.repeat(32 * 1024));
  const pieces = 500;
  up.modes.set('slowly', async ({ socket }) => {
    socket.write(streamHead);
    for (let at = 0; at < pieces; at++) if (!socket.write(chunk(piece))) await drained(socket);
    socket.write(chunk(done) + lastChunk);
  });
  const wire = await ask(ola, 'acme/slowly');
  wire.socket.on('data', () => {
    wire.socket.pause();
    setTimeout(() => wire.socket.resume(), 2);
  });
  await until(
    'its last event is there',
    () => wire.socket.bytesRead > piece.length * pieces && wire.received().endsWith(lastChunk),
    60_000,
  );
  expect(wire.replies()[0]?.text === piece.repeat(pieces) + done).toBe(true);
  wire.socket.destroy();
});

test('300 slow streams run at once: each gets its first event while all are open, and its end', async () => {
  const { ola, up } = await scene();
  const opened: Received[] = [];
  up.modes.set('slow', (received) => {
    opened.push(received);
    received.socket.write(streamHead + chunk(event('first')));
  });
  const wires = await Promise.all(Array.from({ length: 300 }, () => ask(ola, 'acme/slow')));
  await until('all 300 have their first event', () => wires.every((wire) => wire.received().includes('first')));
  expect(opened.length).toBe(300);
  expect((await ola.ask('GET', '/health')).status).toBe(200);
  for (const { socket } of opened) socket.write(chunk(usageEvent + done) + lastChunk);
  await until('all 300 are whole', () => wires.every((wire) => wire.replies()[0]?.whole === true));
  for (const wire of wires) expect(wire.replies()[0]?.text).toBe(event('first') + done);
  for (const { socket } of wires) socket.destroy();
});

test('a HEAD, a second stream and a plain answer go over one connection after a stream has ended', async () => {
  const { ola } = await shared;
  const wire = await ask(ola, 'acme/one');
  await until('the first is whole', () => wire.replies()[0]?.whole === true);
  const body = '{"model":"acme/two","messages":[{}]}';
  wire.send(
    requestBytes(
      'POST /v1/chat/completions HTTP/1.1',
      [`Authorization: Bearer ${adminToken}`, 'Content-Type: application/json', `Content-Length: ${body.length}`],
      body,
    ),
  );
  const second = await until('the second is whole', () => wire.replies()[1]?.whole === true && wire.replies()[1]);
  expect(second?.status).toBe(200);
  wire.socket.destroy();
});
