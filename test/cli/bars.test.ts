import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { bar, sparkline } from '../../src/cli/bars.ts';

const share = fc.double({ min: 0, max: 1, noNaN: true });

describe('a bar', () => {
  test('is as long as its share, to an eighth of a column', () => {
    expect([0, 0.5, 0.51, 1].map((part) => bar(part, 10, true))).toEqual(['', '█████', '█████▏', '██████████']);
    expect([0, 0.5, 1].map((part) => bar(part, 10, false))).toEqual(['', '#####', '##########']);
  });

  test('never disappears while there is something, and never grows over its width', () => {
    fc.assert(
      fc.property(share, fc.integer({ min: 1, max: 60 }), fc.boolean(), (part, width, unicode) => {
        const drawn = [...bar(part, width, unicode)].length;
        expect(drawn).toBeLessThanOrEqual(width);
        expect(drawn > 0).toBe(part > 0);
      }),
    );
  });

  test('in ASCII has no other character', () => {
    fc.assert(fc.property(share, (part) => expect(bar(part, 20, false)).toMatch(/^#*$/)));
    expect(sparkline([0, 1, 2, 3], 9, false)).toBe(' .:|');
  });
});

describe('a line of bars', () => {
  test('has one for each value, the largest at full height', () => {
    expect(sparkline([0, 1, 4, 8], 10, true)).toBe('▁▂▅█');
    expect(sparkline([0, 0], 10, true)).toBe('▁▁');
  });

  test('adds values up where there are more than columns', () => {
    expect(sparkline([1, 1, 1, 1, 0, 0, 1], 4, true)).toBe('██▁▅');
    fc.assert(
      fc.property(fc.array(fc.nat(9), { minLength: 1, maxLength: 400 }), fc.integer({ min: 1, max: 60 }), (values, columns) => {
        const { length } = sparkline(values, columns, true);
        expect(length).toBeGreaterThan(0);
        expect(length).toBeLessThanOrEqual(columns);
      }),
    );
  });
});
