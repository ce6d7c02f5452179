import { describe, expect, test } from 'bun:test';
import { OlaError } from '../../../src/core/errors.ts';
import { compileCheck } from '../../../src/core/schema.ts';
import { clientRoutes } from '../../../src/protocols/openai-responses/routes.ts';
import type { Fields } from './fixtures.ts';

const [create] = clientRoutes;
const bodyOf = (fields: Fields) => ({ text: JSON.stringify(fields), fields });

describe('a request for a response', () => {
  test('tells its model, whether it streams, and its longest answer', () => {
    const peek = (fields: Fields) => create!.peek(bodyOf(fields), {});
    expect(peek({ model: 'a/b', stream: true, max_output_tokens: 9 })).toEqual({ model: 'a/b', stream: true, maxTokens: 9 });
    expect(peek({ input: 'a', max_output_tokens: null })).toEqual({ model: null, stream: false, maxTokens: null });
  });

  test('may have its input from elsewhere, and any field and item', () => {
    const check = compileCheck(create!.schema!);
    for (const fields of [{}, { input: 'a' }, { input: [{ type: 'future' }], future: 1 }, { model: null, input: null }])
      check(fields);
    for (const fields of [{ input: 7 }, { input: ['a'] }, { model: 7 }, { stream: 'yes' }]) expect(() => check(fields)).toThrow();
  });

  test('says a name that ola reads once, in one spelling', () => {
    for (const text of ['{"model":"a","model":"b"}', '{"model":"a","Model":"b"}', '{"input":"a","mod\\u0065l":"a","model":"b"}'])
      expect(() => create!.peek({ text, fields: JSON.parse(text) as Fields }, {})).toThrow(OlaError);
  });

  test('cline#10781: of chats is sent to the route of chats', () => {
    expect(() => create!.refuseForeign?.({ messages: [] })).toThrow('/v1/chat/completions');
    create!.refuseForeign?.({ input: 'a', messages: [] });
  });

  test('belongs to its conversation while that grows', () => {
    const of = (fields: Fields) => create!.conversation!(bodyOf(fields));
    const first = [
      { role: 'developer', content: 'D' },
      { role: 'user', content: 'Q' },
    ];
    const later = [...first, { role: 'assistant', content: 'A' }, { role: 'user', content: 'More' }];
    expect(of({ instructions: 'I', input: later })).toBe(of({ instructions: 'I', input: first }));
    expect(of({ instructions: 'J', input: first })).not.toBe(of({ instructions: 'I', input: first }));
    expect(of({ prompt_cache_key: 'k', input: 'a' })).toBe(of({ prompt_cache_key: 'k', input: 'b' }));
    expect(of({})).toBeNull();
  });
});
