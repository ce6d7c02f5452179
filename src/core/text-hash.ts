/** A short key for a text: not for secrets, and not against someone who looks for two texts with the same key. */

/** FNV-1a over 16-bit units, twice with different bases (draft-eastlake-fnv). @returns 16 hex digits */
export function textHash(text: string): string {
  let one = 0x811c9dc5;
  let two = 0x9e3779b9;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    one = Math.imul(one ^ unit, 0x01000193);
    two = Math.imul(two ^ unit, 0x85ebca6b);
  }
  return hex(one) + hex(two);
}

const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, '0');
