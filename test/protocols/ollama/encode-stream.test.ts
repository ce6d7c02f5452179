import { describe, expect, test } from 'bun:test';
import type { Step } from '../../../src/core/conversation.ts';
import type { Making } from '../../../src/core/protocol.ts';
import { noTokenCounts } from '../../../src/core/usage.ts';
import { encodeAnswer } from '../../../src/protocols/ollama/encode-answer.ts';
import { streamEncoder } from '../../../src/protocols/ollama/encode-stream.ts';
import { answerOf, stepsOf, stop, textPart, toolCall } from '../../contract/hub/scene.ts';

const chat: Making = { id: 'request-1', createdAt: 1_700_000_000, model: 'openai/gpt-5', request: { messages: [] } };
const generate: Making = { ...chat, request: { prompt: 'Hello' } };

type Line = Readonly<Record<string, unknown>> & { readonly message?: Readonly<Record<string, unknown>> };

function linesOf(steps: readonly Step[], making = chat): Line[] {
  const encoder = streamEncoder(making);
  const text = steps.map((step) => encoder.encode(step)).join('');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}

const begin: Step = { type: 'begin', id: null, model: null };
const end = (reason: 'stop' | 'length' | 'toolCalls' = 'stop'): Step => ({ type: 'end', end: { ...stop, reason } });
const openCall = (index: number, id: string, args = ''): Step => ({ type: 'partBegin', index, part: toolCall(id, args) });
const more = (index: number, text: string): Step => ({ type: 'partDelta', index, text });
const close = (index: number): Step => ({ type: 'partEnd', index });

test('each line names the model as the client does, and the last one has the end and the tokens', () => {
  const lines = linesOf(
    stepsOf(answerOf([textPart('Hello')], { model: null, tokens: { ...noTokenCounts, prompt: 8, completion: 2 } })),
  );
  for (const line of lines) expect(line).toMatchObject({ model: 'openai/gpt-5', created_at: '2023-11-14T22:13:20.000Z' });
  expect(lines.map(({ done }) => done)).toEqual([false, false, true]);
  expect(lines.map(({ message }) => message?.['content']).join('')).toBe('Hello');
  expect(lines.at(-1)).toMatchObject({ done_reason: 'stop', prompt_eval_count: 8, eval_count: 2 });
});

test('an answer to a prompt has `response` in the place of a message', () => {
  const answer = answerOf([{ type: 'reasoning', text: 'Hm' }, textPart('Hello')]);
  expect(linesOf(stepsOf(answer), generate).map(({ response, thinking, message }) => [response, thinking, message])).toEqual([
    ['', 'Hm', undefined],
    ['Hel', undefined, undefined],
    ['lo', undefined, undefined],
    ['', undefined, undefined],
  ]);
  expect(JSON.parse(encodeAnswer(answer, generate))).toMatchObject({ response: 'Hello', thinking: 'Hm', done: true });
});

describe('a call of a tool', () => {
  test('is one line, once its arguments are whole, in the order of the calls', () => {
    const lines = linesOf([
      begin,
      openCall(0, 'a'),
      openCall(1, 'b'),
      more(1, '{"x":2}'),
      close(1),
      more(0, '{"id":123456'),
      more(0, '78901234567890}'),
      close(0),
      end('toolCalls'),
    ]);
    expect(lines).toHaveLength(3);
    expect(lines.map(({ message }) => message?.['tool_calls'])).toMatchObject([
      [{ id: 'a', function: { name: 'weather' } }],
      [{ id: 'b', function: { name: 'weather', arguments: { x: 2 } } }],
      undefined as never,
    ]);
    expect(lines.at(-1)).toMatchObject({ done: true, done_reason: 'stop' });
  });

  test('without arguments, or with some that are no JSON, is told at the end', () => {
    const steps = [begin, openCall(0, 'a'), close(0), openCall(1, 'b', '[1]'), close(1), end('toolCalls')];
    const [calls, last] = linesOf(steps);
    expect(calls?.message?.['tool_calls']).toMatchObject([
      { function: { arguments: {} } },
      { function: { arguments: { unparsed_arguments: '[1]' } } },
    ]);
    expect(last).toMatchObject({ done: true });
  });

  test('D10: that the length limit cut is left out, and the end says so', () => {
    const lines = linesOf([begin, openCall(0, 'a', '{"x":1}'), close(0), openCall(1, 'b'), more(1, '{"file":"a'), end('length')]);
    expect(lines.flatMap(({ message }) => message?.['tool_calls'] ?? [])).toMatchObject([{ id: 'a' }]);
    expect(lines.at(-1)).toMatchObject({ done: true, done_reason: 'length' });
  });
});

test('a pair of surrogates is never parted, and half of one is U+FFFD', () => {
  const part: Step = { type: 'partBegin', index: 0, part: textPart('a\ud83d') };
  const lines = linesOf([begin, part, more(0, '\ude00b\ud83d'), close(0), end()]);
  expect(lines.map(({ message }) => message?.['content'])).toEqual(['a', '😀b', '\ufffd', '']);
});

test('a refusal is a text whose end is no `stop`', () => {
  const refused = answerOf([{ type: 'refusal', text: 'I will not.' }]);
  expect(JSON.parse(encodeAnswer(refused, chat))).toMatchObject({ message: { content: 'I will not.' }, done_reason: 'refusal' });
  expect(linesOf(stepsOf(refused)).at(-1)).toMatchObject({ done_reason: 'refusal' });
});
