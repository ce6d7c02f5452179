import { describe, expect, test } from 'bun:test';
import type { OlaError } from '../../../src/core/errors.ts';
import type { ClientRoute } from '../../../src/core/protocol.ts';
import { compileCheck } from '../../../src/core/schema.ts';
import { clientRoutes } from '../../../src/protocols/anthropic-messages/routes.ts';
import { clientRoutes as openAiRoutes } from '../../../src/protocols/openai-completions/routes.ts';

const at = (path: string, routes: readonly ClientRoute[] = clientRoutes) => routes.find((each) => each.path === path)!;
const route = at('/v1/messages');
const bodyOf = (text: string) => ({ text, fields: JSON.parse(text) as Record<string, unknown> });
const peek = (text: string, path = '/v1/messages') => at(path).peek(bodyOf(text), {});
const thrown = (act: () => unknown): OlaError | null => {
  try {
    act();
    return null;
  } catch (error) {
    return error as OlaError;
  }
};

test('the model, the stream and the longest answer are read, and nothing is required but messages', () => {
  const text = '{"model":"m","max_tokens":9,"stream":true,"messages":[{}]}';
  expect(peek(text)).toEqual({ model: 'm', stream: true, maxTokens: 9 });
  expect(peek(text, '/v1/messages/count_tokens')).toMatchObject({ stream: false });
  expect(peek('{"messages":[{}]}')).toEqual({ model: null, stream: false, maxTokens: null });
  const check = compileCheck(route.schema!);
  check({ messages: [{ future: 1 }], future: [] });
  for (const odd of [{}, { messages: [] }, { messages: 'x' }, { messages: [{}], model: 7 }, { messages: [{}], stream: 'x' }])
    expect(thrown(() => check(odd))?.code).toBe('invalid_field');
});

test('a second spelling of a field that ola reads is refused', () => {
  for (const [text, param] of [
    ['{"model":"a","messages":[{}],"Model":"b"}', 'Model'],
    ['{"model":"a","messages":[{}],"model":"b"}', 'model'],
    ['{"model":"a","messages":[{}],"m\\u006fdel":"b"}', 'model'],
    ['{"system":"a","messages":[{}],"system":"b"}', 'system'],
    ['{"metadata":{},"messages":[{}],"metadata":{}}', 'metadata'],
    ['{"tools":[],"messages":[{}],"tools" :[]}', 'tools'],
  ] as const)
    expect([text, thrown(() => peek(text))?.facts.param]).toEqual([text, param]);
  const inside = '{"model":"a","messages":[{"model":1,"system":2,"stream":3,"content":"\\"model\\":"}],"Vendor":1}';
  expect(thrown(() => peek(inside))).toBeNull();
});

describe('a conversation', () => {
  const told = (text: string) => route.conversation?.(bodyOf(text));

  test('is known by the user’s id, else by its beginning', () => {
    const user = '"metadata":{"user_id":"u"}';
    expect(told(`{${user},"messages":[{"a":1}]}`)).toBe(told(`{${user},"messages":[{"b":1}]}`)!);
    expect(told('{"system":"s","messages":[{"a":1}]}')).toBe(told('{"system":"s","messages":[{"a":1},{"b":2}]}')!);
    expect(told('{"system":"s","messages":[{"a":1}]}')).not.toBe(told('{"system":"t","messages":[{"a":1}]}')!);
    expect(told('{"system":"s","messages":[{"a":1}]}')).not.toBe(told('{"system":"s","messages":[{"a":2}]}')!);
  });

  test('has its first message, however long the system prompt is', () => {
    const system = 'x'.repeat(20_000);
    const of = (first: string) => told(JSON.stringify({ system, messages: [{ content: first }] }));
    expect(of('a')).not.toBe(of('b')!);
  });
});

describe('a body of another protocol', () => {
  const refusal = (target: ClientRoute, fields: Record<string, unknown>) => thrown(() => target.refuseForeign?.(fields));
  const chats = at('/v1/chat/completions', openAiRoutes);
  const messages = [{ role: 'user', content: 'x' }];
  const inputSchema = [{ name: 't', input_schema: { type: 'object' } }];

  test.each([
    [route, { messages, max_completion_tokens: 1 }, '/v1/chat/completions'],
    [route, { messages, response_format: {} }, '/v1/chat/completions'],
    [route, { messages, max_tokens: 1, tools: [{ type: 'function', function: { name: 't' } }] }, '/v1/chat/completions'],
    [route, { messages: [{ role: 'tool' }], max_tokens: 1 }, '/v1/chat/completions'],
    [route, { messages: [{ role: 'developer' }], max_tokens: 1 }, '/v1/chat/completions'],
    [route, { messages: [{ role: 'assistant', tool_calls: [] }], max_tokens: 1 }, '/v1/chat/completions'],
    [route, { input: 'x' }, '/v1/responses'],
    [route, { contents: [] }, '/v1beta/models/{model}:generateContent'],
    [chats, { messages, tools: inputSchema }, '/v1/messages'],
    [chats, { input: 'x' }, '/v1/responses'],
    [chats, { contents: [] }, '/v1beta/models/{model}:generateContent'],
  ])('on %p is told its route', (target, fields, path) => {
    const error = refusal(target, fields);
    expect([error?.code, error?.status]).toEqual(['invalid_request', 400]);
    expect(error?.message).toContain(`route is ${path}.`);
  });

  test('is nothing that the upstream might take', () => {
    for (const fields of [
      { messages, max_tokens: 1, tools: inputSchema, response_format: {} },
      { messages, max_tokens: 1, tools: [{ type: 'web_search_20260209', name: 'web_search' }], input: 'x' },
      { messages: [{ role: 'system' }], max_tokens: 1 },
      { messages },
      {},
      { messages: 7, tools: 7 },
    ])
      expect(refusal(route, fields)).toBeNull();
    for (const fields of [
      { messages, system: 'x', max_tokens: 1 },
      { messages, tools: [{ type: 'custom', custom: {} }] },
      { messages, tools: [{ function: {}, input_schema: {} }], input: 1 },
      {},
    ])
      expect(refusal(chats, fields)).toBeNull();
  });
});
