/** The table of models out of the source's files; fetching them needs a network and is not run here. */
import { describe, expect, test } from 'bun:test';
import { slim, tableOf } from '../../scripts/catalog.ts';
import type { SourceModel } from '../../scripts/catalog-source.ts';

const model: SourceModel = {
  type: 'chat',
  id: 'large',
  contextWindow: 200_000,
  maxTokens: 32_000,
  cost: { input: 0.3, output: 1.2, cacheRead: 0.006, cacheWrite: 0 },
  input: ['text', 'image'],
  reasoning: true,
};
const chat = 'openai-completions';
const free = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };

describe('a model of the source', () => {
  test('becomes tokens and whole micro-dollars; a kind of token without a price has none', () => {
    expect(slim(model, chat)).toEqual({
      id: 'large',
      contextWindow: 200_000,
      maxTokens: 32_000,
      price: { input: 300_000, output: 1_200_000, cacheRead: 6000 },
      input: ['text', 'image'],
      reasoning: true,
    });
  });

  test('keeps its tiers, the shortest prompt first', () => {
    const tier = (inputTokensAbove: number, input: number) => ({
      inputTokensAbove,
      input,
      output: 1,
      cacheRead: 0,
      cacheWrite: 0,
    });
    expect(slim({ ...model, cost: { ...model.cost, tiers: [tier(256_000, 3), tier(32_000, 2)] } }, chat)?.price?.tiers).toEqual([
      { above: 32_000, input: 2_000_000, output: 1_000_000 },
      { above: 256_000, input: 3_000_000, output: 1_000_000 },
    ]);
  });

  test('that costs nothing has no price, unless its id says that it is free', () => {
    expect(slim({ ...model, cost: free }, chat)).not.toHaveProperty('price');
    expect(slim({ ...model, id: 'freedom', cost: free }, chat)).not.toHaveProperty('price');
    for (const id of ['a/b:free', 'beam-free'])
      expect(slim({ ...model, id, cost: free }, chat)?.price).toEqual({ input: 0, output: 0 });
  });

  test('has no answer longer than its window', () => {
    expect(slim({ ...model, maxTokens: 300_000 }, chat)?.maxTokens).toBe(200_000);
  });

  test('of Google’s protocol thinks at a level, or within a number of tokens and then with calls of the older kind', () => {
    const google = (more: Partial<SourceModel>) => slim({ ...model, ...more }, 'google-generative-ai');
    const thinkingLevelMap = { off: null, minimal: 'MINIMAL', low: null, medium: null, high: 'HIGH' };
    const newer = google({ reasoning: true, thinkingLevelMap });
    expect(newer).toMatchObject({
      thinking: 'adaptive',
      efforts: { off: null, low: null, medium: null, xhigh: null, max: null },
    });
    expect(newer).not.toHaveProperty('plainCalls');
    expect(google({ id: 'gemini-2.5-pro', reasoning: true })).toMatchObject({
      thinking: 'budget',
      thinkingBudget: { least: 128, most: 32_768 },
      efforts: { off: null },
      plainCalls: true,
    });
    expect(google({ id: 'other', reasoning: false })).not.toHaveProperty('thinking');
  });

  test('has words for levels of effort only where they are other than usual, and null for a level that it does not have', () => {
    const thinkingLevelMap = { off: 'none', minimal: null, low: 'low', high: 'default', xhigh: 'xhigh' };
    expect(slim({ ...model, thinkingLevelMap }, chat)?.efforts).toEqual({ minimal: null, high: 'default', max: null });
    expect(slim({ ...model, thinkingLevelMap: { off: null, xhigh: 'xhigh', max: 'max' } }, chat)?.efforts).toEqual({ off: null });
    expect(slim({ ...model, thinkingLevelMap: { xhigh: 'xhigh', max: 'max' } }, chat)).not.toHaveProperty('efforts');
    expect(slim({ ...model, thinkingLevelMap, reasoning: false }, chat)).not.toHaveProperty('efforts');
    expect(slim({ ...model, thinkingLevelMap }, 'bedrock-converse-stream')).not.toHaveProperty('efforts');
  });

  test('of Anthropic’s protocol says how it is asked to think and what it takes', () => {
    const messages = 'anthropic-messages';
    const compat = {
      forceAdaptiveThinking: true,
      supportsTemperature: false,
      supportsMidConvoSystemMessages: true,
      supportsStrictTools: true,
    };
    expect(slim({ ...model, compat, thinkingLevelMap: { max: 'max' } }, messages)).toMatchObject({
      thinking: 'adaptive',
      noSampling: true,
      midSystem: true,
      strictTools: true,
      efforts: { minimal: 'low', xhigh: null },
    });
    expect(slim({ ...model, compat }, chat)).toEqual(slim(model, chat));
    expect(slim(model, messages)).toEqual({ ...slim(model, chat), thinking: 'budget' } as never);
    expect(slim({ ...model, reasoning: false, compat: { supportsTemperature: true } }, messages)).not.toHaveProperty('thinking');
  });

  test('of Bedrock is described by its twin at Anthropic, or by the effort of OpenAI’s models', () => {
    const bedrock = 'bedrock-converse-stream';
    const twin = (id: string, compat: SourceModel['compat']) => ({ ...model, id, ...(compat === undefined ? {} : { compat }) });
    const adaptive = twin('claude-next-5', { forceAdaptiveThinking: true, supportsTemperature: false });
    const anthropic = { 'anthropic-messages': { a: adaptive, b: twin('claude-small-4-20250101', {}) } };
    const of = (id: string) => slim({ ...model, id, compat: { supportsStrictMode: true } }, bedrock, anthropic);
    expect(of('eu.anthropic.claude-next-5-v1:0')).toMatchObject({ thinking: 'adaptive', noSampling: true, cachePoints: true });
    expect(of('anthropic.claude-small-4-20250101-v1:0')).toMatchObject({
      thinking: 'budget',
      cachePoints: true,
      strictTools: true,
    });
    expect(of('us.anthropic.claude-gone-3')).toMatchObject({ thinking: 'budget' });
    expect(of('us-gov.openai.gpt-oss-120b-1:0')).toMatchObject({ effortField: 'reasoning_effort', efforts: { off: null } });
    expect(of('openai.gpt-9')).toMatchObject({ effortField: 'reasoning', efforts: { minimal: 'low', max: null } });
    for (const id of ['amazon.nova-pro-v1:0', 'x.claude-next-5']) {
      expect(of(id)).not.toHaveProperty('thinking');
      expect(of(id)).not.toHaveProperty('effortField');
      expect(of(id)).toHaveProperty('strictTools');
    }
  });

  test('that is no chat model is left out', () => {
    expect(slim({ ...model, type: 'classifier' }, chat)).toBeNull();
  });
});

