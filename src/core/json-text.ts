/** Edits the outermost members of a JSON object as text, so that no other character changes, not even a number's form or a space. */

/** A member of the outermost object: `"name": value`, as offsets into the text. */
export interface Member {
  readonly name: string;
  readonly start: number;
  /** Offset of the value's first character. */
  readonly value: number;
  /** Offset after the value's last character. */
  readonly end: number;
}

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const closingBracket = 0x5d;

/** @param text of an object in valid JSON; the caller has parsed it */
export function membersOf(text: string): Member[] {
  const members: Member[] = [];
  let at = skipSpace(text, text.indexOf('{') + 1);
  while (text.charCodeAt(at) === quote) {
    const nameEnd = stringEnd(text, at);
    const value = skipSpace(text, skipSpace(text, nameEnd) + 1);
    const end = valueEnd(text, value);
    members.push({ name: nameOf(text, at, nameEnd), start: at, value, end });
    // Skips the comma, or ends at the closing brace.
    at = skipSpace(text, skipSpace(text, end) + 1);
  }
  return members;
}

/** Sets members of the outermost object in its text; every other byte stays. */
export function setMembers(text: string, values: ReadonlyMap<string, string>): string {
  const missing = new Set(values.keys());
  let edited = '';
  let copied = text.indexOf('{') + 1;
  const members = membersOf(text);
  for (const { name, value, end } of members) {
    const replacement = values.get(name);
    if (replacement === undefined) continue;
    missing.delete(name);
    edited += text.slice(copied, value) + replacement;
    copied = end;
  }
  const open = text.indexOf('{') + 1;
  const first = [...missing].map((name) => `${JSON.stringify(name)}:${values.get(name)}`).join(',');
  const separator = first !== '' && members.length > 0 ? ',' : '';
  return text.slice(0, open) + first + separator + edited + text.slice(copied);
}

/** Removes members of the outermost object; the others keep their text. */
export function dropMembers(text: string, names: ReadonlySet<string>): string {
  const members = membersOf(text);
  if (!members.some(({ name }) => names.has(name))) return text;
  const kept = members.filter(({ name }) => !names.has(name));
  return `{${kept.map(({ start, end }) => text.slice(start, end)).join(',')}}`;
}

/** A part of a JSON text, as offsets. */
export interface Part {
  readonly start: number;
  /** Offset after the last character. */
  readonly end: number;
}

/** The values of an array. @param text of an array in valid JSON */
export function itemsOf(text: string): Part[] {
  const items: Part[] = [];
  let at = skipSpace(text, text.indexOf('[') + 1);
  while (at < text.length && text.charCodeAt(at) !== closingBracket) {
    const end = valueEnd(text, at);
    items.push({ start: at, end });
    // Skips the comma, or ends at the closing bracket.
    const next = skipSpace(text, end);
    at = text.charCodeAt(next) === comma ? skipSpace(text, next + 1) : next;
  }
  return items;
}

/**
 * Replaces the items of an array; every other character stays.
 * @param change gets the text of an item; null takes it out, with the comma in front of it
 */
export function mapItems(text: string, change: (item: string) => string | null): string {
  return mapParts(text, itemsOf(text), change);
}

/**
 * Replaces the values of the outermost members of that name; every other character stays.
 * @param change gets the text of a value; null takes the member out
 */
export function mapMember(text: string, name: string, change: (value: string) => string | null): string {
  const members = membersOf(text);
  const byStart = new Map(members.map((member) => [member.start, member]));
  return mapParts(text, members, (part, start) => {
    const member = byStart.get(start);
    if (member?.name !== name) return part;
    const value = change(text.slice(member.value, member.end));
    return value === null ? null : text.slice(start, member.value) + value;
  });
}

/** The text between two parts goes with the second part. */
function mapParts(text: string, parts: readonly Part[], change: (part: string, start: number) => string | null): string {
  let edited = '';
  let before: Part | null = null;
  let kept = false;
  for (const part of parts) {
    const changed = change(text.slice(part.start, part.end), part.start);
    if (before === null) edited = text.slice(0, part.start);
    if (changed !== null) edited += (kept && before !== null ? text.slice(before.end, part.start) : '') + changed;
    kept ||= changed !== null;
    before = part;
  }
  return before === null ? text : edited + text.slice(before.end);
}

/** The name of a member; it may be written with escapes (`"mod\u0065l"`). */
function nameOf(text: string, start: number, end: number): string {
  const raw = text.slice(start + 1, end - 1);
  return raw.includes('\\') ? (JSON.parse(text.slice(start, end)) as string) : raw;
}

function valueEnd(text: string, start: number): number {
  const first = text.charCodeAt(start);
  if (first === quote) return stringEnd(text, start);
  if (first !== 0x7b && first !== 0x5b) return scalarEnd(text, start);
  let depth = 0;
  for (let at = start; ; at++) {
    const character = text.charCodeAt(at);
    if (character === quote) at = stringEnd(text, at) - 1;
    else if (character === 0x7b || character === 0x5b) depth++;
    else if ((character === 0x7d || character === 0x5d) && --depth === 0) return at + 1;
  }
}

/** The offset after a number, `true`, `false` or `null`. */
function scalarEnd(text: string, start: number): number {
  let at = start;
  while (/[-+.0-9a-zA-Z]/.test(text.charAt(at))) at++;
  return at;
}

/** The offset after the string that begins at `start`. Uses a native search, because most of a request is strings. */
function stringEnd(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end + 1;
}

/** True when an odd number of backslashes precedes `at`. */
function isEscaped(text: string, at: number): boolean {
  let first = at;
  while (text.charCodeAt(first - 1) === backslash) first--;
  return (at - first) % 2 === 1;
}

/** The offset of the first character at or after `from` that is not JSON white space. */
export function skipSpace(text: string, from: number): number {
  let at = from;
  for (;;) {
    const character = text.charCodeAt(at);
    if (character !== 0x20 && character !== 0x0a && character !== 0x0d && character !== 0x09) return at;
    at++;
  }
}
