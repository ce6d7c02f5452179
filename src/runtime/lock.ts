/**
 * One process a home, and one a database that stands elsewhere. The lock is SQLite's, on a file of its own, so the system
 * drops it with the process however that ends; a file with a process id in it would outlive it. What is known of the
 * holder stands beside it, for messages.
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { OlaError } from '../core/errors.ts';
import { isObject } from '../core/json.ts';
import type { SqlDatabase } from '../core/ports.ts';
import { removeTemporaries, writeForNow } from './files.ts';
import { openSqlite } from './sqlite.ts';

/** Who holds a home or a database. */
export interface LockHolder {
  readonly pid: number;
  readonly version: string;
  /** Where it listens, null while it does not. */
  readonly address: string | null;
  /** The file that governs it; null: its database does. */
  readonly configFile: string | null;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

/** Ours until `release`, or the end of the process. */
export interface Lock {
  update(facts: LockHolder): void;
  release(): void;
}

/** `heldBy` is null when the other process has not said yet who it is. */
export type LockAnswer = Lock | { readonly heldBy: LockHolder | null };

/**
 * Takes the home, or says who has it. Does not wait. Whoever takes it clears what a killed process left half written.
 * @throws OlaError `persistence_unavailable` when the home cannot be written to
 */
export function takeHomeLock(home: string, facts: LockHolder): LockAnswer {
  return take({ path: join(home, 'ola.lock'), what: `the home ${home}`, clear: () => removeTemporaries(home) }, facts);
}

/**
 * Takes a database that stands outside the home: two homes may name the same one. The lock is a file beside it.
 * @throws OlaError `persistence_unavailable` when its directory cannot be written to
 */
export function takeDatabaseLock(database: string, facts: LockHolder): LockAnswer {
  return take({ path: `${database}.lock`, what: `the database ${database}`, clear: () => undefined }, facts);
}

interface Lockable {
  readonly path: string;
  /** For messages: `the home /srv/ola`. */
  readonly what: string;
  /** What only the holder may clear away. */
  readonly clear: () => void;
}

function take({ path, what, clear }: Lockable, facts: LockHolder): LockAnswer {
  const factsPath = `${path}.json`;
  const database = openSqlite(path);
  if (!isTaken(database, what)) return { heldBy: readFacts(factsPath) };
  const write = (next: LockHolder) => writeForNow(factsPath, `${JSON.stringify(next)}\n`);
  try {
    // Before anything else: these are the facts of a process that is gone.
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

/** @returns false, with the database closed, when another process holds it */
function isTaken(database: SqlDatabase, what: string): boolean {
  try {
    database.exec('PRAGMA busy_timeout = 0; PRAGMA locking_mode = EXCLUSIVE');
    // Never committed: the lock is this open transaction, and the file stays empty.
    database.exec('BEGIN IMMEDIATE');
    return true;
  } catch (cause) {
    database.close();
    if (cause instanceof Error && cause.message.includes('database is locked')) return false;
    throw unusable(what, cause);
  }
}

/** What the holder says of itself; null when it says nothing, or what is there is left over from a dead process. */
function readFacts(path: string): LockHolder | null {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (!isObject(value)) return null;
    // Absent in what an older version wrote.
    const { pid, version, address, configFile = null, startedAt } = value;
    if (typeof pid !== 'number' || typeof version !== 'string' || typeof startedAt !== 'number') return null;
    if (address !== null && typeof address !== 'string') return null;
    if (configFile !== null && typeof configFile !== 'string') return null;
    return isAlive(pid) ? { pid, version, address, configFile, startedAt } : null;
  } catch {
    return null;
  }
}

/** Signal 0 asks only; EPERM is a living process of another user. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function unusable(what: string, cause: unknown): OlaError {
  return new OlaError('persistence_unavailable', `Cannot lock ${what}: check that it is yours and has room.`, { cause });
}
