/** SQLite: one connection over a private file, consistent copies of it, and what a file is. What it is used for is the store's. */
import { chmodSync, existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { connectSqlite } from '#platform/sqlite.ts';
import { OlaError } from '../core/errors.ts';
import type { SqlDatabase, SqlStatement } from '../core/ports.ts';
import { createEmpty, errnoOf, isErrno, syncPath, temporaryBeside } from './files.ts';
import type { SqliteConnection, SqliteStatement } from './platform.ts';

/** Milliseconds that a reader waits for a lock. */
const readWait = 5000;

/**
 * Opens a database, making an empty one where there is none. File, write-ahead log and shared memory are 0600: SQLite
 * gives the last two the mode of the first.
 * @throws OlaError `persistence_unavailable`
 */
export function openSqlite(path: string): SqlDatabase {
  try {
    makePrivate(path);
    return connect(connectSqlite(path, 'write'), path);
  } catch (cause) {
    throw cannotOpen(path, 'Check that the directory exists, is yours and has room.', cause);
  }
}

function cannotOpen(path: string, advice: string, cause: unknown): OlaError {
  const message = `Cannot open the database ${path} (${errnoOf(cause)}). ${advice}`;
  return new OlaError('persistence_unavailable', message, { cause });
}

/** What a file says that it is, and whether it is sound. */
export interface DatabaseFile {
  readonly applicationId: number;
  /** `user_version`. */
  readonly schema: number;
  /** `ok`, or what is wrong with it in SQLite's words; the numbers are 0 when they cannot be read. */
  readonly verdict: string;
}

/**
 * Reads the whole of a database, and of its log if it has one, and writes to neither.
 * @throws OlaError `persistence_unavailable` when there is no such file or it may not be read
 */
export function inspectSqlite(path: string): DatabaseFile {
  // Without a log nobody has it open: read as it lies there, as SQLite would make a log beside it and could not remove it.
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
 * Copies a database as of now, by a connection of its own: another process may have it open and write to it. The copy
 * is as of `copySqlite`.
 * @throws OlaError `persistence_unavailable` when it cannot be read, or the copy is damaged
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
    throw cannotOpen(path, 'Check that it is a file, and that you may read it.', cause);
  }
}

/**
 * Copies a database as of now to `path`, 0600, checked, and on the disk when it returns; a file that is there is
 * replaced in one step.
 */
export function copySqlite(database: SqlDatabase, path: string): void {
  const temporary = temporaryBeside(path);
  try {
    // VACUUM INTO takes an empty file too: so the mode is right from the first byte.
    createEmpty(temporary);
    database.prepare('VACUUM INTO ?').run(temporary);
    checkCopy(temporary);
    // VACUUM INTO does not sync what it writes.
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
 * By name, never through an open file: closing any descriptor of a database drops the locks that this process holds
 * on it (sqlite.org/howtocorrupt.html, 2.2).
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

/** The last connection that may write folds the log in when it is closed; this one reads only, and lets no other be the last. */
function keepingLog(path: string): SqliteConnection {
  const guard = connectSqlite(path, 'read');
  try {
    guard.prepare('SELECT count(*) FROM sqlite_schema').get();
  } catch {
    // Damaged: the lock that matters is taken all the same.
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
