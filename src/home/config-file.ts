/** The file that governs (file mode): read at the start, asked where the database is, read again when it changes. */
import { documentSchema } from '../core/document.ts';
import { OlaError } from '../core/errors.ts';
import { foldNames } from '../core/field-names.ts';
import { isObject } from '../core/json.ts';
import { parseJsonc } from '../core/jsonc.ts';
import type { Log } from '../core/ports.ts';
import { databaseVariable, type Settings } from '../core/settings.ts';
import type { Config } from '../gateway/config/config.ts';
import { callControl } from '../runtime/control.ts';
import type { NamedDatabase } from '../runtime/database-path.ts';
import { folderOf, readConfigFile, readSecretFile, sameFile } from '../runtime/named-files.ts';

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
 * Asks the server that runs, through its control socket.
 * @param configFile the file that is to govern it, absolute; null: whatever does
 * @returns where its database is, absolute; null when none runs
 * @throws OlaError `conflict` when something else governs it: that would be worked on, not what was named; `internal_error`
 */
export async function runningDatabase(socket: string, configFile: string | null): Promise<string | null> {
  const answer = await callControl(socket, { method: 'GET', path: '/config/config-file-path', body: undefined, headers: {} });
  if (answer === null) return null;
  const body: unknown = await answer.json().catch(() => null);
  const { database, mode, configFile: governing } = isObject(body) ? body : {};
  if (typeof database !== 'string') {
    throw new OlaError(
      'internal_error',
      'The ola that runs does not say where its database is: see `ola status`, then try again.',
    );
  }
  const file = mode === 'file' && typeof governing === 'string' ? governing : null;
  if (configFile === null || (file !== null && sameFile(file, configFile))) return database;
  const what = file === null ? 'its database' : `the file ${file}`;
  throw new OlaError(
    'conflict',
    `The ola that runs is governed by ${what}, not by ${configFile}: leave --config out, or stop that ola first.`,
  );
}

/**
 * Reads the secret files that the document names; outside file mode there are none. One that may not be used is told in the
 * log, once until it is well again, and is null as one that is not there.
 */
export function secretFiles(file: GoverningFile | null, log: Log): (path: string) => string | null {
  if (file === null) return () => null;
  const readings = new Map<string, () => string | null>();
  return (path) => {
    const reading = readings.get(path) ?? logOnce(() => readSecretFile(file.folder, path), path, log);
    readings.set(path, reading);
    return reading();
  };
}

/** Hands the file that governs over to the gateway. */
export interface Reload {
  /** As it stands now; and again, about once a second, as long as the database cannot take it. Never rejects. */
  run(): Promise<void>;
  /** Nothing is handed over once this has resolved. */
  stop(): Promise<void>;
}

const againMs = 1000;

/** A file that may not be trusted is told in the log, once until it is well again, and is to the gateway as one that is not there. */
export function createReload(config: Pick<Config, 'reload'>, { path }: Pick<GoverningFile, 'path'>, log: Log): Reload {
  const read = logOnce(() => readConfigFile(path), path, log);
  let again: ReturnType<typeof setTimeout> | null = null;
  let last: Promise<void> = Promise.resolve();
  let stopped = false;

  async function handOver(): Promise<void> {
    const settled = await config.reload(read()).catch(() => {
      log.log('error', `The file ${path} could not be taken over.`);
      return true;
    });
    if (again !== null) clearTimeout(again);
    again = settled || stopped ? null : setTimeout(() => void run(), againMs);
    // A process that ends does not wait for it.
    again?.unref();
  }

  function run(): Promise<void> {
    last = last.then(handOver);
    return last;
  }

  return {
    run: () => (stopped ? last : run()),
    async stop() {
      stopped = true;
      if (again !== null) clearTimeout(again);
      await last;
    },
  };
}

/** A reading that logs why it fails, once until it succeeds or fails otherwise, and gives null then. */
function logOnce(read: () => string | null, path: string, log: Log): () => string | null {
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
