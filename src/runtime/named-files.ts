/** Files that the user names: the configuration file, secret files, and the files that commands read and write. */
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
} from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { OlaError } from '../core/errors.ts';
import { createPrivate, errnoOf, isErrno, ownUser, withTemporary, writePrivate } from './files.ts';

/** Largest text file, in bytes: far more than any configuration, small enough to stop at a device or a log named by mistake. */
const maxTextBytes = 4 * 1024 * 1024;
/** Largest secret file, in bytes. */
const maxSecretBytes = 64 * 1024;

/** @param path as typed, relative to the working directory */
export function absolutePath(path: string): string {
  return resolve(path);
}

export function folderOf(path: string): string {
  return dirname(path);
}

/** True when two paths lead to the same file, directly or through links. */
export function sameFile(one: string, other: string): boolean {
  if (one === other) return true;
  const [a, b] = [one, other].map((path) => statSync(path, { bigint: true, throwIfNoEntry: false }));
  return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino;
}

/**
 * The text of the configuration file; null when there is none. A user who can write it can send every key to another
 * server, so it must belong to this user or root, and no other user may write it. Others may read it: it holds references,
 * not secrets.
 * @throws OlaError `invalid_field` that names the fault of the file and the remedy
 */
export function readConfigFile(path: string): string | null {
  const bytes = readRegular(path, maxTextBytes, (facts) => {
    if (!isTrusted(facts)) return `belongs to user ${facts.uid}; it must belong to you or to root (change its owner with chown)`;
    if ((facts.mode & 0o022) !== 0) return `can be written by other users; run chmod go-w ${path}`;
    return null;
  });
  return bytes === null ? null : decode(bytes, path);
}

/**
 * The secret in a file, without the line break at its end; null when there is no such file.
 * @param base directory that a relative path starts from
 * @throws OlaError `invalid_field` that names the fault of the file, never its content
 */
export function readSecretFile(base: string, path: string): string | null {
  const whole = resolve(base, path);
  const bytes = readRegular(whole, maxSecretBytes, (facts) => {
    if (!isTrusted(facts)) return `belongs to user ${facts.uid}; it must belong to you or to root (change its owner with chown)`;
    // Container platforms mount secrets as files of root that the process's group can read.
    const others = facts.uid === ownUser() ? 0o077 : 0o027;
    if ((facts.mode & others) !== 0) return `can be read by other users; run chmod 600 ${whole}`;
    return null;
  });
  return bytes === null ? null : decode(bytes, whole).replace(/\r?\n$/, '');
}

function isTrusted({ uid }: Stats): boolean {
  return uid === ownUser() || uid === 0;
}

/** @param refuse returns the fault of the file, as the end of a sentence that begins with its path; null when there is none */
function readRegular(path: string, maxBytes: number, refuse: (facts: Stats) => string | null): Buffer | null {
  let file: number;
  try {
    // Non-blocking, so that a pipe named by mistake does not hang the start.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    if (isErrno(cause, 'ENOENT')) return null;
    throw unusable(path, `cannot be read (${errnoOf(cause)}): check the path and its owner`, cause);
  }
  try {
    // Checks the open file, because the name could be given to another file in between.
    const facts = fstatSync(file);
    if (!facts.isFile()) throw unusable(path, 'is not a regular file; name a regular file');
    const wrong = refuse(facts);
    if (wrong !== null) throw unusable(path, wrong);
    return readBounded(file, path, maxBytes);
  } finally {
    closeSync(file);
  }
}

/** Counts the bytes while it reads, because files grow and devices report no size. */
function readBounded(file: number, path: string, maxBytes: number): Buffer {
  const chunks: Buffer[] = [];
  for (let left = maxBytes + 1; left > 0; ) {
    const chunk = Buffer.alloc(Math.min(left, 65_536));
    const count = readSync(file, chunk);
    if (count === 0) return Buffer.concat(chunks);
    chunks.push(chunk.subarray(0, count));
    left -= count;
  }
  throw unusable(path, `has more than ${maxBytes / 1024} KiB; name another file`);
}

function decode(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw unusable(path, 'is not UTF-8 text; save it as UTF-8', cause);
  }
}

function unusable(path: string, what: string, cause?: unknown): OlaError {
  return new OlaError('invalid_field', `The file ${path} ${what}.`, { cause });
}

/** The `Files` port of the command line: the user's files, and private temporary files below the home. @param home absolute path; created when a temporary file needs it */
export function personsFiles(home: string) {
  const made = new Set<string>();
  return {
    async read(path: string): Promise<string | null> {
      return readText(resolve(path));
    },
    async create(path: string, text: string): Promise<boolean> {
      const whole = resolve(path);
      return withMessage(whole, 'created', () => createPrivate(whole, text));
    },
    async replace(path: string, { from, to }: { readonly from: string; readonly to: string }): Promise<boolean> {
      return withMessage(path, 'replaced', () => {
        const target = realpathSync(resolve(path));
        if (readText(target) !== from) return false;
        replaceText(target, to);
        return true;
      });
    },
    async temporary(name: string, text: string): Promise<string> {
      return withMessage(home, 'used for a temporary file', () => {
        mkdirSync(home, { recursive: true, mode: 0o700 });
        const directory = mkdtempSync(join(home, 'edit-'));
        made.add(directory);
        const path = join(directory, basename(name));
        writePrivate(path, text);
        return path;
      });
    },
    async discard(path: string): Promise<void> {
      const directory = dirname(path);
      // Only directories that `temporary` made are removed, never one of the user's own.
      if (!made.delete(directory) || !directory.startsWith(`${home}${sep}`)) return;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Reads a file or a pipe (`ola config import <(...)`) to its end. */
function readText(path: string): string | null {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY);
  } catch (cause) {
    if (isErrno(cause, 'ENOENT')) return null;
    throw unusable(path, `cannot be read (${errnoOf(cause)}): check the path and its owner`, cause);
  }
  try {
    return decode(readBounded(file, path, maxTextBytes), path);
  } catch (cause) {
    if (cause instanceof OlaError) throw cause;
    throw unusable(path, `cannot be read (${errnoOf(cause)}); name a file`, cause);
  } finally {
    closeSync(file);
  }
}

/** Replaces a file in one step like `writePrivate`, but keeps its mode and owner. */
function replaceText(path: string, text: string): void {
  const { mode, uid, gid } = statSync(path);
  const keep = (file: number) => {
    fchownSync(file, uid, gid);
    // The mode is set after the owner, because a change of owner clears bits of the mode.
    fchmodSync(file, mode & 0o7777);
  };
  withTemporary(path, text, { publish: (temporary) => renameSync(temporary, path), prepare: keep });
}

function withMessage<T>(path: string, done: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof OlaError) throw cause;
    throw unusable(
      path,
      `cannot be ${done} (${errnoOf(cause)}); check the path, its owner and the free space on the disk`,
      cause,
    );
  }
}
