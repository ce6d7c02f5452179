import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { Json } from '../../src/core/json.ts';
import { editJsonc, parseJsonc } from '../../src/core/jsonc.ts';

const refusal = (words: string) => expect.objectContaining({ code: 'invalid_json', message: expect.stringContaining(words) });

describe('JSON that a person has written', () => {
  test('is read as JSON is, keys of any name included', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(parseJsonc(text)).toEqual(JSON.parse(text));
      }),
    );
    const read = parseJsonc('{"__proto__": {"a": 1}}');
    expect(Object.keys(read as object)).toEqual(['__proto__']);
  });

  test('may have comments, commas too many and a byte order mark', () => {
    const text = '\u{FEFF}{\n  // why\n  "a": [1, 2,], /* and */ "b": "http://x//y",\n}\n';
    expect(parseJsonc(text)).toEqual({ a: [1, 2], b: 'http://x//y' });
  });

  test('that is none is refused with its place, and without its text', () => {
    expect(() => parseJsonc('{\n  "a": CANARY\n}')).toThrow(refusal('line 2, column 8'));
    expect(() => parseJsonc('{\n  "a": CANARY\n}')).not.toThrow('CANARY');
    expect(() => parseJsonc(' ')).toThrow(refusal('line 1'));
    expect(() => parseJsonc('['.repeat(300_000))).toThrow(refusal('too deeply'));
  });

  test('is refused in words, not in the names of the parser', () => {
    for (const [text, words] of [
      ['{"a": 1 "b": 2}', 'a comma is missing at line 1, column 9'],
      ['{"a": yes}', 'an unknown word (texts need quotes)'],
      ['{"a" 1}', 'a colon is missing'],
      ['{"a": 1', 'a closing brace } is missing'],
      ['[1', 'a closing bracket ] is missing'],
      ['{"a": "b', 'the closing quote of a text is missing'],
      ['{} 1', 'more text after the end'],
    ] as const) {
      expect(() => parseJsonc(text)).toThrow(refusal(words));
    }
  });

  test('that has a key twice is refused: an edit would change the one that is not in force', () => {
    expect(() => parseJsonc('{"a": {"b": 1, "c": 2, "b": 3}}')).toThrow(refusal('"b" is twice'));
    expect(parseJsonc('{"a": {"b": 1}, "c": {"b": 1}}')).toEqual({ a: { b: 1 }, c: { b: 1 } });
  });

  test('keeps its comments and its layout when one value is set or taken out', () => {
    const text = '{\n  // the model\n  "defaultModel": "a/b", // as agreed\n  "usage": {"retentionDays": 3}\n}\n';
    const edited = editJsonc(text, ['defaultModel'], 'a/c');
    expect(edited).toBe(text.replace('a/b', 'a/c'));
    expect(editJsonc(edited, ['usage', 'retentionDays'], undefined)).toContain('// the model');
    fc.assert(
      fc.property(fc.constantFrom('defaultModel', 'usage', 'new'), fc.jsonValue(), (key, value) => {
        const next = parseJsonc(editJsonc(text, [key], value as Json));
        expect(next).toEqual({ ...(parseJsonc(text) as object), [key]: JSON.parse(JSON.stringify(value)) });
      }),
    );
  });
});
