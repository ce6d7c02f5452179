/** Documents put aside under a name. What changes them is called inside the transaction that is open. */
import type { Snapshot } from '../core/config.ts';
import type { JsonObject } from '../core/json.ts';
import type { SqlDatabase, SqlRow } from '../core/ports.ts';
import { jsonOf, numberOf, textOf } from './columns.ts';
import { dropUses, secretReferences, snapshotHolder, useSecrets } from './secrets.ts';

const selectAll = 'SELECT name, at, document FROM snapshots ORDER BY name';
const selectOne = 'SELECT name, at, document FROM snapshots WHERE name = ?';
const insert = 'INSERT INTO snapshots (name, at, secrets, document) VALUES (?, ?, ?, ?)';
const drop = 'DELETE FROM snapshots WHERE name = ? RETURNING secrets';

export function readSnapshots(database: SqlDatabase): Snapshot[] {
  return database.prepare(selectAll).all().map(toSnapshot);
}

export function readSnapshot(database: SqlDatabase, name: string): Snapshot | null {
  const row = database.prepare(selectOne).get(name);
  return row === undefined ? null : toSnapshot(row);
}

/** @returns the secrets that the one of this name before it named */
export function replaceSnapshot(database: SqlDatabase, snapshot: Snapshot): readonly string[] {
  const { name, at, document } = snapshot;
  const before = deleteSnapshot(database, name);
  const names = [...secretReferences(document)];
  database.prepare(insert).run(name, at, JSON.stringify(names), JSON.stringify(document));
  useSecrets(database, snapshotHolder(name), names);
  return before ?? [];
}

/** @returns the secrets that it named, which nothing may name any more; null when there is none of this name */
export function deleteSnapshot(database: SqlDatabase, name: string): readonly string[] | null {
  const row = database.prepare(drop).get(name);
  if (row === undefined) return null;
  // Written by replaceSnapshot.
  const names = jsonOf(row, 'secrets') as readonly string[];
  dropUses(database, snapshotHolder(name), names);
  return names;
}

function toSnapshot(row: SqlRow): Snapshot {
  return {
    name: textOf(row, 'name'),
    at: numberOf(row, 'at'),
    // Written by replaceSnapshot, from a JsonObject.
    document: jsonOf(row, 'document') as JsonObject,
  };
}
