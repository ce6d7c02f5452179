import { describe, expect, test } from 'bun:test';
import { OlaError } from '../../../src/core/errors.ts';
import { modelList, ownRoutes } from '../../../src/protocols/ollama/models.ts';

const route = (path: string) => ownRoutes.find((each) => each.path === path)!;
const known = {
  id: 'anthropic/claude',
  name: null,
  contextWindow: 200_000,
  maxTokens: 64_000,
  input: ['text', 'image'],
  reasoning: true,
};
const bare = { id: 'box/m', name: null, contextWindow: null, maxTokens: null };

test('the list of a server has its models by name, with their tags', () => {
  const tags = { models: [{ name: 'a:latest', model: 'a:latest' }, { name: 'old' }, { model: '' }, { name: 7 }, null] };
  expect(modelList.read(JSON.stringify(tags))).toEqual([{ id: 'a:latest' }, { id: 'old' }]);
  for (const text of ['', '[]', '{}', '{"models":{}}', '<html>']) expect(modelList.read(text)).toBeNull();
});

describe('clients are told', () => {
  test('all models that can be used, in the form of /api/tags', () => {
    const tags = route('/api/tags');
    if (tags.tells !== 'models') throw new Error('not a list');
    const { models } = JSON.parse(tags.list([known, bare])) as { readonly models: readonly object[] };
    expect(models).toMatchObject([{ name: 'anthropic/claude', model: 'anthropic/claude' }, { name: 'box/m' }]);
  });

  test('the capabilities and the length of the context of one', () => {
    const show = route('/api/show');
    if (show.tells !== 'model') throw new Error('not a model');
    expect(JSON.parse(show.one(known))).toMatchObject({
      capabilities: ['completion', 'tools', 'vision', 'thinking'],
      model_info: { 'ola.context_length': 200_000 },
    });
    expect(JSON.parse(show.one(bare))).toMatchObject({
      capabilities: ['completion', 'tools'],
      model_info: { 'general.architecture': 'ola' },
    });
    expect([show.nameOf({ model: 'a' }), show.nameOf({ name: 'b' })]).toEqual(['a', 'b']);
    expect(() => show.nameOf({ model: ' ' })).toThrow(OlaError);
  });

  test('why models are not pulled, pushed, made, copied or deleted', () => {
    const refused = ownRoutes.flatMap((each) => (each.tells === 'nothing' ? [[each.method, each.path]] : []));
    expect(refused).toEqual([
      ['POST', '/api/pull'],
      ['POST', '/api/push'],
      ['POST', '/api/create'],
      ['POST', '/api/copy'],
      ['DELETE', '/api/delete'],
    ]);
  });
});
