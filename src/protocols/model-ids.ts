/** Ids of models that an upstream lists. */

/** Characters. */
const longestId = 256;

/** Whether a listed id can be asked for: it stands in URLs, headers and logs. */
export function isModelId(id: unknown): id is string {
  if (typeof id !== 'string' || id.trim() !== id || id === '' || id.length > longestId) return false;
  return !/[\p{Cc}\u2028\u2029]/u.test(id) && id.isWellFormed();
}
