/** Where a text stops being JSON (RFC 8259), in words that repeat nothing of the text: it may hold prompts and secrets. Pure. */

export interface JsonFault {
  /** Both from 1; a column is a UTF-16 unit. */
  readonly line: number;
  readonly column: number;
  readonly expected: string;
  readonly found: string;
}

/** Places between two tokens, and the tokens that fit there. */
const expectations = {
  value: 'a value',
  'value or end': 'a value or a closing bracket',
  'name or end': 'a name in double quotes or a closing brace',
  name: 'a name in double quotes',
  colon: 'a colon',
  'more of list': 'a comma or a closing bracket',
  'more of object': 'a comma or a closing brace',
  nothing: 'the end of the body',
} as const;
type Place = keyof typeof expectations;

interface Stop {
  readonly at: number;
  readonly expected: string;
  readonly found: string;
}

const space = /[ \t\n\r]*/y;
/** Inside a string: all but a quote, a backslash and control characters. */
const plain = /[ !#-[\]-\uffff]*/y;
const escapeSequence = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const scalar = /true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;

/** @returns null for valid JSON */
export function findJsonFault(text: string): JsonFault | null {
  const stop = scan(text);
  if (stop === null) return null;
  const before = text.slice(0, stop.at);
  const lineStart = before.lastIndexOf('\n') + 1;
  return {
    line: before.split('\n').length,
    column: stop.at - lineStart + 1,
    expected: stop.expected,
    found: stop.found,
  };
}

/** One loop over all tokens, without recursion: nesting is as deep as the sender likes. */
function scan(text: string): Stop | null {
  const open: ('{' | '[')[] = [];
  let place: Place = 'value';
  let at = skip(space, text, 0);
  const afterValue = (): Place => (open.length === 0 ? 'nothing' : open.at(-1) === '{' ? 'more of object' : 'more of list');
  for (; at < text.length; at = skip(space, text, at)) {
    const character: string = text.charAt(at);
    const wantsValue: boolean = place === 'value' || place === 'value or end';
    const wantsName: boolean = place === 'name' || place === 'name or end';
    const closes =
      character === '}' ? ['name or end', 'more of object'] : character === ']' ? ['value or end', 'more of list'] : [];
    if (closes.includes(place)) {
      open.pop();
      place = afterValue();
      at++;
    } else if (wantsValue && (character === '{' || character === '[')) {
      open.push(character);
      place = character === '{' ? 'name or end' : 'value or end';
      at++;
    } else if (character === '"' && (wantsValue || wantsName)) {
      const end = stringEnd(text, at);
      if (typeof end !== 'number') return end;
      at = end;
      place = wantsName ? 'colon' : afterValue();
    } else if (place === 'colon' && character === ':') {
      place = 'value';
      at++;
    } else if (character === ',' && (place === 'more of list' || place === 'more of object')) {
      place = place === 'more of list' ? 'value' : 'name';
      at++;
    } else {
      const end = wantsValue ? skip(scalar, text, at) : at;
      if (end === at) return { at, expected: expectations[place], found: nameOf(text, at) };
      at = end;
      place = afterValue();
    }
  }
  return place === 'nothing' ? null : { at, expected: expectations[place], found: nameOf(text, at) };
}

/** Behind what the sticky pattern matches at `from`; `from` when it matches nothing. */
function skip(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex : from;
}

/** @returns the offset behind the string that begins at `start`, or why it does not end */
function stringEnd(text: string, start: number): number | Stop {
  for (let at = start + 1; ; ) {
    at = skip(plain, text, at);
    if (text.charAt(at) === '"') return at + 1;
    const next = skip(escapeSequence, text, at);
    if (next === at) return { at, expected: 'the rest of a string', found: inString(text, at) };
    at = next;
  }
}

function inString(text: string, at: number): string {
  if (at >= text.length) return 'the end of the body';
  if (text.charAt(at) === '\\') return 'a backslash that begins no escape sequence';
  return text.charAt(at) === '\n' || text.charAt(at) === '\r' ? 'a line break' : 'a control character';
}

function nameOf(text: string, at: number): string {
  const character = text.charAt(at);
  if (character === '') return 'the end of the body';
  if ('{}[],:'.includes(character)) return `'${character}'`;
  if (character === '"') return 'a double quote';
  if (character === "'") return 'a single quote';
  if (character === '/' || character === '#') return 'a comment';
  if (/[0-9]/.test(character)) return 'a digit';
  if (/[A-Za-z_$]/.test(character)) return 'a letter';
  return 'a character of another kind';
}
