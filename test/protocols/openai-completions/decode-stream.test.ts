import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Step } from '../../../src/core/conversation.ts';
import { noTokenCounts } from '../../../src/core/usage.ts';
import { chunk, decodeBytes, decodeText, done, fragment, type Seen } from './chat-parts.ts';

const encoder = new TextEncoder();
const fixtures = join(import.meta.dir, '../fixtures/openai-completions');
const fixture = (name: string): Uint8Array => readFileSync(join(fixtures, `${name}.sse`));

const stop = chunk({}, 'stop') + done;
const answered = (stream: string): Seen => {
  const seen = decodeText(stream);
  expect([seen.fault, seen.ended]).toEqual([null, true]);
  return seen;
};
/** The kinds of steps with their indexes, deltas left out. */
const outline = (steps: readonly Step[]) =>
  steps.flatMap((step) => (step.type === 'partBegin' || step.type === 'partEnd' ? `${step.type} ${step.index}` : []));
const calls = ({ answer }: Seen) =>
  answer.parts.flatMap((part) => (part.type === 'toolCall' ? [[part.id, part.name, part.arguments]] : []));

describe('however its bytes are cut, a stream gives the same answer', () => {
  const names = ['content', 'tool-calls', 'usage-alone', 'usage-with-choices', 'comments', 'crlf', 'pretty', 'error-null'];
  for (const name of names)
    test(`${name}, cut in two at every byte, and into single bytes`, () => {
      const bytes = fixture(name);
      const whole = decodeBytes([bytes]);
      expect(whole.ended).toBe(true);
      expect(whole.answer.parts.length).toBeGreaterThan(0);
      for (let at = 1; at < bytes.length; at++) {
        const { steps, fault } = decodeBytes([bytes.subarray(0, at), bytes.subarray(at)]);
        if (fault !== null || steps.length !== whole.steps.length) expect([at, fault, steps]).toEqual([at, null, whole.steps]);
      }
      const single = Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
      expect(decodeBytes(single)).toEqual(whole);
    });

  test('tools and usage of a real stream', () => {
    const { answer, steps } = decodeBytes([fixture('tool-calls')]);
    expect(answer).toMatchObject({
      id: 'chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG',
      model: 'gpt-4o-mini-2024-07-18',
      parts: [{ type: 'toolCall', id: 'call_DdmO9pD3xa9XTPNJ32zg2hcA', name: 'get_weather', kind: 'function' }],
      tokens: { prompt: 19, completion: 10, cacheRead: 8, cacheWrite: null, reasoning: 4 },
      end: { reason: 'toolCalls', sequence: null, unknown: null },
    });
    expect(outline(steps)).toEqual(['partBegin 0', 'partEnd 0']);
  });
});

