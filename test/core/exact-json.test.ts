import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { parseExact } from '../../src/core/exact-json.ts';

test('a number that no double holds is written back with all its digits', () => {
  for (const text of [
    '[12345678901234567890]',
    '{"a":{"b":-9007199254740993}}',
    '[0.12345678901234567891]',
    '[1234567890123456.75]',
  ])
    expect(JSON.stringify(parseExact(text))).toBe(text);
});

test('any other value is what JSON.parse makes of it', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.boolean(), (value, long) => {
      const text = JSON.stringify(long ? ['1234567890123456', value] : value);
      expect(parseExact(text)).toEqual(JSON.parse(text));
    }),
    { seed: 1 },
  );
  expect(parseExact('[9007199254740991,"12345678901234567890",1e3]')).toEqual([
    9_007_199_254_740_991,
    '12345678901234567890',
    1000,
  ]);
});

test('what is no JSON is refused', () => {
  for (const text of ['', '{', '[1234567890123456', 'x']) expect(() => parseExact(text)).toThrow(SyntaxError);
});
