import { describe, expect, test } from 'bun:test';
import { type ModelReference, parseModelReference, readingsOf } from '../../src/core/models.ts';

const table: readonly [text: string, ...ModelReference[]][] = [
  ['gpt-5', { provider: null, profile: null, model: 'gpt-5' }],
  ['openai/gpt-5', { provider: 'openai', profile: null, model: 'gpt-5' }],
  ['OpenAI/GPT-5', { provider: 'openai', profile: null, model: 'GPT-5' }],
  ['openrouter/meta-llama/llama-4', { provider: 'openrouter', profile: null, model: 'meta-llama/llama-4' }],
  ['openai:work/gpt-5', { provider: 'openai', profile: 'openai:work', model: 'gpt-5' }],
  ['OpenAI:Work/gpt-5', { provider: 'openai', profile: 'openai:Work', model: 'gpt-5' }],
  ['openai:openai:work/gpt-5', { provider: 'openai', profile: 'openai:work', model: 'gpt-5' }],
  ['openai:me@example.com/gpt-5', { provider: 'openai', profile: 'openai:me@example.com', model: 'gpt-5' }],
  ['llama3:8b', { provider: null, profile: null, model: 'llama3:8b' }],
  ['ollama/llama3:8b', { provider: 'ollama', profile: null, model: 'llama3:8b' }],
  ['/gpt-5', { provider: null, profile: null, model: '/gpt-5' }],
  ['openai/', { provider: 'openai', profile: null, model: '' }],
  ['', { provider: null, profile: null, model: '' }],
];

describe('a model reference', () => {
  for (const [text, expected] of table) {
    test(`reads ${JSON.stringify(text)}`, () => expect(parseModelReference(text)).toEqual(expected as ModelReference));
  }

  test('keeps a context suffix in the model, for an id may end so', () => {
    expect(parseModelReference('a/b[32k]').model).toBe('b[32k]');
  });
});

describe('the readings of a name', () => {
  test('are the name itself, then the name without a context suffix at its end', () => {
    for (const suffix of ['[1m]', '[200k]', '[1M]']) expect(readingsOf(` a/b${suffix} `)).toEqual([`a/b${suffix}`, 'a/b']);
    // Last stands the name that counts where no provider lists one of them.
    expect(readingsOf('a/b:latest')).toEqual(['a/b:latest', 'a/b', 'a/b:latest']);
    expect(readingsOf(':latest')).toEqual([':latest']);
    for (const name of ['b', 'b[1m]x', 'b[m]', 'b[1g]', 'b(1m)']) expect(readingsOf(`a/${name}`)).toEqual([`a/${name}`]);
  });
});
