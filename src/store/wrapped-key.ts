/** The master key inside a backup, sealed with a passphrase. A database in use never contains it. */
import type { SqlDatabase } from '../core/ports.ts';
import { textOf } from './columns.ts';
import { reading, writing } from './transaction.ts';

const select = "SELECT value FROM meta WHERE key = 'wrapped_key'";
const insert = "INSERT OR REPLACE INTO meta (key, value) VALUES ('wrapped_key', ?)";
const drop = "DELETE FROM meta WHERE key = 'wrapped_key'";

/** @returns null when the backup contains no key */
export function readWrappedKey(database: SqlDatabase): string | null {
  return reading(() => {
    const row = database.prepare(select).get();
    return row === undefined ? null : textOf(row, 'value');
  });
}

export function writeWrappedKey(database: SqlDatabase, sealed: string): void {
  writing(database, () => database.prepare(insert).run(sealed));
}

/** Deletes the key and overwrites it in the file. */
export function dropWrappedKey(database: SqlDatabase): void {
  reading(() => database.exec('PRAGMA secure_delete = ON'));
  writing(database, () => database.prepare(drop).run());
}
