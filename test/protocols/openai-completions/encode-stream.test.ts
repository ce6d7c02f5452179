import { describe, expect, test } from 'bun:test';
import { unfold } from '../../../src/core/answers.ts';
import type { EndReason, Part, Step } from '../../../src/core/conversation.ts';
import { noTokenCounts } from '../../../src/core/usage.ts';
import { chat } from '../../../src/protocols/openai-completions/chat.ts';
import { call, type Fields, making } from './chat-parts.ts';

const tokens = { prompt: 9, completion: 4, cacheRead: null, cacheWrite: null, reasoning: null };
const usageAsked = { stream_options: { include_usage: true } };

/** The data of the events that steps become. */
function events(steps: Iterable<Step>, request: Fields = {}): string[] {
  const encoder = chat.streamEncoder({ ...making, request });
  const text = [...steps].map((step) => encoder.encode(step)).join('');
  expect(text.endsWith('\n\n')).toBe(true);
  return text
    .slice(0, -2)
    .split('\n\n')
    .map((event) => event.replace(/^data: /, ''));
}
const chunks = (steps: Iterable<Step>, request: Fields = {}): Fields[] =>
  events(steps, request)
    .filter((data) => data !== '[DONE]')
    .map((data) => JSON.parse(data) as Fields);
const answer = (parts: readonly Part[], reason: EndReason = 'stop') =>
  unfold({ id: 'x', model: 'up', parts, tokens, end: { reason, sequence: null, unknown: null } });
const deltas = (all: readonly Fields[]) =>
  all.flatMap(({ choices }) => (choices as { delta: Fields }[]).map(({ delta }) => delta));
const finishes = (all: readonly Fields[]) =>
  all
    .flatMap(({ choices }) => (choices as Fields[]).map(({ finish_reason: finish }) => finish))
    .filter((finish) => finish !== null);

const custom: Part = { type: 'toolCall', id: 'b', name: 'sh', kind: 'custom', arguments: 'ls' };

describe('a chat client gets a stream', () => {
  test('that begins with a role, has one id and model, one finish, and ends with [DONE]', () => {
    const data = events(answer([{ type: 'text', text: 'a\u2028\n\n"' }, call('c')], 'toolCalls'));
    expect(data.at(-1)).toBe('[DONE]');
    const all = data.slice(0, -1).map((each) => JSON.parse(each) as Fields);
    expect(deltas(all)[0]).toEqual({ role: 'assistant', content: '' });
    expect(deltas(all)[1]).toEqual({ content: 'a\u2028\n\n"' });
    for (const each of all)
      expect(each).toMatchObject({ id: 'x', object: 'chat.completion.chunk', created: making.createdAt, model: 'up' });
    expect(finishes(all)).toEqual(['tool_calls']);
    expect(deltas(all).at(-1)).toEqual({});
  });

  test('with usage in a chunk of its own, only where it was asked for and is known', () => {
    const text: Part = { type: 'text', text: 'a' };
    expect(chunks(answer([text])).filter((each) => 'usage' in each)).toEqual([]);
    expect(chunks(answer([text]), usageAsked).at(-1)).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 },
    });
    const unknown: Step[] = [...answer([text])].map((step) =>
      step.type === 'usage' ? { ...step, tokens: noTokenCounts } : step,
    );
    expect(chunks(unknown, usageAsked).filter((each) => 'usage' in each)).toEqual([]);
  });

  test('litellm#17246, agno#3826: calls counted from 0, the name first and the arguments behind it', () => {
    const parts: Part[] = [{ type: 'text', text: 'a' }, call('c', 'f', '{"x":1}'), { type: 'text', text: 'b' }, custom];
    expect(deltas(chunks(answer(parts, 'toolCalls'))).slice(1, -1)).toEqual([
      { content: 'a' },
      { tool_calls: [{ index: 0, id: 'c', type: 'function', function: { name: 'f', arguments: '' } }] },
      { tool_calls: [{ index: 0, function: { arguments: '{"x":1}' } }] },
      { content: 'b' },
      { tool_calls: [{ index: 1, id: 'b', type: 'custom', custom: { name: 'sh', input: '' } }] },
      { tool_calls: [{ index: 1, custom: { input: 'ls' } }] },
    ]);
  });

  test('D10: with `length` for a call that a limit cut, and its arguments as they came', () => {
    const all = chunks(answer([call('c', 'f', '{"x":"half')], 'length'));
    expect(finishes(all)).toEqual(['length']);
    expect(JSON.stringify(all)).not.toContain('{}"');
    expect(deltas(all)[2]).toEqual({ tool_calls: [{ index: 0, function: { arguments: '{"x":"half' } }] });
  });

  test('with reasoning as text and details, its signature last and under the same index', () => {
    const details = (delta: Fields | undefined) => delta?.['reasoning_details'];
    const steps: Step[] = [
      { type: 'begin', id: null, model: null },
      { type: 'partBegin', index: 0, part: { type: 'reasoning', text: '', redacted: 'd' } },
      { type: 'partEnd', index: 0 },
      { type: 'partBegin', index: 1, part: { type: 'reasoning', text: '', signature: 's', id: 'rs' } },
      { type: 'partDelta', index: 1, text: 'hm' },
      { type: 'partEnd', index: 1 },
    ];
    const [, encrypted, text, signature] = deltas(chunks(steps));
    expect(details(encrypted)).toEqual([{ type: 'reasoning.encrypted', data: 'd', format: 'unknown', index: 0 }]);
    expect(text?.['reasoning_content']).toBe('hm');
    expect(details(text)).toEqual([{ type: 'reasoning.text', text: 'hm', id: 'rs', format: 'unknown', index: 1 }]);
    expect(signature).toEqual({
      reasoning_details: [{ type: 'reasoning.text', text: '', signature: 's', id: 'rs', format: 'unknown', index: 1 }],
    });
  });

  test('with a refusal, and nothing of a block that only another protocol knows', () => {
    const opaque: Part = { type: 'opaque', protocol: 'x', name: 'search', value: { secret: 1 } };
    const all = chunks(answer([{ type: 'refusal', text: 'no' }, opaque], 'refusal'));
    expect(deltas(all)).toEqual([{ role: 'assistant', content: '' }, { refusal: 'no' }, {}]);
    expect(finishes(all)).toEqual(['content_filter']);
  });

  test('with one `function_call`, where it knows `functions` alone', () => {
    const all = chunks(answer([call('a', 'f', '{"x":1}'), call('b', 'g')], 'toolCalls'), { functions: [{ name: 'f' }] });
    expect(deltas(all).slice(1)).toEqual([
      { function_call: { name: 'f', arguments: '' } },
      { function_call: { arguments: '{"x":1}' } },
      {},
    ]);
    expect(finishes(all)).toEqual(['function_call']);
  });

  test('without an end until the answer is complete', () => {
    const steps = [...answer([{ type: 'text', text: 'a' }])].filter(({ type }) => type !== 'end');
    const data = events(steps, usageAsked).join();
    expect(data).not.toContain('DONE');
    expect(data).not.toContain('"stop"');
  });
});
