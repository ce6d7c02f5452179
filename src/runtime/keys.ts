/** Where the master keys come from: a file that is named, the environment, else a file in the home that is made once. */
import { randomBytes } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OlaError } from '../core/errors.ts';
import type { KeyRing } from '../core/vault.ts';
import { createPrivate, errnoOf, isErrno, ownUser } from './files.ts';

export interface KeySources {
  readonly home: string;
  /** OPEN_LLM_AUTH_MASTER_KEY_FILE and OPEN_LLM_AUTH_MASTER_KEY, as the environment has them. */
  readonly env: { readonly file?: string | undefined; readonly value?: string | undefined };
  /** Whether sealed secrets are stored: then a key is missing, not yet to be made. */
  readonly secretsExist: boolean;
  /** Text to keys; its errors say what is wrong with the text, not where it came from. */
  readonly parse: (text: string) => KeyRing;
}

const fileVariable = 'OPEN_LLM_AUTH_MASTER_KEY_FILE';
const valueVariable = 'OPEN_LLM_AUTH_MASTER_KEY';
/** Far more than any ring; a device or a log named by mistake stops here. */
const maxFileBytes = 64 * 1024;

/**
 * Loads the key ring: the first source that is set, no falling through when it is unusable. A variable that is set
 * but empty is refused: `$(cat key)` of a missing file must not end in a new key.
 * @throws OlaError `persistence_unavailable`, naming the source and what to do, never its content
 */
export function loadKeyRing({ home, env, secretsExist, parse }: KeySources): KeyRing {
  if (env.file !== undefined) {
    const named = readKeyFile(env.file);
    if (named === null) throw unusable(`${fileVariable} names a file that is not there: ${env.file}`);
    return parseFrom(`${fileVariable} (${env.file})`, named, parse);
  }
  if (env.value !== undefined) return parseFrom(valueVariable, env.value, parse);
  const path = join(home, 'master.key');
  const stored = readKeyFile(path);
  if (stored !== null) return parseFrom(path, stored, parse);
  if (secretsExist) {
    throw unusable(
      `The stored secrets were sealed with a master key, and there is none: put it back as ${path} (mode 600), ` +
        `or set ${fileVariable} or ${valueVariable}. A new key would not open them.`,
    );
  }
  // When another process was quicker, its key is the one: what counts is what the file holds now.
  createPrivate(path, `${randomBytes(32).toString('base64')}\n`);
  return parseFrom(path, readKeyFile(path) ?? '', parse);
}

function parseFrom(source: string, text: string, parse: KeySources['parse']): KeyRing {
  try {
    return parse(text);
  } catch (cause) {
    throw unusable(`The master key of ${source} cannot be used: ${cause instanceof Error ? cause.message : 'unknown'}`, cause);
  }
}

/** The text of a key file that only its owner can read; null when there is no such file. */
function readKeyFile(path: string): string | null {
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
    if (!facts.isFile() || facts.size > maxFileBytes) throw unusable(`The master key ${path} is not a key file.`);
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
