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
  const tap = createStreamTap({ usageAsked, typed: false, several: false });
  const emitted: Uint8Array[] = [];
  const emit = (bytes: Uint8Array) => void emitted.push(bytes);
  // A tap may change what it is given.
  for (const chunk of chunks) tap.push(new Uint8Array(chunk), emit);
  tap.finish(emit);
  return { out: Buffer.concat(emitted).toString(), done: tap.done, fault: tap.fault, tokens: tap.tokens };
}

/** A comment's blank line dispatches an event in some SDKs: it does not go on. */
function shown(event: string): string {
  if (event.trim() === '') return '';
  if (/^:[^\n]*(?:\n:[^\n]*)*\n\n$/.test(event)) return event.slice(0, -1);
  return /^data: ?\[DONE\]\n\n$/.test(event) ? 'data: [DONE]\n\n' : event;
}

/** The rule of completeness, read from the text as a client reads it: the events that go on, and whether they are all. */
function ended(text: string): { readonly passed: readonly string[]; readonly complete: boolean } {
  const whole = eventsOf(text);
  const held = text.slice(whole.join('').length);
  const dataOf = (event: string) =>
    event
      .split('\n')
      .flatMap((line) => line.match(/^data: ?(.*)$/)?.[1] ?? [])
      .join('\n');
  const objectOf = (data: string): { choices?: { finish_reason?: unknown }[] } | null => {
    try {
      const value: unknown = JSON.parse(data);
      return typeof value === 'object' ? value : null;
    } catch {
      return null;
    }
  };
  const isNothing = (block: string) => block.split('\n').every((line) => line === '' || line.startsWith(':'));
  const carries = (event: string) => isNothing(event) || dataOf(event) === '[DONE]' || objectOf(dataOf(event)) !== null;
  const broken = !carries(held);
  const passed = [...whole.filter(carries), ...(isNothing(held) || broken ? [] : [`${held.trimEnd()}\n\n`])];
  const finished = passed.some((event) =>
    objectOf(dataOf(event))?.choices?.some((choice) => typeof choice.finish_reason === 'string'),
  );
  return { passed, complete: passed.some((event) => dataOf(event) === '[DONE]') || (!broken && finished === true) };
}

/** A chunk with content. */
const said = 'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n';

const unified = (text: string) => text.replace(/\r\n?/g, '\n');
const eventsOf = (text: string) => text.match(/.*?\n\n/gs) ?? [];

for (const { name, tokens, usageEvent, fault } of table) {
  const bytes = readFileSync(join(fixtures, `${name}.sse`));
  const events = eventsOf(unified(bytes.toString()));
  const good = fault === undefined ? events : events.slice(0, fault[0]);
  const expected = (usageAsked: boolean) =>
    good
      .filter((_, index) => usageAsked || index !== usageEvent)
      .map(shown)
      .join('');
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

    test('cut anywhere, is complete behind [DONE] or its finish alone, and gave out whole events in their order', () => {
      for (let at = 0; at < bytes.length; at++) {
        const half = at >> 1;
        const { out, done, tokens: read } = run([bytes.subarray(0, half), bytes.subarray(half, at)], true);
        const came = unified(bytes.subarray(0, at).toString());
        const { passed, complete } = ended(came);
        const faulty = fault !== undefined && passed.length > fault[0];
        expect([at, done]).toEqual([at, complete && !faulty]);
        const whole = passed.slice(0, fault?.[0]);
        const last = complete && !faulty && shown(whole.at(-1) ?? '') !== 'data: [DONE]\n\n' ? ['data: [DONE]\n\n'] : [];
        expect(canonical(out)).toBe([...whole, ...last].map(shown).join(''));
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
    const tap = createStreamTap({ usageAsked: true, typed: false, several: false });
    const emitted: Uint8Array[] = [];
    const chunk = encoder.encode(said.slice(0, -1));
    tap.push(chunk, (bytes) => emitted.push(bytes));
    chunk.fill(0);
    tap.push(encoder.encode('\ndata: [DONE]\n\n'), (bytes) => emitted.push(bytes));
    expect(Buffer.concat(emitted).toString()).toBe(`${said}data: [DONE]\n\n`);
  });
});

