import { describe, expect, test } from 'bun:test';
import type { CatalogModel } from '../../../src/core/providers.ts';
import { mergeModels, priceOver } from '../../../src/gateway/routing/configured-models.ts';

const tiers = [{ above: 200_000, input: 4_000_000, output: 20_000_000 }];
const listed: CatalogModel = {
  id: 'large',
  contextWindow: 200_000,
  maxTokens: 32_000,
  price: { input: 2_000_000, output: 10_000_000, cacheRead: 200_000, tiers },
  input: ['text'],
  reasoning: false,
};

describe('the models of a provider', () => {
  test('are the catalog’s when none is configured', () => {
    const models = [listed];
    expect(mergeModels(models, [])).toBe(models);
  });

  test('have each configured field in place of the catalog’s, and the others as they were', () => {
    const configured = { id: 'large', name: 'Large', maxTokens: 64_000, input: ['text', 'image'], reasoning: true };
    expect(mergeModels([listed], [configured])).toEqual([{ ...listed, ...configured }]);
  });

  test('keep the tiers when no cost is configured, and lose them when one is', () => {
    expect(mergeModels([listed], [{ id: 'large' }])).toEqual([listed]);
    const [model] = mergeModels([listed], [{ id: 'large', cost: { input: 1 } }]);
    expect(model?.price).toEqual({ input: 1_000_000, output: 10_000_000, cacheRead: 200_000 });
  });

  test('that are configured alone have what is configured', () => {
    const models = mergeModels([listed], [{ id: 'own', cost: { input: 0.1, output: 0.2, cacheRead: 0, cacheWrite: 0.3 } }]);
    expect(models).toEqual([
      listed,
      { id: 'own', price: { input: 100_000, output: 200_000, cacheRead: 0, cacheWrite: 300_000 } },
    ]);
  });
});

test('a price is unknown while one half of it is', () => {
  expect(priceOver(undefined, { input: 1 })).toBeNull();
  expect(priceOver(undefined, { output: 1, cacheRead: 1 })).toBeNull();
  expect(priceOver(undefined, { input: 0, output: 0 })).toEqual({ input: 0, output: 0 });
  expect(priceOver(listed.price, {})).toEqual({ input: 2_000_000, output: 10_000_000, cacheRead: 200_000 });
});
