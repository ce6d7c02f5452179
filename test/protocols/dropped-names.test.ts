import { expect, test } from 'bun:test';
import type { CarriedFields } from '../../src/core/hub-fields.ts';
import { namesOfDropped } from '../../src/protocols/dropped-names.ts';

const fields = {
  client: {
    seed: ['seed'],
    top_k: ['topK'],
    reasoning_effort: ['effort'],
    reasoning: ['effort', 'reasoningBudget'],
    cache_control: ['cacheHint'],
    logit_bias: { dropped: 'it is tuning' },
  },
} as unknown as CarriedFields;

test('a field that the upstream is not told has the name that the client wrote', () => {
  const request = { seed: 7, top_k: 40, reasoning: { effort: 'low' } };
  expect(namesOfDropped(['seed', 'topK', 'effort'], fields, request)).toEqual(['seed', 'top_k', 'reasoning']);
});

test('one inside of a message has the first name that may hold it, and an unknown one its own', () => {
  expect(namesOfDropped(['cacheHint', 'effort', 'videoLength'], fields, { reasoning: null })).toEqual([
    'cache_control',
    'reasoning_effort',
    'videoLength',
  ]);
});
