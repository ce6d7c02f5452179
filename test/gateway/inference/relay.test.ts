import { describe, expect, test } from 'bun:test';
import { OlaError } from '../../../src/core/errors.ts';
import type { Reply } from '../../../src/core/ports.ts';
import type { UpstreamFailure } from '../../../src/core/protocol.ts';
import { upstreamError } from '../../../src/gateway/inference/failures.ts';
import { createBytePipe, type Relay, type RelayEnd, relay } from '../../../src/gateway/inference/relay.ts';
import { openaiCompletions } from '../../../src/protocols/openai-completions/protocol.ts';
import { createStreamTap } from '../../../src/protocols/openai-completions/stream.ts';
import { decodeEvents } from '../../sse-decoder.ts';

const encoder = new TextEncoder();
const event = (n: number) => `data: {"choices":[{"index":0,"delta":{"content":"${n}"}}]}\n\n`;
const done = 'data: [DONE]\n\n';

/** An upstream played by hand: what is sent waits until it is read. */
function upstream() {
  const unread: Uint8Array[] = [];
  let over: { readonly error: unknown } | null = null;
  let waiting: { resolve(bytes: Uint8Array | null): void; reject(error: unknown): void } | null = null;
  const settle = (act: (reader: NonNullable<typeof waiting>) => void) => {
    const reader = waiting;
    waiting = null;
    if (reader !== null) act(reader);
  };
  const reply: Reply = {
    status: 200,
    header: () => null,
    headers: () => [],
    read() {
      const bytes = unread.shift();
      if (bytes !== undefined) return bytes;
      if (over !== null) return over.error === null ? null : Promise.reject(over.error);
      self.pulls++;
      return new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        self.onPull();
      });
    },
    cancel() {
      self.cancelled = true;
      over ??= { error: new Error('cancelled') };
    },
  };
  const self = {
    reply,
    pulls: 0,
    cancelled: false,
    onPull: () => {},
    send(text: string) {
      const bytes = encoder.encode(text);
      if (waiting === null) unread.push(bytes);
      else settle((reader) => reader.resolve(bytes));
    },
    end() {
      over = { error: null };
      settle((reader) => reader.resolve(null));
    },
    fail(error: unknown) {
      over = { error };
      settle((reader) => reader.reject(error));
    },
  };
  return self;
}

function play(source = upstream()) {
  const ends: RelayEnd[] = [];
  const clock = { now: 1000 };
  let firstBytes = 0;
  const relayed = relay(source.reply, createStreamTap({ usageAsked: false, typed: false, several: false }), {
    bytes: false,
    read: null,
    errorOf: wordedFailure,
    provider: 'acme',
    protocol: openaiCompletions,
    onFirstByte: () => {
      firstBytes++;
    },
    onEnd: (end) => ends.push(end),
  });
  return { source, relayed, ends, clock, firstBytes: () => firstBytes };
}

function wordedFailure(failure: UpstreamFailure): OlaError {
  return upstreamError({
    provider: 'acme',
    path: '/x',
    lacksVersion: false,
    nearest: () => [],
    failure,
    inside: true,
    passed: null,
    header: () => null,
    now: 0,
    redact: (text) => text,
    retryStatuses: null,
  });
}

const all = (body: Relay['body']) => new Response(body).text();

/** The body as a client reads it, also when all of it was there at once. */
function streamOf({ body }: Relay): ReadableStream<Uint8Array> {
  return new Response(body).body as ReadableStream<Uint8Array>;
}

const settled = () => Bun.sleep(2);

