/** What changed between two documents, in words without values, and what did not. */
import { differencesOf } from '../../core/diff.ts';
import { isList, type Json, type JsonObject } from '../../core/json.ts';

/** Dotted paths of what differs; of what is new or gone as a whole its own path alone. */
export function changedPaths(from: JsonObject, to: JsonObject): string[] {
  return differencesOf(from, to).map(({ path }) => path.join('.'));
}

const longestSummary = 200;

/** `config.update providers.acme.baseUrl, usage`, cut at 200 characters. */
export function summaryOf(action: string, paths: readonly string[]): string {
  // Keys may hold anything that JSON can; a summary is shown in a terminal.
  const text = `${action} ${paths.slice(0, 50).join(', ')}`.replace(/[^\x20-\x7e\u00a0-\u{10ffff}]/gu, '?').trim();
  return text.length <= longestSummary ? text : `${text.slice(0, longestSummary - 1)}…`;
}

/** The next document, sharing with the one before whatever is equal, so that only what changed is worked on. */
export function shareEqual(next: JsonObject, before: JsonObject): JsonObject {
  return share(next, before) as JsonObject;
}

function share(next: Json | undefined, before: Json | undefined): Json | undefined {
  if (next === before || typeof next !== 'object' || next === null) return next;
  if (typeof before !== 'object' || before === null) return next;
  if (isList(next)) return isList(before) ? shareItems(next, before) : next;
  return isList(before) ? next : shareMembers(next, before);
}

function shareItems(next: readonly Json[], before: readonly Json[]): readonly Json[] {
  const shared = next.map((item, index) => share(item, before[index]) ?? null);
  return shared.length === before.length && shared.every((item, index) => item === before[index]) ? before : shared;
}

function shareMembers(next: JsonObject, before: JsonObject): JsonObject {
  const keys = Object.keys(next);
  const keysBefore = Object.keys(before);
  let equal = keys.length === keysBefore.length;
  let copy: Record<string, Json | undefined> | null = null;
  for (const [index, key] of keys.entries()) {
    const old = Object.hasOwn(before, key) ? before[key] : undefined;
    const shared = share(next[key], old);
    // In another order it is another document: providers are tried in theirs.
    if (shared !== old || keysBefore[index] !== key) equal = false;
    if (shared === next[key]) continue;
    copy ??= { ...next };
    copy[key] = shared;
  }
  return equal ? before : (copy ?? next);
}
