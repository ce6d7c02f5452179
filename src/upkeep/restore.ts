/** `ola restore`: replaces the database by a backup. */

import type { RestoreReport } from '../cli/ports.ts';
import { localPrincipal } from '../core/access.ts';
import { OlaError } from '../core/errors.ts';
import type { Clock } from '../core/ports.ts';
import { everythingSealed, type Sealed } from '../core/sealed.ts';
import { allKeys, type KeyRing, type KeySource } from '../core/vault.ts';
import { openWithPassphrase } from '../credentials/passphrase.ts';
import { parseKeys } from '../credentials/vault.ts';
import { loadConfigFile, namedDatabase } from '../home/config-file.ts';
import { refuseOtherDatabase } from '../home/database-note.ts';
import { releaseAll, takeLocks } from '../home/home.ts';
import { databasePath } from '../runtime/database-path.ts';
import { createPrivate, errnoOf, exists, prepareHome, temporaryBeside } from '../runtime/files.ts';
import { beginsLikeJson, copyPrivate, hasLog, removeFile, replaceDatabase } from '../runtime/moves.ts';
import { absolutePath, sameFile } from '../runtime/named-files.ts';
import { processId } from '../runtime/process.ts';
import { inspectSqlite, openSqlite } from '../runtime/sqlite.ts';
import { version } from '../runtime/version.ts';
import { openStore } from '../store/open.ts';
import { applicationId, migrations } from '../store/schema.ts';
import { dropWrappedKey, readWrappedKey } from '../store/wrapped-key.ts';
import type { BackupContext, CopyRequest } from './backup.ts';
import { keysOf, keyText, neededOf, opens, sealedWith, withOpen } from './backup-keys.ts';

/**
 * Replaces the database by a backup and keeps the former database beside it. Everything is checked before anything is changed.
 * @throws OlaError `conflict` when a server runs or another master key exists, `secret_required` when only the backup has
 *   the key and no passphrase was given, `invalid_field` when the file is not a backup of ola or the passphrase is wrong,
 *   `persistence_unavailable`
 */
export async function restore({ file, passphrase }: CopyRequest, place: BackupContext): Promise<RestoreReport> {
  const { settings, configFile, now } = place;
  const loaded = configFile === null ? null : loadConfigFile(configFile);
  const { path } = prepareHome(place.home);
  const database = databasePath(path, namedDatabase(path, settings, loaded));
  const locks = takeLocks(path, database, { pid: processId, version, address: null, configFile, startedAt: now() });
  const next = temporaryBeside(database.path);
  try {
    refuseOtherDatabase(path, database.path);
    takeCopy(absolutePath(file), next, database.path);
    const secrets = await readyCopy(next, now);
    const sealed = await withOpen(next, async (open) => readWrappedKey(open));
    const keys = keysOf(path, settings);
    const key = await fittingKey({ secrets, sealed, passphrase, keys, ownFile: `${path}/master.key` });
    await withOpen(next, async (open) => dropWrappedKey(open));
    fold(next);
    const replaced = putInPlace(database.path, next, key, now);
    return { home: path, replaced, secrets: secrets.length, keyId: key.id, keyWritten: key.write?.path ?? null };
  } finally {
    for (const end of ['', '-wal', '-shm', '-journal']) if (exists(next + end)) removeFile(next + end);
    releaseAll(locks);
  }
}

/** @throws OlaError `invalid_field` unless the file is a complete database of ola in a schema that this program knows */
function takeCopy(file: string, copy: string, database: string): void {
  const refuse = (what: string) => new OlaError('invalid_field', `The file ${file} ${what}. Nothing was changed.`);
  if (exists(file) && sameFile(file, database)) throw refuse('is the database itself; name a backup');
  if (hasLog(file))
    throw refuse('has a database log beside it, so it was copied while in use; name a file that `ola backup` made');
  copyPrivate(file, copy);
  const { applicationId: application, schema, verdict } = inspectSqlite(copy);
  const head = migrations.at(-1)?.version ?? 0;
  if (application === 0 && beginsLikeJson(file)) {
    throw refuse(`is no backup but an export of the configuration: \`ola config import ${file}\` reads it`);
  }
  if (application === 0 && verdict !== 'ok') throw refuse(`is not a backup: it is no database, or it is damaged (${verdict})`);
  if (application !== applicationId) throw refuse('is a database of another program');
  if (verdict !== 'ok') throw refuse(`is damaged (${verdict}); use another backup`);
  if (schema > head)
    throw refuse(`has schema ${schema}, but this version knows only up to ${head}; install a newer version of ola`);
}

