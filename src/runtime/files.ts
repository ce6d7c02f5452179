/** Private files: a home that only its owner can enter, and writes that leave the old content or the complete new one. */
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { OlaError } from '../core/errors.ts';

/** A file or directory that other users could open, before its mode was narrowed. */
export interface FixedMode {
  readonly path: string;
  /** The former permission bits: 0o644. */
  readonly mode: number;
}

export interface Home {
  /** Path of the directory, symbolic links resolved once; all other paths are built on it. */
  readonly path: string;
  readonly fixed: readonly FixedMode[];
}

/** Files that mark a directory as a home of ola or of the predecessor. */
const homeFiles = ['runtime_state.sqlite3', 'ola.lock', 'master.key', 'config.json', 'usage.sqlite3'];

const permissionBits = 0o777;
const forOthers = 0o077;
/** Size of the file that tests whether a disk takes writes: more than the first pages of a database and its log. */
const probeBytes = 64 * 1024;
/** Names of temporary files. A copy of a database briefly has its log beside it. */
const temporaryName = /^\..+\.[0-9a-f]{16}\.tmp(?:-wal|-shm|-journal)?$/;

/**
 * Creates the home with mode 0700, or takes the existing one. Narrows the modes of what is in it: directories to 0700,
 * files to their owner's bits. Links are not followed; files of other users are left unchanged.
 * @throws OlaError `persistence_unavailable` when the home belongs to another user, is not a directory, is open to other
 *   users and holds files that are not ola's, cannot be created or narrowed, or takes no writes
 */
export function prepareHome(path: string): Home {
  refuseClosedHome(path);
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const home = realpathSync(path);
    const facts = statSync(home);
    if (facts.uid !== ownUser()) {
      throw unusable(path, belongsTo(facts.uid, path));
    }
    // A mistake like OPEN_LLM_AUTH_HOME=/etc must not close a directory that other programs need.
    if ((facts.mode & forOthers) !== 0 && !looksLikeHome(home)) {
      throw unusable(path, 'holds other files and is open to other users; name an empty directory, or run chmod 700 on this one');
    }
    // The directory comes first: once it is closed, no other user can exchange the files in it.
    const fixed = [...narrow(home, facts), ...narrowInside(home)];
    tryToWrite(home);
    return { path: home, fixed };
  } catch (cause) {
    if (cause instanceof OlaError) throw cause;
    throw unusable(path, whyUnusable(cause), cause);
  }
}

/**
 * Tells another user's home from one that is not there: without this, what it holds would look absent.
 * @throws OlaError `persistence_unavailable` when the home, or a directory on the way to it, is another user's and closed
 */
export function refuseClosedHome(path: string): void {
  try {
    closeSync(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK));
  } catch (cause) {
    const owner = isErrno(cause, 'EACCES', 'EPERM') ? ownerOf(path) : null;
    if (owner !== null) throw unusable(path, belongsTo(owner, path), cause);
  }
}

/** The owner of the path, or of the closed directory on the way to it; null when that is this user, whose modes ola mends. */
function ownerOf(path: string): number | null {
  for (let at = path; ; at = dirname(at)) {
    try {
      const { uid } = statSync(at);
      return uid === ownUser() ? null : uid;
    } catch (cause) {
      if (!isErrno(cause, 'EACCES', 'EPERM') || at === dirname(at)) return null;
    }
  }
}

function belongsTo(user: number, path: string): string {
  const command = `sudo -u '#${user}' env OPEN_LLM_AUTH_HOME=${path} ola status`;
  return `belongs to user ${user}; run ola as that user (\`${command}\`), or set OPEN_LLM_AUTH_HOME to a directory of your own`;
}

function whyUnusable(cause: unknown): string {
  if (isErrno(cause, 'EROFS')) {
    return 'is on a read-only file system; mount it writable, or set OPEN_LLM_AUTH_HOME to a directory that you can write to';
  }
  if (isErrno(cause, 'ENOSPC', 'EDQUOT')) {
    return 'is on a full disk; free some space, or set OPEN_LLM_AUTH_HOME to a directory on another disk';
  }
  const reason = isErrno(cause, 'EEXIST', 'ENOTDIR') ? 'is not a directory' : `cannot be prepared (${errnoOf(cause)})`;
  return `${reason}; set OPEN_LLM_AUTH_HOME to a directory that you can write to`;
}

/** Writes a test file. A disk that takes no writes gets one clear error here instead of a failure in an unrelated step later. */
function tryToWrite(directory: string): void {
  const path = temporaryBeside(join(directory, 'room'));
  try {
    const file = openSync(path, 'wx', 0o600);
    try {
      writeAll(file, new Uint8Array(probeBytes));
    } finally {
      closeSync(file);
    }
  } finally {
    rmSync(path, { force: true });
  }
}

