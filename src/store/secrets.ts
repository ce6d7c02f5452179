/** Sealed secrets, and their holders: a history of revisions or a snapshot. All functions run inside the open transaction. */
import { OlaError } from '../core/errors.ts';
import { isList, type Json, type JsonObject } from '../core/json.ts';
import type { SqlDatabase, SqlRow } from '../core/ports.ts';
import type { SealedSecret } from '../core/vault.ts';
import { numberOf, textOf, textOrNull } from './columns.ts';

export const selectSecrets = 'SELECT * FROM secrets ORDER BY created_at, rowid';
const insert = 'INSERT INTO secrets (id, origin, hint, envelope, created_at) VALUES (?, ?, ?, ?, ?)';
const use = `INSERT INTO secret_uses (secret, holder, until) SELECT id, ?, NULL FROM secrets WHERE id = ?
  ON CONFLICT (secret, holder) DO UPDATE SET until = NULL`;
const endUse = 'UPDATE secret_uses SET until = ? WHERE secret = ? AND holder = ?';
const dropUse = 'DELETE FROM secret_uses WHERE secret = ? AND holder = ?';
const dropEnded = 'DELETE FROM secret_uses WHERE holder = ? AND until < ? RETURNING secret';
const dropUnused = 'DELETE FROM secrets WHERE id = ? AND NOT EXISTS (SELECT 1 FROM secret_uses WHERE secret = secrets.id)';

/** Values of `secret_uses.holder`. */
export const historyOf = (file: string | null): string => (file === null ? 'database' : `file:${file}`);
export const snapshotHolder = (name: string): string => `snapshot:${name}`;

export function insertSecrets(database: SqlDatabase, secrets: readonly SealedSecret[]): void {
  for (const { id, origin, hint, envelope, createdAt } of secrets) {
    database.prepare(insert).run(id, origin, hint, envelope, createdAt);
  }
}

/** Records that a holder names these secrets. @throws OlaError `conflict` when one is not stored: a document without its secret must not be accepted */
export function useSecrets(database: SqlDatabase, holder: string, ids: Iterable<string>): void {
  for (const id of ids) {
    if (database.prepare(use).run(holder, id).changes > 0) continue;
    throw new OlaError(
      'conflict',
      'A secret that the document names is no longer stored. Read the document again and repeat the change.',
    );
  }
}

/** @param until the number of the last revision that names the secrets */
export function endUses(database: SqlDatabase, holder: string, ids: Iterable<string>, until: number): void {
  for (const id of ids) database.prepare(endUse).run(until, id, holder);
}

/** Deletes the uses by revisions below `oldest`. @returns ids of secrets that may be unused now */
export function dropEndedUses(database: SqlDatabase, holder: string, oldest: number): string[] {
  return database
    .prepare(dropEnded)
    .all(holder, oldest)
    .map((row) => textOf(row, 'secret'));
}

export function dropUses(database: SqlDatabase, holder: string, ids: Iterable<string>): void {
  for (const id of ids) database.prepare(dropUse).run(id, holder);
}

/** Deletes those of the secrets that no holder names. */
export function dropUnusedSecrets(database: SqlDatabase, ids: Iterable<string>): void {
  for (const id of ids) database.prepare(dropUnused).run(id);
}

/** The ids in every `{"$secret": "<id>"}` of a document, at any depth. */
export function secretReferences(document: JsonObject): ReadonlySet<string> {
  const ids = new Set<string>();
  collect(document, ids);
  return ids;
}

function collect(value: Json | undefined, ids: Set<string>): void {
  if (typeof value !== 'object' || value === null) return;
  if (!isList(value) && typeof value['$secret'] === 'string') ids.add(value['$secret']);
  for (const child of Object.values(value)) collect(child, ids);
}

export function toSecret(row: SqlRow): SealedSecret {
  return {
    id: textOf(row, 'id'),
    origin: textOrNull(row, 'origin'),
    hint: textOf(row, 'hint'),
    envelope: textOf(row, 'envelope'),
    createdAt: numberOf(row, 'created_at'),
  };
}
