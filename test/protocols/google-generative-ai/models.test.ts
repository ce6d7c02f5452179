import { describe, expect, test } from 'bun:test';
import { modelList, models } from '../../../src/protocols/google-generative-ai/models.ts';
import { refusalOf } from './conversations.ts';

describe('the list of an upstream', () => {
  test('has ids without their collection, and sizes', () => {
    const rows = [
      { name: 'models/gemini-x', displayName: 'Gemini X', inputTokenLimit: 10, outputTokenLimit: 5 },
      { name: 'publishers/google/models/gemini-y' },
      { name: 'models/bad\nname' },
      { displayName: 'nameless' },
      null,
    ];
    expect(modelList.read(JSON.stringify({ models: rows }))).toEqual([
      { id: 'gemini-x', name: 'Gemini X', contextWindow: 10, maxTokens: 5 },
      { id: 'gemini-y' },
    ]);
  });

  test('that is none is null', () => {
    for (const text of ['', '[]', '{}', '{"models":7}', 'null']) expect(modelList.read(text)).toBeNull();
  });
});

describe('the list for a client', () => {
  const all = ['a/1', 'a/2', 'b/3'].map((id) => ({ id, name: null, contextWindow: 8, maxTokens: null }));
  const page = (query: string) => JSON.parse(models.list(all, query)) as { models: { name: string }[]; nextPageToken?: string };

  test('has the names by which they are asked for', () => {
    expect(page('').models[0]).toMatchObject({ name: 'models/a/1', displayName: 'a/1', inputTokenLimit: 8 });
    expect(page('').nextPageToken).toBeUndefined();
    expect(JSON.parse(models.one(all[2]!))).toMatchObject({ name: 'models/b/3' });
  });

  test('comes in pages, each of which names the next', () => {
    const first = page('?pageSize=2');
    expect([first.models.length, first.nextPageToken]).toEqual([2, '2']);
    const second = page(`?pageSize=2&pageToken=${first.nextPageToken}`);
    expect([second.models.map(({ name }) => name), second.nextPageToken]).toEqual([['models/b/3'], undefined]);
  });

  test('refuses a page that is none', () => {
    expect(refusalOf(() => page('?pageToken=x')).facts.param).toBe('pageToken');
  });
});
