/** JSON without lone surrogates, which vendors refuse. Pure. */

/** A pair of escaped surrogates, a lone one, any other escape: a scan from left to right meets each escape once. */
const escapes = /\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|\\u[dD][89a-fA-F][\da-fA-F]{2}|\\./g;
const escapeLength = 6;

/** JSON text in which each lone surrogate is U+FFFD: vendors refuse a request with one. */
export function wellFormedJson(json: string): string {
  const text = json.toWellFormed();
  if (!/\\u[dD]/.test(text)) return text;
  return text.replace(escapes, (each) => (each.length === escapeLength ? '\\ufffd' : each));
}
