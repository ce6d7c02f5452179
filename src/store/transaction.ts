/** The three ways the stores touch the database, and what its failures are called outside. */
import { OlaError } from '../core/errors.ts';
import type { SqlDatabase } from '../core/ports.ts';

/** SQLite's own words (the same in every driver) and what to do about them. */
const advice: readonly (readonly [RegExp, string])[] = [
  [/full/, 'the disk is full: free some space'],
  [/readonly|unable to open/, 'it cannot be written: check the owner and the modes of the home'],
  [/locked|busy/, 'another program holds it: close that program'],
  [/malformed|not a database/, 'it is damaged: stop ola and put a backup in its place with `ola restore FILE`'],
  [/closed|finalized|not open/, 'it is closed: ola is stopping'],
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
 * Runs `work` in a transaction that is on the disk when this returns; when anything throws, nothing of it happened.
 * `work` is synchronous: a transaction around an `await` would take in what others write meanwhile.
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
 * As `writing`, for what nobody was told is safe: the disk is not waited for, so a power failure may take the last of
 * these, a crash of the process none. The next `writing` brings them to the disk with it. (200 usage rows: 0.35 ms, 0.5 to
 * 1 ms when the disk is waited for.)
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
    // BEGIN itself failed, or SQLite has rolled back already, as it does when the disk is full.
  }
}

function persistenceError(cause: unknown): OlaError {
  if (cause instanceof OlaError) return cause;
  const text = cause instanceof Error ? cause.message : String(cause);
  if (text.includes('UNIQUE constraint failed')) {
    return new OlaError('conflict', 'An entry with this id exists already: choose another id.', { cause });
  }
  const known = advice.find(([pattern]) => pattern.test(text))?.[1];
  return new OlaError('persistence_unavailable', `The database failed: ${known ?? 'see the log for the cause'}.`, { cause });
}
