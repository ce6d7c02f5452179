/**
 * Imports the files of the predecessor, the original program, which shares the home with ola. They are imported once, in one
 * transaction, then moved to `original-backup`. After a kill at any point the next start continues.
 */
import { localPrincipal } from '../core/access.ts';
import type { ConfigWrite, Snapshot } from '../core/config.ts';
import { OlaError } from '../core/errors.ts';
import type { Clock } from '../core/ports.ts';
import type { PredecessorState } from '../core/predecessor.ts';
import type { Warning } from '../core/schema.ts';
import type { Store } from '../core/store.ts';
import type { SealedSecret, Vault } from '../core/vault.ts';
import { tokenRecords } from '../gateway/access/imported-tokens.ts';
import { allConsents } from '../gateway/config/consents.ts';
import { originOfSecrets } from '../gateway/config/origins.ts';
import {
  type PredecessorDocument,
  readPredecessorDocument,
  taskActions,
  taskOwners,
  usageRows,
} from '../gateway/config/predecessor.ts';
import type { ReadContext } from '../gateway/config/read-document.ts';
import { sealDocument } from '../gateway/config/seal.ts';
import { checkSnapshotName } from '../gateway/config/snapshots.ts';
import { exists, writePrivate } from '../runtime/files.ts';
import { type FoundFile, filesIn, linksResolved, linkTarget, moveInto, removeFile } from '../runtime/moves.ts';
import { folderOf, readConfigFile } from '../runtime/named-files.ts';
import { isPredecessorDatabase, readTables, whileUnused } from '../runtime/predecessor-database.ts';

export interface PredecessorPaths {
  /** Absolute path of the home. */
  readonly home: string;
  /** Absolute path of ola's database. */
  readonly database: string;
  /** True in database mode: the predecessor's configuration is imported. */
  readonly withConfig: boolean;
}

export interface PredecessorPorts {
  readonly store: Store;
  readonly vault: Vault;
  readonly facts: ReadContext;
  readonly now: Clock;
}

/** The predecessor's file names in a home. */
const names = { state: 'runtime_state.sqlite3', usage: 'usage.sqlite3', config: 'config.json', snapshots: 'profiles' } as const;
const stateTables = ['task_ownership', 'task_action_history', 'idempotency_keys'];
/** File in the home that lists the names to move after the import. It exists from just before the import to the last move. */
const unfinished = 'original-import';

function predecessorBackup(home: string): string {
  return `${home}/original-backup`;
}

/**
 * Moves the predecessor's database away before ola's own is opened. The configuration is read first: if it cannot be
 * imported, nothing has been changed.
 * @throws OlaError `conflict` when the predecessor runs; `invalid_json`, `invalid_field` that name the configuration
 */
export function moveAside({ home, database, withConfig }: PredecessorPaths, facts: ReadContext): void {
  const path = `${home}/${names.state}`;
  const inTheWay = isPredecessorDatabase(path, stateTables);
  const fresh = inTheWay ? path === database : !exists(database);
  if (fresh && withConfig) readConfiguration(home, facts);
  if (inTheWay) whileUnused(path, () => moveInto(predecessorBackup(home), path));
}

export interface PredecessorReport {
  /** Sentences about the data that this start imported; empty when it imported none. */
  readonly imported: readonly string[];
  /** Sentences about leftover files, repeated at every start until the files are gone. */
  readonly standing: readonly string[];
}

/**
 * Imports the predecessor's files into the open database, unless an earlier start did.
 * @throws OlaError as `moveAside` does; nothing was imported then
 */
export async function importPredecessor(place: PredecessorPaths, ports: PredecessorPorts): Promise<PredecessorReport> {
  const wasDone = (await ports.store.predecessor.importedAt()) !== null;
  const imported = wasDone ? [] : await importFound(place, ports);
  // A list without a finished import is ignored: that import did not happen.
  if (wasDone || imported.length > 0) finishMoving(place.home);
  return { imported, standing: await leftOver(place, ports.store) };
}

async function importFound(place: PredecessorPaths, ports: PredecessorPorts): Promise<readonly string[]> {
  const found = await find(place, ports);
  if (found.toMove.length === 0 && found.state.length === 0) return [];
  const folder = predecessorBackup(place.home);
  const taken = found.toMove.find((name) => exists(`${folder}/${name}`));
  if (taken !== undefined) {
    throw new OlaError('conflict', `${folder} already has a ${taken} of an earlier import. Move that folder away first.`);
  }
  const { state, said } = await gather(found, ports);
  writePrivate(`${place.home}/${unfinished}`, found.toMove.map((name) => `${name}\n`).join(''));
  await ports.store.predecessor.import(state, ports.now());
  return said;
}

