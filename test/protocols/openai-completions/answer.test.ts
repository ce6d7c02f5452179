import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { noTokenCounts } from '../../../src/core/usage.ts';
import { readAnswer, withBase64 } from '../../../src/protocols/openai-completions/answer.ts';
import { readUsage } from '../../../src/protocols/openai-completions/usage.ts';

const shape = { list: 'choices', item: ['message', 'text'], what: 'a chat completion' };

describe('an answer', () => {
  test('gives the tokens it used, none when it says nothing', () => {
    const usage = { prompt_tokens: 19, completion_tokens: 10, completion_tokens_details: { reasoning_tokens: 4 } };
    const body = JSON.stringify({ choices: [{ message: {} }], usage });
    expect(readAnswer(body, shape)).toEqual({ body, tokens: { ...noTokenCounts, prompt: 19, completion: 10, reasoning: 4 } });
    const plain = '{"choices":[{"text":""}]}';
    expect(readAnswer(plain, shape)).toEqual({ body: plain, tokens: noTokenCounts });
  });

  test('that is no chat completion is a failure that says so and repeats nothing', () => {
    for (const text of [
      '',
      '<html>CANARY</html>',
      '{"choices":',
      'null',
      '[]',
      '"CANARY"',
      '{"choices":{}}',
      `{"choices":[${'['.repeat(300_000)}`,
    ]) {
      const failure = readAnswer(text, shape);
      expect(failure).toMatchObject({ kind: 'malformed', status: 502, message: expect.stringContaining('answered') });
      expect(JSON.stringify(failure)).not.toContain('CANARY');
    }
  });
});

describe('a failure inside an answer of status 200', () => {
  const table: readonly [text: string, status: number, kind: string][] = [
    ['{"error":{"code":429,"message":"m"}}', 429, 'rate_limit'],
    ['{"error":{"code":"503","message":"m"}}', 503, 'overloaded'],
    ['{"error":{"message":"m"},"choices":[{"message":{}}]}', 502, 'server_error'],
    ['{"error":{"message":"m","code":"context_length_exceeded"}}', 400, 'context_overflow'],
    ['{"error":{"message":"m","type":"invalid_request_error"}}', 400, 'invalid_request'],
    ['{"error":"m"}', 502, 'server_error'],
    ['{"object":"error","message":"m","code":400}', 400, 'invalid_request'],
    ['{"choices":[{"error":{"code":529,"message":"m"}}]}', 529, 'overloaded'],
    ['{"choices":[{"message":{},"finish_reason":"error"}]}', 502, 'server_error'],
    ['{"choices":[]}', 502, 'server_error'],
    ['{"choices":[null]}', 502, 'server_error'],
    ['{"choices":[{"index":0}]}', 502, 'server_error'],
  ];
  for (const [text, status, kind] of table) {
    test(text, () => expect(readAnswer(text, shape)).toMatchObject({ status, kind }));
  }

  test('is none where the error says nothing', () => {
    for (const nothing of ['null', 'false', '""', '0']) {
      expect(readAnswer(`{"error":${nothing},"choices":[{"message":{}}]}`, shape)).toHaveProperty('tokens');
    }
  });
});

describe('a stream that was not asked for', () => {
  const chunk = (delta: object, finish: string | null = null) =>
    `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
  const call = (index: number, more: object) => ({ tool_calls: [{ index, ...more }] });
  const said = [
    chunk({ role: 'assistant', content: 'He' }),
    ': ping\n\n',
    chunk({ content: 'llo', reasoning_content: 'hm' }),
    chunk(call(0, { id: 'a', type: 'function', function: { name: 'f', arguments: '{"x"' } })),
    chunk(call(1, { id: 'b', type: 'function', function: { name: 'g', arguments: '{}' } })),
    chunk(call(0, { function: { arguments: ':1}' } })),
    chunk({}, 'tool_calls'),
    'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}\n\n',
  ];

  test('becomes the one answer that it says', () => {
    const whole = readAnswer(`${said.join('')}data: [DONE]\n\n`, shape);
    if ('kind' in whole) throw new Error(whole.message ?? '');
    expect(whole.tokens).toMatchObject({ prompt: 3, completion: 4 });
    expect(JSON.parse(whole.body)).toEqual({
      id: 'c',
      object: 'chat.completion',
      created: 1,
      choices: [
        {
          index: 0,
          finish_reason: 'tool_calls',
          message: {
            role: 'assistant',
            content: 'Hello',
            reasoning_content: 'hm',
            tool_calls: [
              { id: 'a', type: 'function', function: { name: 'f', arguments: '{"x":1}' } },
              { id: 'b', type: 'function', function: { name: 'g', arguments: '{}' } },
            ],
          },
        },
      ],
      usage: { prompt_tokens: 3, completion_tokens: 4 },
    });
  });

  test('is a failure when it was cut, or tells one', () => {
    expect(readAnswer(said.slice(0, 3).join(''), shape)).toMatchObject({ kind: 'malformed' });
    expect(readAnswer(`${said[0]}data: {"error":{"code":429}}\n\n`, shape)).toMatchObject({ status: 429 });
  });
});

test('embeddings that came as numbers where base64 was asked for are little-endian floats', () => {
  const body = '{"data":[{"index":0,"embedding":[1,-0.5]},{"index":1,"embedding":"AACAPw=="}]}';
  const { data } = JSON.parse(withBase64({ body, tokens: noTokenCounts }).body) as { data: { embedding: string }[] };
  expect([...new Float32Array(Uint8Array.from(Buffer.from(data[0]!.embedding, 'base64')).buffer)]).toEqual([1, -0.5]);
  expect(data[1]!.embedding).toBe('AACAPw==');
});

describe('usage', () => {
  test('has cached tokens wherever a vendor puts them', () => {
    const places = [
      { prompt_tokens_details: { cached_tokens: 8 } },
      { prompt_cache_hit_tokens: 8 },
      { cached_tokens: 8 },
      { prompt_tokens_details: { cached_tokens: 8 }, prompt_cache_hit_tokens: 9, cached_tokens: 10 },
    ];
    for (const usage of places) expect(readUsage(usage).cacheRead).toBe(8);
    expect(readUsage({ prompt_tokens_details: { cache_write_tokens: 3 } }).cacheWrite).toBe(3);
  });

  test('keeps zero apart from unknown', () => {
    expect(readUsage({ prompt_tokens: 0 })).toEqual({ ...noTokenCounts, prompt: 0 });
  });

  test('is a whole number of tokens or nothing', () => {
    for (const odd of [-1, 1.5, '7', null, true, {}, Number.NaN, Number.POSITIVE_INFINITY, 1e300]) {
      expect(readUsage({ prompt_tokens: odd, completion_tokens: odd })).toEqual(noTokenCounts);
    }
    fc.assert(fc.property(fc.jsonValue(), (value) => expect(Object.keys(readUsage(value))).toHaveLength(5)));
  });
});
