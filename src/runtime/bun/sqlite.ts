/**
 * SQLite through `bun:sqlite`. Bun on Linux has its own SQLite (3.54.1 in Bun 1.4.5). It lacks the fault of versions before
 * 3.51.3, in which two connections to a log could damage a database.
 */
import { constants, Database } from 'bun:sqlite';
import { pathToFileURL } from 'node:url';
import type { SqlRow, SqlValue } from '../../core/ports.ts';
import type { ConnectSqlite, SqliteUse } from '../platform.ts';

type Statement = ReturnType<typeof Database.prototype.prepare<SqlRow, SqlValue[]>>;

export const connectSqlite: ConnectSqlite = (path, use) => {
  const connection = open(path, use);
  const statements: Statement[] = [];
  return {
    exec: (sql) => {
      connection.run(sql);
    },
    prepare(sql) {
      const statement = connection.prepare<SqlRow, SqlValue[]>(sql);
      statements.push(statement);
      return statement;
    },
    close() {
      // An open statement would keep the file open, with its locks and its log.
      for (const statement of statements) statement.finalize();
      statements.length = 0;
      connection.close();
    },
  };
};

function open(path: string, use: SqliteUse): Database {
  if (use === 'write') return new Database(path, { strict: true, readwrite: true });
  // The form of the URL: sqlite.org/uri.html
  const url = pathToFileURL(path).href + (use === 'frozen' ? '?immutable=1' : '');
  return new Database(url, constants.SQLITE_OPEN_READONLY | constants.SQLITE_OPEN_URI);
}