async function leftOver({ home, withConfig }: PredecessorPaths, store: Store): Promise<readonly string[]> {
  const folder = predecessorBackup(home);
  const config = `${home}/${names.config}`;
  const isIgnored = withConfig && exists(config) && (await store.config.current(config)) === null;
  const take = 'Import it with `ola config import`, or move it away';
  const elsewhere = [names.config, names.snapshots].flatMap((name) => linkTarget(`${folder}/${name}`) ?? []);
  return [
    ...(exists(folder)
      ? [`${folder} holds files of the original program with unencrypted keys. Delete it once everything works.`]
      : []),
    ...elsewhere.map(
      (path) =>
        `${path}, to which a link pointed, still holds unencrypted keys of the original program. Delete it once everything works.`,
    ),
    ...(isIgnored ? [`${config} is not read, because the configuration is in the database. ${take}.`] : []),
  ];
}

function finishMoving(home: string): void {
  const list = `${home}/${unfinished}`;
  const listed = exists(list) ? (readConfigFile(list) ?? '').split('\n') : null;
  if (listed === null) return;
  for (const name of listed) {
    if (name !== '' && exists(`${home}/${name}`)) moveInto(predecessorBackup(home), `${home}/${name}`);
  }
  removeFile(list);
}

/** The predecessor's files that can be imported. */
interface Found {
  readonly config: PredecessorDocument | null;
  readonly snapshots: readonly FoundFile[];
  /** Paths of the databases with the predecessor's tasks. */
  readonly state: readonly string[];
  readonly usage: string | null;
  /** Names in the home to move after the import. */
  readonly toMove: readonly string[];
  /** Sentences about files that are not imported. */
  readonly left: readonly string[];
}

async function find({ home, withConfig }: PredecessorPaths, { store, facts }: PredecessorPorts): Promise<Found> {
  const path = `${home}/${names.config}`;
  // A config.json that ola itself has used as its configuration file is not the predecessor's.
  const takesConfig = withConfig && (await store.config.current(null)) === null && (await store.config.current(path)) === null;
  const config = takesConfig ? readConfiguration(home, facts) : null;
  const snapshots = withConfig ? filesIn(`${home}/${names.snapshots}`, '.json') : [];
  const usage = `${home}/${names.usage}`;
  const hasUsage = isPredecessorDatabase(usage, ['usage_records']);
  const moved = `${predecessorBackup(home)}/${names.state}`;
  const elsewhere = stateElsewhere(home, config);
  const taken = {
    [names.config]: config !== null,
    [names.snapshots]: snapshots.length > 0,
    [names.usage]: hasUsage,
  };
  return {
    config,
    snapshots,
    state: [moved, ...elsewhere].filter((each) => isPredecessorDatabase(each, stateTables)),
    usage: hasUsage ? usage : null,
    toMove: Object.entries(taken).flatMap(([name, is]) => (is ? [name] : [])),
    left: elsewhere
      .filter((each) => !isPredecessorDatabase(each, stateTables))
      .map((each) => `${names.config} names ${each} for its tasks, but that is not its database. The tasks are not imported.`),
  };
}

/** The predecessor's database outside the home, if its configuration names one. It stays where it is, because its owner put it there. */
function stateElsewhere(home: string, config: PredecessorDocument | null): readonly string[] {
  const named = config?.database ?? null;
  if (named === null || (named.endsWith(`/${names.state}`) && linksResolved(folderOf(named)) === home)) return [];
  return [named];
}

/** @returns null when the home has no config.json */
function readConfiguration(home: string, facts: ReadContext): PredecessorDocument | null {
  const path = `${home}/${names.config}`;
  const text = readConfigFile(path);
  try {
    return text === null ? null : readPredecessorDocument(text, facts);
  } catch (cause) {
    if (!(cause instanceof OlaError)) throw cause;
    const what = `${path} cannot be imported: ${cause.message} Nothing was changed. Correct the file, or move it away.`;
    throw new OlaError(cause.code, what, { ...cause.facts, cause });
  }
}

interface Gathered {
  readonly state: PredecessorState;
  readonly said: readonly string[];
}

