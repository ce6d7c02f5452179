/** SQLite through node:sqlite (3.53.2 in Deno 2.9.6), adapted where it differs from `bun:sqlite`. */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import type { SqlRow, SqlValue } from '../../core/ports.ts';
import type { ConnectSqlite, SqliteStatement } from '../platform.ts';

export const connectSqlite: ConnectSqlite = (path, use) => {
  const connection = new DatabaseSync(use === 'frozen' ? frozen(path) : path, {
    readOnly: use !== 'write',
    enableForeignKeyConstraints: false,
  });
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

function wrap(statement: StatementSync): SqliteStatement {
  // Without this a number that no double can hold would be an error; `plain` rounds it.
  statement.setReadBigInts(true);
  return {
    run: (...values) => ({ changes: Number(statement.run(...values).changes) }),
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
