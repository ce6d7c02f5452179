import { expect, test } from 'bun:test';
import { isWrapped, unwrapReasoning, wrapperPrefix, wrapReasoning } from '../../src/core/signed-reasoning.ts';

test('a signature comes back to the maker that it was wrapped for, and to no other', () => {
  const wrapped = wrapReasoning('EqQB+/=.x', 'abc');
  expect(wrapped.startsWith(wrapperPrefix)).toBe(true);
  expect(isWrapped(wrapped)).toBe(true);
  expect(unwrapReasoning(wrapped, 'abc')).toBe('EqQB+/=.x');
  for (const maker of ['ab', 'abcd', 'xyz', '']) expect(unwrapReasoning(wrapped, maker)).toBeNull();
});

test('reasoning without a signature is wrapped too, so that its maker is known', () => {
  expect(unwrapReasoning(wrapReasoning('', 'abc'), 'abc')).toBe('');
});

test('a signature that is not wrapped is nobody’s', () => {
  expect(isWrapped('EqQB')).toBe(false);
  expect(unwrapReasoning('EqQB', 'abc')).toBeNull();
});
