/** The rows of models that an upstream lists. Pure. */
import { isObject } from '../core/json.ts';
import { parsed } from './failure-words.ts';

/** Characters. */
const longestId = 256;

/** Whether a listed id can be asked for: it stands in URLs, headers and logs. */
export function isModelId(id: unknown): id is string {
  if (typeof id !== 'string' || id.trim() !== id || id === '' || id.length > longestId) return false;
  return !/[\p{Cc}\u2028\u2029]/u.test(id) && id.isWellFormed();
}

/** @param member that has the list. @returns null for a text that has none */
export function rowsOf(text: string, member: string): readonly unknown[] | null {
  const answer = parsed(text);
  const rows: unknown = isObject(answer) ? answer[member] : null;
  return Array.isArray(rows) ? rows : null;
}

/** Whether a value is a number of tokens. */
export function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0;
}
