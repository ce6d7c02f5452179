/** The three ways in which the stores use the database, and the errors for its failures. */
import { OlaError } from '../core/errors.ts';
import type { SqlDatabase } from '../core/ports.ts';

/** Words of SQLite's errors (the same in every driver), with the reason and the remedy. */
const advice: readonly (readonly [RegExp, string])[] = [
  [/full/, 'the disk is full; free some space'],
  [/readonly|unable to open/, 'it cannot be written; check the owner and the modes of the home'],
  [/locked|busy/, 'another program holds it; close that program'],
  [/malformed|not a database/, 'it is damaged; stop ola and replace it with a backup: `ola restore FILE`'],
  [/closed|finalized|not open/, 'it is closed, because ola is stopping'],
];

/** Runs reads. @throws OlaError `persistence_unavailable` */
export function reading<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw persistenceError(cause);
  }
}

/**
 * Runs `work` in a transaction that is synced to disk when this returns. After an error nothing has been written.
 * `work` is synchronous, because a transaction around an `await` would include the writes of other callers.
 * @throws OlaError what `work` throws; `conflict` for a key that exists; else `persistence_unavailable`
 */
export function writing<T>(database: SqlDatabase, work: () => T): T {
  try {
    database.prepare('BEGIN IMMEDIATE').run();
    const result = work();
    database.prepare('COMMIT').run();
    return result;
  } catch (cause) {
    rollBack(database);
    throw persistenceError(cause);
  }
}

/**
 * Does the same as `writing` without waiting for the disk, for data that has not been acknowledged. A power failure may lose
 * the last batches, a crash of the process loses none. The next `writing` syncs them too. (200 usage rows take 0.35 ms; with
 * the wait for the disk 0.5 to 1 ms.)
 */
export function batching<T>(database: SqlDatabase, work: () => T): T {
  return reading(() => {
    database.exec('PRAGMA synchronous = NORMAL');
    try {
      return writing(database, work);
    } finally {
      database.exec('PRAGMA synchronous = FULL');
    }
  });
}

function rollBack(database: SqlDatabase): void {
  try {
    database.exec('ROLLBACK');
  } catch {
    // BEGIN itself failed, or SQLite has already rolled back, as it does when the disk is full.
  }
}

function persistenceError(cause: unknown): OlaError {
  if (cause instanceof OlaError) return cause;
  const text = cause instanceof Error ? cause.message : String(cause);
  if (text.includes('UNIQUE constraint failed')) {
    return new OlaError('conflict', 'An entry with this id exists already. Choose another id.', { cause });
  }
  const known = advice.find(([pattern]) => pattern.test(text))?.[1];
  return new OlaError('persistence_unavailable', `The database failed: ${known ?? 'see the log for the cause'}.`, { cause });
}
