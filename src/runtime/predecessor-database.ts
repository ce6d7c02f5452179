/** SQLite databases of the predecessor: recognised, and read while no other process can open them. */
import { OlaError } from '../core/errors.ts';
import type { SqlDatabase, SqlRow } from '../core/ports.ts';
import { errnoOf, exists } from './files.ts';
import { openSqlite } from './sqlite.ts';

/** True when a file is a database without an application id and with one of these tables. */
export function isPredecessorDatabase(path: string, tables: readonly string[]): boolean {
  if (!exists(path)) return false;
  const database = openSqlite(path);
  try {
    const application = database.prepare('PRAGMA application_id').get()?.['application_id'];
    return application === 0 && tables.some((table) => hasTable(database, table));
  } catch (cause) {
    if (isBusy(cause)) throw inUse(path, cause);
    // The file is not a database, or is damaged; the code that opens it next reports that.
    return false;
  } finally {
    database.close();
  }
}

/**
 * Reads whole tables; a missing table has no rows.
 * @throws OlaError as `whileUnused`
 */
export function readTables<T extends string>(path: string, tables: readonly T[]): Readonly<Record<T, readonly SqlRow[]>> {
  const rowsOf = (database: SqlDatabase, table: T) =>
    hasTable(database, table) ? database.prepare(`SELECT * FROM ${table} ORDER BY rowid`).all() : [];
  const read = (database: SqlDatabase) => tables.map((table) => [table, rowsOf(database, table)]);
  // The result has one key per table.
  return Object.fromEntries(whileUnused(path, read)) as Record<T, readonly SqlRow[]>;
}

/**
 * Runs `work` while no other process can open the database. Its log is merged into it first.
 * @throws OlaError `conflict` when another process has the database open, `persistence_unavailable` when it is damaged
 */
export function whileUnused<T>(path: string, work: (database: SqlDatabase) => T): T {
  const database = openSqlite(path);
  try {
    // SQLite refuses this while another connection uses the log. Afterwards the log is gone and the file holds everything.
    database.exec('PRAGMA busy_timeout = 0; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE');
    return work(database);
  } catch (cause) {
    if (cause instanceof OlaError) throw cause;
    if (isBusy(cause)) throw inUse(path, cause);
    const message = `The original program's database ${path} cannot be read (${errnoOf(cause)}). Repair it, or move it away.`;
    throw new OlaError('persistence_unavailable', message, { cause });
  } finally {
    database.close();
  }
}

function hasTable(database: SqlDatabase, name: string): boolean {
  return database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(name) !== undefined;
}

function isBusy(cause: unknown): boolean {
  return cause instanceof Error && cause.message.includes('database is locked');
}

function inUse(path: string, cause: unknown): OlaError {
  return new OlaError('conflict', `The original program has ${path} open. Stop it, then start ola again.`, { cause });
}
