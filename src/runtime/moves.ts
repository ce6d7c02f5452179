/** Files that change places whole: moved aside, published under a new name, put in the place of another. All durable. */
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

/** The files of a directory whose names end so, by name; none when there is no such directory. */
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
 * Moves a file, or a directory with its files, into another directory of the same file system, which is made when it is
 * not there. A link leads to the same place from there; what it leads to is not moved.
 * @throws OlaError `conflict` when the name is taken there, `persistence_unavailable`
 */
export function moveInto(directory: string, path: string): void {
  const target = join(directory, basename(path));
  const leadsTo = linkTarget(path);
  // A link is made anew before the old one goes: a kill between the two leaves both.
  const isThere = leadsTo !== null && linkText(target) === leadsTo;
  if (!isThere && lstatSync(target, { throwIfNoEntry: false }) !== undefined) {
    throw new OlaError('conflict', `Cannot move ${path}: ${target} is there already. Move that away first.`);
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

/** What a symbolic link leads to, absolute, all links resolved; null when the path is none, or leads nowhere. */
export function linkTarget(path: string): string | null {
  return linkText(path) !== null && existsSync(path) ? realpathSync(path) : null;
}

function linkText(path: string): string | null {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true ? readlinkSync(path) : null;
}

/** Makes a directory, 0700, unless it is there. */
function makePrivateDirectory(path: string): void {
  if (existsSync(path)) return;
  mkdirSync(path, { mode: 0o700 });
  syncPath(dirname(path));
}

/** Removes a file. Durable. */
export function removeFile(path: string): void {
  rmSync(path, { force: true });
  syncPath(dirname(path));
}

/** The path without symbolic links; the path itself where there is nothing. */
export function linksResolved(path: string): string {
  return existsSync(path) ? realpathSync(path) : path;
}

/**
 * Where a new file may be made.
 * @param path as typed, from the working directory
 * @returns absolute, links in the directory resolved
 * @throws OlaError `invalid_field` when its directory is not there, `conflict` when its name is taken
 */
export function placeOfNewFile(path: string): string {
  const typed = resolve(path);
  let directory: string;
  try {
    directory = realpathSync(dirname(typed));
  } catch (cause) {
    const what = isErrno(cause, 'ENOENT') ? 'is not there: make it' : `cannot be used (${errnoOf(cause)}): name another`;
    throw new OlaError('invalid_field', `The directory ${dirname(typed)} ${what}.`, { cause });
  }
  const whole = join(directory, basename(typed));
  // Not followed: a link in the way is a name that is taken.
  const facts = lstatSync(whole, { throwIfNoEntry: false });
  if (facts === undefined) return whole;
  const what = facts.isDirectory() ? 'is a directory: name a file in it' : 'exists already: name another file';
  throw new OlaError('conflict', `${whole} ${what}.`);
}

/**
 * Gives a whole file its name.
 * @returns its bytes
 * @throws OlaError `conflict` when the name is taken by now, `persistence_unavailable`
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
    if (isErrno(cause, 'EEXIST')) throw new OlaError('conflict', `${path} exists already: name another file.`, { cause });
    throw new OlaError('persistence_unavailable', `Cannot write ${path} (${errnoOf(cause)}).`, { cause });
  }
}

/**
 * Copies a file, whoever can read it, to one that its owner alone can read.
 * @throws OlaError `invalid_field` when there is none to copy, `persistence_unavailable`
 */
export function copyPrivate(from: string, to: string): void {
  const unusable = (what: string, cause?: unknown) => new OlaError('invalid_field', `The file ${from} ${what}.`, { cause });
  try {
    // Non-blocking, so that a pipe named by mistake does not hang.
    closeSync(openSync(from, constants.O_RDONLY | constants.O_NONBLOCK));
  } catch (cause) {
    throw isErrno(cause, 'ENOENT') ? unusable('is not there') : unusable(`cannot be read (${errnoOf(cause)})`, cause);
  }
  if (!statSync(from).isFile()) throw unusable('is not a regular file');
  try {
    createEmpty(to);
    copyFileSync(from, to);
    // A copy takes the mode of what it was made from.
    chmodSync(to, 0o600);
  } catch (cause) {
    throw new OlaError('persistence_unavailable', `Cannot copy ${from} to ${to} (${errnoOf(cause)}).`, { cause });
  }
}

export interface Replacement {
  readonly path: string;
  /** Takes its place; whole, in the same directory, open nowhere. */
  readonly next: string;
  /** Where the file that stood there is kept. */
  readonly kept: string;
}

/**
 * Puts a database that nobody has open in the place of another, in one step: at every moment one of them is there.
 * @returns whether there was one before
 * @throws OlaError `persistence_unavailable`
 */
export function replaceDatabase({ path, next, kept }: Replacement): boolean {
  try {
    const former = existsSync(path);
    // First of all: a log would be played into whatever file stands beside it.
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

/** Whether a database has a log beside it that is not folded into it. */
export function hasLog(path: string): boolean {
  return logEnds.some((end) => end !== '-shm' && (statSync(path + end, { throwIfNoEntry: false })?.size ?? 0) > 0);
}