describe('the end of a stream', () => {
  const text = chunk({ role: 'assistant', content: 'a' });

  test('[DONE] in any spelling, alone or behind a chunk in one event', () => {
    for (const word of ['[DONE]', '"[DONE]"', '[done]', 'DONE', ' [DONE] '])
      expect(answered(`${text}data: ${word}\n\n`).answer.parts).toEqual([{ type: 'text', text: 'a' }]);
    const last = chunk({ content: 'b' }, 'length').trimEnd();
    expect(answered(`${text}${last}\ndata: [DONE]\n\n`).answer).toMatchObject({
      parts: [{ text: 'ab' }],
      end: { reason: 'length' },
    });
  });

  test('an orderly end counts when each choice has a finish, even without its blank line', () => {
    expect(decodeText(text + chunk({}, 'stop')).ended).toBe(true);
    expect(decodeText(text + chunk({}, 'stop').trimEnd()).ended).toBe(true);
    expect(decodeText(`${text}data: [DONE]`).ended).toBe(true);
    for (const cut of [text, text + chunk({}, ''), `${text}${chunk({}, 'stop').slice(0, 40)}`, ''])
      expect(decodeText(cut)).toMatchObject({ ended: false, fault: null });
  });

  test('nothing is taken behind it', () => {
    expect(answered(text + done + chunk({ content: 'b' }) + done).answer.parts).toEqual([{ type: 'text', text: 'a' }]);
  });

  test('[DONE] without a choice before it is an empty answer', () => {
    for (const nothing of [done, chunk({}, null, { choices: [] }) + done])
      expect(decodeText(nothing)).toMatchObject({ fault: 'empty_answer', steps: [] });
  });

  test('events that carry nothing are dropped; data that is no JSON is a fault', () => {
    const nothing = 'data: null\n\ndata:\n\nevent: ping\n\n: comment\n\ndata: []\n\ndata: "x"\n\ndata: {}\n\n';
    expect(answered(nothing + text + nothing + stop).answer.parts).toEqual([{ type: 'text', text: 'a' }]);
    for (const bad of ['data: oops\n\n', 'data: {"choices":[\n\n', `data: ${'['.repeat(300_000)}\n\n`])
      expect(decodeText(text + bad + stop)).toMatchObject({ fault: 'malformed_event', ended: false });
  });

  test('provider catalog 5, row 6: an error in the stream is a failure, never an end', () => {
    const late = { kind: 'rate_limit', status: 429, message: 'slow down' };
    const error = 'data: {"error":{"message":"slow down","code":429}}\n\n';
    expect(decodeText(text + error + stop)).toMatchObject({ fault: 'upstream_error', ended: false, failure: late });
    const named = 'event: error\ndata: {"message":"slow down","code":429}\n\n';
    expect(decodeText(text + named + stop)).toMatchObject({ fault: 'upstream_error', ended: false, failure: late });
    for (const word of ['error', 'network_error'])
      expect(decodeText(text + chunk({}, word) + done)).toMatchObject({ fault: 'upstream_error', ended: false });
    expect(decodeText(text + chunk({}, 'insufficient_system_resource')).failure).toMatchObject({
      kind: 'overloaded',
      status: 503,
    });
    expect(answered(text + chunk({}, 'stop', { error: '' }) + done).fault).toBeNull();
  });

  test('the odd words of servers', () => {
    const ends = (finish: string) => answered(text + chunk({}, finish) + done).answer.end;
    for (const word of ['stop', 'end', 'eos', 'EOS', 'end_turn'])
      expect(ends(word)).toEqual({ reason: 'stop', sequence: null, unknown: null });
    expect(ends('max_tokens').reason).toBe('length');
    expect(ends('sensitive').reason).toBe('contentFilter');
    expect(ends('tired')).toEqual({ reason: 'stop', sequence: null, unknown: 'tired' });
    // An agent would wait for the calls.
    expect(ends('tool_calls').reason).toBe('stop');
    expect(answered(text + done).answer.end.reason).toBe('stop');
  });

  test('JSON in place of events is a stream of one chunk; anything else is none', () => {
    const message = {
      role: 'assistant',
      content: 'a',
      tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }],
    };
    const json = JSON.stringify({ id: 'x', choices: [{ index: 0, message, finish_reason: 'tool_calls' }] });
    expect(answered(`\uFEFF \n${json}`).answer).toMatchObject({ parts: [{ text: 'a' }, { id: 'c', arguments: '{}' }] });
    expect(decodeText('<html>').fault).toBe('no_stream');
    expect(decodeText('{"choices":').fault).toBe('no_stream');
    expect(decodeText('{"error":{"message":"m","code":429}}')).toMatchObject({
      fault: 'upstream_error',
      failure: { status: 429 },
    });
    expect(decodeText('{"choices":[]}')).toMatchObject({ fault: 'upstream_error', failure: { kind: 'server_error' } });
    expect(decodeText(`\uFEFF${text}${stop}`).ended).toBe(true);
  });
});

