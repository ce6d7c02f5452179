/** The differences between two documents, in words without values, and their common parts. Pure. */
import { differencesOf } from '../../core/diff.ts';
import { isList, type Json, type JsonObject } from '../../core/json.ts';

/** What the history and the audit say of a write. */
export interface WriteRecord {
  /** `provider.update`. */
  readonly action: string;
  /** The thing that was written, in the summary; null: the summary and the audit name the places that changed. */
  readonly about: string | null;
  readonly details: Readonly<Record<string, unknown>>;
}

/** A record of a write whose next document is known. */
export interface WrittenRecord {
  readonly action: string;
  /** `provider.update acme`: what changed, without values. */
  readonly summary: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** Changed places that are named in the audit. */
const maxPlaces = 50;

export function recordOf({ action, about, details }: WriteRecord, from: JsonObject, to: JsonObject): WrittenRecord {
  if (about !== null) return { action, summary: `${action} ${about}`, details };
  const changed = changedPaths(from, to);
  return { action, summary: summaryOf(action, changed), details: { ...details, changed: changed.slice(0, maxPlaces) } };
}

/** Dotted paths of the places that differ; a part that is new or gone as a whole is named by its own path alone. */
export function changedPaths(from: JsonObject, to: JsonObject): string[] {
  return differencesOf(from, to).map(({ path }) => path.join('.'));
}

/** Characters of a summary. */
const maxSummary = 200;

/** `config.update providers.acme.baseUrl, usage`, cut at 200 characters. */
export function summaryOf(action: string, paths: readonly string[]): string {
  // Keys may hold anything that JSON can; a summary is shown in a terminal.
  const text = `${action} ${paths.slice(0, maxPlaces).join(', ')}`.replace(/[^\x20-\x7e\u00a0-\u{10ffff}]/gu, '?').trim();
  return text.length <= maxSummary ? text : `${text.slice(0, maxSummary - 1)}…`;
}

/**
 * The next document with every equal part taken from the document before: egress and the dialer keep verdicts and connections
 * by the identity of these objects, so a write of one provider leaves the others' alone.
 */
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
    const old = own(before, key);
    const shared = share(next[key], old);
    // In another order it is another document: providers are tried in theirs.
    if (shared !== old || keysBefore[index] !== key) equal = false;
    if (shared === next[key]) continue;
    copy ??= { ...next };
    copy[key] = shared;
  }
  return equal ? before : (copy ?? next);
}

/** A document as it is stored, with references, and the same with its secrets in place. */
export interface OpenedDocument {
  readonly stored: JsonObject;
  readonly open: JsonObject;
}

/**
 * The opened document with every part taken from the one before that is equal and was stored as the same object: a secret of
 * the same text that is stored anew may be bound to another address.
 */
export function shareOpened(next: OpenedDocument, before: OpenedDocument): JsonObject {
  const shared: Record<string, Json | undefined> = { ...next.open };
  for (const key of Object.keys(shared)) {
    const [stored, storedBefore] = [own(next.stored, key), own(before.stored, key)];
    const [open, openBefore] = [own(next.open, key), own(before.open, key)];
    if (stored === storedBefore) shared[key] = share(open, openBefore);
    else if (isMap(stored) && isMap(open) && isMap(storedBefore) && isMap(openBefore)) {
      shared[key] = shareOpened({ stored, open }, { stored: storedBefore, open: openBefore });
    }
  }
  return shared;
}

function isMap(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !isList(value);
}

/** An own member; `constructor` is a key like any other. */
function own(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}