function looksLikeHome(directory: string): boolean {
  const names = readdirSync(directory).filter((name) => name !== 'lost+found');
  return names.length === 0 || names.some((name) => homeFiles.includes(name));
}

function narrowInside(directory: string): FixedMode[] {
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name);
    const facts = lstatSync(path, { throwIfNoEntry: false });
    if (facts === undefined || facts.isSymbolicLink() || facts.uid !== ownUser()) return [];
    const fixed = narrow(path, facts);
    return facts.isDirectory() ? [...fixed, ...narrowInside(path)] : fixed;
  });
}

function narrow(path: string, facts: Stats): FixedMode[] {
  const mode = facts.mode & permissionBits;
  const wanted = facts.isDirectory() ? 0o700 : mode & 0o700;
  if (mode === wanted) return [];
  chmodSync(path, wanted);
  return (mode & forOthers) === 0 ? [] : [{ path, mode }];
}

/**
 * Replaces a file in one step: a crash leaves the old content or the new, never a part. The mode is never wider than 0600.
 * Synced to disk when it returns.
 */
export function writePrivate(path: string, bytes: Uint8Array | string): void {
  withTemporary(path, bytes, { publish: (temporary) => renameSync(temporary, path) });
}

/**
 * Replaces a file in one step like `writePrivate`, but does not sync it to disk: after a power failure the file may be empty
 * or missing. For files that no process reads after this one has ended.
 */
export function writeForNow(path: string, bytes: Uint8Array | string): void {
  placeWhole(path, bytes, { publish: (temporary) => renameSync(temporary, path) });
}

/**
 * Creates a complete file with mode 0600, unless the path exists.
 * @returns false when the path exists; the existing file is left unchanged
 */
export function createPrivate(path: string, bytes: Uint8Array | string): boolean {
  try {
    // link(2) refuses an existing name, rename(2) would replace it.
    withTemporary(path, bytes, { publish: (temporary) => linkSync(temporary, path) });
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    throw error;
  }
}

/** Removes the temporary files that a crash left behind. Only the process that holds the directory's lock may call it. */
export function removeTemporaries(directory: string): void {
  for (const name of readdirSync(directory)) {
    if (temporaryName.test(name)) rmSync(join(directory, name), { force: true });
  }
}

/** An unused name in the same directory as `path`. */
export function temporaryBeside(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomBytes(8).toString('hex')}.tmp`);
}

/** Creates an empty file with mode 0600 under any umask. @throws EEXIST when the path exists */
export function createEmpty(path: string): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    fchmodSync(file, 0o600);
  } finally {
    closeSync(file);
  }
}

/** Syncs a file, or the names in a directory, to disk. */
export function syncPath(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

interface Publishing {
  /** Gives the complete and synced file its name. */
  readonly publish: (temporary: string) => void;
  /** Called before `publish` with the open file, to set an owner or a wider mode. */
  readonly prepare?: (file: number) => void;
}

/** Writes a file beside `path` with mode 0600 and publishes it. Synced to disk when it returns; a failure leaves no file behind. */
export function withTemporary(path: string, bytes: Uint8Array | string, { publish, prepare }: Publishing): void {
  placeWhole(path, bytes, {
    publish,
    prepare(file) {
      prepare?.(file);
      fsyncSync(file);
    },
  });
  syncPath(dirname(path));
}

/** Does the same as `withTemporary`, but syncs nothing to disk except what `prepare` syncs. */
function placeWhole(path: string, bytes: Uint8Array | string, { publish, prepare }: Publishing): void {
  const temporary = temporaryBeside(path);
  try {
    const file = openSync(temporary, 'wx', 0o600);
    try {
      fchmodSync(file, 0o600);
      writeAll(file, typeof bytes === 'string' ? Buffer.from(bytes) : bytes);
      prepare?.(file);
    } finally {
      closeSync(file);
    }
    publish(temporary);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Writes all bytes: one write(2) may take only a part of them, for example on a nearly full disk. */
function writeAll(file: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
}

/** The user id that files must have; undefined on systems without user ids. */
export function ownUser(): number | undefined {
  return process.geteuid?.();
}

/** True when an error has one of these error codes of the system. */
export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && codes.includes(errnoOf(error));
}

/** The error code of the system, such as `EACCES`, for messages. */
export function errnoOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'code' in error) return String(error.code);
  return error instanceof Error ? error.message : String(error);
}

function unusable(path: string, what: string, cause?: unknown): OlaError {
  return new OlaError('persistence_unavailable', `The home ${path} ${what}.`, { cause });
}

export function exists(path: string): boolean {
  return existsSync(path);
}
