/** Answers that are bytes, and streams of typed events: passed on as they come, and never complete when they were cut. */
import { Database } from 'bun:sqlite';
import { describe, expect, test } from 'bun:test';
import { askRaw, form, formType } from './endpoints.ts';
import { adminToken, expectError, type Ola, residentBytes, stage, standsStill, until } from './stage.ts';
import { answer, chunk, lastChunk, streamHead, type Upstream } from './upstream.ts';
import { drained, open, requestBytes, type Wire } from './wire.ts';

const { start, upstream } = stage();

async function scene(env: Readonly<Record<string, string>> = {}): Promise<{ readonly ola: Ola; readonly up: Upstream }> {
  const ola = await start({ env });
  const up = await upstream();
  await ola.addProvider('acme', up);
  return { ola, up };
}
const shared = scene();

const speechPath = '/v1/audio/speech';
const speechBody = (model: string, more: object = {}) => JSON.stringify({ model: `acme/${model}`, input: 'x', ...more });

function ask(body: string, path = speechPath): string {
  const head = [
    `Authorization: Bearer ${adminToken}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return requestBytes(`POST ${path} HTTP/1.1`, head, body);
}

async function openSpeech(ola: Ola, model: string): Promise<Wire> {
  const wire = await open(ola.port);
  wire.send(ask(speechBody(model)));
  return wire;
}

/** What has come of an answer's body. */
const textSoFar = (wire: Wire) => wire.replies()[0]?.text ?? '';

const audio = 'HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\n';
const piece = 'A'.repeat(1000);

describe('bytes that break off never look complete, wherever they are cut', () => {
  const framings = {
    'with a length': { head: `${audio}content-length: 3000\r\n\r\n`, frame: (text: string) => text },
    'in chunks': { head: `${audio}transfer-encoding: chunked\r\n\r\n`, frame: chunk },
  };
  const ends = ['end', 'reset'] as const;
  const cuts = [0, 1, 2];

  test.each(
    Object.entries(framings).flatMap(([how, { head, frame }]) =>
      ends.flatMap((end) => cuts.map((after) => [how, end, after, head, frame] as const)),
    ),
  )('%s, by %s, after %i pieces', async (how, end, after, head, frame) => {
    const { ola, up } = await shared;
    const model = `cut ${how} ${end} ${after}`;
    up.modes.set(model, ({ socket }) => void socket.write(head + frame(piece).repeat(after)));
    const wire = await openSpeech(ola, model);
    await until('the pieces are there', () => up.for(model).length === 1 && textSoFar(wire) === piece.repeat(after));
    const { socket } = up.requestFor(model);
    if (end === 'end') socket.end();
    else socket.resetAndDestroy();
    // Nothing was sent yet: it can be told.
    if (after === 0) {
      const told = await until('it is told', () => wire.replies().find(({ whole }) => whole));
      expectError(told, 502, 'upstream_truncated');
      wire.socket.destroy();
      return;
    }
    await until('the connection ends', () => wire.closed());
    const [reply] = wire.replies();
    expect([reply?.status, reply?.text, reply?.whole]).toEqual([200, piece.repeat(after), false]);
    expect(reply?.headers.get('transfer-encoding')).toBe('chunked');
    expect(wire.received()).not.toEndWith('\r\n0\r\n\r\n');
    expect(ola.err()).not.toMatch(/\.ts:\d+|error: /);
  });

  test('in the middle of a chunk of the upstream’s', async () => {
    const { ola, up } = await shared;
    up.modes.set('half', ({ socket }) => {
      socket.write(`${audio}transfer-encoding: chunked\r\n\r\n7d0\r\n${piece}`, () => setTimeout(() => socket.end(), 40));
    });
    const wire = await openSpeech(ola, 'half');
    await until('the connection ends', () => wire.closed());
    expect(wire.received()).not.toEndWith('0\r\n\r\n');
  });

  test('when the server stops', async () => {
    const { ola, up } = await scene({});
    up.modes.set('long', ({ socket }) => void socket.write(`${audio}content-length: 3000\r\n\r\n${piece}`));
    const wire = await openSpeech(ola, 'long');
    await until('it has begun', () => wire.replies()[0]?.text === piece);
    ola.kill('SIGTERM');
    await until('it drains', async () => (await ola.ask('GET', '/health')).status === 503);
    ola.kill('SIGTERM');
    await ola.exited;
    await until('the connection ends', () => wire.closed());
    expect(wire.received()).not.toEndWith('0\r\n\r\n');
  });

  test('is recorded as what it was', async () => {
    const { ola, up } = await scene();
    up.modes.set('cut', ({ socket }) => {
      socket.write(`${audio}content-length: 3000\r\n\r\n${piece}`, () => setTimeout(() => socket.end(), 40));
    });
    const wire = await openSpeech(ola, 'cut');
    await until('the connection ends', () => wire.closed());
    up.modes.set('held', ({ socket }) => void socket.write(`${audio}content-length: 3000\r\n\r\n${piece}`));
    const other = await openSpeech(ola, 'held');
    await until('it has begun', () => other.replies()[0]?.text === piece);
    other.socket.destroy();
    await until('the upstream is left', () => up.requestFor('held').closedAt() !== null);
    ola.kill('SIGTERM');
    await ola.exited;
    const database = new Database(`${ola.home}/runtime_state.sqlite3`, { readonly: true });
    const rows = database
      .query('SELECT model, status, error FROM usage JOIN usage_kinds ON usage_kinds.id = kind ORDER BY usage.id')
      .values();
    database.close();
    expect(rows).toEqual([
      ['cut', 502, 'upstream_truncated'],
      ['held', 499, 'client_closed_request'],
    ]);
  });
});

test('bytes that end well end with the last chunk, on a connection that stays', async () => {
  const { ola, up } = await shared;
  up.modes.set(
    'good',
    ({ socket }) => void socket.write(`${audio}transfer-encoding: chunked\r\n\r\n${chunk(piece)}${lastChunk}`),
  );
  const wire = await open(ola.port);
  for (const count of [1, 2]) {
    wire.send(ask(speechBody('good')));
    await until('it is whole', () => wire.replies().filter(({ whole }) => whole).length === count);
  }
  expect(wire.replies().map(({ text }) => text)).toEqual([piece, piece]);
  wire.socket.destroy();
});

test('an empty recording is an empty answer', async () => {
  const { ola, up } = await shared;
  up.modes.set('empty', answer(200, '', { 'content-type': 'audio/pcm;rate=24000' }));
  const got = await askRaw(ola, speechPath, speechBody('empty'), 'application/json');
  expect([got.status, got.text, got.headers.get('content-type')]).toEqual([200, '', 'audio/pcm;rate=24000']);
});

test('the first bytes are there before the last were made', async () => {
  const { ola, up } = await shared;
  up.modes.set('slow', ({ socket }) => void socket.write(`${audio}content-length: 2000\r\n\r\n${piece}`));
  const wire = await openSpeech(ola, 'slow');
  await until('the first are there', () => wire.replies()[0]?.text === piece);
  up.requestFor('slow').socket.write(piece);
  await until('it is whole', () => wire.replies()[0]?.whole);
  wire.socket.destroy();
});

test('a client that does not read stops the upstream, and memory stays as it is', async () => {
  const { ola, up } = await scene();
  const block = Buffer.alloc(1024 * 1024, 65);
  let sent = 0;
  up.modes.set('flood', async ({ socket }) => {
    socket.write(`${audio}content-length: ${200 * block.length}\r\n\r\n`);
    while (sent < 200 && !socket.destroyed) {
      if (!socket.write(block)) await drained(socket);
      sent++;
    }
  });
  const wire = await openSpeech(ola, 'flood');
  wire.socket.pause();
  await until('it has begun', () => sent > 1);
  const before = residentBytes(ola.pid);
  await standsStill(() => sent);
  expect(sent).toBeLessThan(60);
  expect(residentBytes(ola.pid) - before).toBeLessThan(64 * 1024 * 1024);
  wire.socket.destroy();
  await until('the upstream is left', () => up.requestFor('flood').closedAt() !== null);
});

const event = (type: string, more: object = {}) => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
const partial = event('image_generation.partial_image', { b64_json: 'a'.repeat(3000) });
const completed = event('image_generation.completed', { b64_json: 'b', usage: { input_tokens: 3, output_tokens: 4 } });
const delta = `data: {"type":"transcript.text.delta","delta":"x"}\n\n`;
const said = `data: {"type":"transcript.text.done","text":"x"}\n\n`;
const sent = (...events: readonly string[]) => streamHead + events.map(chunk).join('');

describe('streams of typed events', () => {
  const complete: readonly (readonly [string, string, string])[] = [
    ['an image', partial + completed, sent(partial, completed) + lastChunk],
    ['two images', completed + partial + completed, sent(completed, partial + completed) + lastChunk],
    ['cut in odd places', partial + completed, `${streamHead}${[...(partial + completed)].map(chunk).join('')}${lastChunk}`],
    ['with [DONE]', `${partial}data: [DONE]\n\n`, sent(partial, 'data: [DONE]\n\n')],
    ['until the connection ends', said, `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n${said}`],
    ['a comment behind the last, without its blank line', `${said}: bye\n`, sent(said, ': bye\n\n') + lastChunk],
    ['without its last blank line', said, sent(said.trimEnd()) + lastChunk],
  ];
  test.each(complete)('%s: complete, byte for byte', async (name, expected, raw) => {
    const { ola, up } = await shared;
    up.modes.set(name, ({ socket }) => {
      socket.write(raw);
      if (name.startsWith('until')) socket.end();
    });
    const got = await askRaw(
      ola,
      '/v1/images/generations',
      JSON.stringify({ model: `acme/${name}`, prompt: 'x', stream: true }),
      'application/json',
    );
    expect([got.status, got.headers.get('content-type'), got.text]).toEqual([200, 'text/event-stream', expected]);
  });

  const broken: readonly (readonly [string, string, string, string])[] = [
    ['it ends after a part', partial, sent(partial) + lastChunk, 'upstream_truncated'],
    ['the last event is not the last', completed + partial, sent(completed, partial) + lastChunk, 'upstream_truncated'],
    ['the connection breaks behind the last event', said, sent(said), 'upstream_truncated'],
    ['the last event is half', delta, sent(delta, said.slice(0, 30)) + lastChunk, 'upstream_truncated'],
    ['an error event', delta, sent(delta, 'event: error\ndata: {"message":"CANARY"}\n\n') + lastChunk, 'upstream_http_error'],
    [
      'an error by its type',
      delta,
      sent(delta, 'data: {"type":"error","message":"CANARY"}\n\n', said) + lastChunk,
      'upstream_http_error',
    ],
    [
      'an error by its member',
      delta,
      sent(delta, 'data: {"type":"x","error":{"message":"CANARY"}}\n\n', said) + lastChunk,
      'upstream_http_error',
    ],
    ['no JSON', delta, sent(delta, 'data: CANARY\n\n', said) + lastChunk, 'provider_error'],
  ];
  test.each(broken)('%s: an error event, and no clean end', async (name, before, raw, code) => {
    const { ola, up } = await shared;
    // One that is framed whole keeps its connection: its end would meet the next test's request on it.
    up.modes.set(`b ${name}`, ({ socket }) => void (raw.endsWith(lastChunk) ? socket.write(raw) : socket.end(raw)));
    const got = await askRaw(ola, '/v1/audio/transcriptions', form(`acme/b ${name}`, 'file', { stream: 'true' }), formType);
    expect(got.text).toStartWith(`${before}data: {"error":{`);
    expect(got.text).toContain(`"code":"${code}"`);
    expect(got.text).not.toContain('CANARY');
    expect(got.text).not.toContain('[DONE]');
  });

  test('usage of the last event is counted', async () => {
    const { ola, up } = await scene();
    up.modes.set('used', ({ socket }) => void socket.write(sent(partial, completed) + lastChunk));
    await ola.ask('POST', '/v1/images/generations', { model: 'acme/used', prompt: 'x', stream: true });
    up.modes.set('spoken', ({ socket }) => void socket.write(sent(event('speech.audio.done')) + lastChunk));
    const spoken = await ola.ask('POST', speechPath, { model: 'acme/spoken', input: 'x', stream_format: 'sse' });
    expect(spoken.text).toBe(event('speech.audio.done'));
    ola.kill('SIGTERM');
    await ola.exited;
    const database = new Database(`${ola.home}/runtime_state.sqlite3`, { readonly: true });
    const rows = database
      .query(
        'SELECT model, stream, prompt_tokens, completion_tokens FROM usage JOIN usage_kinds ON usage_kinds.id = kind ORDER BY usage.id',
      )
      .values();
    database.close();
    expect(rows).toEqual([
      ['used', 1, 3, 4],
      ['spoken', 1, null, null],
    ]);
  });

  test('one that nobody asked for is 502; one that was asked for may be answered whole', async () => {
    const { ola, up } = await shared;
    up.modes.set('unasked', ({ socket }) => void socket.write(sent(completed) + lastChunk));
    up.modes.set('ignored', answer(200, { text: 'x' }));
    expectError(await ola.ask('POST', '/v1/images/generations', { model: 'acme/unasked', prompt: 'x' }), 502, 'provider_error');
    expectError(await ola.ask('POST', speechPath, { model: 'acme/unasked', input: 'x', stream: true }), 502, 'provider_error');
    const got = await askRaw(ola, '/v1/audio/transcriptions', form('acme/ignored', 'file', { stream: 'true' }), formType);
    expect([got.status, got.text]).toEqual([200, '{"text":"x"}']);
  });
});

describe('transcripts', () => {
  test.each(['text/plain', 'text/plain; charset=utf-8', 'text/vtt', 'application/x-subrip'])(
    'as %s go on as they came',
    async (type) => {
      const { ola, up } = await shared;
      const text = '\ufeff1\n00:00 --> 00:01\nÄ\xff';
      up.modes.set(type, answer(200, text, { 'content-type': type }));
      const got = await askRaw(ola, '/v1/audio/translations', form(`acme/${type}`, 'file', { response_format: 'srt' }), formType);
      expect([got.status, got.bytes.equals(Buffer.from(text))]).toEqual([200, true]);
      expect([got.headers.get('content-type'), got.headers.get('x-content-type-options')]).toEqual([type, 'nosniff']);
    },
  );

  test.each(['[]', ' [1]', '{"text":', '{"object":"error","message":"m"}', '{"error":"m"}'])(
    'JSON that is %p is 502',
    async (body) => {
      const { ola, up } = await shared;
      up.modes.set(`json${body}`, answer(200, body));
      const got = await askRaw(ola, '/v1/audio/transcriptions', form(`acme/json${body}`, 'file'), formType);
      expectError(got, 502, body.includes('"m"') ? 'upstream_http_error' : 'provider_error');
    },
  );

  test.each([
    ['"x"', 'application/json'],
    ['no', 'application/json'],
    ['', 'application/json'],
    ['[BLANK_AUDIO]', 'text/html; charset=utf-8'],
    ['[Music]', 'text/plain'],
    ['said', ''],
  ])('%p of type %p is a text that goes on as it came', async (body, type) => {
    const { ola, up } = await shared;
    up.modes.set(`text${body}`, answer(200, body, { 'content-type': type }));
    const got = await askRaw(ola, '/v1/audio/transcriptions', form(`acme/text${body}`, 'file'), formType);
    expect([got.status, got.text]).toEqual([200, body]);
    const label = /html|^$/.test(type) ? 'application/octet-stream' : type;
    expect([got.headers.get('content-type'), got.headers.get('x-content-type-options')]).toEqual([label, 'nosniff']);
  });

  test('odd parameters of a type are left out', async () => {
    const { ola, up } = await shared;
    up.modes.set('odd', answer(200, 'x', { 'content-type': 'Text/Plain; charset=utf-8; x=<script>' }));
    const got = await askRaw(ola, '/v1/audio/transcriptions', form('acme/odd', 'file'), formType);
    expect(got.headers.get('content-type')).toBe('text/plain');
  });
});
