/**
 * Where a home's database was when the home was last served, if it was not the home's own: a variable or a file that only
 * the service was given may have said it. A command that would open another one is refused, not let loose on it.
 */
import { OlaError } from '../core/errors.ts';
import { isObject } from '../core/json.ts';
import { databaseVariable, type Settings } from '../core/settings.ts';
import { errnoOf, exists, writePrivate } from '../runtime/files.ts';
import { removeFile } from '../runtime/moves.ts';
import { readConfigFile } from '../runtime/named-files.ts';

interface PlaceNote {
  /** Absolute, links resolved. */
  readonly database: string;
  /** Whether the variable named it; else the file did. */
  readonly byVariable: boolean;
  /** The file that governed, absolute; null: the database did. */
  readonly configFile: string | null;
}

/** What a process opens a home with. */
export interface OpenedHome {
  /** Absolute, links resolved. */
  readonly home: string;
  /** Absolute, links resolved. */
  readonly database: string;
  readonly settings: Settings;
  readonly configFile: string | null;
}

const notePath = (home: string) => `${home}/ola.place.json`;

/** For the process that serves: before anything is sealed there. Durable. @throws OlaError `persistence_unavailable` */
export function notePlace({ home, database, settings, configFile }: OpenedHome, ownDatabase: string): void {
  const path = notePath(home);
  if (database === ownDatabase) {
    if (exists(path)) withMessage(path, () => removeFile(path));
    return;
  }
  const note: PlaceNote = { database, byVariable: settings.databasePath !== null, configFile };
  const text = `${JSON.stringify(note)}\n`;
  if (!exists(path) || readConfigFile(path) !== text) withMessage(path, () => writePrivate(path, text));
}

/**
 * For a command without a server.
 * @throws OlaError `conflict` that says what to give
 */
export function refuseOtherPlace(home: string, database: string): void {
  const note = readNote(home);
  if (note === null || note.database === database) return;
  const { byVariable, configFile } = note;
  const give = [
    ...(byVariable ? [`set ${databaseVariable}=${note.database}`] : []),
    ...(configFile === null ? [] : [`give --config ${configFile}`]),
  ].join(' and ');
  throw new OlaError(
    'conflict',
    `This home was last served with the database ${note.database}, and this would open ${database}: ${give}. ` +
      `If it has moved, remove ${notePath(home)}.`,
  );
}

function withMessage(path: string, write: () => void): void {
  try {
    write();
  } catch (cause) {
    const what = `Cannot write ${path} (${errnoOf(cause)}): check its owner and the room on its disk.`;
    throw new OlaError('persistence_unavailable', what, { cause });
  }
}

/** @returns null when there is none */
function readNote(home: string): PlaceNote | null {
  const path = notePath(home);
  const text = readConfigFile(path);
  if (text === null) return null;
  const { database, byVariable, configFile } = parsed(text);
  if (
    typeof database === 'string' &&
    typeof byVariable === 'boolean' &&
    (configFile === null || typeof configFile === 'string')
  ) {
    return { database, byVariable, configFile };
  }
  throw new OlaError(
    'conflict',
    `${path}, which says where the database is, cannot be understood: remove it, then run \`ola serve\`.`,
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
