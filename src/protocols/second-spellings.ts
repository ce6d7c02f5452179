/**
 * Second spellings of a field. Servers differ in which of two spellings of a name they read (Go's JSON reader knows no case and
 * takes the last one): the upstream might call another model than was judged here.
 */
import { OlaError } from '../core/errors.ts';
import { membersOf } from '../core/json-text.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Top-level names that ola reads, judges or rewrites; in lower case, with underscores. */
export interface ReadNames {
  /** Most requests have some of these. Few last letters among them keep the search fast. */
  readonly usual: readonly string[];
  readonly rare: readonly string[];
}

/**
 * @returns a check of a body's text and its parsed fields; only names of the outermost object count. It throws OlaError
 * `invalid_request` naming the spelling.
 */
export function createSpellingCheck({ usual, rare }: ReadNames): (text: string, fields: Fields) => void {
  const names: ReadonlySet<string> = new Set([...usual, ...rare]);
  /** Characters. */
  const longest = Math.max(...[...names].map(({ length }) => length));
  /** The end of a usual name as a key. Patterns of fixed length with a rare character are found at 10 GB/s, names by 1 GB/s. */
  const usualEnd = new RegExp(`[${[...new Set(usual.map((name) => name.at(-1)))].join('')}]":`, 'g');

  function refuseOtherCase(key: string): void {
    if (key.length > longest || lowerCase.test(key)) return;
    // Go's folding knows U+017F as s and U+212A as k, so lower case alone is not enough.
    const plain = key.toUpperCase().toLowerCase();
    if (names.has(plain)) throw twice(key, `write it '${plain}'`);
  }

  /** Whether a name that ola reads may stand in the text twice, at any depth. */
  function mayRepeat(text: string, fields: Fields): boolean {
    if (escapedLetter.test(text) || (spaceBeforeColon.test(text) && spaceBehindKey.test(text))) return true;
    for (const name of rare) {
      if (!Object.hasOwn(fields, name)) continue;
      const key = `"${name}"`;
      if (text.indexOf(key, text.indexOf(key) + key.length) >= 0) return true;
    }
    let seen = '';
    usualEnd.lastIndex = 0;
    while (usualEnd.test(text)) {
      const name = nameBefore(text, usualEnd.lastIndex - 2, usual);
      if (name === null) continue;
      if (seen.includes(`"${name}"`)) return true;
      seen += `"${name}"`;
    }
    return false;
  }

  return (text, fields) => {
    for (const key of Object.keys(fields)) refuseOtherCase(key);
    if (!mayRepeat(text, fields)) return;
    const seen = new Set<string>();
    for (const { name } of membersOf(text)) {
      if (!names.has(name)) continue;
      if (seen.has(name)) throw twice(name, 'send it once');
      seen.add(name);
    }
  };
}

const lowerCase = /^[a-z_]*$/;
/** Every escape of an underscore or a lower-case letter begins so: a second spelling of any name may hide behind it. */
const escapedLetter = /\\u00[567]/;
const spaceBeforeColon = /[ \t\r\n]:/;
const spaceBehindKey = /"[ \t\r\n]+:/;
const doubleQuote = 0x22;

/** The name in front of a quote, as a whole string. */
function nameBefore(text: string, quote: number, names: readonly string[]): string | null {
  for (const name of names) {
    if (text.charCodeAt(quote - name.length - 1) === doubleQuote && text.endsWith(name, quote)) return name;
  }
  return null;
}

function twice(name: string, advice: string): OlaError {
  const message = `'${name}' is a second spelling of a field that ola reads: ${advice}. Servers would read either.`;
  return new OlaError('invalid_request', message, { param: name });
}
