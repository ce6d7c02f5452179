/** The file that governs (file mode): read at the start, asked where the database is, read again when it changes. */
import { documentSchema } from './core/document.ts';
import { OlaError } from './core/errors.ts';
import { isObject } from './core/json.ts';
import { parseJsonc } from './core/jsonc.ts';
import { foldNames } from './core/names.ts';
import type { Log } from './core/ports.ts';
import { databaseVariable, type Settings } from './core/settings.ts';
import type { Config } from './gateway/config.ts';
import type { NamedDatabase } from './runtime/database-place.ts';
import { folderOf, readConfigFile, readSecretFile } from './runtime/named-files.ts';

export interface GoverningFile {
  /** Absolute, as it was named: a link is followed anew at each reading. */
  readonly path: string;
  /** Where it stands: relative paths in it start here. */
  readonly folder: string;
  readonly text: string;
}

/** @throws OlaError `invalid_field` when it is not there or may not be trusted */
export function readGoverning(path: string): GoverningFile {
  const text = readConfigFile(path);
  if (text === null) throw new OlaError('invalid_field', `There is no file ${path}: make it, or name another with --config.`);
  return { path, folder: folderOf(path), text };
}

/**
 * The environment wins over the file; a document in the database cannot say where the database is.
 * @returns null: the home's own
 * @throws OlaError `invalid_json`, `invalid_field` naming the file
 */
export function namedDatabase(home: string, { databasePath }: Settings, file: GoverningFile | null): NamedDatabase | null {
  if (databasePath !== null) return { path: databasePath, base: home, namedBy: databaseVariable };
  const path = file === null ? null : databaseOf(file);
  if (file === null || path === null) return null;
  return { path, base: file.folder, namedBy: `durableState.dbPath in ${file.path}` };
}

/** Ahead of the rest of the document, which is judged over the open database. */
function databaseOf({ path, text }: GoverningFile): string | null {
  try {
    const document = foldNames(parseJsonc(text), documentSchema);
    const durable = isObject(document) ? document['durableState'] : null;
    const named = isObject(durable) ? durable['dbPath'] : null;
    return typeof named === 'string' && named !== '' ? named : null;
  } catch (thrown) {
    if (!(thrown instanceof OlaError)) throw thrown;
    throw new OlaError(thrown.code, `${path}: ${thrown.message}`, { ...thrown.facts, cause: thrown });
  }
}

/**
 * Reads the secret files that the document names; outside file mode there are none. One that may not be used is told in the
 * log, once until it is well again, and is null as one that is not there.
 */
export function secretFiles(file: GoverningFile | null, log: Log): (path: string) => string | null {
  if (file === null) return () => null;
  const readings = new Map<string, () => string | null>();
  return (path) => {
    const reading = readings.get(path) ?? telling(() => readSecretFile(file.folder, path), path, log);
    readings.set(path, reading);
    return reading();
  };
}

/**
 * @returns hands the file over as it stands now; never rejects. One that may not be trusted is told in the log, once until
 *   it is well again, and is to the gateway as one that is not there.
 */
export function createReload(config: Config, { path }: GoverningFile, log: Log): () => Promise<void> {
  const read = telling(() => readConfigFile(path), path, log);
  return async () => {
    await config.reload(read()).catch(() => log.log('error', `The file ${path} could not be taken over.`));
  };
}

/** A reading that logs why it fails, once until it succeeds or fails otherwise, and gives null then. */
function telling(read: () => string | null, path: string, log: Log): () => string | null {
  let told: string | null = null;
  return () => {
    try {
      const text = read();
      told = null;
      return text;
    } catch (thrown) {
      const why = thrown instanceof OlaError ? thrown.message : `The file ${path} cannot be read.`;
      if (why !== told) log.log('error', why);
      told = why;
      return null;
    }
  };
}
