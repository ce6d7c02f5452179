import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { noTokenCounts } from '../../../src/core/usage.ts';
import { readAnswer } from '../../../src/protocols/openai-completions/answer.ts';
import { readUsage } from '../../../src/protocols/openai-completions/usage.ts';

const shape = { list: 'choices', what: 'a chat completion' };

describe('an answer', () => {
  test('gives the tokens it used, none when it says nothing', () => {
    const usage = { prompt_tokens: 19, completion_tokens: 10, completion_tokens_details: { reasoning_tokens: 4 } };
    const body = JSON.stringify({ choices: [], usage });
    expect(readAnswer(body, shape)).toEqual({ body, tokens: { ...noTokenCounts, prompt: 19, completion: 10, reasoning: 4 } });
    expect(readAnswer('{"choices":[{}]}', shape)).toEqual({ body: '{"choices":[{}]}', tokens: noTokenCounts });
  });

  test('that is no chat completion is a failure that says so and repeats nothing', () => {
    for (const text of [
      '',
      '<html>CANARY</html>',
      '{"choices":',
      'null',
      '[]',
      '"CANARY"',
      '{"error":"CANARY"}',
      '{"choices":{}}',
      `{"choices":[${'['.repeat(300_000)}`,
    ]) {
      const failure = readAnswer(text, shape);
      expect(failure).toMatchObject({ kind: 'malformed', status: 502, message: expect.stringContaining('answered') });
      expect(JSON.stringify(failure)).not.toContain('CANARY');
    }
  });
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
