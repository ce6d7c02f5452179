/** SQLite through node:sqlite (3.53.2 in Deno 2.9.6), adapted where it differs from `bun:sqlite`. */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import type { SqlRow, SqlValue } from '../../core/ports.ts';
import type { ConnectSqlite, SqliteStatement } from '../platform.ts';

export const connectSqlite: ConnectSqlite = (path, use) => {
  const options = { readOnly: use !== 'write', enableForeignKeyConstraints: false };
  const connection = inWords(() => new DatabaseSync(use === 'frozen' ? frozen(path) : path, options));
  return {
    exec: (sql) => connection.exec(sql),
    prepare: (sql) => wrap(connection.prepare(sql)),
    // Closing also ends the statements. A second close must not throw, as under Bun.
    close: () => {
      if (connection.isOpen) connection.close();
    },
  };
};

/** The URL of a database file that does not change (sqlite.org/uri.html). */
function frozen(path: string): URL {
  const url = pathToFileURL(path);
  url.searchParams.set('immutable', '1');
  return url;
}

/** Without all permissions Deno lets SQLite attach no second file and take no URL; SQLite's words for that name neither. */
const permission = /^too many attached databases - max 0$|^unable to open database file: .*file:\/\//;

function inWords<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof Error) || !permission.test(cause.message)) throw cause;
    throw new Error('Deno permits a copy of a database only with --allow-all', { cause });
  }
}

function wrap(statement: StatementSync): SqliteStatement {
  // Without this a number that no double can hold would be an error; `plain` rounds it.
  statement.setReadBigInts(true);
  return {
    run: (...values) => ({ changes: Number(inWords(() => statement.run(...values)).changes) }),
    get(...values) {
      const row = statement.get(...values);
      return row === undefined ? undefined : plain(row);
    },
    all: (...values) => statement.all(...values).map(plain),
  };
}

function plain(row: Readonly<Record<string, SqlValue>>): SqlRow {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, typeof value === 'bigint' ? Number(value) : value]),
  );
}
