import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { itemsOf, mapItems, mapMember } from '../../src/core/json-text.ts';

const texts = fc.json({ maxDepth: 3 });
const spaced = fc.array(fc.oneof(fc.json({ maxDepth: 3 }), fc.constantFrom('"a,b]"', '{"x":[1, 2]}', '-1.5e3', 'null')), {
  maxLength: 5,
});
const arrayOf = (items: readonly string[]) => `[ ${items.join(' ,\n')} ]`;

describe('the items of an array', () => {
  test('are found whatever they hold', () => {
    fc.assert(
      fc.property(spaced, (items) => {
        const text = arrayOf(items);
        expect(itemsOf(text).map(({ start, end }) => text.slice(start, end))).toEqual(items);
        expect(mapItems(text, (item) => item)).toBe(text);
      }),
    );
  });

  test('are taken out, and the others keep their text and stay an array', () => {
    fc.assert(
      fc.property(spaced, fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }), (items, keep) => {
        let at = 0;
        const text = mapItems(arrayOf(items), (item) => (keep[at++] ? item : null));
        const kept = items.filter((_, index) => keep[index]);
        expect(JSON.parse(text)).toEqual(JSON.parse(`[${kept.join()}]`));
        expect(itemsOf(text).map(({ start, end }) => text.slice(start, end))).toEqual(kept);
      }),
    );
  });
});

describe('a member of an object', () => {
  test('is replaced or taken out, also twice and with an escaped name, and nothing else changes', () => {
    const text = '{ "a" : 1.0 , "b":[ 2 ],"\\u0061": {"a":3} , "c":4}';
    expect(mapMember(text, 'a', () => '9')).toBe('{ "a" : 9 , "b":[ 2 ],"\\u0061": 9 , "c":4}');
    expect(mapMember(text, 'a', () => null)).toBe('{ "b":[ 2 ] , "c":4}');
    expect(mapMember(text, 'c', () => null)).toBe('{ "a" : 1.0 , "b":[ 2 ],"\\u0061": {"a":3}}');
    expect(mapMember(text, 'd', () => null)).toBe(text);
    expect(mapMember('{ }', 'a', () => null)).toBe('{ }');
    expect(mapMember('{"a":1}', 'a', () => null)).toBe('{}');
  });

  test('keeps any other member', () => {
    fc.assert(
      fc.property(texts, texts, (one, other) => {
        const text = `{"one": ${one} , "cut": ${other},"two":${other}}`;
        expect(JSON.parse(mapMember(text, 'cut', () => null))).toEqual({ one: JSON.parse(one), two: JSON.parse(other) } as never);
      }),
    );
  });
});