describe('the end', () => {
  const text = (...parts: string[]) => parts.map((part) => encoder.encode(part));
  const finish = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}';
  const done = 'data: [DONE]\n\n';

  test('may lack its blank line, or its line end, and may be spelled in other ways; the client gets it as it should be', () => {
    const spellings = ['data: [DONE]', 'data: [DONE]\n', 'data:[DONE]', 'data: [DONE] \r\n'];
    for (const last of [...spellings, 'data: "[DONE]"\n\n', 'data: DONE\n\n', 'data: [done]\n\n']) {
      expect(run(text(said, last), false)).toMatchObject({ out: said + done, done: true, fault: null });
    }
  });

  test('may stand in the last line of a chunk', () => {
    expect(run(text(`${said.trimEnd()}\ndata: [DONE]\n\n`), false)).toMatchObject({ out: said + done, done: true, fault: null });
  });

  test('is a finish of every choice and an orderly end, where no [DONE] comes; the client gets one', () => {
    expect(run(text(said, `${finish}\n\n`), false)).toMatchObject({ out: `${said}${finish}\n\n${done}`, done: true });
    expect(run(text(said, finish), false)).toMatchObject({ out: `${said}${finish}\n\n${done}`, done: true });
    const usage = 'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}';
    expect(run(text(said, `${finish}\n\n`, usage), true)).toMatchObject({
      out: `${said}${finish}\n\n${usage}\n\n${done}`,
      done: true,
    });
    for (const reason of ['null', '""', '7']) {
      expect(run(text(said, `${finish.replace('"stop"', reason)}\n\n`), false).done).toBe(false);
    }
  });

  test('of one choice is not the end of the other', () => {
    const tap = (parts: readonly string[]) => {
      const several = createStreamTap({ usageAsked: false, typed: false, several: true });
      for (const part of parts) several.push(encoder.encode(part), () => undefined);
      several.finish(() => undefined);
      return several.done;
    };
    const other = said.replace('"index":0', '"index":1');
    expect(tap([said, other, `${finish}\n\n`])).toBe(false);
    expect(tap([said, other, `${finish}\n\n`, `${finish.replace('"index":0', '"index":1')}\n\n`])).toBe(true);
  });

  test('is not an event that only mentions it, nor a comment, nor another field', () => {
    for (const last of [': [DONE]\n\n', 'event: [DONE]\n\n', 'id: [DONE]\n\n', 'data: {"content":"[DONE]"}\n\n', 'data: [DON']) {
      expect(run(text(said, last), false).done).toBe(false);
    }
  });

  test('of an event that has not ended is not passed on', () => {
    expect(run(text(`${said}data: {"a":\n`), false)).toMatchObject({ out: said, done: false, fault: null });
  });

  test('is seen where it stands behind a lone carriage return, in what looks like one event', () => {
    const chunk = said.trimEnd();
    const seen = run(text(`${chunk}\r\rdata: [DONE]\r\rdata: {"error":1}\r\r:}\n\n`), false);
    expect(seen).toMatchObject({ out: `${chunk}\r\r${done}`, done: true, fault: null });
    expect(run(text('data: {"a"\rdata: "b"}\n\n'), false).fault).toBe('malformed_event');
  });

  test('is not waited for in an event that nests without end', () => {
    const deep = `data: {"usage":${'['.repeat(300_000)}}\n\n`;
    expect(run(text(deep, done), false)).toMatchObject({ out: '', done: false, fault: 'malformed_event' });
  });

  test('hides what comes behind it', () => {
    for (const chunks of [text(`${said}${done}data: {"error":1}\n\n`), text(said, done, 'data: {"error":1}\n\n')]) {
      expect(run(chunks, false)).toMatchObject({ out: said + done, done: true, fault: null });
    }
  });

  test('of an empty stream is no end, and [DONE] alone is no answer', () => {
    expect(run([], false)).toEqual({ out: '', done: false, fault: null, tokens: noTokenCounts });
    for (const nothing of [done, `data: {}\n\n${done}`, `: x\n\n${done}`])
      expect(run(text(nothing), false)).toMatchObject({ done: false, fault: 'empty_answer' });
  });
});

