/** SQLite: one connection over a private file, consistent copies of it, and inspection of a file. The tables are the store's. */
import { chmodSync, existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { connectSqlite } from '#platform/sqlite.ts';
import { OlaError } from '../core/errors.ts';
import type { SqlDatabase, SqlStatement } from '../core/ports.ts';
import { createEmpty, errnoOf, isErrno, syncPath, temporaryBeside } from './files.ts';
import type { SqliteConnection, SqliteStatement } from './platform.ts';

/** Time that a reader waits for a lock, in milliseconds. */
const readWait = 5000;

/**
 * Opens a database; creates an empty one if there is none. The file, its write-ahead log and its shared memory have mode
 * 0600: SQLite gives the last two the mode of the file.
 * @throws OlaError `persistence_unavailable`
 */
export function openSqlite(path: string): SqlDatabase {
  try {
    makePrivate(path);
    return connect(connectSqlite(path, 'write'), path);
  } catch (cause) {
    throw cannotOpen(path, 'Check that the directory exists, belongs to you and has free space.', cause);
  }
}

function cannotOpen(path: string, advice: string, cause: unknown): OlaError {
  const message = `Cannot open the database ${path} (${errnoOf(cause)}). ${advice}`;
  return new OlaError('persistence_unavailable', message, { cause });
}

/** The header of a database file and the result of its check. */
export interface DatabaseFile {
  /** 0 when it cannot be read. */
  readonly applicationId: number;
  /** `user_version`; 0 when it cannot be read. */
  readonly schema: number;
  /** `ok`, or SQLite's description of the damage. */
  readonly verdict: string;
}

/**
 * Reads a complete database and its log, and writes to neither.
 * @throws OlaError `persistence_unavailable` when the file does not exist or must not be read
 */
export function inspectSqlite(path: string): DatabaseFile {
  // Without a log no process has the file open. It is read as frozen then, because SQLite would create a log and could not remove it.
  const database = openReadOnly(path, existsSync(`${path}-wal`) ? 'read' : 'frozen');
  const facts = { applicationId: 0, schema: 0 };
  try {
    facts.applicationId = pragma(database, 'application_id');
    facts.schema = pragma(database, 'user_version');
    return { ...facts, verdict: verdictOf(database) };
  } catch (cause) {
    return { ...facts, verdict: cause instanceof Error ? cause.message : String(cause) };
  } finally {
    database.close();
  }
}

/**
 * Copies a database through a connection of its own; another process may have it open and write to it. The copy has the
 * properties that `copySqlite` gives.
 * @throws OlaError `persistence_unavailable` when the database cannot be read or the copy is damaged
 */
export function copySqliteFile(from: string, to: string): void {
  const database = openReadOnly(from, 'read');
  try {
    copySqlite(database, to);
  } catch (cause) {
    if (cause instanceof OlaError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new OlaError('persistence_unavailable', `Cannot copy the database ${from} to ${to}: ${reason}.`, { cause });
  } finally {
    database.close();
  }
}

function pragma(database: SqlDatabase, name: 'application_id' | 'user_version'): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}

function openReadOnly(path: string, use: 'read' | 'frozen'): SqlDatabase {
  try {
    const database = connect(connectSqlite(path, use), path);
    database.exec(`PRAGMA busy_timeout = ${readWait}`);
    return database;
  } catch (cause) {
    throw cannotOpen(path, 'Check that it is a file and that you can read it.', cause);
  }
}

/**
 * Copies the present state of a database to `path`, with mode 0600. The copy is checked, and synced to disk when it
 * returns. An existing file is replaced in one step.
 */
export function copySqlite(database: SqlDatabase, path: string): void {
  const temporary = temporaryBeside(path);
  try {
    // VACUUM INTO accepts an existing empty file, so the mode is right from the first byte.
    createEmpty(temporary);
    database.prepare('VACUUM INTO ?').run(temporary);
    checkCopy(temporary);
    // VACUUM INTO does not sync the file to disk.
    syncPath(temporary);
    renameSync(temporary, path);
  } finally {
    rmSync(temporary, { force: true });
  }
  syncPath(dirname(path));
}

function checkCopy(path: string): void {
  const copy = openSqlite(path);
  try {
    const verdict = verdictOf(copy);
    if (verdict !== 'ok') throw new OlaError('persistence_unavailable', `The copy of the database is damaged: ${verdict}.`);
  } finally {
    copy.close();
  }
}

function verdictOf(database: SqlDatabase): string {
  const verdict = database.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
  return String(verdict).replaceAll(/\s+/g, ' ');
}

/**
 * Gives the files mode 0600 by name, never through an open descriptor: closing any descriptor of a database drops the locks
 * that this process holds on it (sqlite.org/howtocorrupt.html, 2.2).
 */
function makePrivate(path: string): void {
  try {
    createEmpty(path);
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
    for (const file of [path, `${path}-wal`, `${path}-shm`]) {
      if (existsSync(file)) chmodSync(file, 0o600);
    }
  }
}

function connect(connection: SqliteConnection, path: string): SqlDatabase {
  const prepared = new Map<string, SqlStatement>();

  function close(): void {
    prepared.clear();
    connection.close();
  }

  return {
    exec: connection.exec,
    prepare(sql) {
      const known = prepared.get(sql);
      if (known !== undefined) return known;
      const wrapped = wrap(connection.prepare(sql));
      prepared.set(sql, wrapped);
      return wrapped;
    },
    close,
    abandon() {
      const guard = hasLog(path) ? keepingLog(path) : null;
      close();
      guard?.close();
    },
  };
}

function hasLog(path: string): boolean {
  return (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

/**
 * A read-only connection that keeps the log. SQLite merges the log into the database when the last connection closes and may
 * write; while this one is open, no other is the last.
 */
function keepingLog(path: string): SqliteConnection {
  const guard = connectSqlite(path, 'read');
  try {
    guard.prepare('SELECT count(*) FROM sqlite_schema').get();
  } catch {
    // The database is damaged, but the lock that keeps the log is taken all the same.
  }
  return guard;
}

function wrap(statement: SqliteStatement): SqlStatement {
  return {
    run: (...values) => statement.run(...values),
    get: (...values) => statement.get(...values) ?? undefined,
    all: (...values) => statement.all(...values),
  };
}
