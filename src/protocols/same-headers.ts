/** Equal header maps as the same object: data derived from a map is cached by its identity. */
import type { HeaderMap } from '../core/ports.ts';

/** Maps that are kept: a client has the same headers in all calls of a session. */
const mostKept = 64;

/**
 * @param make the map for what came from a client
 * @returns the map that was made for equal headers before, as long as it is kept
 */
export function createSameHeaders(make: (given: HeaderMap) => HeaderMap): (given: HeaderMap) => HeaderMap {
  /** By content, the oldest first. */
  const kept = new Map<string, HeaderMap>();
  return (given) => {
    const key = keyOf(given);
    const known = kept.get(key);
    if (known !== undefined) return known;
    const made = make(given);
    const [oldest] = kept.size < mostKept ? [] : kept.keys();
    if (oldest !== undefined) kept.delete(oldest);
    kept.set(key, made);
    return made;
  };
}

/** A header's value has no line feed. */
function keyOf(headers: HeaderMap): string {
  let key = '';
  for (const name in headers) key += `${name}:${headers[name]}\n`;
  return key;
}
