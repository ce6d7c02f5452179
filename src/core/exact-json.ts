/** JSON whose numbers keep their digits where no double holds them: ids of 19 digits are common in the arguments of tools. Pure. */

interface Context {
  /** The text of a number, a string, a truth value or null. */
  readonly source?: string;
}

/** ECMAScript's access to the source of JSON (https://tc39.es/proposal-json-parse-with-source/), which TypeScript does not know yet. */
interface SourceJson {
  rawJSON(text: string): unknown;
  parse(text: string, revive: (name: string, value: unknown, context: Context) => unknown): unknown;
}
const sourceJson = JSON as unknown as SourceJson;

/** A double holds each whole number of 15 digits. */
const longNumber = /\d{16}/;

/** Whether a text may have numbers that lose digits. */
export function hasLongNumbers(text: string): boolean {
  return longNumber.test(text);
}

/**
 * Like `JSON.parse`; but a number that would lose digits is an object that `JSON.stringify` writes back as it was. For values
 * that are written again, not for those that are read as numbers.
 * @throws SyntaxError
 */
export function parseExact(text: string): unknown {
  return hasLongNumbers(text) ? sourceJson.parse(text, exactly) : JSON.parse(text);
}

function exactly(_name: string, value: unknown, { source }: Context): unknown {
  if (typeof value !== 'number' || source === undefined) return value;
  return String(value) !== source && longNumber.test(source.replace('.', '')) ? sourceJson.rawJSON(source) : value;
}
