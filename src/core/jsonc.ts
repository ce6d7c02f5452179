/** JSON with comments and trailing commas, the form of configuration files: parsed, and edited in place. */
import { applyEdits, type JSONPath, modify, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import { OlaError } from './errors.ts';
import type { Json } from './json.ts';

/** What the parser's names for an error mean. */
const faults: { readonly [name in ReturnType<typeof printParseErrorCode>]?: string } = {
  InvalidSymbol: 'an unknown word (texts need quotes)',
  InvalidNumberFormat: 'a number that cannot be read',
  PropertyNameExpected: 'the name of a member is missing (names need quotes)',
  ValueExpected: 'a value is missing',
  ColonExpected: 'a colon is missing',
  CommaExpected: 'a comma is missing',
  CloseBraceExpected: 'a closing brace } is missing',
  CloseBracketExpected: 'a closing bracket ] is missing',
  EndOfFileExpected: 'more text after the end of the JSON',
  InvalidCommentToken: 'a comment that cannot be read',
  UnexpectedEndOfComment: 'the end of a comment is missing',
  UnexpectedEndOfString: 'the closing quote of a text is missing',
  UnexpectedEndOfNumber: 'the end of a number is missing',
  InvalidUnicode: 'an escape \\u without four hexadecimal digits',
  InvalidEscapeCharacter: 'a backslash before a character that it cannot escape',
  InvalidCharacter: 'a control character in a text',
};

const syntax = { allowTrailingComma: true, disallowComments: false } as const;

/** @throws OlaError `invalid_json` with line and column, never with the text */
export function parseJsonc(text: string): Json {
  try {
    return parse(text);
  } catch (cause) {
    // The parser calls itself once per level of nesting, so very deep text overflows the stack.
    if (cause instanceof RangeError) throw new OlaError('invalid_json', 'The JSON is nested too deeply to be read.', { cause });
    throw cause;
  }
}

function parse(text: string): Json {
  const errors: ParseError[] = [];
  // Some editors write a byte order mark.
  const clean = text.startsWith('\u{FEFF}') ? text.slice(1) : text;
  const tree = parseTree(clean, errors, syntax);
  const [error] = errors;
  if (error !== undefined || tree === undefined) {
    const before = clean.slice(0, error?.offset ?? 0).split('\n');
    const where = `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
    const what = error === undefined ? 'the text is empty' : (faults[printParseErrorCode(error.error)] ?? 'this cannot be read');
    throw new OlaError('invalid_json', `The text is not valid JSON (comments are allowed): ${what} at ${where}.`);
  }
  return toJson(tree);
}

/** Makes every key an own property. The parser's own function would turn `__proto__` into the prototype, which no check reads. */
function toJson({ type, value, children = [] }: Node): Json {
  if (type === 'array') return children.map(toJson);
  // The remaining values are strings, numbers, booleans and null.
  if (type !== 'object') return value as Json;
  const members = new Map<string, Json>();
  for (const { children: [key, member] = [] } of children) {
    const name = String(key?.value);
    // Of two equal keys some readers take the first and some the last, so an edit could change the one that is not used.
    if (members.has(name))
      throw new OlaError(
        'invalid_json',
        `The key ${JSON.stringify(name.slice(0, 100))} is twice in one object. Remove one of the two.`,
      );
    members.set(name, member === undefined ? null : toJson(member));
  }
  return Object.fromEntries(members);
}

/** Sets one value in the text, or removes it (undefined). Comments and layout elsewhere stay. */
export function editJsonc(text: string, path: readonly (string | number)[], value: Json | undefined): string {
  const edits = modify(text, [...path] as JSONPath, value, {
    formattingOptions: { insertSpaces: true, tabSize: 2, eol: text.includes('\r\n') ? '\r\n' : '\n' },
  });
  return applyEdits(text, edits);
}
