import { expect, test } from 'bun:test';
import { joinBytes } from '../../src/core/bytes.ts';

test('pieces become one, in their order; one alone is not copied', () => {
  const piece = Uint8Array.of(1, 2);
  expect(joinBytes([])).toEqual(new Uint8Array(0));
  expect(joinBytes([piece])).toBe(piece);
  expect(joinBytes([piece, new Uint8Array(0), Uint8Array.of(3)])).toEqual(Uint8Array.of(1, 2, 3));
});
