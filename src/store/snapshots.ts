/** Snapshots: documents saved under a name. The functions that change them run inside the open transaction. */
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

/** @returns ids of the secrets that the former snapshot of this name used */
export function replaceSnapshot(database: SqlDatabase, snapshot: Snapshot): readonly string[] {
  const { name, at, document } = snapshot;
  const before = deleteSnapshot(database, name);
  const names = [...secretReferences(document)];
  database.prepare(insert).run(name, at, JSON.stringify(names), JSON.stringify(document));
  useSecrets(database, snapshotHolder(name), names);
  return before ?? [];
}

/** @returns ids of the snapshot's secrets, which may be unused now; null when there is no snapshot of this name */
export function deleteSnapshot(database: SqlDatabase, name: string): readonly string[] | null {
  const row = database.prepare(drop).get(name);
  if (row === undefined) return null;
  // The column was written by replaceSnapshot.
  const names = jsonOf(row, 'secrets') as readonly string[];
  dropUses(database, snapshotHolder(name), names);
  return names;
}

function toSnapshot(row: SqlRow): Snapshot {
  return {
    name: textOf(row, 'name'),
    at: numberOf(row, 'at'),
    // The column was written by replaceSnapshot, from a JsonObject.
    document: jsonOf(row, 'document') as JsonObject,
  };
}
