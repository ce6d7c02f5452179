/** The configuration file (file mode): read at the start, and again when it changes. It may also name the database. */
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

export interface LoadedConfigFile {
  /** Absolute path as it was typed. A symbolic link in it is followed again at each reading. */
  readonly path: string;
  /** The file's directory: relative paths in the file start there. */
  readonly folder: string;
  readonly text: string;
}

/** @throws OlaError `invalid_field` when the file does not exist or must not be trusted */
export function loadConfigFile(path: string): LoadedConfigFile {
  const text = readConfigFile(path);
  if (text === null)
    throw new OlaError('invalid_field', `There is no file ${path}. Create it, or name another file with --config.`);
  return { path, folder: folderOf(path), text };
}

/**
 * The database that the environment names, else the configuration file. A document in the database cannot name the database.
 * @returns null for the home's own database
 * @throws OlaError `invalid_json`, `invalid_field` that name the file
 */
export function namedDatabase(home: string, { databasePath }: Settings, file: LoadedConfigFile | null): NamedDatabase | null {
  if (databasePath !== null) return { path: databasePath, base: home, namedBy: databaseVariable };
  const path = file === null ? null : databaseOf(file);
  if (file === null || path === null) return null;
  return { path, base: file.folder, namedBy: `durableState.dbPath in ${file.path}` };
}

/** Reads only the path of the database. The rest of the document is checked later, when the database is open. */
function databaseOf({ path, text }: LoadedConfigFile): string | null {
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
 * Asks the running server for its database, through the control socket.
 * @param configFile absolute path of the configuration file that the server must use; null accepts any
 * @returns the absolute path of the database; null when no server runs
 * @throws OlaError `conflict` when the server uses another configuration, because the command would change that one;
 *   `internal_error`
 */
export async function runningDatabase(socket: string, configFile: string | null): Promise<string | null> {
  const answer = await callControl(socket, { method: 'GET', path: '/config/config-file-path', body: undefined, headers: {} });
  if (answer === null) return null;
  const body: unknown = await answer.json().catch(() => null);
  const { database, mode, configFile: current } = isObject(body) ? body : {};
  if (typeof database !== 'string') {
    throw new OlaError(
      'internal_error',
      'The running server does not say where its database is. See `ola status`, then try again.',
    );
  }
  const file = mode === 'file' && typeof current === 'string' ? current : null;
  if (configFile === null || (file !== null && sameFile(file, configFile))) return database;
  const what = file === null ? 'its database' : `the file ${file}`;
  throw new OlaError(
    'conflict',
    `The running server takes its configuration from ${what}, not from ${configFile}. Leave --config out, or stop that server first.`,
  );
}

/**
 * Reads the secret files that the document names; only a configuration file may name some. A secret file that must not be
 * used is logged once until it can be read again. Its text is null then, like that of a missing file.
 */
export function secretFiles(file: LoadedConfigFile | null, log: Log): (path: string) => string | null {
  if (file === null) return () => null;
  const readings = new Map<string, () => string | null>();
  return (path) => {
    const reading = readings.get(path) ?? logOnce(() => readSecretFile(file.folder, path), path, log);
    readings.set(path, reading);
    return reading();
  };
}

/** Hands the configuration file to the gateway. */
export interface Reload {
  /** Hands over the file's present text; repeats about once a second while the database cannot store it. Never rejects. */
  run(): Promise<void>;
  /** Resolves after the last handing over. */
  stop(): Promise<void>;
}

/** Pause before the text is handed over again, in milliseconds. */
const againMs = 1000;

/** A file that must not be trusted is logged once until it can be read again. The gateway treats it as a missing file. */
export function createReload(config: Pick<Config, 'reload'>, { path }: Pick<LoadedConfigFile, 'path'>, log: Log): Reload {
  const read = logOnce(() => readConfigFile(path), path, log);
  let again: ReturnType<typeof setTimeout> | null = null;
  let last: Promise<void> = Promise.resolve();
  let stopped = false;

  async function handOver(): Promise<void> {
    const settled = await config.reload(read()).catch(() => {
      log.log('error', `The configuration file ${path} could not be used.`);
      return true;
    });
    if (again !== null) clearTimeout(again);
    again = settled || stopped ? null : setTimeout(() => void run(), againMs);
    // The timer must not keep the process alive.
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

/** Wraps a reading: an error is logged once until the reading succeeds or fails for another reason, and the text is null then. */
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