describe('tool calls', () => {
  const begin = (index: number, id: string, name: string, args = '') =>
    fragment(index, { name, arguments: args }, { id, type: 'function' });
  const more = (index: number, args: string) => fragment(index, { arguments: args });

  test('provider catalog 5, rows 1 and 5: text and calls both come, and a later `stop` does not undo them', () => {
    const seen = answered(
      chunk({ content: 'see' }) + begin(0, 'c', 'f', '{}') + chunk({}, 'tool_calls') + chunk({}, 'stop') + done,
    );
    expect(seen.answer.end.reason).toBe('toolCalls');
    expect(seen.answer.parts.map(({ type }) => type)).toEqual(['text', 'toolCall']);
    expect(answered(begin(0, 'c', 'f', '{}') + stop).answer.end.reason).toBe('toolCalls');
    expect(answered(begin(0, 'c', 'f', '{}') + chunk({}, 'odd') + done).answer.end).toMatchObject({
      reason: 'toolCalls',
      unknown: 'odd',
    });
  });

  test('provider catalog 5, row 2: reasoning before a call does not hide it', () => {
    const seen = answered(
      chunk({ reasoning_content: 'hm' }) + begin(0, 'c', 'f') + more(0, '{}') + chunk({}, 'tool_calls') + done,
    );
    expect(seen.answer.parts.map(({ type }) => type)).toEqual(['reasoning', 'toolCall']);
  });

  test('provider catalog 5, row 7: arguments in the first chunk with the name', () => {
    expect(calls(answered(begin(0, 'c', 'f', '{"a":1}') + stop))).toEqual([['c', 'f', '{"a":1}']]);
  });

  test('provider catalog 5, row 17: indexes missing, ids and names repeated or absent', () => {
    const of = (...items: object[]) => items.map((item) => chunk({ tool_calls: [item] })).join('') + stop;
    const piece = (id: string | undefined, name: string | undefined, args: string) => ({
      ...(id === undefined ? {} : { id }),
      function: { ...(name === undefined ? {} : { name }), arguments: args },
    });
    const two = [
      ['a', 'f', '{"x":1}'],
      ['b', 'g', '{"y":2}'],
    ];
    const noIndex = of(
      piece('a', 'f', '{"x"'),
      piece(undefined, undefined, ':1}'),
      piece('b', 'g', '{"y":'),
      piece('', '', '2}'),
    );
    expect(calls(answered(noIndex))).toEqual(two);
    const repeated = of(piece('a', 'f', '{"x"'), piece('a', 'f', ':1}'), piece('b', 'g', '{"y":'), piece('b', 'g', '2}'));
    expect(calls(answered(repeated))).toEqual(two);
    const allZero = [begin(0, 'a', 'f', '{"x":1}'), begin(0, 'b', 'g', '{"y":'), more(0, '2}'), stop].join('');
    expect(calls(answered(allZero))).toEqual(two);
    const sameId = begin(0, 'a', 'f', '{}') + begin(1, 'a', 'g', '{}') + stop;
    expect(calls(answered(sameId))).toEqual([
      ['a', 'f', '{}'],
      ['a_2', 'g', '{}'],
    ]);
    const noIds = of(piece(undefined, 'f', '{}'), piece(undefined, 'g', '{}'));
    expect(calls(answered(noIds)).map(([id, name]) => [id, name])).toEqual([
      ['call_chatcmpl-7_0', 'f'],
      ['call_chatcmpl-7_1', 'g'],
    ]);
    const named = fragment(0, { name: 'get_' }, { id: 'a' }) + fragment(0, { name: 'weather' }) + more(0, '{}') + stop;
    expect(calls(answered(named))).toEqual([['a', 'get_weather', '{}']]);
    const late = fragment(0, { arguments: '{"x"' }, { id: 'a' }) + fragment(0, { name: 'f', arguments: ':1}' }) + stop;
    expect(calls(answered(late))).toEqual([['a', 'f', '{"x":1}']]);
  });

  test('arguments as an object, a call without any, the legacy form, a custom tool', () => {
    const object = chunk({ tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: { x: [1] } } }] });
    expect(calls(answered(object + stop))).toEqual([['a', 'f', '{"x":[1]}']]);
    expect(calls(answered(begin(0, 'a', 'f') + begin(1, 'b', 'g') + stop))).toEqual([
      ['a', 'f', ''],
      ['b', 'g', ''],
    ]);
    const legacy = chunk({ function_call: { name: 'f', arguments: '{"x"' } }) + chunk({ function_call: { arguments: ':1}' } });
    expect(answered(legacy + chunk({}, 'function_call') + done).answer).toMatchObject({
      parts: [{ name: 'f', arguments: '{"x":1}' }],
      end: { reason: 'toolCalls' },
    });
    const custom = chunk({ tool_calls: [{ index: 0, id: 'a', type: 'custom', custom: { name: 'sh', input: 'ls' } }] });
    const customMore = chunk({ tool_calls: [{ index: 0, custom: { input: ' -l' } }] });
    expect(answered(custom + customMore + stop).answer.parts).toEqual([
      { type: 'toolCall', id: 'a', name: 'sh', kind: 'custom', arguments: 'ls -l' },
    ]);
  });

  test('provider catalog 5, row 19: an empty call is none; arguments without a name are a fault', () => {
    const empty = chunk({ content: 'a', tool_calls: [{ index: 0, id: 'x', type: 'function', function: { arguments: '' } }] });
    expect(answered(empty + stop).answer).toMatchObject({ parts: [{ type: 'text' }], end: { reason: 'stop' } });
    expect(decodeText(more(0, '{"x":1}') + stop)).toMatchObject({ fault: 'malformed_event', ended: false });
  });

  test('a call ends when another begins and its arguments are complete, else its end waits', () => {
    const complete = answered(begin(0, 'a', 'f', '{"s":"}\\"') + more(0, '"}') + begin(1, 'b', 'g', '{}') + stop);
    expect(outline(complete.steps)).toEqual(['partBegin 0', 'partEnd 0', 'partBegin 1', 'partEnd 1']);
    const interleaved = answered(
      begin(0, 'a', 'f', '{"s":"}') + begin(1, 'b', 'g', '{"y":') + more(0, '"}') + more(1, '2}') + stop,
    );
    expect(outline(interleaved.steps)).toEqual(['partBegin 0', 'partBegin 1', 'partEnd 0', 'partEnd 1']);
    expect(calls(interleaved)).toEqual([
      ['a', 'f', '{"s":"}"}'],
      ['b', 'g', '{"y":2}'],
    ]);
  });

  test('a delta of a call that has ended is a fault, unless it is blank', () => {
    const two = begin(0, 'a', 'f', '{}') + begin(1, 'b', 'g', '{}');
    expect(calls(answered(two + more(0, ' ') + more(0, '') + stop))).toHaveLength(2);
    expect(decodeText(two + more(0, '{"again":1}') + stop)).toMatchObject({ fault: 'malformed_event', ended: false });
  });

  test('D10: a limit inside a call stays a limit, its arguments as far as they came', () => {
    const half = begin(0, 'a', 'f') + more(0, '{"file":"a",') + more(0, '"content":"half');
    const seen = answered(half + chunk({}, 'length') + done);
    expect(seen.answer.end.reason).toBe('length');
    expect(calls(seen)).toEqual([['a', 'f', '{"file":"a","content":"half']]);
  });
});

