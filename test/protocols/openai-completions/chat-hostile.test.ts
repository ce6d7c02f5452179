import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import OpenAI from 'openai';
import { unfold } from '../../../src/core/answers.ts';
import type { Answer } from '../../../src/core/conversation.ts';
import { OlaError } from '../../../src/core/errors.ts';
import { chat } from '../../../src/protocols/openai-completions/chat.ts';
import { upstreamModel } from '../upstream-model.ts';
import { decodeText, digest, type Fields, making } from './chat-parts.ts';

/** JSON whose members have names that the codec reads, and values of any type. */
function odd(names: readonly string[]): fc.Arbitrary<unknown> {
  const { tree } = fc.letrec((tie) => ({
    leaf: fc.oneof(fc.constantFrom(...names), fc.constantFrom('', 'text', 'data:,x', null, true, 0, -1, 1e99), fc.string()),
    tree: fc.oneof(
      { depthSize: 'small' },
      tie('leaf'),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...names), tie('tree'), { maxKeys: 5 }),
    ),
  }));
  return tree;
}

const requestNames = [
  ...['role', 'content', 'type', 'text', 'image_url', 'url', 'file', 'file_data', 'input_audio', 'tool_calls', 'function', 'id'],
  ...['name', 'arguments', 'tool_call_id', 'reasoning_details', 'reasoning_content', 'cache_control', 'function_call', 'custom'],
  ...['user', 'assistant', 'tool', 'system', 'developer', '__proto__', 'constructor', 'toString'],
];
const fieldNames = [
  'tools',
  'tool_choice',
  'response_format',
  'reasoning',
  'thinking',
  'stop',
  'stream_options',
  'functions',
  'n',
];

/** Half of the values are of the right type, so that the reader gets further. */
const message = fc.record(
  {
    role: fc.constantFrom('user', 'assistant', 'tool', 'system', 'function'),
    content: fc.oneof(fc.string(), fc.array(odd(requestNames), { maxLength: 3 }), odd(requestNames)),
    tool_calls: odd(requestNames),
    tool_call_id: fc.string(),
    name: fc.string(),
    reasoning_details: odd(requestNames),
  },
  { requiredKeys: ['role'] },
);

