import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import type { StreamFault } from '../../../src/core/protocol.ts';
import { noTokenCounts, type TokenCounts } from '../../../src/core/usage.ts';
import { createStreamTap } from '../../../src/protocols/openai-completions/stream.ts';

const encoder = new TextEncoder();
const fixtures = join(import.meta.dir, '../fixtures/openai-completions');
const counted: TokenCounts = { prompt: 19, completion: 10, cacheRead: 8, cacheWrite: null, reasoning: 4 };

interface Fixture {
  readonly name: string;
  readonly tokens: TokenCounts;
  /** Which event is usage and nothing else. */
  readonly usageEvent?: number;
  /** Which event ends it badly. */
  readonly fault?: readonly [event: number, fault: StreamFault];
}

const table: readonly Fixture[] = [
  { name: 'content', tokens: noTokenCounts },
  { name: 'usage-alone', tokens: counted, usageEvent: 4 },
  { name: 'usage-with-choices', tokens: counted },
  { name: 'tool-calls', tokens: counted, usageEvent: 8 },
  { name: 'pretty', tokens: counted, usageEvent: 3 },
  { name: 'comments', tokens: counted, usageEvent: 7 },
  { name: 'crlf', tokens: counted, usageEvent: 3 },
  { name: 'error-null', tokens: counted },
  { name: 'error', tokens: noTokenCounts, fault: [2, 'upstream_error'] },
  { name: 'error-named', tokens: noTokenCounts, fault: [2, 'upstream_error'] },
  { name: 'malformed', tokens: noTokenCounts, fault: [2, 'malformed_event'] },
  { name: 'cut-json', tokens: noTokenCounts, fault: [1, 'malformed_event'] },
];

interface Seen {
  readonly out: string;
  readonly done: boolean;
  readonly fault: StreamFault | null;
  readonly tokens: TokenCounts;
}

/** What a client gets, decoded at the end only: emitted bytes must stay what they were. */
function run(chunks: readonly Uint8Array[], usageAsked: boolean): Seen {
  const tap = createStreamTap(usageAsked);
  const emitted: Uint8Array[] = [];
  const emit = (bytes: Uint8Array) => void emitted.push(bytes);
  // A tap may change what it is given.
  for (const chunk of chunks) tap.push(new Uint8Array(chunk), emit);
  tap.finish(emit);
  return { out: Buffer.concat(emitted).toString(), done: tap.done, fault: tap.fault, tokens: tap.tokens };
}

const unified = (text: string) => text.replace(/\r\n?/g, '\n');
const eventsOf = (text: string) => text.match(/.*?\n\n/gs) ?? [];

for (const { name, tokens, usageEvent, fault } of table) {
  const bytes = readFileSync(join(fixtures, `${name}.sse`));
  const events = eventsOf(unified(bytes.toString()));
  const good = fault === undefined ? events : events.slice(0, fault[0]);
  const expected = (usageAsked: boolean) => good.filter((_, index) => usageAsked || index !== usageEvent).join('');
  const lineEndsInLf = !bytes.includes(13);
  /** A line end that stood between CR and LF of a blank line may be left over; it means nothing. */
  const canonical = (text: string) =>
    lineEndsInLf
      ? text
      : eventsOf(unified(text))
          .map((event) => event.trimStart())
          .join('');

  describe(`the stream ${name}`, () => {
    for (const usageAsked of [true, false]) {
      const asked = usageAsked ? 'usage was asked for' : 'usage was not asked for';

      test(`comes out whole where ${asked}, however it is split`, () => {
        const whole = run([bytes], usageAsked);
        expect({ ...whole, out: canonical(whole.out) }).toEqual({
          out: expected(usageAsked),
          done: fault === undefined,
          fault: fault?.[1] ?? null,
          tokens,
        });
        const splits = Array.from(bytes, (_, at) => [bytes.subarray(0, at), bytes.subarray(at)]);
        splits.push(Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)));
        for (const chunks of splits) {
          const seen = run(chunks, usageAsked);
          expect({ ...seen, out: canonical(seen.out) }).toEqual({ ...whole, out: canonical(whole.out) });
        }
      });
    }

    test('cut anywhere, is complete only behind [DONE], and gave out whole events in their order', () => {
      const complete = fault === undefined ? bytes.lastIndexOf('[DONE]') + '[DONE]'.length : Number.POSITIVE_INFINITY;
      for (let at = 0; at < bytes.length; at++) {
        const half = at >> 1;
        const { out, done, tokens: read } = run([bytes.subarray(0, half), bytes.subarray(half, at)], true);
        expect(done).toBe(at >= complete);
        const came = good.slice(0, eventsOf(unified(bytes.subarray(0, at).toString())).length);
        // [DONE] counts without its blank line, which the tap adds.
        const wanted = done && came.length < good.length ? [...came, 'data: [DONE]\n\n'] : came;
        expect(canonical(out)).toBe(wanted.join(''));
        expect([tokens, noTokenCounts]).toContainEqual(read);
      }
    });
  });
}

