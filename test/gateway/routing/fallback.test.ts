import { describe, expect, test } from 'bun:test';
import { fallbackNames, fallbackOf, type PlannedModel } from '../../../src/gateway/routing/fallback.ts';

const canonicalId = (id: string) => ({ 'z.ai': 'zai' })[id.toLowerCase()] ?? id.toLowerCase();
const planned = (rest: Partial<PlannedModel> = {}): PlannedModel => ({
  name: 'glm-5',
  provider: 'zai',
  model: 'glm-5',
  operation: 'chat',
  ...rest,
});
const named = (order: Record<string, string[]>, rest: Partial<PlannedModel> = {}) =>
  fallbackNames(planned(rest), fallbackOf({ providerFallback: { order } }, canonicalId));

describe('the fallbacks of a model', () => {
  const rows: readonly (readonly [string, Record<string, string[]>, string[]])[] = [
    ['there are none', {}, []],
    ['operation and model come first', { zai: ['a'], 'zai/glm-5': ['b'], 'chat:zai': ['c'], 'chat:zai/glm-5': ['d'] }, ['d']],
    ['then operation and provider', { zai: ['a'], 'zai/glm-5': ['b'], 'chat:zai': ['c'] }, ['c']],
    ['then the model', { zai: ['a'], 'zai/glm-5': ['b'], 'embeddings:zai/glm-5': ['x'] }, ['b']],
    ['then the provider', { 'glm-5': ['n'], zai: ['a'] }, ['a']],
    ['then the name as it was written', { 'glm-5': ['n'] }, ['n']],
    ['an alias of the provider will do', { 'Z.ai/glm-5': ['b'] }, ['b']],
    ['an alias behind an operation will do', { 'chat:z.ai': ['c'] }, ['c']],
    ['a key with nothing behind it ends the search', { 'zai/glm-5': [], zai: ['a'] }, []],
  ];
  test.each(rows)('%s', (_, order, names) => expect(named(order)).toEqual(names));

  test('are for chats and embeddings alone', () => {
    const order = { zai: ['a'] };
    expect(named(order, { operation: 'embeddings' })).toEqual(['a']);
    expect(named(order, { operation: 'other' })).toEqual([]);
  });

  test('are none when they are switched off', () => {
    const off = fallbackOf({ providerFallback: { enabled: false, order: { zai: ['a'] } } }, canonicalId);
    expect(fallbackNames(planned(), off)).toEqual([]);
  });

  test('have six attempts and every fault of an upstream, unless the configuration says otherwise', () => {
    expect(fallbackOf({}, canonicalId)).toMatchObject({ mostAttempts: 6, retryStatuses: null });
    const set = fallbackOf({ providerFallback: { maxAttempts: 2, retryStatusCodes: [429, 503] } }, canonicalId);
    expect(set).toMatchObject({ mostAttempts: 2, retryStatuses: new Set([429, 503]) });
  });
});
