/** Moves of complete files: into another directory, under a new name, in place of another file. All are synced to disk. */
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { OlaError } from '../core/errors.ts';
import { createEmpty, errnoOf, isErrno, syncPath } from './files.ts';

export interface FoundFile {
  readonly path: string;
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly modifiedAt: number;
}

/** The files of a directory whose names have this ending, sorted by name; none when there is no such directory. */
export function filesIn(directory: string, end: string): readonly FoundFile[] {
  if (!existsSync(directory)) return [];
  const names = readdirSync(directory).filter((name) => name.endsWith(end));
  return names.sort().flatMap((name) => {
    const path = join(directory, name);
    const facts = statSync(path, { throwIfNoEntry: false });
    return facts?.isFile() === true ? [{ path, name, modifiedAt: Math.trunc(facts.mtimeMs) }] : [];
  });
}

/**
 * Moves a file, or a directory with its files, into another directory of the same file system, which is created if missing.
 * A symbolic link is moved with the same target; the target itself stays.
 * @throws OlaError `conflict` when the name exists there, `persistence_unavailable`
 */
export function moveInto(directory: string, path: string): void {
  const target = join(directory, basename(path));
  const leadsTo = linkTarget(path);
  // The new link is made before the old one is removed, so a kill in between leaves both.
  const isThere = leadsTo !== null && linkText(target) === leadsTo;
  if (!isThere && lstatSync(target, { throwIfNoEntry: false }) !== undefined) {
    throw new OlaError('conflict', `Cannot move ${path}: ${target} exists already. Move that away first.`);
  }
  try {
    makePrivateDirectory(directory);
    if (leadsTo === null) renameSync(path, target);
    else if (!isThere) symlinkSync(leadsTo, target);
    syncPath(directory);
    if (leadsTo !== null) rmSync(path);
    syncPath(dirname(path));
  } catch (cause) {
    throw new OlaError('persistence_unavailable', `Cannot move ${path} to ${target} (${errnoOf(cause)}).`, { cause });
  }
}

/** Absolute path of a symbolic link's target, all links resolved; null when the path is not a link or the target does not exist. */
export function linkTarget(path: string): string | null {
  return linkText(path) !== null && existsSync(path) ? realpathSync(path) : null;
}

function linkText(path: string): string | null {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true ? readlinkSync(path) : null;
}

/** Creates a directory with mode 0700, unless it exists. */
function makePrivateDirectory(path: string): void {
  if (existsSync(path)) return;
  mkdirSync(path, { mode: 0o700 });
  syncPath(dirname(path));
}

/** Removes a file; synced to disk when it returns. */
export function removeFile(path: string): void {
  rmSync(path, { force: true });
  syncPath(dirname(path));
}

/** The path with symbolic links resolved; the path itself when nothing exists there. */
export function linksResolved(path: string): string {
  return existsSync(path) ? realpathSync(path) : path;
}

/**
 * Checks that a new file can be created at a path.
 * @param path as typed, relative to the working directory
 * @returns the absolute path, with links in the directory resolved
 * @throws OlaError `invalid_field` when the directory does not exist, `conflict` when the name exists
 */
export function placeOfNewFile(path: string): string {
  const typed = resolve(path);
  let directory: string;
  try {
    directory = realpathSync(dirname(typed));
  } catch (cause) {
    const what = isErrno(cause, 'ENOENT') ? 'does not exist; create it' : `cannot be used (${errnoOf(cause)}); name another`;
    throw new OlaError('invalid_field', `The directory ${dirname(typed)} ${what}.`, { cause });
  }
  const whole = join(directory, basename(typed));
  // A link is not followed: its name is taken.
  const facts = lstatSync(whole, { throwIfNoEntry: false });
  if (facts === undefined) return whole;
  const what = facts.isDirectory() ? 'is a directory; name a file in it' : 'exists already; name another file';
  throw new OlaError('conflict', `${whole} ${what}.`);
}

/**
 * Gives a complete temporary file its name.
 * @returns the size of the file in bytes
 * @throws OlaError `conflict` when the name exists by now, `persistence_unavailable`
 */
export function publishNew(temporary: string, path: string): number {
  try {
    syncPath(temporary);
    // link(2) refuses an existing name, rename(2) would replace it.
    linkSync(temporary, path);
    rmSync(temporary);
    syncPath(dirname(path));
    return statSync(path).size;
  } catch (cause) {
    if (isErrno(cause, 'EEXIST')) throw new OlaError('conflict', `${path} exists already; name another file.`, { cause });
    throw new OlaError('persistence_unavailable', `Cannot write ${path} (${errnoOf(cause)}).`, { cause });
  }
}

/**
 * Copies a file of any mode to one with mode 0600.
 * @throws OlaError `invalid_field` when there is no such file, `persistence_unavailable`
 */
export function copyPrivate(from: string, to: string): void {
  const unusable = (what: string, cause?: unknown) => new OlaError('invalid_field', `The file ${from} ${what}.`, { cause });
  try {
    // Non-blocking, so that a pipe named by mistake does not hang.
    closeSync(openSync(from, constants.O_RDONLY | constants.O_NONBLOCK));
  } catch (cause) {
    throw isErrno(cause, 'ENOENT') ? unusable('does not exist') : unusable(`cannot be read (${errnoOf(cause)})`, cause);
  }
  if (!statSync(from).isFile()) throw unusable('is not a regular file');
  try {
    createEmpty(to);
    copyFileSync(from, to);
    // copyFileSync gives the copy the mode of the source.
    chmodSync(to, 0o600);
  } catch (cause) {
    throw new OlaError('persistence_unavailable', `Cannot copy ${from} to ${to} (${errnoOf(cause)}).`, { cause });
  }
}

export interface Replacement {
  readonly path: string;
  /** The new database: complete, in the same directory, open in no process. */
  readonly next: string;
  /** The path at which the former database is kept. */
  readonly kept: string;
}

/**
 * Replaces a database by another in one step. Neither may be open in a process. At every moment one of them exists.
 * @returns true when there was a former database
 * @throws OlaError `persistence_unavailable`
 */
export function replaceDatabase({ path, next, kept }: Replacement): boolean {
  try {
    const former = existsSync(path);
    // The log is moved first: SQLite would apply it to any database of that name.
    for (const end of logEnds) if (existsSync(path + end)) renameSync(path + end, kept + end);
    if (former) linkSync(path, kept);
    syncPath(next);
    syncPath(dirname(path));
    renameSync(next, path);
    syncPath(dirname(path));
    return former;
  } catch (cause) {
    throw new OlaError('persistence_unavailable', `Cannot replace ${path} (${errnoOf(cause)}).`, { cause });
  }
}

const logEnds = ['-wal', '-shm', '-journal'];

/** True when the first character of a file is a brace, as in an export of the configuration. */
export function beginsLikeJson(path: string): boolean {
  const start = Buffer.alloc(64);
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return /^\s*\{/.test(start.toString('utf8', 0, readSync(file, start)));
  } finally {
    closeSync(file);
  }
}

/** True when a database has a log beside it that is not merged into it. */
export function hasLog(path: string): boolean {
  return logEnds.some((end) => end !== '-shm' && (statSync(path + end, { throwIfNoEntry: false })?.size ?? 0) > 0);
}