describe('a stream in any pieces', () => {
  test('comes out the same, with the same verdict', () => {
    const streams = table.map(({ name }) => readFileSync(join(fixtures, `${name}.sse`))).filter((bytes) => !bytes.includes(13));
    fc.assert(
      fc.property(
        fc.constantFrom(...streams),
        fc.array(fc.nat(4000), { maxLength: 12 }),
        fc.boolean(),
        (bytes, places, asked) => {
          const at = [0, ...places.map((place) => place % bytes.length).sort((a, b) => a - b), bytes.length];
          const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
          expect(run(chunks, asked)).toEqual(run([bytes], asked));
        },
      ),
      { numRuns: 200 },
    );
  });

  test('a chunk that is used again by its owner afterwards does not change what was held of it', () => {
    const tap = createStreamTap(true);
    const emitted: Uint8Array[] = [];
    const chunk = encoder.encode('data: {"a":1}\n');
    tap.push(chunk, (bytes) => emitted.push(bytes));
    chunk.fill(0);
    tap.push(encoder.encode('\ndata: [DONE]\n\n'), (bytes) => emitted.push(bytes));
    expect(Buffer.concat(emitted).toString()).toBe('data: {"a":1}\n\ndata: [DONE]\n\n');
  });
});

describe('the end', () => {
  const text = (...parts: string[]) => parts.map((part) => encoder.encode(part));

  test('may lack its blank line, or its line end; the client gets it whole', () => {
    for (const last of ['data: [DONE]', 'data: [DONE]\n', 'data:[DONE]', 'data: [DONE] \r\n']) {
      expect(run(text('data: {}\n\n', last), false)).toMatchObject({
        out: 'data: {}\n\ndata: [DONE]\n\n',
        done: true,
        fault: null,
      });
    }
  });

  test('is not an event that only mentions it, nor a comment, nor another field', () => {
    for (const last of [': [DONE]\n\n', 'event: [DONE]\n\n', 'id: [DONE]\n\n', 'data: {"content":"[DONE]"}\n\n', 'data: [DON']) {
      expect(run(text('data: {}\n\n', last), false).done).toBe(false);
    }
  });

  test('of an event that has not ended is not passed on', () => {
    expect(run(text('data: {}\n\ndata: {"a":1}\n'), false)).toMatchObject({ out: 'data: {}\n\n', done: false });
  });

  test('is seen where it stands behind a lone carriage return, in what looks like one event', () => {
    const seen = run(text('data: {"a":1}\r\rdata: [DONE]\r\rdata: {"error":1}\r\r:}\n\n'), false);
    expect(seen).toMatchObject({ out: 'data: {"a":1}\r\rdata: [DONE]\r\r', done: true, fault: null });
    expect(run(text('data: {"a"\rdata: "b"}\n\n'), false).fault).toBe('malformed_event');
  });

  test('is seen behind a byte order mark at the beginning, where clients see it, and nowhere else', () => {
    expect(run(text('\uFEFFdata: [DONE]\n\n'), false)).toMatchObject({ done: true, fault: null });
    for (const first of ['data: {}\n\n', ': x\n\n'])
      expect(run(text(first, '\uFEFFdata: [DONE]\n\n'), false)).toMatchObject({ done: false, fault: null });
  });

  test('is not waited for in an event that nests without end', () => {
    const deep = `data: {"usage":${'['.repeat(300_000)}}\n\n`;
    expect(run(text(deep, 'data: [DONE]\n\n'), false)).toMatchObject({ out: '', done: false, fault: 'malformed_event' });
  });

  test('hides what comes behind it', () => {
    for (const chunks of [text('data: [DONE]\n\ndata: {"error":1}\n\n'), text('data: [DONE]\n\n', 'data: {"error":1}\n\n')]) {
      expect(run(chunks, false)).toMatchObject({ out: 'data: [DONE]\n\n', done: true, fault: null });
    }
  });

  test('of an empty stream is no end', () => {
    expect(run([], false)).toEqual({ out: '', done: false, fault: null, tokens: noTokenCounts });
  });
});