describe('an event', () => {
  const one = (event: string, usageAsked = false) =>
    run([encoder.encode(`${said}data: ${event}\n\ndata: [DONE]\n\n`)], usageAsked);

  test('without choices and without usage passes: a vendor says something else with it', () => {
    const event = '{"choices":[],"prompt_filter_results":[{"prompt_index":0}]}';
    expect(one(event).out).toBe(`${said}data: ${event}\n\ndata: [DONE]\n\n`);
    expect(one('{"choices":[],"usage":null}').out).toContain('usage');
  });

  test('with usage and choices passes, asked or not; its usage is read', () => {
    const event = '{"choices":[{"delta":{}}],"usage":{"prompt_tokens":1,"completion_tokens":2}}';
    for (const asked of [true, false]) {
      expect(one(event, asked)).toMatchObject({
        out: `${said}data: ${event}\n\ndata: [DONE]\n\n`,
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
    expect(one(event)).toMatchObject({ out: `${said}data: [DONE]\n\n`, tokens: { prompt: 5 } });
    for (const choices of ['', '"choices":null,']) {
      expect(one(`{${choices}"usage":{"prompt_tokens":5}}`)).toMatchObject({
        out: `${said}data: [DONE]\n\n`,
        tokens: { prompt: 5 },
      });
    }
    expect(one('{ "error" : { "message" : "m" } }').fault).toBe('upstream_error');
  });

  test('that is no JSON is a fault, and nothing of it goes on', () => {
    for (const event of ['hello', '{"a":1', '{"usage":}', '<html>'])
      expect(one(event)).toMatchObject({ out: said, done: false, fault: 'malformed_event' });
  });

  test('that carries no chunk does not go on: official SDKs fail on it', () => {
    for (const event of ['[1]', '"text"', '1', 'null', ''])
      expect(one(event)).toMatchObject({ out: `${said}data: [DONE]\n\n`, done: true });
    for (const block of ['event: ping\n\n', 'id: 7\n\n', 'retry: 10\n\n', 'event: ping\ndata:\n\n']) {
      expect(run([encoder.encode(`${said}${block}data: [DONE]\n\n`)], false).out).toBe(`${said}data: [DONE]\n\n`);
    }
  });

  test('that is a comment alone loses its blank line, which some SDKs take for an event once an id was seen', () => {
    const blocks = [': ping\n\n', ': a\n: b\n\n'];
    for (const block of blocks)
      expect(run([encoder.encode(`${said}${block}${said}data: [DONE]\n\n`)], false).out).toBe(
        `${said}${block.slice(0, -1)}${said}data: [DONE]\n\n`,
      );
  });

  test('with an error that says nothing is a chunk; with one that says something it is the upstream’s failure', () => {
    for (const nothing of ['""', 'false', 'null', '0'])
      expect(one(`{"choices":[],"error":${nothing}}`)).toMatchObject({ done: true, fault: null });
    for (const event of ['{"error":{"code":429}}', '{"object":"error","code":429}', '{"choices":[{"error":{"code":429}}]}']) {
      const tap = createStreamTap({ usageAsked: false, typed: false, several: false });
      tap.push(encoder.encode(`${said}data: ${event}\n\n`), () => undefined);
      expect([tap.fault, tap.failure?.status, tap.failure?.kind]).toEqual(['upstream_error', 429, 'rate_limit']);
    }
  });

  test('that goes on for too long ends the stream, and what came before it has passed', () => {
    const tap = createStreamTap({ usageAsked: false, typed: false, several: false });
    let out = 0;
    const emit = (bytes: Uint8Array) => {
      out += bytes.length;
    };
    tap.push(encoder.encode(`${said}data: {"image":"`), emit);
    const megabyte = new Uint8Array(1024 * 1024).fill(120);
    for (let i = 0; i < 65 && tap.fault === null; i++) tap.push(megabyte, emit);
    expect(tap.fault).toBe('oversized_event');
    expect(out).toBe(said.length);
    tap.push(encoder.encode('"}\n\ndata: [DONE]\n\n'), emit);
    tap.finish(emit);
    tap.close();
    expect(tap.done).toBe(false);
    expect(out).toBe(said.length);
  });
});

test('nothing is emitted where there is nothing: an empty chunk is no first byte', () => {
  const tap = createStreamTap({ usageAsked: false, typed: false, several: false });
  const lengths: number[] = [];
  tap.push(new Uint8Array(0), (bytes) => lengths.push(bytes.length));
  expect(lengths).toEqual([]);
});

test('events of another protocol begin no chat, so that another attempt may follow', () => {
  const events = [
    { type: 'message_start', message: { content: [], usage: { input_tokens: 1, output_tokens: 1 } } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'hi' } },
    { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 2 } },
    { type: 'message_stop' },
  ];
  const tap = createStreamTap({ usageAsked: false, typed: false, several: false });
  const bytes = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');
  tap.push(encoder.encode(bytes), () => undefined);
  tap.finish(() => undefined);
  expect([tap.begun, tap.done]).toEqual([false, false]);
});
