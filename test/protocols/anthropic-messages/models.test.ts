import { describe, expect, test } from 'bun:test';
import { OlaError } from '../../../src/core/errors.ts';
import type { ListedModel } from '../../../src/core/protocol.ts';
import { modelList, models } from '../../../src/protocols/anthropic-messages/models.ts';

const listed = (id: string): ListedModel => ({ id, name: null, contextWindow: null, maxTokens: null });
const five = ['a', 'b', 'c', 'd', 'e'].map(listed);

interface Page {
  readonly data: readonly { readonly id: string }[];
  readonly has_more: boolean;
  readonly first_id: string | null;
  readonly last_id: string | null;
}
function page(query: string, all: readonly ListedModel[] = five) {
  const { data, has_more, first_id, last_id } = JSON.parse(models.list(all, query)) as Page;
  return [data.map(({ id }) => id).join(''), has_more, first_id, last_id];
}

describe('a page', () => {
  test.each([
    ['', ['abcde', false, 'a', 'e']],
    ['?limit=2', ['ab', true, 'a', 'b']],
    ['?limit=2&after_id=b', ['cd', true, 'c', 'd']],
    ['?limit=2&after_id=c', ['de', false, 'd', 'e']],
    ['?after_id=e', ['', false, null, null]],
    ['?limit=2&before_id=e', ['cd', true, 'c', 'd']],
    ['?limit=2&before_id=c', ['ab', false, 'a', 'b']],
    ['?before_id=a', ['', false, null, null]],
  ])('%p', (query, wanted) => expect(page(query)).toEqual(wanted as never));

  test('holds a thousand models unless it is asked for fewer', () => {
    const many = Array.from({ length: 1001 }, (_, n) => listed(`m${n}`));
    expect(page('', many).slice(1)).toEqual([true, 'm0', 'm999']);
  });

  test.each([
    ['?limit=0', 'limit'],
    ['?limit=1001', 'limit'],
    ['?limit=x', 'limit'],
    ['?after_id=z', 'after_id'],
    ['?before_id=z', 'before_id'],
    ['?before_id=a&after_id=b', 'before_id'],
  ])('%p is refused', (query, param) => {
    try {
      page(query);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(OlaError);
      expect([(error as OlaError).code, (error as OlaError).facts.param]).toEqual(['invalid_request', param]);
    }
  });
});

test('a model has what is known of it', () => {
  expect(JSON.parse(models.one({ id: 'a/b', name: 'B', contextWindow: 9, maxTokens: null }))).toEqual({
    type: 'model',
    id: 'a/b',
    display_name: 'B',
    created_at: '1970-01-01T00:00:00Z',
    max_input_tokens: 9,
    max_tokens: null,
  });
  expect(JSON.parse(models.one(listed('a/b')))).toMatchObject({ display_name: 'a/b' });
});

test('an upstream’s list is read, without rows that nobody could ask for', () => {
  const data = [
    { type: 'model', id: 'claude-x', display_name: 'X', max_input_tokens: 200_000, max_tokens: 64_000 },
    { id: 'bare', max_input_tokens: null },
    { id: '' },
    { id: 'a\nb' },
    null,
    7,
  ];
  expect(modelList.read(JSON.stringify({ data, has_more: false }))).toEqual([
    { id: 'claude-x', name: 'X', contextWindow: 200_000, maxTokens: 64_000 },
    { id: 'bare' },
  ]);
  for (const none of ['', 'null', '[]', '{}', '{"data":{}}', '<html>']) expect(modelList.read(none)).toBeNull();
});
