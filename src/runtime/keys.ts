/** The sources of the master keys: a file that a variable names, a variable, else a file in the home that ola creates once. */
import { randomBytes } from 'node:crypto';
import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OlaError } from '../core/errors.ts';
import { allKeys, type KeyRing, type KeySource, type MasterKey } from '../core/vault.ts';
import { createPrivate, errnoOf, isErrno, ownUser, writePrivate } from './files.ts';

export interface KeyPlaces {
  readonly home: string;
  /** Values of OPEN_LLM_AUTH_MASTER_KEY_FILE and OPEN_LLM_AUTH_MASTER_KEY. */
  readonly env: { readonly file?: string | undefined; readonly value?: string | undefined };
  /** Parses the text of keys. Its errors describe the text, not its source. */
  readonly parse: (text: string) => KeyRing;
}

export interface KeySources extends KeyPlaces {
  /** True when sealed secrets are stored: then a missing key is an error, and no new one is created. */
  readonly secretsExist: boolean;
}

const fileVariable = 'OPEN_LLM_AUTH_MASTER_KEY_FILE';
const valueVariable = 'OPEN_LLM_AUTH_MASTER_KEY';
/** Largest key file, in bytes: far more than any ring of keys, small enough to stop at a device or a log named by mistake. */
const maxFileBytes = 64 * 1024;
/** Largest file of retired keys, in bytes: room for more than 20,000 rotations. */
const maxRetiredBytes = 1024 * 1024;

/**
 * The first source that is set, in this order: the two variables, then the home's own file, the only one that ola writes.
 * An unusable source is an error, the next one is not tried. A variable that is set but empty is refused: `$(cat key)` of a
 * missing file must not lead to a new key.
 */
export function keySource({ home, env: { file, value }, parse }: KeyPlaces): KeySource {
  const outside = { retired: null, write: null };
  if (file !== undefined) return { name: `${fileVariable} (${file})`, read: () => readNamed(file, parse), ...outside };
  if (value !== undefined) return { name: valueVariable, read: () => parseFrom(valueVariable, value, parse), ...outside };
  const path = ownFile(home);
  const read = () => {
    const stored = readKeyFile(path);
    if (stored === null) throw unusable(`The master key ${path} is gone. Put it back from a copy.`);
    return parseFrom(path, stored, parse);
  };
  const retired = { name: `${path}.retired`, read: () => readRetired(`${path}.retired`, parse) };
  return {
    name: path,
    read,
    retired,
    // A link means that its owner keeps the key in another place, which ola must not write to.
    write: isLink(path)
      ? null
      : (ring) => {
          // A file that was removed in the meantime is written again, because only this process has its keys.
          const before = readKeyFile(path) === null ? [] : read();
          retire(retired.name, retired.read(), leaving(before, ring));
          writeKeys(path, ring);
        },
  };
}

const ownFile = (home: string) => join(home, 'master.key');

const isLink = (path: string) => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;

const textOf = (keys: readonly MasterKey[]) => keys.map(({ bytes }) => `${Buffer.from(bytes).toString('base64')}\n`).join('');

function leaving(before: readonly MasterKey[], after: KeyRing): readonly MasterKey[] {
  const staying = new Set(after.map(({ id }) => id));
  return before.filter(({ id }) => !staying.has(id));
}

/** Adds keys to the file of retired keys. No key is ever deleted: a backup or another database may need it. */
function retire(path: string, before: readonly MasterKey[], keys: readonly MasterKey[]): void {
  const known = new Set(before.map(({ id }) => id));
  const fresh = keys.filter(({ id }) => !known.has(id));
  if (fresh.length === 0) return;
  const all = [...before, ...fresh];
  if (textOf(all).length > maxRetiredBytes) {
    throw unusable(`${path} has no room for another key. Move the keys away that no backup needs, then run this again.`);
  }
  writeKeys(path, all);
}

function writeKeys(path: string, keys: readonly MasterKey[]): void {
  try {
    writePrivate(path, textOf(keys));
  } catch (cause) {
    const what = `Cannot write ${path} (${errnoOf(cause)})`;
    throw unusable(`${what}. Free some space on its disk or check its owner, then run this again. No key is lost.`, cause);
  }
}

function readRetired(path: string, parse: KeyPlaces['parse']): readonly MasterKey[] {
  const text = readKeyFile(path, maxRetiredBytes)?.trim() ?? '';
  return text === '' ? [] : parseFrom(path, text, parse);
}

function readNamed(file: string, parse: KeyPlaces['parse']): KeyRing {
  const named = readKeyFile(file);
  if (named === null) throw unusable(`${fileVariable} names a file that does not exist: ${file}.`);
  return parseFrom(`${fileVariable} (${file})`, named, parse);
}

/**
 * Loads the key ring, retired keys at its end. Creates the home's own key file when no source is set.
 * @throws OlaError `persistence_unavailable` that names the source and the remedy, never the key
 */
export function loadKeyRing(sources: KeySources): KeyRing {
  const { home, env, secretsExist } = sources;
  const source = keySource(sources);
  const path = ownFile(home);
  // Reads the file instead of testing for it: the path may be of the wrong kind, and the reading says so.
  if (env.file !== undefined || env.value !== undefined || readKeyFile(path) !== null) return allKeys(source);
  if (secretsExist) {
    throw unusable(
      `The stored secrets were encrypted with a master key, but there is none. Put it back as ${path} (mode 600), ` +
        `or set ${fileVariable} or ${valueVariable}. A new key would not open them.`,
    );
  }
  // If another process created the file first, its key is used: the file is read again below.
  createPrivate(path, `${randomBytes(32).toString('base64')}\n`);
  return allKeys(source);
}

function parseFrom(source: string, text: string, parse: KeyPlaces['parse']): KeyRing {
  try {
    return parse(text);
  } catch (cause) {
    throw unusable(`The master key of ${source} cannot be used: ${cause instanceof Error ? cause.message : 'unknown'}`, cause);
  }
}

/** The text of a key file that only its owner can read; null when there is no such file. */
function readKeyFile(path: string, maxBytes = maxFileBytes): string | null {
  let file: number;
  try {
    // Non-blocking, so that a pipe named by mistake does not hang the start.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    if (isErrno(cause, 'ENOENT')) return null;
    throw unusable(`Cannot read the master key ${path} (${errnoOf(cause)}). Check the path and its owner.`, cause);
  }
  try {
    // Checks the open file, because the name could be given to another file in between.
    const facts = fstatSync(file);
    if (!facts.isFile() || facts.size > maxBytes) throw unusable(`The master key ${path} is not a key file.`);
    if (facts.uid !== ownUser())
      throw unusable(`The master key ${path} belongs to user ${facts.uid}. It must belong to you: change its owner with chown.`);
    if ((facts.mode & 0o077) !== 0) throw unusable(`Other users can read the master key ${path}. Run chmod 600 ${path}`);
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}

function unusable(message: string, cause?: unknown): OlaError {
  return new OlaError('persistence_unavailable', message, { cause });
}
