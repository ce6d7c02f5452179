import { describe, expect, test } from 'bun:test';
import type { Answer } from '../../../src/core/conversation.ts';
import type { UpstreamFailure } from '../../../src/core/protocol.ts';
import { chat } from '../../../src/protocols/openai-completions/chat.ts';
import { chunk, done } from './chat-parts.ts';

const decode = (value: unknown): Answer | UpstreamFailure =>
  chat.decodeAnswer(typeof value === 'string' ? value : JSON.stringify(value));
const message = (fields: object, finish: string | null = 'stop', rest: object = {}) => ({
  id: 'chatcmpl-7',
  model: 'up',
  choices: [{ index: 0, message: { role: 'assistant', ...fields }, finish_reason: finish }],
  ...rest,
});

describe('a whole answer', () => {
  test('has reasoning before text, and calls last', () => {
    const calls = [
      { id: 'a', type: 'function', function: { name: 'f', arguments: '{"x":12345678901234567890}' } },
      { id: 'a', type: 'function', function: { name: 'g', arguments: { y: 1 } } },
      { id: 'c', type: 'custom', custom: { name: 'sh', input: 'ls' } },
    ];
    const usage = { prompt_tokens: 3, completion_tokens: 2, completion_tokens_details: { reasoning_tokens: 1 } };
    const fields = { content: 'hi', reasoning: 'hm', refusal: null, tool_calls: calls, function_call: null };
    expect(decode(message(fields, 'tool_calls', { usage }))).toEqual({
      id: 'chatcmpl-7',
      model: 'up',
      parts: [
        { type: 'reasoning', text: 'hm' },
        { type: 'text', text: 'hi' },
        { type: 'toolCall', id: 'a', name: 'f', kind: 'function', arguments: '{"x":12345678901234567890}' },
        { type: 'toolCall', id: 'a_2', name: 'g', kind: 'function', arguments: '{"y":1}' },
        { type: 'toolCall', id: 'c', name: 'sh', kind: 'custom', arguments: 'ls' },
      ],
      tokens: { prompt: 3, completion: 2, cacheRead: null, cacheWrite: null, reasoning: 1 },
      end: { reason: 'toolCalls', sequence: null, unknown: null },
    });
  });

  test('may have calls without ids and indexes, which are still several', () => {
    const calls = ['f', 'g'].map((name) => ({ function: { name, arguments: '{}' } }));
    expect(decode(message({ content: null, tool_calls: calls }))).toMatchObject({
      parts: [
        { id: 'call_chatcmpl-7_0', name: 'f' },
        { id: 'call_chatcmpl-7_1', name: 'g' },
      ],
    });
  });

  test('may be the legacy text, a list of parts, or cut into choices', () => {
    expect(decode({ id: 'cmpl', choices: [{ text: 'a', index: 0, finish_reason: 'length' }] })).toMatchObject({
      parts: [{ type: 'text', text: 'a' }],
      end: { reason: 'length' },
    });
    expect(
      decode(
        message({
          content: [
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
        }),
      ),
    ).toMatchObject({
      parts: [{ type: 'text', text: 'ab' }],
    });
    const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } };
    const split = [
      { message: { content: 'a' }, finish_reason: 'stop' },
      { message: { content: null, tool_calls: [call] }, finish_reason: 'tool_calls' },
    ];
    for (const choices of [split, split.map((choice, index) => ({ index, ...choice }))])
      expect(decode({ choices })).toMatchObject({ id: null, parts: [{ text: 'a' }, { id: 'c' }], end: { reason: 'toolCalls' } });
  });

  test('D10: arguments that a limit cut stay as they came', () => {
    const call = { id: 'a', type: 'function', function: { name: 'f', arguments: '{"content":"half' } };
    expect(decode(message({ content: null, tool_calls: [call] }, 'length'))).toMatchObject({
      parts: [{ arguments: '{"content":"half' }],
      end: { reason: 'length' },
    });
  });

  test('may be empty text, which is no part', () => {
    expect(decode(message({ content: '' }))).toMatchObject({ parts: [], end: { reason: 'stop' } });
  });

  test('that came as a stream is folded', () => {
    expect(decode(chunk({ content: 'a' }) + chunk({ content: 'b' }, 'stop') + done)).toMatchObject({
      id: 'chatcmpl-7',
      parts: [{ type: 'text', text: 'ab' }],
    });
  });
});

describe('a failure under status 200', () => {
  test('is told with its own status', () => {
    expect(decode({ error: { message: 'slow down', code: '429' } })).toMatchObject({ kind: 'rate_limit', status: 429 });
    expect(decode({ object: 'error', message: 'm' })).toMatchObject({ status: 502, message: 'm' });
    expect(decode(message({ content: 'a' }, 'error'))).toMatchObject({ status: 502 });
    expect(decode('data: {"error":{"message":"m","code":503}}\n\n')).toMatchObject({ kind: 'overloaded', status: 503 });
  });

  test('is an answer without a message', () => {
    for (const choices of [[], [null], [{ index: 0 }]])
      expect(decode({ choices })).toMatchObject({ kind: 'server_error', status: 502 });
    expect(decode(done)).toMatchObject({ kind: 'server_error' });
  });

  test('is an answer that is none', () => {
    const call = { id: 'a', type: 'function', function: { arguments: '{"x":1}' } };
    const broken = [
      '',
      '{',
      '[]',
      'null',
      {},
      { choices: null },
      message({ tool_calls: [call] }),
      chunk({ content: 'a' }),
      'data: x\n\n',
    ];
    for (const each of broken) {
      const failure = decode(each);
      expect(failure).toMatchObject({ kind: 'malformed', status: 502 });
      expect('message' in failure && failure.message).toMatch(/^(?:answered|sent|ended) /);
    }
  });
});
