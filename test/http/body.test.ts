import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ErrorEnvelope } from '../../src/core/errors.ts';
import type { Connection } from '../../src/core/server.ts';
import { mostBodyBytes } from '../../src/http/body.ts';
import { until } from '../e2e/stage.ts';
import { type AppScene, open } from './scene.ts';

const path = mkdtempSync(join(tmpdir(), 'ola-test-'));
let scene: AppScene;
beforeAll(async () => {
  scene = await open(path);
});
afterAll(async () => {
  await scene[Symbol.asyncDispose]();
  rmSync(path, { recursive: true, force: true });
});

const chat = '/v1/chat/completions';

async function post(body: RequestInit['body'], headers: Record<string, string> = {}) {
  const all = { authorization: `Bearer ${scene.tokens.write}`, 'content-type': 'application/json', ...headers };
  const response = await scene.ask('POST', chat, { body: body ?? null, headers: all });
  const { error } = (await response.json()) as ErrorEnvelope;
  return { status: response.status, headers: response.headers, ...error };
}

/** A body without a length, of so many bytes; counts what was taken of it. */
function chunked(bytes: number) {
  const self = { taken: 0, cancelled: false };
  const piece = new Uint8Array(1024 * 1024).fill(32);
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const left = bytes - self.taken;
        if (left <= 0) return controller.close();
        const next = piece.subarray(0, Math.min(left, piece.length));
        self.taken += next.length;
        controller.enqueue(next);
      },
      cancel() {
        self.cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return Object.assign(self, { stream });
}

describe('a body that is not declared as JSON', () => {
  test('is 415: a page of another site can post these without asking', async () => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
      'application/jsonp',
      'text/json',
      '',
    ]) {
      expect(await post('{}', { 'content-type': type })).toMatchObject({ status: 415, code: 'unsupported_media_type' });
    }
  });

  test('is taken with parameters, in any case, and as +json', async () => {
    for (const type of [
      'application/json; charset=utf-8',
      'Application/JSON',
      'application/vnd.acme+json',
      'application/json ;x',
    ]) {
      expect((await post('{}', { 'content-type': type })).status).toBe(422);
    }
  });

  test('is 415 when it is compressed: what it would become has no limit', async () => {
    for (const encoding of ['gzip', 'br', 'zstd']) expect((await post('{}', { 'content-encoding': encoding })).status).toBe(415);
    expect((await post('{}', { 'content-encoding': 'identity' })).status).toBe(422);
  });
});

describe('a body that is too large', () => {
  test('is 413 by what it declares, before it is read', async () => {
    const body = chunked(10);
    const answer = await post(body.stream, { 'content-length': String(mostBodyBytes + 1) });
    expect(answer).toMatchObject({ status: 413, code: 'request_too_large', type: 'invalid_request_error' });
    expect(answer.headers.get('connection')).toBeNull();
    expect(body.taken).toBe(0);
  });

  test('is 413 by what comes when it declares nothing, and the rest is left', async () => {
    const body = chunked(100 * mostBodyBytes);
    expect((await post(body.stream)).status).toBe(413);
    expect(body.taken).toBeLessThanOrEqual(mostBodyBytes + 2 * 1024 * 1024);
    expect(body.cancelled).toBe(true);
  });

  test('and one of exactly the limit is read', async () => {
    expect((await post(chunked(mostBodyBytes).stream)).code).toBe('invalid_json');
  });
});

describe('a body that is not JSON', () => {
  test('is 400 and is not repeated', async () => {
    for (const text of ['', ' ', '{', 'CANARY', '{"CANARY":}', "{'a':1}", '{"a":1}CANARY', '{"a":NaN}']) {
      const answer = await post(text);
      expect(answer).toMatchObject({ status: 400, code: 'invalid_json', param: null });
      expect(answer.message).not.toContain('CANARY');
    }
  });

  test('is 400 when it is not UTF-8, also in a piece of its own: what was not understood does not go on', async () => {
    const broken = new Uint8Array([...new TextEncoder().encode('{"messages":[{}],"model":"a'), 0xff, 0x22, 0x7d]);
    const cut = new Uint8Array([...new TextEncoder().encode('{"messages":[{}],"model":"a"}'), 0xe2, 0x82]);
    for (const bytes of [broken, cut]) {
      expect(await post(bytes, { 'content-length': String(bytes.length) })).toMatchObject({ status: 400, code: 'invalid_json' });
      const pieces = new ReadableStream<Uint8Array>({
        start(controller) {
          for (const byte of bytes) controller.enqueue(new Uint8Array([byte]));
          controller.close();
        },
      });
      expect(await post(pieces)).toMatchObject({ status: 400, code: 'invalid_json' });
    }
    const replaced = '{"messages":[{}],"model":"a\ufffd"}';
    expect((await post(replaced, { 'content-length': String(Buffer.byteLength(replaced)) })).code).toBe('model_not_found');
  });

  test('is 400 when it nests without end: its parser would hold everybody else up', async () => {
    expect(await post(`{"messages":${'['.repeat(1 << 19)}`)).toMatchObject({ status: 400, code: 'invalid_json' });
  });

  test('says where it breaks and what stands there, and repeats nothing of it', async () => {
    const { message } = await post('{\n  "model": "CANARY",\n  "messages": [{"content": "CANARY"},]\n}');
    expect(message).toBe("The body is not valid JSON: at line 3, column 38 it has ']' in place of a value.");
    const long = await post(`{"messages": ["${'x'.repeat(300_000)}",]}`);
    expect(long.message).toBe('The body is not valid JSON.');
  });

  test('says so when it is empty', async () => {
    expect((await post('')).message).toContain('empty');
  });
});

