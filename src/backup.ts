/** `ola backup`: everything durable in one file. */

import { keysOf, keyText, opens, readOrNull, sealedWith, withOpen } from './backup-keys.ts';
import type { BackupFacts } from './cli/ports.ts';
import { OlaError } from './core/errors.ts';
import { isObject } from './core/json.ts';
import type { Clock, SqlDatabase } from './core/ports.ts';
import type { Settings } from './core/settings.ts';
import type { KeySource, SealedSecret } from './core/vault.ts';
import { sealWithPassphrase } from './credentials/passphrase.ts';
import { namedDatabase } from './governing.ts';
import { callControl } from './runtime/control.ts';
import { placeDatabase } from './runtime/database-place.ts';
import { exists, temporaryBeside } from './runtime/files.ts';
import { linksResolved, placeOfNewFile, publishNew, removeFile } from './runtime/moves.ts';
import { copySqliteFile } from './runtime/sqlite.ts';
import { configStore } from './store/config.ts';
import { applicationId } from './store/schema.ts';
import { writeWrappedKey } from './store/wrapped-key.ts';

export interface BackupPlace {
  /** Absolute. */
  readonly home: string;
  readonly settings: Settings;
  readonly now: Clock;
}

export interface CopyWanted {
  /** As typed. */
  readonly file: string;
  readonly passphrase: string | null;
}

/**
 * Copies the database while it is in use.
 * @param wanted `passphrase` seals the master key into the copy; null leaves the key out
 * @throws OlaError `conflict` when there is something at the path, `invalid_field`, `persistence_unavailable`
 */
export async function backUp({ file, passphrase }: CopyWanted, place: BackupPlace): Promise<BackupFacts> {
  const from = await databaseInUse(place);
  if (!exists(from)) throw new OlaError('invalid_field', `There is no database ${from}: there is nothing to back up.`);
  const target = placeOfNewFile(file);
  refuseOwnName(target, from, place.home);
  const keys = keysOf(place.home, place.settings);
  const sealed = passphrase === null ? null : await sealWithPassphrase(keyText(keys.read()), passphrase);
  const copy = temporaryBeside(target);
  try {
    copySqliteFile(from, copy);
    const needed = await withOpen(copy, async (database) => {
      refuseForeign(database, from);
      if (sealed !== null) writeWrappedKey(database, JSON.stringify(sealed));
      return keyNeeded(await configStore(database).secrets(), keys, sealed !== null);
    });
    return { file: target, bytes: publishNew(copy, target), ...needed, withKey: sealed !== null };
  } finally {
    removeFile(copy);
  }
}

/** As the server that runs says: a file may have told it. */
async function databaseInUse({ home, settings }: BackupPlace): Promise<string> {
  const call = { method: 'GET', path: '/config/config-file-path', body: undefined, headers: {} };
  const answer = await callControl(`${home}/control.sock`, call);
  const body: unknown = await answer?.json().catch(() => null);
  if (isObject(body) && typeof body['database'] === 'string') return body['database'];
  const whole = linksResolved(home);
  return placeDatabase(whole, namedDatabase(whole, settings, null)).path;
}

/** A file of such a name would be taken for the log of the database, or for a part of the home. */
function refuseOwnName(target: string, database: string, home: string): void {
  const inHome = homeNames.map((name) => `${linksResolved(home)}/${name}`);
  if (target !== database && !target.startsWith(`${database}-`) && !inHome.includes(target)) return;
  throw new OlaError('invalid_field', `${target} is a name that ola itself uses: name another file.`);
}
const homeNames = ['master.key', 'config.json', 'usage.sqlite3', 'ola.lock', 'ola.lock.json', 'control.sock', 'audit.log'];

function refuseForeign(database: SqlDatabase, path: string): void {
  if (database.prepare('PRAGMA application_id').get()?.['application_id'] === applicationId) return;
  throw new OlaError('invalid_field', `${path} is not a database of ola: there is nothing to back up.`);
}

/** Which key the secrets need and where it is; it may be one that only the server was given. */
function keyNeeded(secrets: readonly SealedSecret[], keys: KeySource, mustFit: boolean) {
  const ring = mustFit ? keys.read() : readOrNull(keys);
  if (ring !== null && opens(ring, secrets)) return { secrets: secrets.length, keyId: ring[0].id, keySource: keys.name };
  const needed = sealedWith(secrets)[0] ?? 'none';
  if (!mustFit) return { secrets: secrets.length, keyId: needed, keySource: 'a place that this command does not know' };
  const message = `The secrets were sealed with master key ${needed}, which is not the one in ${keys.name}: give the right one.`;
  throw new OlaError('persistence_unavailable', message);
}
