/** Files that a person or an operator names: the configuration file, secrets in files of their own, what a command reads and writes. */
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

/** Far more than any configuration; a device or a log named by mistake stops here. */
const mostTextBytes = 4 * 1024 * 1024;
const mostSecretBytes = 64 * 1024;

/** @param path as typed, from the working directory */
export function absolutePath(path: string): string {
  return resolve(path);
}

export function folderOf(path: string): string {
  return dirname(path);
}

/** Whether two paths lead to one file, also by links. */
export function sameFile(one: string, other: string): boolean {
  if (one === other) return true;
  const [a, b] = [one, other].map((path) => statSync(path, { bigint: true, throwIfNoEntry: false }));
  return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino;
}

/**
 * The text of the configuration file; null when there is none. Whoever can write it can send every key elsewhere, so it
 * must be this user's or root's and writable by nobody else; it holds references, so that others may read it.
 * @throws OlaError `invalid_field` that says what is wrong with the file, and what to do
 */
export function readConfigFile(path: string): string | null {
  const bytes = readRegular(path, mostTextBytes, (facts) => {
    if (!isTrusted(facts)) return `belongs to user ${facts.uid}: it must be yours or root's (chown it)`;
    if ((facts.mode & 0o022) !== 0) return `can be written by others: run chmod go-w ${path}`;
    return null;
  });
  return bytes === null ? null : decode(bytes, path);
}

/**
 * A secret that stands in a file of its own, without the line break at its end; null when there is no such file.
 * @param base the folder that a relative path starts from
 * @throws OlaError `invalid_field` that says what is wrong with the file, never what is in it
 */
export function readSecretFile(base: string, path: string): string | null {
  const whole = resolve(base, path);
  const bytes = readRegular(whole, mostSecretBytes, (facts) => {
    if (!isTrusted(facts)) return `belongs to user ${facts.uid}: it must be yours or root's (chown it)`;
    // Container platforms hand a secret over as root's, readable by the group that the process is given.
    const others = facts.uid === ownUser() ? 0o077 : 0o027;
    if ((facts.mode & others) !== 0) return `can be read by others: run chmod 600 ${whole}`;
    return null;
  });
  return bytes === null ? null : decode(bytes, whole).replace(/\r?\n$/, '');
}

function isTrusted({ uid }: Stats): boolean {
  return uid === ownUser() || uid === 0;
}

/** @param refuse what is wrong with the file: the end of a sentence that begins with its path; null: nothing */
function readRegular(path: string, most: number, refuse: (facts: Stats) => string | null): Buffer | null {
  let file: number;
  try {
    // Non-blocking, so that a pipe named by mistake does not hang the start.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    if (isErrno(cause, 'ENOENT')) return null;
    throw unusable(path, `cannot be read (${errnoOf(cause)}): check the path and its owner`, cause);
  }
  try {
    // Of the open file, not of its name: it cannot be swapped in between.
    const facts = fstatSync(file);
    if (!facts.isFile()) throw unusable(path, 'is not a regular file: name one');
    const wrong = refuse(facts);
    if (wrong !== null) throw unusable(path, wrong);
    return readBounded(file, path, most);
  } finally {
    closeSync(file);
  }
}

/** The size is counted, not asked: files grow, and devices have none. */
function readBounded(file: number, path: string, most: number): Buffer {
  const chunks: Buffer[] = [];
  for (let left = most + 1; left > 0; ) {
    const chunk = Buffer.alloc(Math.min(left, 65_536));
    const count = readSync(file, chunk);
    if (count === 0) return Buffer.concat(chunks);
    chunks.push(chunk.subarray(0, count));
    left -= count;
  }
  throw unusable(path, `has more than ${most / 1024} KiB: name another file`);
}

function decode(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw unusable(path, 'is not UTF-8 text: save it as UTF-8', cause);
  }
}

function unusable(path: string, what: string, cause?: unknown): OlaError {
  return new OlaError('invalid_field', `The file ${path} ${what}.`, { cause });
}

/** What commands do with a person's files, and with private ones below the home. @param home absolute; made when it is needed */
export function personsFiles(home: string) {
  const made = new Set<string>();
  return {
    async read(path: string): Promise<string | null> {
      return readText(resolve(path));
    },
    async create(path: string, text: string): Promise<boolean> {
      const whole = resolve(path);
      return withMessage(whole, 'made', () => createPrivate(whole, text));
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
      // Never a directory of the person's own.
      if (!made.delete(directory) || !directory.startsWith(`${home}${sep}`)) return;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** A pipe too (`ola config import <(...)`): what is there is read to its end. */
function readText(path: string): string | null {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY);
  } catch (cause) {
    if (isErrno(cause, 'ENOENT')) return null;
    throw unusable(path, `cannot be read (${errnoOf(cause)}): check the path and its owner`, cause);
  }
  try {
    return decode(readBounded(file, path, mostTextBytes), path);
  } catch (cause) {
    if (cause instanceof OlaError) throw cause;
    throw unusable(path, `cannot be read (${errnoOf(cause)}): name a file`, cause);
  } finally {
    closeSync(file);
  }
}

/** In one step, as `writePrivate`; mode and owner stay. */
function replaceText(path: string, text: string): void {
  const { mode, uid, gid } = statSync(path);
  const keep = (file: number) => {
    fchownSync(file, uid, gid);
    // After the owner: a change of owner clears bits.
    fchmodSync(file, mode & 0o7777);
  };
  withTemporary(path, text, { publish: (temporary) => renameSync(temporary, path), prepare: keep });
}

function withMessage<T>(path: string, done: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof OlaError) throw cause;
    throw unusable(path, `cannot be ${done} (${errnoOf(cause)}): check the path, its owner and the room on the disk`, cause);
  }
}
