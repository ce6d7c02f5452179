import { afterEach, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { catalogVersion } from '../../../src/catalog/models.ts';
import { noTokenCounts } from '../../../src/core/usage.ts';
import { costMicros } from '../../../src/gateway/inference/pricing.ts';
import { directories } from '../../directories.ts';
import { callOver, open, own, requestOf } from '../scene.ts';

/** $2 in, $10 out, $0.20 cached, $2.50 written to the cache, for a million tokens. */
const price = { input: 2_000_000, output: 10_000_000, cacheRead: 200_000, cacheWrite: 2_500_000 };
const used = (prompt: number | null, completion: number | null, more = {}) => ({ ...noTokenCounts, prompt, completion, ...more });

describe('what a call cost', () => {
  test('is tokens times price, in whole micro-dollars', () => {
    expect(costMicros(price, used(1_000_000, 0))).toBe(2_000_000);
    expect(costMicros(price, used(0, 1_000_000))).toBe(10_000_000);
    expect(costMicros(price, used(19, 10))).toBe(138);
    expect(costMicros({ input: 100_000, output: 0 }, used(4, 0))).toBe(0);
    expect(costMicros({ input: 100_000, output: 0 }, used(5, 0))).toBe(1);
  });

  test('charges cached tokens, which are part of the prompt, at their own price, or as input where there is none', () => {
    expect(costMicros(price, used(100, 0, { cacheRead: 40, cacheWrite: 10 }))).toBe(50 * 2 + 40 * 0.2 + 10 * 2.5);
    expect(costMicros({ input: 2_000_000, output: 0 }, used(100, 0, { cacheRead: 40, cacheWrite: 10 }))).toBe(200);
  });

  test('charges what is kept for an hour at twice the input, the rest of the cache write at its own price', () => {
    const written = (cacheWrite: number, cacheWriteHour: number) => used(100, 0, { cacheWrite, cacheWriteHour });
    expect(costMicros(price, written(40, 0))).toBe(60 * 2 + 40 * 2.5);
    expect(costMicros(price, written(40, 40))).toBe(60 * 2 + 40 * 4);
    expect(costMicros(price, written(40, 10))).toBe(60 * 2 + 30 * 2.5 + 10 * 4);
    // The hour's tokens are part of the cache write: more than that is not believed.
    expect(costMicros(price, written(40, 900))).toBe(60 * 2 + 40 * 4);
    expect(costMicros(price, used(100, 0, { cacheWriteHour: 50 }))).toBe(100 * 2);
    // A model whose cache writes have no price of their own has none for an hour either.
    expect(costMicros({ input: 2_000_000, output: 0 }, written(40, 40))).toBe(200);
  });

  test('charges an hour’s cache write by the tier of the prompt', () => {
    const tiered = { ...price, tiers: [{ above: 50, input: 4_000_000, output: 0, cacheWrite: 5_000_000 }] };
    expect(costMicros(tiered, used(100, 0, { cacheWrite: 40, cacheWriteHour: 20 }))).toBe(60 * 4 + 20 * 5 + 20 * 8);
  });

  // Sonnet's prices and the usage of answers in Anthropic's form: input, cache read and cache write apart, prompt their sum.
  const sonnet = { input: 3_000_000, output: 15_000_000, cacheRead: 300_000, cacheWrite: 3_750_000 };
  const answered = (input: number, cacheRead: number, cacheWrite: number, completion: number, cacheWriteHour = 0) =>
    used(input + cacheRead + cacheWrite, completion, { cacheRead, cacheWrite, cacheWriteHour });
  test.each<[name: string, tokens: ReturnType<typeof answered>, cost: number]>([
    ['a first turn that writes the cache', answered(4, 0, 12_304, 550), 4 * 3 + 12_304 * 3.75 + 550 * 15],
    ['a second turn that reads it', answered(6, 12_304, 0, 550), Math.round(6 * 3 + 12_304 * 0.3 + 550 * 15)],
    ['a turn that reads and writes', answered(100, 10_000, 2000, 10), 100 * 3 + 10_000 * 0.3 + 2000 * 3.75 + 10 * 15],
    ['a turn that writes for both times', answered(10, 0, 1000, 1, 600), 10 * 3 + 400 * 3.75 + 600 * 6 + 15],
    ['a turn all of whose prompt is cached', answered(0, 1_000_000, 0, 0), 300_000],
  ])('cached tokens are never charged twice: %s', (_name, tokens, cost) => {
    expect(costMicros(sonnet, tokens)).toBe(cost);
  });

  test('an upstream that counts cached tokens beyond the prompt is charged for the prompt once', () => {
    // The counts of an upstream that reports the cache beside a prompt without it.
    expect(costMicros(sonnet, used(6, 0, { cacheRead: 12_304, cacheWrite: 500 }))).toBe(Math.round(6 * 0.3));
  });

  const tiers = [
    { above: 32_000, input: 4_000_000, output: 20_000_000, cacheRead: 400_000 },
    { above: 128_000, input: 8_000_000, output: 40_000_000 },
  ];
  test.each<[prompt: number, completion: number, cacheRead: number, cost: number]>([
    [0, 10, 0, 100],
    [32_000, 10, 0, 64_100],
    [32_001, 10, 0, 128_204],
    // The answer does not count towards the threshold, cached tokens do.
    [31_999, 100_000, 0, 1_063_998],
    [32_001, 10, 32_000, 13_004],
    [128_000, 0, 0, 512_000],
    [128_001, 1, 0, 1_024_048],
    // The prices below do not fill the gaps of a tier: a cached token costs the tier's input.
    [200_000, 0, 100_000, 1_600_000],
  ])(
    'a prompt of %d tokens, an answer of %d, %d of them cached, has the tier of the prompt',
    (prompt, completion, cacheRead, cost) => {
      expect(costMicros({ ...price, tiers }, used(prompt, completion, { cacheRead }))).toBe(cost);
    },
  );

  test('is unknown, not nothing, where the price or a count is', () => {
    expect(costMicros(undefined, used(1, 1))).toBeNull();
    expect(costMicros(price, used(null, 1))).toBeNull();
    expect(costMicros(price, used(1, null))).toBeNull();
    expect(costMicros(price, used(0, 0))).toBe(0);
  });

  test('is never negative, and never more than the prompt without a cache, whatever an upstream counts', () => {
    const count = fc.option(fc.nat(2_000_000));
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.nat(1_000_000), count, count, (prompt, completion, cacheRead, cacheWrite) => {
        const cost = costMicros({ ...price, cacheWrite: price.input }, used(prompt, completion, { cacheRead, cacheWrite })) ?? -1;
        expect(cost).toBeGreaterThanOrEqual(completion * 10);
        expect(cost).toBeLessThanOrEqual(prompt * 2 + completion * 10);
      }),
    );
  });
});

