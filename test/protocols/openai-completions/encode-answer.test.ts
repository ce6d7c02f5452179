import { describe, expect, test } from 'bun:test';
import type { Answer, EndReason, Part } from '../../../src/core/conversation.ts';
import { noTokenCounts } from '../../../src/core/usage.ts';
import { chat } from '../../../src/protocols/openai-completions/chat.ts';
import { call, type Fields, making } from './chat-parts.ts';

const answer = (parts: readonly Part[], rest: Partial<Answer> = {}): Answer => ({
  id: null,
  model: null,
  parts,
  tokens: noTokenCounts,
  end: { reason: 'stop', sequence: null, unknown: null },
  ...rest,
});
const told = (made: Answer, request: Fields = {}): Fields =>
  JSON.parse(chat.encodeAnswer(made, { ...making, request })) as Fields;
const message = (parts: readonly Part[], request: Fields = {}): Fields => {
  const [choice] = told(answer(parts), request)['choices'] as { message: Fields }[];
  return choice?.message ?? {};
};

describe('a chat client is told', () => {
  test('an answer in the form of OpenAI, with an id and a model where the upstream gave none', () => {
    expect(told(answer([{ type: 'text', text: 'hi' }]))).toEqual({
      id: 'chatcmpl-ola-1',
      object: 'chat.completion',
      created: making.createdAt,
      model: 'asked',
      choices: [
        { index: 0, message: { role: 'assistant', content: 'hi', refusal: null }, logprobs: null, finish_reason: 'stop' },
      ],
    });
    expect(told(answer([], { id: 'msg_1', model: 'up' }))).toMatchObject({ id: 'msg_1', model: 'up' });
  });

  test('calls with null for a text that is not there', () => {
    const custom: Part = { type: 'toolCall', id: 'b', name: 'sh', kind: 'custom', arguments: 'ls' };
    expect(message([call('a', 'f', '{"x":'), custom])).toEqual({
      role: 'assistant',
      content: null,
      refusal: null,
      tool_calls: [
        { id: 'a', type: 'function', function: { name: 'f', arguments: '{"x":' } },
        { id: 'b', type: 'custom', custom: { name: 'sh', input: 'ls' } },
      ],
    });
  });

  test('reasoning as text, and its signatures in details', () => {
    const parts: Part[] = [
      { type: 'reasoning', text: 'h', signature: 's' },
      { type: 'text', text: 'a' },
      { type: 'reasoning', text: 'm', redacted: 'd', id: 'rs_1' },
      { type: 'text', text: 'b' },
    ];
    expect(message(parts)).toMatchObject({
      content: 'ab',
      reasoning_content: 'hm',
      reasoning_details: [
        { type: 'reasoning.text', text: 'h', signature: 's', format: 'unknown', index: 0 },
        { type: 'reasoning.encrypted', data: 'd', id: 'rs_1', format: 'unknown', index: 1 },
        { type: 'reasoning.text', text: 'm', id: 'rs_1', format: 'unknown', index: 1 },
      ],
    });
  });

  test('a refusal, and nothing of a block that only another protocol knows', () => {
    const opaque: Part = { type: 'opaque', protocol: 'x', name: 'search', value: { secret: 1 } };
    expect(message([{ type: 'refusal', text: 'no' }, opaque])).toEqual({ role: 'assistant', content: null, refusal: 'no' });
  });

  test('the end in the words of OpenAI', () => {
    const words: Readonly<Record<EndReason, string>> = {
      stop: 'stop',
      length: 'length',
      toolCalls: 'tool_calls',
      contentFilter: 'content_filter',
      refusal: 'content_filter',
      pause: 'stop',
    };
    for (const [reason, word] of Object.entries(words)) {
      const end = { reason: reason as EndReason, sequence: null, unknown: null };
      expect(told(answer([call('a')], { end }))['choices']).toMatchObject([{ finish_reason: word }]);
    }
  });

  test('counts that are known, and no zero in place of an unknown one', () => {
    const tokens = { prompt: 9, completion: 4, cacheRead: 5, cacheWrite: 1, reasoning: 2 };
    expect(told(answer([], { tokens }))['usage']).toEqual({
      prompt_tokens: 9,
      completion_tokens: 4,
      total_tokens: 13,
      prompt_tokens_details: { cached_tokens: 5, cache_write_tokens: 1 },
      completion_tokens_details: { reasoning_tokens: 2 },
    });
    expect(told(answer([], { tokens: { ...noTokenCounts, completion: 0 } }))['usage']).toEqual({ completion_tokens: 0 });
  });

  test('one call as `function_call`, where it knows `functions` alone', () => {
    const request = { functions: [{ name: 'f' }] };
    expect(message([call('a', 'f', '{}')], request)).toEqual({
      role: 'assistant',
      content: null,
      refusal: null,
      function_call: { name: 'f', arguments: '{}' },
    });
    const end = { reason: 'toolCalls', sequence: null, unknown: null } as const;
    expect(told(answer([call('a')], { end }), request)['choices']).toMatchObject([{ finish_reason: 'function_call' }]);
  });
});