async function gather(found: Found, ports: PredecessorPorts): Promise<Gathered> {
  const { canonicalId } = ports.facts.catalog;
  const config = found.config === null ? null : await configWrite(found.config, ports);
  const snapshots = found.snapshots.map((file) => readSnapshot(file, ports));
  const tables = found.state.map((path) => readTables(path, ['task_ownership', 'task_action_history']));
  const owners = taskOwners(
    tables.flatMap(({ task_ownership }) => task_ownership),
    canonicalId,
  );
  const actions = taskActions(
    tables.flatMap(({ task_action_history }) => task_action_history),
    canonicalId,
  );
  const usage = usageRows(found.usage === null ? [] : readTables(found.usage, ['usage_records']).usage_records, canonicalId);
  const state: PredecessorState = {
    config,
    snapshots: snapshots.flatMap(({ snapshot }) => snapshot ?? []),
    secrets: snapshots.flatMap(({ sealed }) => sealed),
    owners: owners.rows,
    actions: actions.rows,
    usage: usage.rows,
  };
  const said = [
    summary(state),
    ...inWords(found.config?.warnings ?? []),
    ...snapshots.flatMap(({ said: each }) => each),
    ...unusable('owners of tasks', owners.unusable),
    ...unusable('actions on tasks', actions.unusable),
    ...unusable('usage records', usage.unusable),
    ...found.left,
  ];
  return { state, said };
}

/** A change of the configuration like any other, except that destinations are not checked: they were in use, and egress checks each call. */
async function configWrite(read: PredecessorDocument, { store, vault, facts, now }: PredecessorPorts): Promise<ConfigWrite> {
  const at = now();
  const number = (await store.config.newest()) + 1;
  const { document, sealed } = sealDocument(read.document, originOfSecrets(read.document, facts), vault, at);
  const known = new Set((await store.tokens.list()).map(({ digest }) => digest));
  const actor = localPrincipal.subject;
  return {
    revision: {
      ...{ number, at, actor, summary: 'config.import config.json of the original program', document, file: null },
      // It was the owner's file.
      consents: allConsents(document, facts),
    },
    secrets: sealed,
    tokens: tokenRecords(read.tokens, at).filter(({ digest }) => !known.has(digest)),
    event: {
      timestamp: at,
      action: 'config.import',
      actor,
      result: 'success',
      projectId: null,
      requestId: null,
      clientIp: null,
      userAgent: null,
      details: { from: 'original', revision: number },
    },
  };
}

interface ReadSnapshot {
  /** Null when the snapshot cannot be imported. */
  readonly snapshot: Snapshot | null;
  readonly sealed: readonly SealedSecret[];
  readonly said: readonly string[];
}

function readSnapshot({ path, name: file, modifiedAt }: FoundFile, { vault, facts, now }: PredecessorPorts): ReadSnapshot {
  const name = file.replace(/\.json$/, '');
  const label = `${names.snapshots}/${file}`;
  try {
    checkSnapshotName(name);
    const { document: given, tokens } = readPredecessorDocument(readConfigFile(path) ?? '', facts);
    const { document, sealed } = sealDocument(given, originOfSecrets(given, facts), vault, now());
    const said = tokens.length === 0 ? [] : [`${label}: its access tokens are not imported.`];
    return { snapshot: { name, at: modifiedAt, document }, sealed, said };
  } catch (cause) {
    if (!(cause instanceof OlaError)) throw cause;
    return { snapshot: null, sealed: [], said: [`${label} is not imported: ${cause.message}`] };
  }
}

function summary({ config, snapshots, owners, actions, usage }: PredecessorState): string {
  const rows = [
    `${snapshots.length} snapshots`,
    `${owners.length} task owners`,
    `${actions.length} actions on tasks`,
    `${usage.length} usage records`,
  ];
  const configuration = config === null ? 'no configuration' : `the configuration with ${config.tokens.length} access tokens`;
  return `Imported from the original program: ${configuration}, ${rows.join(', ')}.`;
}

/** One sentence per reason. */
function inWords(warnings: readonly Warning[]): readonly string[] {
  const byReason = Map.groupBy(warnings, ({ reason }) => reason);
  return [...byReason].map(([reason, those]) => `${names.config}, ${those.map(({ path }) => path).join(', ')}: ${reason}.`);
}

function unusable(what: string, count: number): readonly string[] {
  return count === 0 ? [] : [`${count} ${what} are not imported: a required field is missing, or their time is not valid.`];
}