async function next(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string | null> {
  const { done: over, value } = await reader.read();
  return over ? null : new TextDecoder().decode(value);
}

/** The error that a client reads at the end of a stream. */
function lastError(text: string): { code: string; type: string; message: string } {
  const last = text.slice(text.lastIndexOf('data: ') + 6);
  expect(text.endsWith('\n\n')).toBe(true);
  return (JSON.parse(last) as { error: { code: string; type: string; message: string } }).error;
}

describe('a stream that is whole', () => {
  test('comes out as it went in and ends once, without an error', async () => {
    const { source, relayed, ends, firstBytes } = play();
    for (const n of [1, 2, 3]) source.send(event(n));
    source.send(done);
    source.end();
    expect(await all(relayed.body)).toBe(event(1) + event(2) + event(3) + done);
    expect(ends).toEqual([null]);
    expect(firstBytes()).toBe(1);
  });

  test('ends at [DONE], whether or not the upstream closes; what comes behind it is not waited for', async () => {
    const { source, relayed, ends } = play();
    source.send(event(1) + done);
    expect(await all(relayed.body)).toBe(event(1) + done);
    expect(ends).toEqual([null]);
    source.send(': more\n\n');
    await settled();
    expect(source.cancelled).toBe(true);
  });

  test('tells of its first byte when it comes, not before', async () => {
    const { source, relayed, firstBytes } = play();
    const reader = streamOf(relayed).getReader();
    const first = next(reader);
    source.send(event(1).slice(0, 10));
    await settled();
    expect(firstBytes()).toBe(0);
    source.send(event(1).slice(10));
    expect(await first).toBe(event(1));
    expect(firstBytes()).toBe(1);
    source.send(done);
    expect(await next(reader)).toBe(done);
    expect(firstBytes()).toBe(1);
  });
});

describe('a stream that is not whole ends in an error event and never in [DONE]', () => {
  test('when the upstream closes early', async () => {
    const { source, relayed, ends } = play();
    source.send(`${event(1)}data: {"choices":\n`);
    source.end();
    const text = await all(relayed.body);
    expect(text.startsWith(`${event(1)}data: {"error":`)).toBe(true);
    expect(lastError(text)).toMatchObject({ code: 'upstream_truncated', type: 'api_error' });
    expect(text).not.toContain('[DONE]');
    expect(ends.map((end) => end?.code)).toEqual(['upstream_truncated']);
  });

  test('or does not open, when it closes before anything came', async () => {
    const { source, relayed, ends, firstBytes } = play();
    source.end();
    expect(await relayed.opened).toMatchObject({ error: { code: 'upstream_truncated' }, again: true });
    expect([firstBytes(), ends]).toEqual([0, []]);
  });

  const interruptions: readonly [name: string, cause: unknown, code: string][] = [
    ['the connection breaks', new Error('ECONNRESET at 10.0.0.7'), 'upstream_truncated'],
    ['it goes silent', Object.assign(new Error('x'), { name: 'TimeoutError' }), 'upstream_timeout'],
    ['an error of ours is the cause', new OlaError('shutting_down', 'stopping'), 'shutting_down'],
  ];
  for (const [name, cause, code] of interruptions) {
    test(`when ${name}`, async () => {
      const source = upstream();
      source.onPull = () => (source.pulls === 1 ? source.send(event(1)) : source.fail(cause));
      const { relayed, ends } = play(source);
      const text = await all(relayed.body);
      expect(text.startsWith(event(1))).toBe(true);
      expect(lastError(text).code).toBe(code);
      expect(text).not.toContain('10.0.0.7');
      expect(ends.map((end) => end?.code as string)).toEqual([code]);
    });
  }

  const faults: readonly [name: string, text: string, code: string][] = [
    ['it sends something that is no JSON', 'data: <html>CANARY\n\n', 'provider_error'],
    ['it reports an error', 'data: {"error":{"message":"CANARY"}}\n\n', 'upstream_http_error'],
  ];
  for (const [name, bad, code] of faults) {
    test(`when ${name}, whose words are not passed on; the upstream is left`, async () => {
      const { source, relayed, ends } = play();
      source.send(event(1) + bad + event(2) + done);
      const text = await all(relayed.body);
      expect(text.startsWith(`${event(1)}data: {"error":`)).toBe(true);
      expect(lastError(text).code).toBe(code);
      expect(text).not.toContain('CANARY');
      expect(text).not.toContain('[DONE]');
      expect(ends).toHaveLength(1);
      expect(source.cancelled).toBe(true);
    });
  }

  test('when it is cut from here, at once and once only', async () => {
    const { source, relayed, ends } = play();
    const reader = streamOf(relayed).getReader();
    source.send(event(1));
    expect(await next(reader)).toBe(event(1));
    relayed.cut(new OlaError('shutting_down', 'stopping'));
    relayed.cut(new OlaError('internal_error', 'again'));
    expect(lastError((await next(reader)) ?? '').code).toBe('shutting_down');
    expect(await next(reader)).toBeNull();
    expect(ends.map((end) => end?.code)).toEqual(['shutting_down']);
    expect(source.cancelled).toBe(true);
  });

  test('but one that has ended well is not cut any more', async () => {
    const { source, relayed, ends } = play();
    source.send(event(1) + done);
    expect(await all(relayed.body)).toBe(event(1) + done);
    relayed.cut(new OlaError('shutting_down', 'stopping'));
    expect(ends).toEqual([null]);
  });
});

describe('the head of a stream', () => {
  const role = 'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n';
  const refusal = 'data: {"error":{"message":"CANARY","code":429}}\n\n';

  test('goes with the first event that a client can use, and what came before it goes unchanged', async () => {
    const { source, relayed } = play();
    let opened: unknown = 'not yet';
    void Promise.resolve(relayed.opened).then((value) => {
      opened = value;
    });
    for (const begins of [': ping\n\n', role, 'event: ping\n\n']) source.send(begins);
    await settled();
    expect(opened).toBe('not yet');
    source.send(event(1));
    await settled();
    expect(opened).toBeNull();
    source.send(done);
    expect(await all(relayed.body)).toBe(`: ping\n${role}${event(1)}${done}`);
  });

  test('until then a failure is the attempt’s, and nothing is sent', async () => {
    const { source, relayed, ends } = play();
    source.send(role + refusal);
    expect(await relayed.opened).toMatchObject({ failure: { status: 429, kind: 'rate_limit' } });
    expect(ends).toEqual([]);
    expect(source.cancelled).toBe(true);
  });

  test('goes after 15 seconds in any case; a failure is told in the stream then', async () => {
    const { source, relayed, ends } = play();
    source.send(role);
    await settled();
    for (const at of [1000, 15_999]) relayed.beat(at);
    expect(ends).toEqual([]);
    relayed.beat(16_000);
    expect(await relayed.opened).toBeNull();
    const reading = all(relayed.body);
    source.send(refusal);
    const text = await reading;
    expect(text.startsWith(`${role}data: {"error":`)).toBe(true);
    expect(lastError(text).code).toBe('rate_limit_exceeded');
    expect(ends.map((end) => end?.status)).toEqual([429]);
  });
});

describe('a client', () => {
  test('that reads slowly is not sent more than it takes: the upstream waits too', async () => {
    const source = upstream();
    source.onPull = () => source.send(event(source.pulls));
    const { relayed } = play(source);
    await settled();
    expect(source.pulls).toBeLessThanOrEqual(2);
    const reader = streamOf(relayed).getReader();
    for (let read = 1; read <= 20; read++) {
      expect(await next(reader)).toBe(event(read));
      await settled();
      expect(source.pulls).toBeLessThanOrEqual(read + 2);
    }
    await reader.cancel();
  });

  test('that leaves ends the upstream at once, also while nothing comes', async () => {
    for (const sent of [event(1), event(1) + event(2)]) {
      const { source, relayed, ends } = play();
      const reader = streamOf(relayed).getReader();
      source.send(sent);
      await next(reader);
      const waiting = reader.read();
      await settled();
      await reader.cancel();
      expect(source.cancelled).toBe(true);
      expect(ends.map((end) => end?.code)).toEqual(['client_closed_request']);
      expect((await waiting).done).toBe(true);
      relayed.cut(new OlaError('shutting_down', 'stopping'));
      for (const at of [0, 1_000_000]) relayed.beat(at);
      expect(ends).toHaveLength(1);
    }
  });
});

describe('a heartbeat', () => {
  const comment = ': keep-alive\n';

  test('goes out after 15 quiet seconds, and again after as many', async () => {
    const { source, relayed, clock, firstBytes } = play();
    const reader = streamOf(relayed).getReader();
    const first = next(reader);
    await settled();
    relayed.beat(clock.now);
    clock.now += 14_999;
    relayed.beat(clock.now);
    clock.now += 1;
    relayed.beat(clock.now);
    expect(await first).toBe(comment);
    expect(firstBytes()).toBe(0);
    const second = next(reader);
    clock.now += 14_999;
    relayed.beat(clock.now);
    source.send(event(1));
    expect(await second).toBe(event(1));
    await reader.cancel();
  });

  test('is no event, for the strictest reader behind an id either', async () => {
    const { source, relayed, clock } = play();
    const reader = streamOf(relayed).getReader();
    const seen: (string | null)[] = [];
    for (const n of [1, 2, 3]) {
      source.send(`id: ${n}\n${event(n)}`);
      seen.push(await next(reader));
      for (let beats = 0; beats < 2; beats++) {
        const beat = next(reader);
        await settled();
        relayed.beat(clock.now);
        clock.now += 15_000;
        relayed.beat(clock.now);
        seen.push(await beat);
      }
    }
    source.send(done);
    seen.push(await next(reader));
    expect(seen.filter((bytes) => bytes === comment)).toHaveLength(6);
    const decoded = decodeEvents(encoder.encode(seen.join('')));
    expect(decoded.map(({ data }) => `data: ${data}\n\n`)).toEqual([event(1), event(2), event(3), done]);
  });

  test('does not go out to a client that does not read', async () => {
    const { source, relayed, clock } = play();
    source.send(event(1));
    await settled();
    for (let i = 0; i < 5; i++) relayed.beat(clock.now + i * 60_000);
    source.send(done);
    expect(await all(relayed.body)).toBe(event(1) + done);
  });

  test('a client that has read nothing for five minutes is left, and its upstream with it', async () => {
    const { source, relayed, ends, clock } = play();
    source.send(event(1));
    await settled();
    relayed.beat(clock.now);
    relayed.beat(clock.now + 299_999);
    expect(ends).toEqual([]);
    relayed.beat(clock.now + 300_000);
    await settled();
    expect(ends.map((end) => end?.code)).toEqual(['client_closed_request']);
    expect(source.cancelled).toBe(true);
    expect(await all(relayed.body)).not.toContain('[DONE]');
  });

  test('never stands inside an event', async () => {
    const { source, relayed, clock } = play();
    const reader = streamOf(relayed).getReader();
    const first = next(reader);
    source.send(event(1).slice(0, 10));
    await settled();
    relayed.beat(clock.now);
    clock.now += 20_000;
    relayed.beat(clock.now);
    expect(await first).toBe(comment);
    source.send(event(1).slice(10));
    expect(await next(reader)).toBe(event(1));
    await reader.cancel();
  });

  test('does not come after the end', async () => {
    const { source, relayed } = play();
    source.send(event(1) + done);
    expect(await all(relayed.body)).toBe(event(1) + done);
    for (const at of [0, 1_000_000]) relayed.beat(at);
  });
});

describe('bytes', () => {
  function playBytes(opening = 'first') {
    const source = upstream();
    const ends: RelayEnd[] = [];
    const relayed = relay(source.reply, createBytePipe(), {
      provider: 'acme',
      protocol: openaiCompletions,
      onFirstByte: () => undefined,
      onEnd: (end) => ends.push(end),
      errorOf: wordedFailure,
      bytes: true,
      read: encoder.encode(opening),
    });
    return { source, relayed, ends };
  }

  test('go on as they come, and end with the upstream', async () => {
    const { source, relayed, ends } = playBytes();
    const reader = streamOf(relayed).getReader();
    expect(await next(reader)).toBe('first');
    source.send('data: [DONE]\n\n');
    expect(await next(reader)).toBe('data: [DONE]\n\n');
    source.end();
    expect(await next(reader)).toBeNull();
    expect(ends).toEqual([null]);
  });

  test('that break off break their stream, behind what had come, and say nothing in it', async () => {
    const { source, relayed, ends } = playBytes();
    source.fail(new Error('gone'));
    await settled();
    const reader = streamOf(relayed).getReader();
    expect(await next(reader)).toBe('first');
    await expect(next(reader)).rejects.toMatchObject({ code: 'upstream_truncated' });
    expect(ends).toMatchObject([{ code: 'upstream_truncated' }]);
    expect(source.cancelled).toBe(true);
  });

  test('that are cut from here are broken too', async () => {
    const { relayed, ends } = playBytes();
    relayed.cut(new OlaError('shutting_down', 'now'));
    await expect(all(relayed.body)).rejects.toMatchObject({ code: 'shutting_down' });
    expect(ends).toMatchObject([{ code: 'shutting_down' }]);
  });

  test('get no heartbeat among them, and a client that takes nothing is left after five minutes', async () => {
    const { source, relayed, ends } = playBytes();
    relayed.beat(0);
    relayed.beat(0);
    relayed.beat(200_000);
    expect(ends).toEqual([]);
    relayed.beat(400_000);
    expect(ends).toMatchObject([{ code: 'client_closed_request' }]);
    expect(source.cancelled).toBe(true);
    const other = playBytes();
    const reader = streamOf(other.relayed).getReader();
    expect(await next(reader)).toBe('first');
    await settled();
    other.relayed.beat(0);
    other.relayed.beat(0);
    for (let at = 10_000; at < 600_000; at += 10_000) other.relayed.beat(at);
    other.source.send('second');
    expect(await next(reader)).toBe('second');
    expect(other.ends).toEqual([]);
  });

  test('are taken from the upstream only as fast as the client takes them', async () => {
    const { source, relayed } = playBytes();
    for (let sent = 0; sent < 5; sent++) source.send('more');
    await settled();
    expect(source.pulls).toBe(0);
    const reader = streamOf(relayed).getReader();
    for (const expected of ['first', 'more', 'more']) expect(await next(reader)).toBe(expected);
    await reader.cancel();
    expect(source.cancelled).toBe(true);
  });
});
