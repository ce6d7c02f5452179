/** The path of the database: in the home, or a path that the operator names. */
import { existsSync, lstatSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { OlaError } from '../core/errors.ts';
import { errnoOf, isErrno, ownUser } from './files.ts';

export interface DatabasePath {
  /** Absolute path, links resolved. */
  readonly path: string;
  /** True when another home may use the same database, so that it needs a lock of its own beside the home's. */
  readonly shared: boolean;
}

export interface NamedDatabase {
  /** The path as written. */
  readonly path: string;
  /** The directory that a relative path starts from. */
  readonly base: string;
  /** The variable or the field of a file that names the path, for messages. */
  readonly namedBy: string;
}

/**
 * @param home absolute path, links resolved
 * @param named null for the home's own database
 * @throws OlaError `invalid_field` when the directory does not exist, belongs to another user, can be written to by others
 *   or is another home, or when the path is not a regular file
 */
export function databasePath(home: string, named: NamedDatabase | null): DatabasePath {
  if (named === null) return placed(home, join(home, 'runtime_state.sqlite3'));
  const path = resolve(named.base, named.path);
  const refused = (what: string, cause?: unknown) =>
    new OlaError('invalid_field', `The database ${path} (${named.namedBy}) ${what}.`, { cause });
  try {
    const directory = realpathSync(dirname(path));
    const { uid, mode } = statSync(directory);
    if (uid !== ownUser()) throw refused(`is in a directory of user ${uid}; name a path in a directory of your own`);
    if ((mode & 0o022) !== 0) throw refused(`is in a directory that other users can write to; run chmod go-w ${directory}`);
    // A server of that home would open the database under the home's own lock, which this process does not take.
    if (directory !== home && existsSync(join(directory, 'ola.lock'))) {
      throw refused(`is in another home; set OPEN_LLM_AUTH_HOME to ${directory} instead`);
    }
    const whole = join(directory, basename(path));
    // A link would give one database two names, and with them two locks and two logs.
    if (lstatSync(whole, { throwIfNoEntry: false })?.isFile() === false)
      throw refused('is not a regular file; name another path');
    return placed(home, whole);
  } catch (cause) {
    if (cause instanceof OlaError) throw cause;
    if (isErrno(cause, 'ENOENT', 'ENOTDIR'))
      throw refused(`is in a directory that does not exist; create ${dirname(path)}`, cause);
    throw refused(`cannot be reached (${errnoOf(cause)}); check its directory`, cause);
  }
}

function placed(home: string, path: string): DatabasePath {
  // A lock file beside the database was made by another home, which may hold it now.
  return { path, shared: dirname(path) !== home || existsSync(`${path}.lock`) };
}
