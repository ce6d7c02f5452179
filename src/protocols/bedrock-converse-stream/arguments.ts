/** The arguments of tool calls as JSON objects, in their own text: numbers keep their digits. */
import { isObject, isTooDeep } from '../../core/json.ts';

/** The member under which arguments stand that Bedrock does not take as an object. */
const unparsedName = 'unparsed_arguments';

/** An empty name of a member, which Bedrock refuses in a tool's input. In JSON two quotes before a colon stand for nothing else. */
const namelessMember = /(?<!\\)""\s*:/;

/**
 * The JSON text of an object. Blank arguments are an empty object. Arguments that were cut by the length limit stand as a text
 * under a name of their own: the model sees its own words, where `{}` would be a call that it never made.
 */
export function argumentsObject(text: string): string {
  if (text.trim() === '') return '{}';
  return isObjectText(text) && !namelessMember.test(text) ? text : JSON.stringify({ [unparsedName]: text });
}

function isObjectText(text: string): boolean {
  if (!text.trimStart().startsWith('{') || isTooDeep(text)) return false;
  try {
    return isObject(JSON.parse(text));
  } catch {
    return false;
  }
}