describe('a body that takes long', () => {
  const { now } = performance;
  let passed = 0;
  beforeEach(() => {
    passed = 0;
    performance.now = () => now.call(performance) + passed;
  });
  afterEach(() => {
    performance.now = now;
  });

  /** A body that begins, and what the connection is told meanwhile. */
  function begin(token = scene.tokens.write) {
    const told: string[] = [];
    let rest: ReadableStreamDefaultController<Uint8Array> | null = null;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        rest = controller;
        controller.enqueue(new TextEncoder().encode('{'));
      },
    });
    const headers = {
      host: '127.0.0.1',
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'transfer-encoding': 'chunked',
    };
    const connection: Connection = {
      kind: 'network',
      peer: () => null,
      awaitBody: () => void told.push('awaitBody'),
      hold: () => void told.push('hold'),
      release: () => void told.push('release'),
    };
    const request = new Request(`http://127.0.0.1${chat}`, { method: 'POST', body, headers });
    const answer = Promise.resolve(scene.app.handle(request, connection));
    return { told, answer, send: (bytes: Uint8Array) => rest?.enqueue(bytes), end: () => rest?.close() };
  }

  test('is one that is not there at once: a body that is read leaves the timer alone, an unread one has the short time', async () => {
    const read = begin();
    read.end();
    expect((await read.answer).status).toBe(400);
    expect(read.told).toEqual([]);
    const refused = begin('ola_nobody');
    expect((await refused.answer).status).toBe(401);
    expect(refused.told).toEqual(['awaitBody']);
  });

  test('is not cut by the idle timer, which does not see what comes of it; the timer is back afterwards', async () => {
    const { told, answer, end } = begin();
    passed = 6000;
    await until('the timer is off', () => told.includes('hold'));
    end();
    expect((await answer).status).toBe(400);
    expect(told).toEqual(['hold', 'release']);
  });

  test('and is refused in the end has the short time again in which the rest of it is dropped', async () => {
    const { told, answer, send } = begin();
    passed = 6000;
    await until('the timer is off', () => told.includes('hold'));
    send(new Uint8Array(mostBodyBytes));
    expect((await answer).status).toBe(413);
    expect(told).toEqual(['hold', 'awaitBody']);
  });

  test('is 408 after a minute, and the connection ends', async () => {
    const { answer } = begin();
    passed = 61_000;
    const response = await answer;
    expect(response.headers.get('connection')).toBe('close');
    expect(response.status).toBe(408);
    expect(((await response.json()) as ErrorEnvelope).error).toMatchObject({
      code: 'request_timeout',
      type: 'invalid_request_error',
    });
  });
});

describe('a body that does not fit', () => {
  const table: readonly [body: unknown, param: string | null][] = [
    [{}, 'messages'],
    [{ messages: 'CANARY' }, 'messages'],
    [{ messages: [] }, 'messages'],
    [{ messages: ['CANARY'] }, 'messages.0'],
    [{ messages: [{}], model: { CANARY: 1 } }, 'model'],
    [{ messages: [{}], model: 'CANARY'.repeat(100) }, 'model'],
    [{ messages: [{}], stream: 'CANARY' }, 'stream'],
    [{ messages: [{}], stream_options: { include_usage: 'CANARY' } }, 'stream_options'],
    [['CANARY'], null],
    ['CANARY', null],
    [null, null],
  ];
  for (const [body, param] of table) {
    test(`is 422, naming ${param ?? 'the whole'} and repeating nothing: ${JSON.stringify(body).slice(0, 40)}`, async () => {
      const answer = await post(JSON.stringify(body));
      expect(answer).toMatchObject({ status: 422, code: 'invalid_field', type: 'invalid_request_error' });
      expect(answer.param).toBe(param);
      expect(JSON.stringify(answer)).not.toContain('CANARY');
    });
  }
});
