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
 * The texts of the parts of a candidate, from which numbers are read that no double holds.
 * @param data JSON text of the answer
 * @param candidate its place among the candidates
 * @returns null where the parsed values will do
 */
export function exactParts(data: string, candidate: number): readonly string[] | null {
  if (!longNumber.test(data)) return null;
  const path = ['candidates', candidate, 'content', 'parts'] as const;
  let text: string | undefined = data;
  for (const step of path) text = text === undefined ? undefined : inside(text, step);
  return text === undefined ? null : itemsOf(text).map(({ start, end }) => text.slice(start, end));
}

/**
 * The texts of the parts of each content of a request.
 * @param text of the body
 * @returns null where the parsed values will do
 */
export function exactContents(text: string): ((content: number, part: number) => string | null) | null {
  if (!longNumber.test(text)) return null;
  const contents = inside(text, 'contents') ?? '[]';
  if (!contents.startsWith('[')) return null;
  const parts = itemsOf(contents).map(({ start, end }) => {
    const content = contents.slice(start, end);
    const list = content.startsWith('{') ? inside(content, 'parts') : undefined;
    return list?.startsWith('[') ? itemsOf(list).map((each) => list.slice(each.start, each.end)) : [];
  });
  return (content, part) => parts[content]?.[part] ?? null;
}

/** The text of the arguments in the text of a part with a call. */
export function exactArguments(part: string): string | null {
  const call = inside(part, 'functionCall');
  return (call === undefined ? undefined : inside(call, 'args')) ?? null;
}

function inside(text: string, step: string | number): string | undefined {
  if (typeof step === 'number') {
    const item = itemsOf(text)[step];
    return item === undefined ? undefined : text.slice(item.start, item.end);
  }
  const found = membersOf(text).findLast(({ name }) => camelOf(name) === step);
  return found === undefined ? undefined : text.slice(found.value, found.end);
}
