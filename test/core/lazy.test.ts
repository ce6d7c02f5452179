import { expect, test } from 'bun:test';
import { lazy } from '../../src/core/lazy.ts';

test('a value is made at the first question, once, also when it is undefined', () => {
  let made = 0;
  const value = lazy(() => void made++);
  expect(made).toBe(0);
  expect([value(), value(), made]).toEqual([undefined, undefined, 1]);
});

test('a value that could not be made is tried again', () => {
  let tries = 0;
  const value = lazy(() => {
    if (++tries === 1) throw new Error('not yet');
    return tries;
  });
  expect(value).toThrow('not yet');
  expect([value(), value()]).toEqual([2, 2]);
});