describe('an event', () => {
  const one = (event: string, usageAsked = false) => run([encoder.encode(`data: ${event}\n\ndata: [DONE]\n\n`)], usageAsked);

  test('without choices and without usage passes: a vendor says something else with it', () => {
    const event = '{"choices":[],"prompt_filter_results":[{"prompt_index":0}]}';
    expect(one(event).out).toBe(`data: ${event}\n\ndata: [DONE]\n\n`);
    expect(one('{"choices":[],"usage":null}').out).toContain('usage');
  });

  test('with usage and choices passes, asked or not; its usage is read', () => {
    const event = '{"choices":[{"delta":{}}],"usage":{"prompt_tokens":1,"completion_tokens":2}}';
    for (const asked of [true, false]) {
      expect(one(event, asked)).toMatchObject({
        out: `data: ${event}\n\ndata: [DONE]\n\n`,
        tokens: { prompt: 1, completion: 2 },
      });
    }
  });

  test('with running usage: the last one counts', () => {
    const usage = (count: number) => `data: {"choices":[{}],"usage":{"prompt_tokens":7,"completion_tokens":${count}}}\n\n`;
    expect(run([encoder.encode(`${usage(1)}${usage(2)}${usage(3)}data: [DONE]\n\n`)], false).tokens).toMatchObject({
      prompt: 7,
      completion: 3,
    });
  });

  test('with space around the keys is read as well', () => {
    const event = '{ "choices" : [ ] , "usage" : { "prompt_tokens" : 5 } }';
    expect(one(event)).toMatchObject({ out: 'data: [DONE]\n\n', tokens: { prompt: 5 } });
    expect(one('{ "error" : { "message" : "m" } }').fault).toBe('upstream_error');
  });

  test('that is no object is malformed', () => {
    for (const event of ['[1]', '"text"', '1', 'null', 'hello', '{"a":1', '{"usage":}']) {
      expect(one(event)).toMatchObject({ out: '', done: false, fault: 'malformed_event' });
    }
  });

  test('that is empty passes', () => {
    expect(one('')).toMatchObject({ done: true, fault: null });
  });

  test('that goes on for too long ends the stream, and what came before it has passed', () => {
    const tap = createStreamTap(false);
    let out = 0;
    const emit = (bytes: Uint8Array) => {
      out += bytes.length;
    };
    tap.push(encoder.encode('data: {}\n\ndata: {"image":"'), emit);
    const megabyte = new Uint8Array(1024 * 1024).fill(120);
    for (let i = 0; i < 17 && tap.fault === null; i++) tap.push(megabyte, emit);
    expect(tap.fault).toBe('oversized_event');
    expect(out).toBe('data: {}\n\n'.length);
    tap.push(encoder.encode('"}\n\ndata: [DONE]\n\n'), emit);
    tap.finish(emit);
    expect(tap.done).toBe(false);
    expect(out).toBe('data: {}\n\n'.length);
  });
});

test('nothing is emitted where there is nothing: an empty chunk is no first byte', () => {
  const tap = createStreamTap(false);
  const lengths: number[] = [];
  tap.push(new Uint8Array(0), (bytes) => lengths.push(bytes.length));
  expect(lengths).toEqual([]);
});