test('the table has a line a model, by provider and id, of the catalog’s providers alone', () => {
  const of = (...ids: string[]) => Object.fromEntries(ids.map((id) => [`chat:${id}`, { ...model, id }]));
  const files = {
    openai: { 'openai-responses': of('b', 'a'), 'openai-completions': of('B') },
    moonshotai: { 'openai-completions': of('k') },
    nobody: { 'openai-completions': of('n') },
  };
  const lines = tableOf(files, ['openai', 'moonshot']).map((line) => JSON.parse(line) as { provider: string; id: string });
  expect(lines.map(({ provider, id }) => `${provider}/${id}`)).toEqual(['moonshot/k', 'openai/B', 'openai/a', 'openai/b']);
});

test('a model names its protocol where its provider serves it by no other one', () => {
  const files = {
    opencode: { 'anthropic-messages': { one: { ...model, id: 'a' } }, 'openai-completions': { two: { ...model, id: 'b' } } },
    fireworks: { 'anthropic-messages': { one: { ...model, id: 'a' } }, 'openai-completions': { two: { ...model, id: 'b' } } },
  };
  const lines = tableOf(files, ['opencode', 'fireworks']).map((line) => JSON.parse(line) as { protocols?: readonly string[] });
  expect(lines.map(({ protocols }) => protocols)).toEqual([undefined, undefined, ['anthropic-messages'], ['openai-completions']]);
});
