import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { createDistinctIds, fitToolId } from '../../src/core/tool-ids.ts';
import { digestOf } from '../../src/gateway/access/tokens.ts';

const form = { pattern: /^[a-zA-Z0-9_-]+$/, longest: 64 };
const fitted = (id: string) => fitToolId(id, form, digestOf);

test('D01: an id that fits goes unchanged, any other gets one that fits, the same each time and apart from others', () => {
  expect(fitted('functions_Bash_0')).toBe('functions_Bash_0');
  const odd = ['functions.Bash:0', 'a.b', 'a:b', 'a b', 'ü', 'x'.repeat(86), `${'x'.repeat(85)}y`];
  for (const id of odd) expect(fitted(id)).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
  expect(new Set(odd.map(fitted)).size).toBe(odd.length);
  expect(odd.map(fitted)).toEqual(odd.map(fitted));
});

test('D01: whatever the id, the result has the form that was asked for', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 100 }), (id) => form.pattern.test(fitted(id)) && fitted(id).length <= 64),
  );
});

test('each call of an answer has an id of its own, where the host repeats one or gives none', () => {
  const distinct = createDistinctIds();
  expect(['a', 'a', '', 'a_1', 'b', ''].map((id) => distinct(id, 'm1'))).toEqual([
    'a',
    'a_2',
    'call_m1_2',
    'a_1',
    'b',
    'call_m1_5',
  ]);
  expect(createDistinctIds()('', null)).toBe('call_0');
});
