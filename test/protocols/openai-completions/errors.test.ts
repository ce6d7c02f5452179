import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { FailureKind } from '../../../src/core/protocol.ts';
import { readFailure } from '../../../src/protocols/openai-completions/errors.ts';

const read = (status: number, body: string) => readFailure(status, () => null, body);

const body = (message: string, code: string | null = null, type = 'invalid_request_error') =>
  JSON.stringify({ error: { message, type, param: null, code } });

describe('a status without a body means', () => {
  const table: readonly [status: number, kind: FailureKind][] = [
    [400, 'invalid_request'],
    [401, 'auth'],
    [402, 'billing'],
    [403, 'auth'],
    [404, 'invalid_request'],
    [405, 'invalid_request'],
    [408, 'timeout'],
    [409, 'overloaded'],
    [413, 'context_overflow'],
    [422, 'invalid_request'],
    [424, 'invalid_request'],
    [429, 'rate_limit'],
    [500, 'server_error'],
    [501, 'server_error'],
    [502, 'server_error'],
    [503, 'overloaded'],
    [504, 'timeout'],
    [520, 'server_error'],
    [529, 'overloaded'],
  ];
  for (const [status, kind] of table) {
    test(`${status}: ${kind}`, () => {
      for (const text of ['', '<html>', '{}', 'null', '[]', '{"error":{}}']) expect(read(status, text).kind).toBe(kind);
    });
  }
});

describe('an account without credit is known by words, whatever the status', () => {
  const rows: readonly (readonly [status: number, message: string, code: string | null])[] = [
    [429, 'You exceeded your current quota, please check your plan and billing details.', 'insufficient_quota'],
    [429, 'slow down', 'billing_hard_limit_reached'],
    [400, 'Your credit balance is too low to access the API.', null],
    [403, 'Insufficient balance', null],
    [429, 'no credits left', null],
    [429, 'blocked', 'enforced_spend_limit_reached'],
  ];
  test.each(rows)('%d %s', (status, message, code) => expect(read(status, body(message, code)).kind).toBe('billing'));

  test('a limit that speaks of tokens is none of it', () => {
    expect(read(429, body('Rate limit reached for requests', 'rate_limit_exceeded')).kind).toBe('rate_limit');
    expect(read(400, body('max_tokens must be at least 1')).kind).toBe('invalid_request');
  });
});

describe('an account that may not use a model is known by words', () => {
  const rows: readonly (readonly [status: number, message: string])[] = [
    [403, 'Project `p` does not have access to model `gpt-9`.'],
    [404, 'Your organization does not have access to the model gpt-9'],
    [403, 'You are not authorized to access this model'],
    [400, "The 'gpt-9' model is not supported when using Codex with a ChatGPT account."],
  ];
  test.each(rows)('%d %s', (status, message) => expect(read(status, body(message)).kind).toBe('entitlement'));

  test('a model that may not exist is the client’s mistake', () => {
    const message = 'The model `gpt-9` does not exist or you do not have access to it.';
    expect(read(404, body(message, 'model_not_found')).kind).toBe('invalid_request');
  });
});

describe('a prompt that is too long is known by its phrase', () => {
  const phrases = [
    "This model's maximum context length is 128000 tokens. However, your messages resulted in 130000 tokens.",
    'Please reduce the length of the messages or completion.',
    'prompt is too long: 213462 tokens > 200000 maximum',
    'Input exceeds the context window of this model',
    'Prompt exceeds max length',
    'The context window exceeded',
    'This model’s maximum prompt length is 131072',
    "Input is longer than the model's context length",
    'the request exceeds the available context size',
    'prompt tokens greater than the context length',
    'Your request exceeded model token limit: 262144',
    'Prompt contains 70000 tokens, too large for model with 65536 maximum context length',
    'Range of input length should be [1, 98304]',
    'too many tokens in the request',
    'Token limit exceeded',
  ];
  for (const phrase of phrases) {
    test(phrase.slice(0, 50), () => {
      expect(read(400, body(phrase)).kind).toBe('context_overflow');
      expect(read(422, body(phrase.toUpperCase())).kind).toBe('context_overflow');
    });
  }

  test('or by its code', () => {
    expect(read(400, body('no', 'context_length_exceeded')).kind).toBe('context_overflow');
  });

  test('and not taken from the words of a rate limit or a failing server', () => {
    expect(read(429, body('too many tokens per minute')).kind).toBe('rate_limit');
    expect(read(500, body('context window exceeded')).kind).toBe('server_error');
    expect(read(401, body('too many tokens')).kind).toBe('auth');
  });

  test('and not taken for one in other words', () => {
    for (const text of ['The model `gpt-9` does not exist', 'max_tokens is too large', "Unknown parameter: 'contextt'"]) {
      expect(read(400, body(text)).kind).toBe('invalid_request');
    }
  });
});

