/** JSON with comments and trailing commas: what a person may write into a configuration file, read and edited in place. */
import { applyEdits, type JSONPath, modify, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import { OlaError } from './errors.ts';
import type { Json } from './json.ts';

const syntax = { allowTrailingComma: true, disallowComments: false } as const;

/** @throws OlaError `invalid_json` naming line and column; never the text */
export function parseJsonc(text: string): Json {
  try {
    return parse(text);
  } catch (cause) {
    // The parser goes down one call for each level.
    if (cause instanceof RangeError) throw new OlaError('invalid_json', 'It is nested too deeply to be read.', { cause });
    throw cause;
  }
}

function parse(text: string): Json {
  const errors: ParseError[] = [];
  // A byte order mark is some editors' habit.
  const clean = text.startsWith('\u{FEFF}') ? text.slice(1) : text;
  const tree = parseTree(clean, errors, syntax);
  const [error] = errors;
  if (error !== undefined || tree === undefined) {
    const before = clean.slice(0, error?.offset ?? 0).split('\n');
    const where = `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
    const what = error === undefined ? 'it is empty' : printParseErrorCode(error.error);
    throw new OlaError('invalid_json', `It is not valid JSON (comments are allowed): ${what} at ${where}.`);
  }
  return toJson(tree);
}

/** With every key an own one: the parser's own function makes `__proto__` the prototype, where nobody looks for it. */
function toJson({ type, value, children = [] }: Node): Json {
  if (type === 'array') return children.map(toJson);
  // What the parser calls any is then a string, a number, a boolean or null.
  if (type !== 'object') return value as Json;
  const members = new Map<string, Json>();
  for (const { children: [key, member] = [] } of children) {
    const name = String(key?.value);
    // Two readers would take two different ones, and an edit would change the one that is not in force.
    if (members.has(name))
      throw new OlaError('invalid_json', `The key ${JSON.stringify(name.slice(0, 100))} stands twice in one object: remove one.`);
    members.set(name, member === undefined ? null : toJson(member));
  }
  return Object.fromEntries(members);
}

/** The text with one value set, or taken out (undefined); comments and layout elsewhere stay. */
export function editJsonc(text: string, path: readonly (string | number)[], value: Json | undefined): string {
  const edits = modify(text, [...path] as JSONPath, value, {
    formattingOptions: { insertSpaces: true, tabSize: 2, eol: text.includes('\r\n') ? '\r\n' : '\n' },
  });
  return applyEdits(text, edits);
}
