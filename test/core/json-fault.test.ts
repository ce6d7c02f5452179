import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { findJsonFault } from '../../src/core/json-fault.ts';

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('the place where a text stops being JSON', () => {
  const table: readonly [text: string, line: number, column: number, expected: string, found: string][] = [
    ['{"a": 1,}', 1, 9, 'a name in double quotes', "'}'"],
    ['[1, 2,]', 1, 7, 'a value', "']'"],
    ["{'a': 1}", 1, 2, 'a name in double quotes or a closing brace', 'a single quote'],
    ['{a: 1}', 1, 2, 'a name in double quotes or a closing brace', 'a letter'],
    ['{\n  "a": 1\n  "b": 2\n}', 3, 3, 'a comma or a closing brace', 'a double quote'],
    ['{"a" 1}', 1, 6, 'a colon', 'a digit'],
    ['{"a": }', 1, 7, 'a value', "'}'"],
    ['{"a": NaN}', 1, 7, 'a value', 'a letter'],
    ['{"a": 01}', 1, 8, 'a comma or a closing brace', 'a digit'],
    ['{"a": -}', 1, 7, 'a value', 'a character of another kind'],
    ['{"a": 1} x', 1, 10, 'the end of the body', 'a letter'],
    ['{}{}', 1, 3, 'the end of the body', "'{'"],
    ['// x\n{}', 1, 1, 'a value', 'a comment'],
    ['{"a": "one\ntwo"}', 1, 11, 'the rest of a string', 'a line break'],
    ['{"a": "\\x"}', 1, 8, 'the rest of a string', 'a backslash that begins no escape sequence'],
    ['{"a": "cut', 1, 11, 'the rest of a string', 'the end of the body'],
    ['{"messages": [', 1, 15, 'a value or a closing bracket', 'the end of the body'],
    ['\r\n[1,\r\n  }', 3, 3, 'a value', "'}'"],
    ['[}', 1, 2, 'a value or a closing bracket', "'}'"],
    ['  ', 1, 3, 'a value', 'the end of the body'],
  ];
  for (const [text, line, column, expected, found] of table) {
    test(`is named with what was expected and found: ${JSON.stringify(text)}`, () => {
      expect(findJsonFault(text)).toEqual({ line, column, expected, found });
    });
  }

  test('is there exactly when the parser refuses the text', () => {
    const broken = fc
      .tuple(fc.json(), fc.nat(), fc.constantFrom('', ',', '"', '}', ']', 'x', '0', '\\', '\u0001', ':', ' '))
      .map(
        ([text, at, piece]) => text.slice(0, at % (text.length + 1)) + piece + text.slice((at % (text.length + 1)) + (at % 2)),
      );
    fc.assert(
      fc.property(fc.oneof(fc.json(), broken, fc.string()), (text) => {
        expect([text, findJsonFault(text) === null]).toEqual([text, parses(text)]);
      }),
      { numRuns: 2000 },
    );
  });

  test('repeats nothing of the text, and any depth and length of it is read', () => {
    const secret = 'sk-CANARY';
    for (const text of [`{"key": ${secret}}`, `{"key": "${secret}`, `{${secret}: 1}`, `["${secret}" "${secret}"]`]) {
      expect(JSON.stringify(findJsonFault(text))).not.toContain('CANARY');
    }
    expect(findJsonFault('['.repeat(200_000))).toMatchObject({ column: 200_001, found: 'the end of the body' });
    expect(findJsonFault(`["${'x'.repeat(4_000_000)}`)).toMatchObject({ column: 4_000_003 });
    expect(findJsonFault(`["${'\\n'.repeat(1_000_000)}"`)).toMatchObject({ expected: 'a comma or a closing bracket' });
  });
});