describe('an error code', () => {
  test('tells a used-up quota from a rate limit', () => {
    expect(read(429, body('You exceeded your current quota', 'insufficient_quota')).kind).toBe('billing');
    expect(read(429, body('x', null, 'insufficient_quota')).kind).toBe('billing');
    expect(read(429, body('x', 'billing_hard_limit_reached')).kind).toBe('billing');
    expect(read(429, body('Rate limit reached', 'rate_limit_exceeded')).kind).toBe('rate_limit');
  });

  test('tells a content filter', () => {
    expect(read(400, body('x', 'content_filter')).kind).toBe('content_filter');
    expect(read(400, body('x', 'content_policy_violation')).kind).toBe('content_filter');
    expect(read(500, body('x', 'content_filter')).kind).toBe('server_error');
  });
});

describe('what is taken over', () => {
  test('message, param and code of the error object; a type is no code', () => {
    const text = '{"error":{"message":"m","type":"t","param":"messages[0]","code":"c"}}';
    expect(read(400, text)).toEqual({
      kind: 'invalid_request',
      status: 400,
      message: 'm',
      param: 'messages[0]',
      code: 'c',
      retryAfterMs: null,
      body: text,
    });
    expect(read(400, '{"error":{"message":"m","type":"t","code":null}}').code).toBeNull();
  });

  test('from the shapes of other servers', () => {
    expect(read(400, '{"error":"just text"}').message).toBe('just text');
    expect(read(400, '{"object":"error","message":"vllm","type":"BadRequestError","param":null,"code":400}')).toMatchObject({
      message: 'vllm',
      code: null,
    });
  });

  test.each([
    ['[{"error":{"message":"m"}}]'],
    ['{"detail":"m"}'],
    ['{"detail":[{"loc":["body"],"msg":"m"}]}'],
    ['{"errors":[{"message":"m"}]}'],
    ['{"error":{"message":{"detail":[{"msg":"m"}]}}}'],
    ['{"object":"error","message":{"detail":[{"msg":"m"}]}}'],
    ['{"error_msg":"m"}'],
    ['{"msg":"m"}'],
    ['{"error":{"message":"{\\"error\\":{\\"message\\":\\"m\\"}}"}}'],
    ['data: {"error":{"message":"m"}}\n\n'],
    ['event: error\ndata: {"error":{"message":"m"}}\n\n'],
  ])('from any shape: %p', (text) => expect(read(422, text).message).toBe('m'));

  test('the code of an outer object where the inner one has none', () => {
    expect(read(400, '{"code":"c","error":{"message":"m"}}')).toMatchObject({ message: 'm', code: 'c' });
  });

  test('nothing of another type than text', () => {
    const text = '{"error":{"message":7,"param":7,"code":400,"type":[]}}';
    expect(read(400, text)).toMatchObject({ message: null, param: null, code: null });
    expect(read(400, '{"error":{"message":""}}').message).toBeNull();
  });

  test('nothing of a body that is no JSON', () => {
    for (const text of ['', 'Bad Gateway', '<html>secret</html>', '{"error":', '7', 'null']) {
      expect(read(502, text)).toMatchObject({
        kind: 'server_error',
        status: 502,
        message: null,
        param: null,
        code: null,
        body: null,
      });
    }
  });

  test('whatever the body is, reading it does not fail', () => {
    fc.assert(
      fc.property(fc.integer({ min: 300, max: 599 }), fc.oneof(fc.string(), fc.json()), (status, text) => {
        expect(read(status, text).status).toBe(status);
      }),
    );
  });
});
