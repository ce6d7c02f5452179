import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { answered, chunk, decodeBytes, decodeText, done, outline, stop } from './chat-parts.ts';

const encoder = new TextEncoder();
const fixtures = join(import.meta.dir, '../fixtures/openai-completions');
const fixture = (name: string): Uint8Array => readFileSync(join(fixtures, `${name}.sse`));

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

  test('a stream that is cut at any byte is complete from its finish on, and never faulty', () => {
    const bytes = fixture('tool-calls');
    const finish =
      new TextDecoder().decode(bytes).indexOf('"finish_reason":"tool_calls"}]}') + '"finish_reason":"tool_calls"}]}'.length;
    const from = encoder.encode(new TextDecoder().decode(bytes).slice(0, finish)).length;
    for (let at = 0; at <= bytes.length; at++) {
      const { ended, fault } = decodeBytes([bytes.subarray(0, at)]);
      if (ended !== at >= from || fault !== null) expect([at, ended, fault]).toEqual([at, at >= from, null]);
    }
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

  test('litellm#29223: an error in the stream is a failure, never an end', () => {
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

  test('an event may be as long as an answer, and not longer', () => {
    const long = new Uint8Array(65 * 1024 * 1024).fill(0x61);
    expect(decodeBytes([encoder.encode('data: '), long]).fault).toBe('oversized_event');
  });
});
