/** A JSON body with its model replaced, every other character as it came. */
import { setMembers, skipSpace } from '../core/json-text.ts';

/** Without the quote in front: a search that begins with a quote, which is frequent in JSON, is ten times slower. */
const modelKey = 'model"';
/** The beginning of every escape of a letter of "model": a second key may hide behind it, and the last one counts. */
const escapedLetter = '\\u006';

/**
 * The usual case, by two native searches: `model"` stands in the text once only, as a whole name, and no key can be an escaped spelling
 * of it, so the one that was parsed is this one, wherever it stands. Null where that is not certain.
 * @param parsed the model as it was parsed
 * @param first members that are put in front of all others, each with its comma
 */
export function spliceModel(text: string, parsed: unknown, model: string, first = ''): string | null {
  if (typeof parsed !== 'string') return null;
  const key = text.indexOf(modelKey);
  if (text[key - 1] !== '"' || text.indexOf(modelKey, key + modelKey.length) >= 0 || text.includes(escapedLetter)) return null;
  // A name with a quote or a backslash is spelled with escapes, and so may any other be (`a\\/b`): then this does not stand there.
  const value = `"${parsed}"`;
  const at = skipSpace(text, skipSpace(text, key + modelKey.length) + 1);
  if (!text.startsWith(value, at)) return null;
  const open = text.indexOf('{') + 1;
  return text.slice(0, open) + first + text.slice(open, at) + JSON.stringify(model) + text.slice(at + value.length);
}

/** The body for an upstream. @param parsed the model as it was parsed; a body without one gets it in front */
export function withModel(text: string, parsed: unknown, model: string): string {
  return spliceModel(text, parsed, model) ?? setMembers(text, new Map([['model', JSON.stringify(model)]]));
}
