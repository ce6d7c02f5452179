/** JSON as data. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

/** `Array.isArray` does not narrow lists that may not be changed. */
export function isList(value: JsonObject | readonly Json[]): value is readonly Json[] {
  return Array.isArray(value);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Up to here any text is parsed in milliseconds. */
const shortText = 256 * 1024;
const mostLevels = 1000;

/**
 * Whether text goes deeper than anything that is meant as JSON does. Asked before text of others is parsed: 64 MiB of `[`
 * hold the parser, and with it everybody else, for 14 s.
 */
export function isTooDeep(text: string): boolean {
  if (text.length <= shortText) return false;
  let levels = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at);
    if (character === 0x22) at = closingQuote(text, at + 1);
    else if (character === 0x5b || character === 0x7b) {
      if (++levels > mostLevels) return true;
    } else if (character === 0x5d || character === 0x7d) levels--;
  }
  return false;
}

/** Where the string ends that begins at `from`; behind the text when it does not. */
function closingQuote(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const character = text.charCodeAt(at);
    if (character === 0x22) return at;
    if (character === 0x5c) at++;
  }
  return text.length;
}
