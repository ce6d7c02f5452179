/** The arguments of function calls as JSON objects, in their own text: numbers keep their digits. */
import { isObject, isTooDeep } from '../../core/json.ts';
import { itemsOf, membersOf } from '../../core/json-text.ts';
import { camelOf } from './names.ts';

/** The member under which arguments stand that are no JSON object. */
const unparsedName = 'unparsed_arguments';

/**
 * The JSON text of an object. Blank arguments are an empty object. Arguments that were cut by the length limit stand as a text
 * under a name of their own: the model sees its own words, where `{}` would be a call that it never made.
 */
export function argumentsObject(text: string): string {
  if (text.trim() === '') return '{}';
  return isObjectText(text) ? text : JSON.stringify({ [unparsedName]: text });
}

/** @returns whether the text is a JSON object */
export function isObjectText(text: string): boolean {
  if (!text.trimStart().startsWith('{') || isTooDeep(text)) return false;
  try {
    return isObject(JSON.parse(text));
  } catch {
    return false;
  }
}

/** Digits that a double may not hold. */
const longNumber = /\d{16}/;

/**
 * The text of the arguments of a call in an answer, for which the parsed value is not exact.
 * @param data JSON text of the answer
 * @param at the place of the candidate and of its part
 * @returns null where the parsed value will do
 */
export function exactArguments(data: string, at: { readonly candidate: number; readonly part: number }): string | null {
  if (!longNumber.test(data)) return null;
  const path = ['candidates', at.candidate, 'content', 'parts', at.part, 'functionCall', 'args'] as const;
  let text: string | undefined = data;
  for (const step of path) text = text === undefined ? undefined : inside(text, step);
  return text ?? null;
}

function inside(text: string, step: string | number): string | undefined {
  if (typeof step === 'number') {
    const item = itemsOf(text)[step];
    return item === undefined ? undefined : text.slice(item.start, item.end);
  }
  const found = membersOf(text).findLast(({ name }) => camelOf(name) === step);
  return found === undefined ? undefined : text.slice(found.value, found.end);
}
