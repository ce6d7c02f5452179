/**
 * A note in the home of the database and the configuration file that the last server used, unless it used the home's own
 * database and no file. Only the server may have been given the variable or the file. A command that would open another database
 * is therefore refused, and one that would change a configuration which is not used says so.
 */
import { OlaError } from '../core/errors.ts';
import { isObject } from '../core/json.ts';
import { databaseVariable, type Settings } from '../core/settings.ts';
import { errnoOf, exists, writePrivate } from '../runtime/files.ts';
import { removeFile } from '../runtime/moves.ts';
import { readConfigFile } from '../runtime/named-files.ts';

interface DatabaseNote {
  /** Absolute path, links resolved; null for the home's own, which moves with the home. */
  readonly database: string | null;
  /** True when the variable named the database; else the configuration file did. */
  readonly byVariable: boolean;
  /** Absolute path of the configuration file that the server used; null in database mode. */
  readonly configFile: string | null;
}

/** The home, the database and the configuration that a process has opened. */
export interface OpenedHome {
  /** Absolute path, links resolved. */
  readonly home: string;
  /** Absolute path, links resolved. */
  readonly database: string;
  readonly settings: Settings;
  readonly configFile: string | null;
}

const notePath = (home: string) => `${home}/ola.place.json`;

/** Writes or removes the note, synced to disk. The server calls this before it seals anything in the database. @throws OlaError `persistence_unavailable` */
export function noteDatabase({ home, database, settings, configFile }: OpenedHome, ownDatabase: string): void {
  const path = notePath(home);
  if (database === ownDatabase && configFile === null) {
    if (exists(path)) withMessage(path, () => removeFile(path));
    return;
  }
  const note: DatabaseNote = {
    database: database === ownDatabase ? null : database,
    byVariable: settings.databasePath !== null,
    configFile,
  };
  const text = `${JSON.stringify(note)}\n`;
  if (!exists(path) || readConfigFile(path) !== text) withMessage(path, () => writePrivate(path, text));
}

/**
 * Checks the database of a command that runs without a server.
 * @throws OlaError `conflict` that names the variable or the option to give
 */
export function refuseOtherDatabase(home: string, database: string): void {
  const note = readNote(home);
  if (note === null || note.database === null || note.database === database) return;
  const { byVariable, configFile } = note;
  const give = [
    ...(byVariable ? [`set ${databaseVariable}=${note.database}`] : []),
    ...(configFile === null ? [] : [`give --config ${configFile}`]),
  ].join(' and ');
  throw new OlaError(
    'conflict',
    `The last server of this home used the database ${note.database}, but this command would open ${database}. To use the same one, ${give}. ` +
      `If the database has moved, remove ${notePath(home)}.`,
  );
}

/** The configuration file of the last server of this home; null when its configuration was in the database. */
export function lastConfigFile(home: string): string | null {
  return readNote(home)?.configFile ?? null;
}

function withMessage(path: string, write: () => void): void {
  try {
    write();
  } catch (cause) {
    const what = `Cannot write ${path} (${errnoOf(cause)}). Check its owner and the free space on its disk.`;
    throw new OlaError('persistence_unavailable', what, { cause });
  }
}

/** @returns null when there is no note */
function readNote(home: string): DatabaseNote | null {
  const path = notePath(home);
  const text = readConfigFile(path);
  if (text === null) return null;
  const { database, byVariable, configFile } = parsed(text);
  if (
    (database === null || typeof database === 'string') &&
    typeof byVariable === 'boolean' &&
    (configFile === null || typeof configFile === 'string')
  ) {
    return { database, byVariable, configFile };
  }
  throw new OlaError(
    'conflict',
    `${path} says where the database is, but its text is damaged. Remove it, then run \`ola serve\`.`,
  );
}

function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}
