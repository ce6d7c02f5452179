/** Where the database stands: in the home, or where the operator names it. */
import { existsSync, lstatSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { OlaError } from '../core/errors.ts';
import { errnoOf, isErrno, ownUser } from './files.ts';

export interface DatabasePath {
  /** Absolute, links resolved. */
  readonly path: string;
  /** Whether another home may name it too, so that the lock of this one does not keep others out. */
  readonly shared: boolean;
}

export interface NamedDatabase {
  /** As it was written. */
  readonly path: string;
  /** The folder that a relative path starts from. */
  readonly base: string;
  /** Who named it, for messages: a variable, a field of a file. */
  readonly namedBy: string;
}

/**
 * @param home links resolved
 * @param named null: the home's own
 * @throws OlaError `invalid_field` when its directory is not there, not this user's or open to writers, or when it is no
 *   file of its own or belongs to another home
 */
export function databasePath(home: string, named: NamedDatabase | null): DatabasePath {
  if (named === null) return placed(home, join(home, 'runtime_state.sqlite3'));
  const path = resolve(named.base, named.path);
  const refused = (what: string, cause?: unknown) =>
    new OlaError('invalid_field', `The database ${path} (${named.namedBy}) ${what}.`, { cause });
  try {
    const directory = realpathSync(dirname(path));
    const { uid, mode } = statSync(directory);
    if (uid !== ownUser()) throw refused(`is in a directory of user ${uid}: name one in a directory of your own`);
    if ((mode & 0o022) !== 0) throw refused(`is in a directory that others can write to: run chmod go-w ${directory}`);
    // Its owner would open it under a lock that this process does not ask for.
    if (directory !== home && existsSync(join(directory, 'ola.lock'))) {
      throw refused(`is in another home: set OPEN_LLM_AUTH_HOME to ${directory} instead`);
    }
    const whole = join(directory, basename(path));
    // Under two names one database would have two locks and two logs.
    if (lstatSync(whole, { throwIfNoEntry: false })?.isFile() === false)
      throw refused('is not a regular file: name another path');
    return placed(home, whole);
  } catch (cause) {
    if (cause instanceof OlaError) throw cause;
    if (isErrno(cause, 'ENOENT', 'ENOTDIR')) throw refused(`is in a directory that is not there: make ${dirname(path)}`, cause);
    throw refused(`cannot be reached (${errnoOf(cause)}): check its directory`, cause);
  }
}

function placed(home: string, path: string): DatabasePath {
  // A lock beside it was made by another home, which may hold it now.
  return { path, shared: dirname(path) !== home || existsSync(`${path}.lock`) };
}
