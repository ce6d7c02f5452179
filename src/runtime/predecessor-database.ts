/** SQLite databases of the original program: recognised, and read while nobody else can open them. */
import { OlaError } from '../core/errors.ts';
import type { SqlDatabase, SqlRow } from '../core/ports.ts';
import { errnoOf, exists } from './files.ts';
import { openSqlite } from './sqlite.ts';

/** Whether a file is a database that belongs to no application and has one of these tables. */
export function isPredecessorDatabase(path: string, tables: readonly string[]): boolean {
  if (!exists(path)) return false;
  const database = openSqlite(path);
  try {
    const application = database.prepare('PRAGMA application_id').get()?.['application_id'];
    return application === 0 && tables.some((table) => hasTable(database, table));
  } catch (cause) {
    if (isBusy(cause)) throw inUse(path, cause);
    // No database, or a damaged one: whoever opens it next says so.
    return false;
  } finally {
    database.close();
  }
}

/**
 * Reads whole tables; those that are not there have no rows.
 * @throws OlaError as `whileUnused`
 */
export function readTables<T extends string>(path: string, tables: readonly T[]): Readonly<Record<T, readonly SqlRow[]>> {
  const rowsOf = (database: SqlDatabase, table: T) =>
    hasTable(database, table) ? database.prepare(`SELECT * FROM ${table} ORDER BY rowid`).all() : [];
  const read = (database: SqlDatabase) => tables.map((table) => [table, rowsOf(database, table)]);
  // A key for each table.
  return Object.fromEntries(whileUnused(path, read)) as Record<T, readonly SqlRow[]>;
}

/**
 * Runs `work` while nobody else can open the database, its log folded into it.
 * @throws OlaError `conflict` when somebody has it open, `persistence_unavailable` when it is damaged
 */
export function whileUnused<T>(path: string, work: (database: SqlDatabase) => T): T {
  const database = openSqlite(path);
  try {
    // Refused while another connection uses the log; afterwards the file is all there is.
    database.exec('PRAGMA busy_timeout = 0; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE');
    return work(database);
  } catch (cause) {
    if (cause instanceof OlaError) throw cause;
    if (isBusy(cause)) throw inUse(path, cause);
    const message = `The original program's database ${path} cannot be read (${errnoOf(cause)}): repair it, or move it away.`;
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
  return new OlaError('conflict', `The original program has ${path} open: stop it, then start ola again.`, { cause });
}
