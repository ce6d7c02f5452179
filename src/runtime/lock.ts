/**
 * Locks: one process per home, and one per database outside a home. The lock is SQLite's, on a file of its own, so the
 * system drops it however the process ends; a file with a process id would outlive the process. A JSON file beside the lock
 * describes the holder, for messages.
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { OlaError } from '../core/errors.ts';
import { isObject } from '../core/json.ts';
import type { SqlDatabase } from '../core/ports.ts';
import { removeTemporaries, writeForNow } from './files.ts';
import { openSqlite } from './sqlite.ts';

/** The process that holds a home or a database. */
export interface LockHolder {
  readonly pid: number;
  readonly version: string;
  /** Address on which the process listens; null when it does not listen. */
  readonly address: string | null;
  /** Configuration file of the process; null in database mode. */
  readonly configFile: string | null;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

/** A held lock. It ends with `release` or with the process. */
export interface Lock {
  update(facts: LockHolder): void;
  release(): void;
}

/** `heldBy` is null when the other process has not described itself yet. */
export type LockAnswer = Lock | { readonly heldBy: LockHolder | null };

/**
 * Takes the lock of the home, or returns its holder. Does not wait. The new holder removes temporary files of killed processes.
 * @throws OlaError `persistence_unavailable` when the home cannot be written to
 */
export function takeHomeLock(home: string, facts: LockHolder): LockAnswer {
  return take({ path: join(home, 'ola.lock'), what: `the home ${home}`, clear: () => removeTemporaries(home) }, facts);
}

/**
 * Takes the lock of a database outside the home, because two homes may name the same one. The lock is a file beside it.
 * @throws OlaError `persistence_unavailable` when its directory cannot be written to
 */
export function takeDatabaseLock(database: string, facts: LockHolder): LockAnswer {
  return take({ path: `${database}.lock`, what: `the database ${database}`, clear: () => undefined }, facts);
}

interface Lockable {
  readonly path: string;
  /** The locked thing, for messages: `the home /srv/ola`. */
  readonly what: string;
  /** Removes files that only the holder may remove. */
  readonly clear: () => void;
}

function take({ path, what, clear }: Lockable, facts: LockHolder): LockAnswer {
  const factsPath = `${path}.json`;
  const database = openSqlite(path);
  if (!isTaken(database, what)) return { heldBy: readFacts(factsPath) };
  const write = (next: LockHolder) => writeForNow(factsPath, `${JSON.stringify(next)}\n`);
  try {
    // First of all, because this file describes a process that is gone.
    rmSync(factsPath, { force: true });
    clear();
    write(facts);
  } catch (cause) {
    database.close();
    throw unusable(what, cause);
  }
  return {
    update: write,
    release() {
      rmSync(factsPath, { force: true });
      database.close();
    },
  };
}

/** @returns false, with the database closed, when another process holds the lock */
function isTaken(database: SqlDatabase, what: string): boolean {
  try {
    database.exec('PRAGMA busy_timeout = 0; PRAGMA locking_mode = EXCLUSIVE');
    // This transaction is never committed: it is the lock. The file stays empty.
    database.exec('BEGIN IMMEDIATE');
    return true;
  } catch (cause) {
    database.close();
    if (cause instanceof Error && cause.message.includes('database is locked')) return false;
    throw unusable(what, cause);
  }
}

/** The holder's description of itself; null when there is none, or when it is that of a dead process. */
function readFacts(path: string): LockHolder | null {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (!isObject(value)) return null;
    // An older version wrote no `configFile`.
    const { pid, version, address, configFile = null, startedAt } = value;
    if (typeof pid !== 'number' || typeof version !== 'string' || typeof startedAt !== 'number') return null;
    if (address !== null && typeof address !== 'string') return null;
    if (configFile !== null && typeof configFile !== 'string') return null;
    return isAlive(pid) ? { pid, version, address, configFile, startedAt } : null;
  } catch {
    return null;
  }
}

/** Signal 0 tests for the process without a signal; EPERM means a living process of another user. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function unusable(what: string, cause: unknown): OlaError {
  return new OlaError('persistence_unavailable', `Cannot lock ${what}. Check its owner and the free space on its disk.`, {
    cause,
  });
}