describe('the usage of a call', () => {
  const directory = directories();
  const cleanups: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  /** The costs of calls to models of OpenAI, which is a server here whose prompts have 300,000 tokens. */
  async function costs(configured: readonly { readonly id: string; readonly cost?: { readonly input?: number } }[]) {
    const usage = { prompt_tokens: 300_000, completion_tokens: 1000 };
    const fetch = () => Response.json({ choices: [{ message: { content: 'hello' }, finish_reason: 'stop' }], usage });
    const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch });
    cleanups.push(() => server.stop(true));
    const scene = await open(directory());
    cleanups.push(async () => scene[Symbol.asyncDispose]());
    const baseUrl = `http://127.0.0.1:${server.port}/v1`;
    const models = configured.map(({ id, cost }) => ({ id, ...(cost === undefined ? {} : { cost }) }));
    await scene.gateway.providers.put('openai', { baseUrl, apiKey: 'key-0123456789', allowLocal: true, models }, null, own);
    for (const model of ['gpt-5.5', 'gpt-5', 'not-listed']) {
      const request = requestOf('/v1/chat/completions', {
        model: `openai/${model}`,
        messages: [{ role: 'user', content: 'hi' }],
      });
      await new Response((await scene.gateway.inference.run(callOver(), request)).body).text();
    }
    const rows = await scene.gateway.usage.recent(10);
    return Object.fromEntries(rows.map((row) => [row.model, [row.costMicros, row.priceVersion]]));
  }

  test('is priced by the catalog, a long prompt by its tier', async () => {
    expect(await costs([])).toEqual({
      'gpt-5.5': [300_000 * 10 + 1000 * 45, catalogVersion],
      'gpt-5': [300_000 * 1.25 + 1000 * 10, catalogVersion],
      'not-listed': [null, null],
    });
  });

  test('is priced by the configuration where it has a cost', async () => {
    expect(
      await costs([{ id: 'gpt-5.5', cost: { input: 1 } }, { id: 'gpt-5' }, { id: 'not-listed', cost: { input: 1 } }]),
    ).toMatchObject({
      'gpt-5.5': [300_000 * 1 + 1000 * 30, catalogVersion],
      'gpt-5': [300_000 * 1.25 + 1000 * 10, catalogVersion],
      'not-listed': [null, null],
    });
  });
});
