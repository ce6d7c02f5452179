/** JSON as data. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

/** `Array.isArray` with a type guard for readonly lists. */
export function isList(value: JsonObject | readonly Json[]): value is readonly Json[] {
  return Array.isArray(value);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Length up to which any text is parsed in milliseconds, in characters. */
const shortText = 256 * 1024;
/** Levels of nesting that text from outside may have. */
const maxLevels = 1000;

/**
 * True when text is nested deeper than real JSON ever is. Call it before text from outside is parsed: 64 MiB of `[` keep the
 * parser, and with it all other requests, busy for 14 s.
 */
export function isTooDeep(text: string): boolean {
  if (text.length <= shortText) return false;
  let levels = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at);
    if (character === 0x22) at = closingQuote(text, at + 1);
    else if (character === 0x5b || character === 0x7b) {
      if (++levels > maxLevels) return true;
    } else if (character === 0x5d || character === 0x7d) levels--;
  }
  return false;
}

/** Offset of the quote that ends the string whose text begins at `from`; the length of the text when the string does not end. */
function closingQuote(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const character = text.charCodeAt(at);
    if (character === 0x22) return at;
    if (character === 0x5c) at++;
  }
  return text.length;
}
