/** `ola restore`: a backup in the place of the database. */

import type { RestoreReport } from '../cli/ports.ts';
import { localPrincipal } from '../core/access.ts';
import { OlaError } from '../core/errors.ts';
import type { Clock } from '../core/ports.ts';
import { allKeys, type KeyRing, type KeySource, type SealedSecret } from '../core/vault.ts';
import { openWithPassphrase } from '../credentials/passphrase.ts';
import { parseKeys } from '../credentials/vault.ts';
import { namedDatabase, readGoverning } from '../home/config-file.ts';
import { refuseOtherPlace } from '../home/database-note.ts';
import { releaseAll, takeLocks } from '../home/home.ts';
import { databasePath } from '../runtime/database-path.ts';
import { createPrivate, errnoOf, exists, prepareHome, temporaryBeside } from '../runtime/files.ts';
import { copyPrivate, hasLog, removeFile, replaceDatabase } from '../runtime/moves.ts';
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
 * Puts a copy in the place of the database, which is kept beside it. Everything is checked before anything is changed.
 * @throws OlaError `conflict` when a server runs or another key is in the way, `secret_required` when the key is in the
 *   backup alone and no passphrase was given, `invalid_field` when the file is no backup of ola or the passphrase is
 *   wrong, `persistence_unavailable`
 */
export async function restore({ file, passphrase }: CopyRequest, place: BackupContext): Promise<RestoreReport> {
  const { settings, configFile, now } = place;
  const governing = configFile === null ? null : readGoverning(configFile);
  const { path } = prepareHome(place.home);
  const database = databasePath(path, namedDatabase(path, settings, governing));
  const locks = takeLocks(path, database, { pid: processId, version, address: null, configFile, startedAt: now() });
  const next = temporaryBeside(database.path);
  try {
    refuseOtherPlace(path, database.path);
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

/** @throws OlaError `invalid_field` unless it is a whole database of ola's that this program knows */
function takeCopy(file: string, copy: string, database: string): void {
  const refuse = (what: string) => new OlaError('invalid_field', `The file ${file} ${what}. Nothing was changed.`);
  if (exists(file) && sameFile(file, database)) throw refuse('is the database itself: name a backup');
  if (hasLog(file)) throw refuse('has a log beside it, so it is a database that was in use: name one that `ola backup` made');
  copyPrivate(file, copy);
  const { applicationId: application, schema, verdict } = inspectSqlite(copy);
  const head = migrations.at(-1)?.version ?? 0;
  if (application === 0 && verdict !== 'ok') throw refuse(`is no database, or is damaged (${verdict})`);
  if (application !== applicationId) throw refuse('is a database of another program');
  if (verdict !== 'ok') throw refuse(`is damaged (${verdict}): take another backup`);
  if (schema > head) throw refuse(`has schema ${schema} and this program knows ${head}: install the newer ola`);
}

/** Brings the copy to this program's schema, as a start would, and notes in it that it was restored. */
async function readyCopy(copy: string, now: Clock): Promise<readonly SealedSecret[]> {
  const store = openStore({ database: openSqlite(copy), now, backUp: () => undefined });
  try {
    const details = { version };
    const nobody = { projectId: null, requestId: null, clientIp: null, userAgent: null };
    const actor = localPrincipal.subject;
    await store.audit.append([{ timestamp: now(), action: 'server.restore', actor, result: 'success', ...nobody, details }]);
    return await store.config.secrets();
  } finally {
    store.close();
  }
}

interface BackupKeys {
  readonly secrets: readonly SealedSecret[];
  /** The key in the backup, sealed to a passphrase; null when it is not there. */
  readonly sealed: string | null;
  readonly passphrase: string | null;
  readonly keys: KeySource;
  /** The key file that ola writes. */
  readonly ownFile: string;
}

interface FittingKey {
  /** With commas when several are needed; `none` when no secret needs one. */
  readonly id: string;
  /** The key file that is to be written; null when the key at hand fits. */
  readonly write: { readonly path: string; readonly text: string } | null;
}

async function fittingKey({ secrets, sealed, passphrase, keys, ownFile }: BackupKeys): Promise<FittingKey> {
  const isSet = keys.write === null || exists(ownFile);
  const ring = isSet ? allKeys(keys) : null;
  if (ring !== null && opens(ring, secrets)) return { id: idsNeeded(ring, secrets), write: null };
  const needed = sealedWith(secrets).join(', ') || 'none';
  if (secrets.length === 0 && (sealed === null || passphrase === null)) return { id: ring?.[0].id ?? needed, write: null };
  if (sealed === null) {
    const what = `The secrets in the backup need master key ${needed}, which is neither here nor in it`;
    throw new OlaError('persistence_unavailable', `${what}: bring it back (${ownFile}). Nothing was changed.`);
  }
  if (passphrase === null) {
    const message = `The backup needs master key ${needed}, which is in it, sealed: give its passphrase. Nothing was changed.`;
    throw new OlaError('secret_required', message, { param: 'passphrase' });
  }
  const text = await openWithPassphrase(JSON.parse(sealed), passphrase);
  const inside = parseKeys(text);
  if (!opens(inside, secrets)) {
    throw new OlaError(
      'persistence_unavailable',
      'The key in the backup does not open its secrets: it is damaged. Nothing was changed.',
    );
  }
  if (ring !== null) {
    const message = `There is another master key (${ring[0].id}) in ${keys.name}: move it away, or unset it, and restore again. Nothing was changed.`;
    throw new OlaError('conflict', message);
  }
  return { id: idsNeeded(inside, secrets), write: { path: ownFile, text: keyText(inside) } };
}

function idsNeeded(ring: KeyRing, secrets: readonly SealedSecret[]): string {
  return neededOf(ring, secrets)
    .map(({ id }) => id)
    .join(', ');
}

/** @returns where the former database is; null when there was none */
function putInPlace(path: string, next: string, { write }: FittingKey, now: Clock): string | null {
  const time = new Date(now()).toISOString().replaceAll(/[:.]/g, '-');
  const kept = `${path.replace(/\.sqlite3$/, '')}.before-restore-${time}.sqlite3`;
  // A damaged one is left as it is: SQLite would throw its log away.
  if (exists(path) && inspectSqlite(path).verdict === 'ok') foldFormer(path);
  // The key first: the new database is never there without it.
  if (write !== null && !createPrivate(write.path, write.text)) {
    throw new OlaError('conflict', `${write.path} was made meanwhile: move it away, and restore again. Nothing was changed.`);
  }
  return replaceDatabase({ path, next, kept }) ? kept : null;
}

function foldFormer(path: string): void {
  try {
    fold(path);
  } catch (cause) {
    const isTaken = cause instanceof Error && cause.message.includes('database is locked');
    const what = isTaken
      ? 'is open in another program: close that'
      : `cannot be closed (${errnoOf(cause)}): make room on its disk`;
    throw new OlaError(isTaken ? 'conflict' : 'persistence_unavailable', `${path} ${what}. Nothing was changed.`, { cause });
  }
}

/** Leaves one file: no log beside it. */
function fold(path: string): void {
  const database = openSqlite(path);
  try {
    database.exec('PRAGMA busy_timeout = 250; PRAGMA journal_mode = DELETE');
  } finally {
    database.close();
  }
}
