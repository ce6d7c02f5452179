/** Differences between two configuration documents. */
import { isObject, type Json, type JsonObject } from './json.ts';
import { isSecretReference, type Path } from './secrets.ts';

/** One differing path. Its values are looked up in the redacted documents. */
export interface Difference {
  readonly path: Path;
  readonly change: 'added' | 'removed' | 'changed';
}

/**
 * Maps are compared by key, lists as a whole, secrets by their reference: a secret that was entered again differs, although
 * its values are not shown.
 */
export function differencesOf(from: JsonObject, to: JsonObject): Difference[] {
  const found: Difference[] = [];
  compareMembers(from, to, [], found);
  return found;
}

function compareMembers(from: JsonObject, to: JsonObject, path: Path, found: Difference[]): void {
  for (const key of new Set([...Object.keys(from), ...Object.keys(to)])) {
    const [before, after] = [own(from, key), own(to, key)];
    // Two revisions often share the objects that did not change.
    if (before !== after) compare(before, after, [...path, key], found);
  }
}

function compare(before: Json | undefined, after: Json | undefined, path: Path, found: Difference[]): void {
  if (before === undefined) found.push({ path, change: 'added' });
  else if (after === undefined) found.push({ path, change: 'removed' });
  else if (isMap(before) && isMap(after)) compareMembers(before, after, path, found);
  else if (!isEqual(before, after)) found.push({ path, change: 'changed' });
}

/** True for an object, except one that is a reference to a secret. */
function isMap(value: Json): value is JsonObject {
  return isObject(value) && !isSecretReference(value);
}

/** Deep equality; the order of keys does not matter. */
function isEqual(one: Json | undefined, other: Json | undefined): boolean {
  if (one === other) return true;
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((item: Json, index) => isEqual(item, other[index] as Json));
  }
  if (!isObject(one) || !isObject(other)) return false;
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...keys].every((key) => isEqual(own(one as JsonObject, key), own(other as JsonObject, key)));
}

/** An object's own member, never an inherited one: `constructor` is a key like any other. */
function own(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}
