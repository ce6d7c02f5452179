import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { didYouMean, nearestNames } from '../../src/core/nearest.ts';

describe('the names that a text may have meant', () => {
  const names = ['baseUrl', 'apiKey', 'llama-3', 'llama-3.1', 'local', 'scopes', 'm1'];

  test('are those a few letters away, in any case, the nearest first and no more than asked for', () => {
    expect(nearestNames('baseURL', names, 3)).toEqual(['baseUrl']);
    expect(nearestNames('lokal', names, 3)).toEqual(['local']);
    expect(nearestNames('scope', names, 3)).toEqual(['scopes']);
    expect(nearestNames('llama-3.', names, 3)).toEqual(['llama-3', 'llama-3.1']);
    expect(nearestNames('llama-3.', names, 1)).toEqual(['llama-3']);
  });

  test('are none for what is like nothing, is known, is empty or is very long', () => {
    for (const text of ['zzzzzz', 'local', '', 'ab', 'x'.repeat(100_000), `local${'x'.repeat(200)}`]) {
      expect(nearestNames(text, names, 3)).toEqual([]);
    }
  });

  test('differ in as many letters as it takes to turn one into the other', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(letters, letters, fc.integer({ min: 0, max: 8 }), (text, name, allowed) => {
        fc.pre(text !== name);
        const letters = steps(text, name);
        const isNear = letters <= allowed && letters < text.length;
        expect(nearestNames(text, [name], 1, allowed)).toEqual(isNear ? [name] : []);
      }),
      { numRuns: 500 },
    );
  });

  test('are asked about in one question', () => {
    expect(didYouMean(['a', 'b'])).toBe(" Did you mean 'a' or 'b'?");
    expect(didYouMean([])).toBe('');
  });
});

/** The distance by its definition. */
function steps(a: string, b: string): number {
  if (a === '' || b === '') return a.length + b.length;
  if (a[0] === b[0]) return steps(a.slice(1), b.slice(1));
  return 1 + Math.min(steps(a.slice(1), b), steps(a, b.slice(1)), steps(a.slice(1), b.slice(1)));
}
