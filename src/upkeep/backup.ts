/** `ola backup`: a copy of the database in one file, with the master keys if a passphrase is given. */

import type { BackupReport, CopyOptions } from '../cli/ports.ts';
import { OlaError } from '../core/errors.ts';
import type { Clock, SqlDatabase } from '../core/ports.ts';
import { everythingSealed, type Sealed, type SealedStores } from '../core/sealed.ts';
import type { Settings } from '../core/settings.ts';
import { allKeys, type KeyRing, type KeySource } from '../core/vault.ts';
import { checkNewPassphrase, sealWithPassphrase } from '../credentials/passphrase.ts';
import { loadConfigFile, namedDatabase, runningDatabase } from '../home/config-file.ts';
import { refuseOtherDatabase } from '../home/database-note.ts';
import { databasePath } from '../runtime/database-path.ts';
import { exists, refuseClosedHome, temporaryBeside } from '../runtime/files.ts';
import { linksResolved, placeOfNewFile, publishNew, removeFile } from '../runtime/moves.ts';
import { copySqliteFile } from '../runtime/sqlite.ts';
import { configStore } from '../store/config.ts';
import { grantStore } from '../store/grants.ts';
import { applicationId } from '../store/schema.ts';
import { writeWrappedKey } from '../store/wrapped-key.ts';
import { keysOf, keyText, namesOf, neededOf, opens, readOrNull, sealedWith, withOpen } from './backup-keys.ts';

export interface BackupContext {
  /** Absolute path of the home. */
  readonly home: string;
  readonly settings: Settings;
  /** Absolute path of the configuration file that was typed; null when none was. */
  readonly configFile: string | null;
  readonly now: Clock;
}

export type CopyRequest = Omit<CopyOptions, 'configFile'>;

/**
 * Copies the database; a server may have it open.
 * @throws OlaError `conflict` when the path exists, `invalid_field`, `persistence_unavailable`
 */
export async function backUp({ file, passphrase }: CopyRequest, place: BackupContext): Promise<BackupReport> {
  const from = await databaseInUse(place);
  if (!exists(from)) throw new OlaError('invalid_field', `There is no database ${from}, so there is nothing to back up.`);
  const target = placeOfNewFile(file);
  refuseOwnName(target, from, place.home);
  const keys = keysOf(place.home, place.settings);
  if (passphrase !== null) checkNewPassphrase(passphrase);
  const copy = temporaryBeside(target);
  try {
    copySqliteFile(from, copy);
    const facts = await withOpen(copy, async (database) => {
      refuseForeign(database, from);
      const secrets = await everythingSealed(storesOf(database));
      // The keys are read after the copy: a rotation in between keeps every key that the copy may need.
      const ring = passphrase === null ? readOrNull(keys) : allKeys(keys);
      if (passphrase === null || ring === null) return factsOf(secrets, keys, ring);
      if (!opens(ring, secrets)) throw wrongKeys(secrets, keys);
      const sealed = await sealWithPassphrase(keyText(neededOf(ring, secrets)), passphrase);
      writeWrappedKey(database, JSON.stringify(sealed));
      return factsOf(secrets, keys, ring);
    });
    return { file: target, bytes: publishNew(copy, target), ...facts, withKey: passphrase !== null };
  } finally {
    removeFile(copy);
  }
}

/** The path of the database. A running server is asked first, because its configuration file may name the database. @throws OlaError `conflict` when the server uses another configuration */
async function databaseInUse({ home, settings, configFile }: BackupContext): Promise<string> {
  refuseClosedHome(home);
  const running = await runningDatabase(`${home}/control.sock`, configFile);
  if (running !== null) return running;
  const whole = linksResolved(home);
  const file = configFile === null ? null : loadConfigFile(configFile);
  const { path } = databasePath(whole, namedDatabase(whole, settings, file));
  refuseOtherDatabase(whole, path);
  return path;
}

/** Refuses names that ola would take for the log of the database or for a file of the home. */
function refuseOwnName(target: string, database: string, home: string): void {
  const inHome = homeNames.map((name) => `${linksResolved(home)}/${name}`);
  if (target !== database && !target.startsWith(`${database}-`) && !inHome.includes(target)) return;
  throw new OlaError('invalid_field', `${target} is a name that ola itself uses. Choose another name.`);
}
const homeNames = [
  'master.key',
  'master.key.retired',
  'config.json',
  'usage.sqlite3',
  'ola.lock',
  'ola.lock.json',
  'ola.place.json',
  'control.sock',
  'audit.log',
];

function refuseForeign(database: SqlDatabase, path: string): void {
  if (database.prepare('PRAGMA application_id').get()?.['application_id'] === applicationId) return;
  throw new OlaError('invalid_field', `${path} is not a database of ola, so there is nothing to back up.`);
}

/** A database of a schema before the renewed tokens has no table of them. */
function storesOf(database: SqlDatabase): SealedStores {
  const config = configStore(database);
  const table = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'oauth_grants'").get();
  return { config, grants: table === undefined ? { list: async () => [] } : grantStore(database) };
}

/** @param ring null when no key is available here; only the server may have been given it */
function factsOf(secrets: readonly Sealed[], keys: KeySource, ring: KeyRing | null) {
  const count = { secrets: secrets.length };
  if (ring === null || !opens(ring, secrets)) {
    const keyId = sealedWith(secrets).join(', ') || 'none';
    return { ...count, keyId, keySource: 'a place that this command does not know' };
  }
  const needed = neededOf(ring, secrets);
  return { ...count, keyId: needed.map(({ id }) => id).join(', '), keySource: namesOf(needed, keys) };
}

function wrongKeys(secrets: readonly Sealed[], keys: KeySource): OlaError {
  const needed = sealedWith(secrets).join(', ');
  const message = `The secrets were encrypted with master key ${needed}, which is not in ${keys.name}. Give the right key.`;
  return new OlaError('persistence_unavailable', message);
}
