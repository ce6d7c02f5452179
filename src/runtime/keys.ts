/** Where the master keys come from: a file that is named, the environment, else a file in the home that is made once. */
import { randomBytes } from 'node:crypto';
import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OlaError } from '../core/errors.ts';
import { allKeys, type KeyRing, type KeySource, type MasterKey } from '../core/vault.ts';
import { createPrivate, errnoOf, isErrno, ownUser, writePrivate } from './files.ts';

export interface KeyPlaces {
  readonly home: string;
  /** OPEN_LLM_AUTH_MASTER_KEY_FILE and OPEN_LLM_AUTH_MASTER_KEY, as the environment has them. */
  readonly env: { readonly file?: string | undefined; readonly value?: string | undefined };
  /** Text to keys; its errors say what is wrong with the text, not where it came from. */
  readonly parse: (text: string) => KeyRing;
}

export interface KeySources extends KeyPlaces {
  /** Whether sealed secrets are stored: then a key is missing, not yet to be made. */
  readonly secretsExist: boolean;
}

const fileVariable = 'OPEN_LLM_AUTH_MASTER_KEY_FILE';
const valueVariable = 'OPEN_LLM_AUTH_MASTER_KEY';
/** Far more than any ring; a device or a log named by mistake stops here. */
const maxFileBytes = 64 * 1024;
/** A key of each rotation for ever: more than 20,000. */
const maxRetiredBytes = 1024 * 1024;

/**
 * The first source that is set, no falling through when it is unusable: variables first, then the home's own file, the
 * only one that ola writes. A variable that is set but empty is refused: `$(cat key)` of a missing file must not end in
 * a new key.
 */
export function keySource({ home, env: { file, value }, parse }: KeyPlaces): KeySource {
  const outside = { retired: null, write: null };
  if (file !== undefined) return { name: `${fileVariable} (${file})`, read: () => readNamed(file, parse), ...outside };
  if (value !== undefined) return { name: valueVariable, read: () => parseFrom(valueVariable, value, parse), ...outside };
  const path = ownFile(home);
  const read = () => {
    const stored = readKeyFile(path);
    if (stored === null) throw unusable(`The master key ${path} is gone: put it back, from a copy of it.`);
    return parseFrom(path, stored, parse);
  };
  const retired = { name: `${path}.retired`, read: () => readRetired(`${path}.retired`, parse) };
  return {
    name: path,
    read,
    retired,
    // Behind a link it is kept somewhere else, by somebody else.
    write: isLink(path)
      ? null
      : (ring) => {
          // A file that was taken away meanwhile is written again: these keys are nowhere else.
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

/** No key is ever thrown away: a backup may need it, or a database that this process does not know of. */
function retire(path: string, before: readonly MasterKey[], keys: readonly MasterKey[]): void {
  const known = new Set(before.map(({ id }) => id));
  const fresh = keys.filter(({ id }) => !known.has(id));
  if (fresh.length === 0) return;
  const all = [...before, ...fresh];
  if (textOf(all).length > maxRetiredBytes) {
    throw unusable(`${path} has no room for another key: move those away that no backup needs, then run this again.`);
  }
  writeKeys(path, all);
}

function writeKeys(path: string, keys: readonly MasterKey[]): void {
  try {
    writePrivate(path, textOf(keys));
  } catch (cause) {
    const what = `Cannot write ${path} (${errnoOf(cause)})`;
    throw unusable(`${what}: make room on its disk, or check its owner, then run this again. No key is lost.`, cause);
  }
}

function readRetired(path: string, parse: KeyPlaces['parse']): readonly MasterKey[] {
  const text = readKeyFile(path, maxRetiredBytes)?.trim() ?? '';
  return text === '' ? [] : parseFrom(path, text, parse);
}

function readNamed(file: string, parse: KeyPlaces['parse']): KeyRing {
  const named = readKeyFile(file);
  if (named === null) throw unusable(`${fileVariable} names a file that is not there: ${file}`);
  return parseFrom(`${fileVariable} (${file})`, named, parse);
}

/**
 * Loads the key ring, retired keys at its end, and makes the home's own file when no source is set.
 * @throws OlaError `persistence_unavailable`, naming the source and what to do, never its content
 */
export function loadKeyRing(sources: KeySources): KeyRing {
  const { home, env, secretsExist } = sources;
  const source = keySource(sources);
  const path = ownFile(home);
  // Not the file's existence is asked: what lies there may be of the wrong kind, and the reading says so.
  if (env.file !== undefined || env.value !== undefined || readKeyFile(path) !== null) return allKeys(source);
  if (secretsExist) {
    throw unusable(
      `The stored secrets were sealed with a master key, and there is none: put it back as ${path} (mode 600), ` +
        `or set ${fileVariable} or ${valueVariable}. A new key would not open them.`,
    );
  }
  // When another process was quicker, its key is the one: what counts is what the file holds now.
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
function readKeyFile(path: string, mostBytes = maxFileBytes): string | null {
  let file: number;
  try {
    // Non-blocking, so that a pipe named by mistake does not hang the start.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    if (isErrno(cause, 'ENOENT')) return null;
    throw unusable(`Cannot read the master key ${path} (${errnoOf(cause)}): check the path and its owner.`, cause);
  }
  try {
    // Of the open file, not of its name: it cannot be swapped in between.
    const facts = fstatSync(file);
    if (!facts.isFile() || facts.size > mostBytes) throw unusable(`The master key ${path} is not a key file.`);
    if (facts.uid !== ownUser())
      throw unusable(`The master key ${path} belongs to user ${facts.uid}: it must be yours (chown it).`);
    if ((facts.mode & 0o077) !== 0) throw unusable(`Others can read the master key ${path}: run chmod 600 ${path}`);
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}

function unusable(message: string, cause?: unknown): OlaError {
  return new OlaError('persistence_unavailable', message, { cause });
}