describe('hostile input', () => {
  test('a request of any shape is served or refused by a field, and nothing else is thrown', () => {
    const request = fc.record({
      messages: fc.oneof(fc.array(message, { maxLength: 5 }), odd(requestNames)),
      rest: fc.dictionary(fc.constantFrom(...fieldNames), odd([...requestNames, ...fieldNames]), { maxKeys: 4 }),
    });
    let served = 0;
    fc.assert(
      fc.property(request, ({ messages, rest }) => {
        try {
          const { body } = chat.encodeRequest(chat.decodeRequest({ messages, ...rest }), upstreamModel('m'), digest);
          served++;
          expect((JSON.parse(body) as Fields)['messages']).not.toEqual([]);
        } catch (error) {
          expect(error).toBeInstanceOf(OlaError);
          expect((error as OlaError).facts.param).toMatch(/^[\w.]+$/);
        }
      }),
      { numRuns: 500 },
    );
    expect(served).toBeGreaterThan(0);
  });

  test('a request of very many messages, parts, calls or results is served', () => {
    const many = 100_000;
    const list = <Item>(make: (at: number) => Item) => Array.from({ length: many }, (_, at) => make(at));
    const count = (messages: readonly unknown[]): number => {
      const { body } = chat.encodeRequest(chat.decodeRequest({ messages }), upstreamModel('m'), digest);
      return ((JSON.parse(body) as Fields)['messages'] as unknown[]).length;
    };
    const asked = { role: 'user', content: 'x' };
    const calls = list((at) => ({ id: `c${at}`, type: 'function', function: { name: 'f', arguments: '{}' } }));
    const results = list((at) => ({ role: 'tool', tool_call_id: `c${at}`, content: 'r' }));
    const parts = list(() => ({ type: 'text', text: 'x' }));
    expect(count(list(() => asked))).toBe(many);
    expect(count(list((at) => ({ role: at % 2 === 0 ? 'user' : 'assistant', content: 'x' })))).toBe(many);
    expect(
      count([asked, { role: 'assistant', content: null, tool_calls: calls }, ...results, { role: 'user', content: parts }]),
    ).toBe(many + 3);
    expect(count([{ role: 'system', content: parts }, asked])).toBe(2);
  }, 60_000);

  test('an answer of very many calls, all with one id or none, has as many', () => {
    const calls = Array.from({ length: 50_000 }, (_, at) => ({
      ...(at % 2 === 0 ? { id: 'a' } : {}),
      function: { name: 'f', arguments: '{}' },
    }));
    const answer = chat.decodeAnswer(JSON.stringify({ choices: [{ message: { tool_calls: calls } }] }));
    const ids = 'parts' in answer ? answer.parts.map((part) => (part.type === 'toolCall' ? part.id : '')) : [];
    expect(new Set(ids).size).toBe(calls.length);
  });

  test('chunks and answers of any shape are read without throwing', () => {
    const names = [
      ...['choices', 'delta', 'message', 'content', 'tool_calls', 'function', 'name', 'arguments', 'index', 'id', 'usage'],
      ...['reasoning_details', 'text', 'data', 'signature', 'finish_reason', 'stop', 'refusal', 'function_call', 'error', 'type'],
    ];
    fc.assert(
      fc.property(fc.array(odd(names), { maxLength: 4 }), odd(names), (deltas, whole) => {
        const chunks = deltas.map((delta) => ({ id: 'x', choices: [{ index: 0, delta, finish_reason: null }] }));
        const { fault, ended } = decodeText(
          `${chunks.map((each) => `data: ${JSON.stringify(each)}\n\n`).join('')}data: [DONE]\n\n`,
        );
        expect(ended).toBe(fault === null);
        const answer = chat.decodeAnswer(JSON.stringify({ choices: [{ message: whole }] }));
        if ('parts' in answer) for (const part of answer.parts) expect(part).toHaveProperty('type');
      }),
      { numRuns: 300 },
    );
  });
});

describe('OpenAI’s SDK, as a judge', () => {
  const answer: Answer = {
    id: null,
    model: null,
    parts: [
      { type: 'reasoning', text: 'hm', signature: 's' },
      { type: 'text', text: 'let me see' },
      { type: 'toolCall', id: 'a', name: 'f', kind: 'function', arguments: '{"x":1}' },
      { type: 'toolCall', id: 'b', name: 'g', kind: 'function', arguments: '{}' },
    ],
    tokens: { prompt: 9, completion: 4, cacheRead: 5, cacheWrite: null, reasoning: 2 },
    end: { reason: 'toolCalls', sequence: null, unknown: null },
  };
  const messages = [{ role: 'user' as const, content: 'x' }];
  const request = { model: 'm', messages, stream_options: { include_usage: true } };
  const wanted = {
    id: 'chatcmpl-ola-1',
    choices: [
      {
        finish_reason: 'tool_calls',
        message: {
          content: 'let me see',
          tool_calls: [
            { id: 'a', type: 'function', function: { name: 'f', arguments: '{"x":1}' } },
            { id: 'b', type: 'function', function: { name: 'g', arguments: '{}' } },
          ],
        },
      },
    ],
    usage: { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13, prompt_tokens_details: { cached_tokens: 5 } },
  };
  const sdk = (body: string, type: string) =>
    new OpenAI({ apiKey: 'k', maxRetries: 0, fetch: async () => new Response(body, { headers: { 'content-type': type } }) });

  test('puts a stream together', async () => {
    const encoder = chat.streamEncoder({ ...making, request });
    const body = [...unfold(answer)].map((step) => encoder.encode(step)).join('');
    const completion = await sdk(body, 'text/event-stream').chat.completions.stream(request).finalChatCompletion();
    expect(completion).toMatchObject(wanted);
  });

  test('reads a whole answer', async () => {
    const body = chat.encodeAnswer(answer, { ...making, request });
    expect(await sdk(body, 'application/json').chat.completions.create({ ...request, stream: false })).toMatchObject(wanted);
  });
});
