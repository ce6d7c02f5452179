/** SQLite by `bun:sqlite`: one connection over a private file, and a consistent copy of it. What it is used for is the store's. */
import { Database } from 'bun:sqlite';
import { chmodSync, existsSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { OlaError } from '../core/errors.ts';
import type { SqlDatabase, SqlRow, SqlStatement, SqlValue } from '../core/ports.ts';
import { createEmpty, errnoOf, isErrno, syncPath, temporaryBeside } from './files.ts';

type Statement = ReturnType<typeof Database.prototype.prepare<SqlRow, SqlValue[]>>;

/**
 * Opens a database, making an empty one where there is none. File, write-ahead log and shared memory are 0600: SQLite
 * gives the last two the mode of the first.
 * @throws OlaError `persistence_unavailable`
 */
export function openSqlite(path: string): SqlDatabase {
  try {
    makePrivate(path);
    return connect(new Database(path, { strict: true, readwrite: true }));
  } catch (cause) {
    const advice = 'Check that the directory exists, is yours and has room.';
    throw new OlaError('persistence_unavailable', `Cannot open the database ${path} (${errnoOf(cause)}). ${advice}`, { cause });
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
    const verdict = copy.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
    if (verdict !== 'ok') throw new OlaError('persistence_unavailable', `The copy of the database is damaged: ${verdict}.`);
  } finally {
    copy.close();
  }
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

function connect(connection: Database): SqlDatabase {
  const native = new Map<string, Statement>();
  const prepared = new Map<string, SqlStatement>();
  return {
    exec: (sql) => {
      connection.run(sql);
    },
    prepare(sql) {
      const known = prepared.get(sql);
      if (known !== undefined) return known;
      const statement = connection.prepare<SqlRow, SqlValue[]>(sql);
      const wrapped = wrap(statement);
      native.set(sql, statement);
      prepared.set(sql, wrapped);
      return wrapped;
    },
    close() {
      // An open statement would keep the file open, and with it the locks and the log.
      for (const statement of native.values()) statement.finalize();
      native.clear();
      prepared.clear();
      connection.close();
    },
  };
}

function wrap(statement: Statement): SqlStatement {
  return {
    run: (...values) => statement.run(...values),
    get: (...values) => statement.get(...values) ?? undefined,
    all: (...values) => statement.all(...values),
  };
}