describe('reasoning, text and choices', () => {
  const parts = (stream: string) => answered(stream + stop).answer.parts;

  test('provider catalog 5, row 8: reasoning in each of its fields, once where two have the same text', () => {
    for (const name of ['reasoning_content', 'reasoning', 'reasoning_text'])
      expect(parts(chunk({ [name]: 'h' }) + chunk({ [name]: 'm', content: '' }) + chunk({ content: 'a' }))).toEqual([
        { type: 'reasoning', text: 'hm' },
        { type: 'text', text: 'a' },
      ]);
    expect(parts(chunk({ reasoning_content: 'x', reasoning: 'x' }))).toEqual([{ type: 'reasoning', text: 'x' }]);
    const both = { reasoning: 'x', reasoning_details: [{ type: 'reasoning.text', text: 'x', index: 0 }] };
    expect(parts(chunk(both))).toEqual([{ type: 'reasoning', text: 'x' }]);
  });

  test('details: a signature behind its text, encrypted reasoning, several parts', () => {
    const detail = (entry: object) => chunk({ reasoning_details: [entry] });
    expect(
      parts(
        detail({ type: 'reasoning.text', text: 'h', index: 0 }) +
          detail({ type: 'reasoning.text', text: 'm', index: 0 }) +
          detail({ type: 'reasoning.text', signature: 's', index: 0 }) +
          detail({ type: 'reasoning.summary', summary: 'so', index: 1 }) +
          detail({ type: 'reasoning.encrypted', data: 'd', id: 'rs_1', index: 2 }) +
          chunk({ content: 'a' }),
      ),
    ).toEqual([
      { type: 'reasoning', text: 'hm', signature: 's' },
      { type: 'reasoning', text: 'so' },
      { type: 'reasoning', text: '', redacted: 'd', id: 'rs_1' },
      { type: 'text', text: 'a' },
    ]);
  });

  test('parts keep their order, and a refusal is one', () => {
    const seen = answered(
      chunk({ content: 'a' }) + chunk({ reasoning: 'r' }) + chunk({ content: 'b' }) + chunk({ refusal: 'no' }) + stop,
    );
    expect(seen.answer.parts.map(({ type }) => type)).toEqual(['text', 'reasoning', 'text', 'refusal']);
    expect(seen.answer.end.reason).toBe('refusal');
    expect(outline(seen.steps).join()).toBe([0, 1, 2, 3].map((at) => `partBegin ${at},partEnd ${at}`).join());
  });

  test('content as a list of parts, and the legacy text', () => {
    const list = [
      { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] },
      { type: 'text', text: 'a' },
    ];
    expect(parts(chunk({ content: list }))).toEqual([
      { type: 'reasoning', text: 'hm' },
      { type: 'text', text: 'a' },
    ]);
    const legacy = (text: string, finish: string | null) =>
      `data: ${JSON.stringify({ id: 'cmpl', choices: [{ index: 0, text, finish_reason: finish }] })}\n\n`;
    expect(answered(legacy('a', null) + legacy('b', 'length') + done).answer).toMatchObject({
      parts: [{ text: 'ab' }],
      end: { reason: 'length' },
    });
  });

  test('a complete message behind its deltas is not a second one', () => {
    const whole = { choices: [{ index: 0, message: { content: 'a' }, finish_reason: 'stop' }] };
    expect(answered(chunk({ content: 'a' }) + chunk({}, null, whole) + done).answer.parts).toEqual([{ type: 'text', text: 'a' }]);
    expect(answered(chunk({}, null, whole) + done).answer.parts).toEqual([{ type: 'text', text: 'a' }]);
  });

  test('choices that one answer was cut into are merged; another answer beside it is not read', () => {
    const of = (index: number, delta: object, finish: string | null = null) =>
      `data: ${JSON.stringify({ id: 'x', choices: [{ index, delta, finish_reason: finish }] })}\n\n`;
    const made = { tool_calls: [{ index: 0, id: 'c', function: { name: 'f', arguments: '{}' } }] };
    const split = of(0, { content: 'a' }) + of(1, made) + of(0, {}, 'stop') + of(1, {}, 'tool_calls');
    expect(answered(split).answer).toMatchObject({ parts: [{ text: 'a' }, { id: 'c' }], end: { reason: 'toolCalls' } });
    const second = of(0, { content: 'a' }) + of(1, { content: 'b' }) + of(0, {}, 'stop') + of(1, {}, 'stop');
    expect(answered(second).answer.parts).toEqual([{ type: 'text', text: 'a' }]);
    expect(decodeText(of(0, { content: 'a' }, 'stop') + of(1, { content: 'b' })).ended).toBe(false);
  });

  test('provider catalog 5, row 16: usage in its places; unknown stays unknown', () => {
    const usage = { prompt_tokens: 3, completion_tokens: 2, prompt_cache_hit_tokens: 1 };
    const counted = { ...noTokenCounts, prompt: 3, completion: 2, cacheRead: 1 };
    const text = chunk({ content: 'a' });
    expect(answered(text + chunk({}, 'stop', { usage }) + done).answer.tokens).toEqual(counted);
    expect(answered(text + chunk({}, 'stop') + chunk({}, null, { choices: [], usage }) + done).answer.tokens).toEqual(counted);
    const inChoice = { choices: [{ index: 0, delta: {}, finish_reason: 'stop', usage }] };
    expect(answered(text + chunk({}, null, inChoice) + done).answer.tokens).toEqual(counted);
    expect(answered(chunk({ content: 'a' }, null, { usage: null }) + stop).answer.tokens).toEqual(noTokenCounts);
    const running = chunk({ content: 'b' }, null, { usage: { prompt_tokens: 3, completion_tokens: 1 } });
    expect(answered(text + running + chunk({}, 'stop', { usage }) + done).answer.tokens).toEqual(counted);
  });

  test('an event may be as long as an answer, and not longer', () => {
    const long = new Uint8Array(65 * 1024 * 1024).fill(0x61);
    expect(decodeBytes([encoder.encode('data: '), long]).fault).toBe('oversized_event');
  });
});
