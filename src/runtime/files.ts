/** Private files: a home that only its owner can enter, and writes that are there whole or not at all. */
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
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

/** A mode that let others in; it has been narrowed. */
export interface FixedMode {
  readonly path: string;
  /** The permission bits it had: 0o644. */
  readonly mode: number;
}

export interface Home {
  /** The directory itself, symbolic links resolved once: everything else is joined to this. */
  readonly path: string;
  readonly fixed: readonly FixedMode[];
}

/** By these a directory is known as a home of ours, or of the original program. */
const homeFiles = ['runtime_state.sqlite3', 'ola.lock', 'master.key', 'config.json', 'usage.sqlite3'];

const permissionBits = 0o777;
const forOthers = 0o077;
/** More than the first pages of a database and its log. */
const probeBytes = 64 * 1024;
/** A database that is copied has its log beside it for a moment. */
const temporaryName = /^\..+\.[0-9a-f]{16}\.tmp(?:-wal|-shm|-journal)?$/;

/**
 * Makes the home (0700) or takes the one that is there, and narrows modes in it that let others read: directories to
 * 0700, files to their owner's bits. Links in it are not followed, what belongs to others is left to them.
 * @throws OlaError `persistence_unavailable` when it is another user's, no directory, open to others and full of
 *   things that are not ours, cannot be made or narrowed, or takes no writes
 */
export function prepareHome(path: string): Home {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const home = realpathSync(path);
    const facts = statSync(home);
    if (facts.uid !== ownUser()) {
      throw unusable(path, `belongs to user ${facts.uid}: set OPEN_LLM_AUTH_HOME to a directory of your own`);
    }
    // A slip like OPEN_LLM_AUTH_HOME=/etc must not shut a directory that others live from.
    if ((facts.mode & forOthers) !== 0 && !looksLikeHome(home)) {
      throw unusable(path, 'holds other things and is open to other users: name an empty directory, or run chmod 700 on it');
    }
    // The directory first: once it is shut, nobody else can swap what is in it.
    const fixed = [...narrow(home, facts), ...narrowInside(home)];
    tryToWrite(home);
    return { path: home, fixed };
  } catch (cause) {
    if (cause instanceof OlaError) throw cause;
    throw unusable(path, whyUnusable(cause), cause);
  }
}

function whyUnusable(cause: unknown): string {
  if (isErrno(cause, 'EROFS')) {
    return 'is on a read-only file system: mount it writable, or set OPEN_LLM_AUTH_HOME to a directory that you may write';
  }
  if (isErrno(cause, 'ENOSPC', 'EDQUOT')) {
    return 'is on a disk without room: make room, or set OPEN_LLM_AUTH_HOME to a directory on another disk';
  }
  const reason = isErrno(cause, 'EEXIST', 'ENOTDIR') ? 'is not a directory' : `cannot be prepared (${errnoOf(cause)})`;
  return `${reason}: set OPEN_LLM_AUTH_HOME to a directory that you may write`;
}

/** Found now, a disk that takes no writes has one clear message; found later, it is a failure of whatever came first. */
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
 * Replaces a file in one step: a crash leaves the old content or the new, never half, and never a moment with a wider
 * mode than 0600. Durable when it returns.
 */
export function writePrivate(path: string, bytes: Uint8Array | string): void {
  withTemporary(path, bytes, { publish: (temporary) => renameSync(temporary, path) });
}

/**
 * As `writePrivate`, without waiting for the disk, for what nobody reads once this process is gone: a power failure may
 * leave the file empty or without its name.
 */
export function writeForNow(path: string, bytes: Uint8Array | string): void {
  placeWhole(path, bytes, { publish: (temporary) => renameSync(temporary, path) });
}

/**
 * Makes a file, whole and 0600, unless there is one.
 * @returns false when there was one; it is left as it is
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

/** Removes what writes cut short by a crash left behind; only for the process that has the directory to itself. */
export function removeTemporaries(directory: string): void {
  for (const name of readdirSync(directory)) {
    if (temporaryName.test(name)) rmSync(join(directory, name), { force: true });
  }
}

/** A name beside `path` that nothing else uses. */
export function temporaryBeside(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomBytes(8).toString('hex')}.tmp`);
}

/** Makes an empty file, 0600 whatever the umask. @throws EEXIST when there is one */
export function createEmpty(path: string): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    fchmodSync(file, 0o600);
  } finally {
    closeSync(file);
  }
}

/** Brings a file, or the names in a directory, to the disk. */
export function syncPath(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

interface Publishing {
  /** Gives the whole and synced file its name. */
  readonly publish: (temporary: string) => void;
  /** Before that, on the open file: an owner, a wider mode. */
  readonly prepare?: (file: number) => void;
}

/** Writes a file beside `path`, 0600, and publishes it; durable when it returns, nothing left when it fails. */
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

/** As `withTemporary`, but durable only as far as `prepare` sees to it. */
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

/** write(2) may take less than it is given, on a nearly full disk for one. */
function writeAll(file: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
}

/** The user that files must belong to; undefined where there are no such users. */
export function ownUser(): number | undefined {
  return process.geteuid?.();
}

/** Whether an error is one of these of the system. */
export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && codes.includes(errnoOf(error));
}

/** `EACCES` and the like, for messages. */
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