/** Migrates the copy to this program's schema, as a start would, and writes an audit event of the restore into it. */
async function readyCopy(copy: string, now: Clock): Promise<readonly Sealed[]> {
  const store = openStore({ database: openSqlite(copy), now, backUp: () => undefined });
  try {
    const details = { version };
    const nobody = { projectId: null, requestId: null, clientIp: null, userAgent: null };
    const actor = localPrincipal.subject;
    await store.audit.append([{ timestamp: now(), action: 'server.restore', actor, result: 'success', ...nobody, details }]);
    return await everythingSealed(store);
  } finally {
    store.close();
  }
}

interface BackupKeys {
  readonly secrets: readonly Sealed[];
  /** The key in the backup, sealed with a passphrase; null when the backup has none. */
  readonly sealed: string | null;
  readonly passphrase: string | null;
  readonly keys: KeySource;
  /** Path of the home's own key file. */
  readonly ownFile: string;
}

interface FittingKey {
  /** Ids of the needed keys, joined by commas; `none` when no secret needs one. */
  readonly id: string;
  /** The key file to write; null when the available key opens the secrets. */
  readonly write: { readonly path: string; readonly text: string } | null;
}

async function fittingKey({ secrets, sealed, passphrase, keys, ownFile }: BackupKeys): Promise<FittingKey> {
  if (passphrase !== null && sealed === null) {
    const message = 'The backup has no key in it, so it needs no passphrase. Leave the passphrase out. Nothing was changed.';
    throw new OlaError('invalid_field', message, { param: 'passphrase' });
  }
  // Also when the key here will do: a wrong passphrase that goes unnoticed is missed when it is needed.
  const inside =
    passphrase === null || sealed === null ? null : parseKeys(await openWithPassphrase(JSON.parse(sealed), passphrase));
  const isSet = keys.write === null || exists(ownFile);
  const ring = isSet ? allKeys(keys) : null;
  if (ring !== null && opens(ring, secrets)) return { id: idsNeeded(ring, secrets), write: null };
  const needed = sealedWith(secrets).join(', ') || 'none';
  if (secrets.length === 0 && (sealed === null || passphrase === null)) return { id: ring?.[0].id ?? needed, write: null };
  if (sealed === null) {
    const what = `The secrets in the backup need master key ${needed}, which is neither here nor in the backup.`;
    throw new OlaError('persistence_unavailable', `${what} Put that key into ${ownFile}. Nothing was changed.`);
  }
  if (inside === null) {
    const message = `The backup needs master key ${needed} and contains it, encrypted with a passphrase. Give the passphrase. Nothing was changed.`;
    throw new OlaError('secret_required', message, { param: 'passphrase' });
  }
  if (!opens(inside, secrets)) {
    throw new OlaError(
      'persistence_unavailable',
      'The key in the backup does not open the secrets: the backup is damaged. Nothing was changed.',
    );
  }
  if (ring !== null) {
    const message = `${keys.name} has another master key (${ring[0].id}). Move it away or unset it, then restore again. Nothing was changed.`;
    throw new OlaError('conflict', message);
  }
  return { id: idsNeeded(inside, secrets), write: { path: ownFile, text: keyText(inside) } };
}

function idsNeeded(ring: KeyRing, secrets: readonly Sealed[]): string {
  return neededOf(ring, secrets)
    .map(({ id }) => id)
    .join(', ');
}

/** @returns the path of the former database; null when there was none */
function putInPlace(path: string, next: string, { write }: FittingKey, now: Clock): string | null {
  const time = new Date(now()).toISOString().replaceAll(/[:.]/g, '-');
  const kept = `${path.replace(/\.sqlite3$/, '')}.before-restore-${time}.sqlite3`;
  // A damaged former database is left as it is, because SQLite would discard its log.
  if (exists(path) && inspectSqlite(path).verdict === 'ok') foldFormer(path);
  // The key is written first, so that the new database is never without it.
  if (write !== null && !createPrivate(write.path, write.text)) {
    throw new OlaError(
      'conflict',
      `Another program created ${write.path} in the meantime. Move it away, then restore again. Nothing was changed.`,
    );
  }
  return replaceDatabase({ path, next, kept }) ? kept : null;
}

function foldFormer(path: string): void {
  try {
    fold(path);
  } catch (cause) {
    const isTaken = cause instanceof Error && cause.message.includes('database is locked');
    const what = isTaken
      ? 'is open in another program; close that program first'
      : `cannot be closed (${errnoOf(cause)}); free some space on its disk`;
    throw new OlaError(isTaken ? 'conflict' : 'persistence_unavailable', `${path} ${what}. Nothing was changed.`, { cause });
  }
}

/** Merges the log into the database, so that one file is left. */
function fold(path: string): void {
  const database = openSqlite(path);
  try {
    database.exec('PRAGMA busy_timeout = 250; PRAGMA journal_mode = DELETE');
  } finally {
    database.close();
  }
}
