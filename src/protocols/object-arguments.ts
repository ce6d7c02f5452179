/** The arguments of tool calls as JSON objects, in their own text: numbers keep their digits. */
import { isObject, isTooDeep } from '../core/json.ts';

/** The member under which arguments stand that are no JSON object. */
const unparsedName = 'unparsed_arguments';

/** @returns whether the text is a JSON object */
export function isObjectText(text: string): boolean {
  if (!text.trimStart().startsWith('{') || isTooDeep(text)) return false;
  try {
    return isObject(JSON.parse(text));
  } catch {
    return false;
  }
}

/**
 * The JSON text of an object. Blank arguments are an empty object. Arguments that were cut by the length limit stand as a text
 * under a name of their own: the model sees its own words, where `{}` would be a call that it never made.
 */
export function argumentsObject(text: string): string {
  if (text.trim() === '') return '{}';
  return isObjectText(text) ? text : unparsedArguments(text);
}

/** Arguments that an upstream does not take as an object, as a text in one. */
export function unparsedArguments(text: string): string {
  return JSON.stringify({ [unparsedName]: text });
}
