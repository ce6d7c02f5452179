import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { noTokenCounts } from '../../../src/core/usage.ts';
import { costMicros } from '../../../src/gateway/inference/pricing.ts';

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
