/** Opens a home: its lock, its database, its keys, and the gateway over them. The server and the command line without a server both use it. */
import { createCatalog } from '../catalog/lookup.ts';
import type { AwsPorts } from '../core/aws.ts';
import type { Egress, EgressDenial, EgressPolicy } from '../core/egress.ts';
import { OlaError } from '../core/errors.ts';
import type { Clock, Log } from '../core/ports.ts';
import { everythingSealed, type Sealed } from '../core/sealed.ts';
import { type Settings, secretVariables } from '../core/settings.ts';
import type { Store } from '../core/store.ts';
import type { Vault } from '../core/vault.ts';
import { createVault, parseKeys } from '../credentials/vault.ts';
import { prepareRanges } from '../egress/addresses.ts';
import { createEgress } from '../egress/dial.ts';
import { digestOf } from '../gateway/access/tokens.ts';
import { regionOfAwsFiles } from '../gateway/aws-asking.ts';
import { createGateway, type Gateway } from '../gateway/gateway.ts';
import type { ProcessProvider } from '../gateway/routing/registry.ts';
import { protocols } from '../protocols/all.ts';
import { createTranslator } from '../protocols/translate.ts';
import { awsPorts } from '../runtime/aws.ts';
import { type DatabasePath, databasePath } from '../runtime/database-path.ts';
import { dial } from '../runtime/dial.ts';
import { type FixedMode, prepareHome } from '../runtime/files.ts';
import { keySource, loadKeyRing } from '../runtime/keys.ts';
import { type Lock, type LockAnswer, type LockHolder, takeDatabaseLock, takeHomeLock } from '../runtime/lock.ts';
import { environment, processId } from '../runtime/process.ts';
import { createPrograms } from '../runtime/programs.ts';
import { resolve } from '../runtime/resolve.ts';
import { localAddresses } from '../runtime/serve.ts';
import { copySqlite, openSqlite } from '../runtime/sqlite.ts';
import { version } from '../runtime/version.ts';
import { openStore } from '../store/open.ts';
import { createReload, loadConfigFile, namedDatabase, secretFiles } from './config-file.ts';
import { noteDatabase, refuseOtherDatabase } from './database-note.ts';
import { importPredecessor, moveAside, type PredecessorReport } from './predecessor.ts';

export interface OpenHome {
  readonly path: string;
  /** Files and directories whose mode was too wide and has been narrowed. */
  readonly fixed: readonly FixedMode[];
  /** The result of the import from the predecessor. */
  readonly predecessor: PredecessorReport;
  readonly gateway: Gateway;
  /** Work that the first call to an upstream would otherwise wait for. The server does it after its start. */
  readonly afterStart: readonly (() => void)[];
  /** File mode: reads the configuration file again. */
  reload(): Promise<void>;
  /** Writes this process's address into the lock, for the error of a process that finds the home in use. */
  announce(address: string): void;
  close(): Promise<void>;
}

export interface OpenHomeOptions {
  readonly path: string;
  /** A server may use any database. A command must use the one that the last server used. */
  readonly by: 'server' | 'command';
  readonly settings: Settings;
  /** Absolute path of the configuration file; null in database mode. */
  readonly configFile: string | null;
  readonly processProviders: readonly ProcessProvider[];
  /** The addresses on which this process listens; egress never calls them. */
  readonly ownListeners: () => readonly { readonly address: string; readonly port: number }[];
  readonly now: Clock;
  readonly log: Log;
}

/** The environment in which providers' keys are looked up. ola's own secrets are left out, because a provider's id chooses the variable that is sent. */
const upstreamEnvironment = Object.fromEntries(Object.entries(environment).filter(([name]) => !secretVariables.includes(name)));

/**
 * @throws OlaError `conflict` that names the process that holds the home or the database, or the database that a command
 *   must use; `persistence_unavailable`; `invalid_field`, `invalid_json` when the configuration file cannot be used
 */
export async function openHome(options: OpenHomeOptions): Promise<OpenHome> {
  const { settings, configFile, now, log } = options;
  const file = configFile === null ? null : loadConfigFile(configFile);
  const { path, fixed } = prepareHome(options.path);
  const database = databasePath(path, namedDatabase(path, settings, file));
  if (options.by === 'command') refuseOtherDatabase(path, database.path);
  const facts: LockHolder = { pid: processId, version, address: null, configFile, startedAt: now() };
  const locks = takeLocks(path, database, facts);
  const aws = awsPorts(upstreamEnvironment);
  const catalog = createCatalog(
    protocols.map(({ id }) => id),
    withRegion(aws),
  );
  let store: Store | null = null;
  try {
    const place = { home: path, database: database.path, withConfig: configFile === null };
    const { everyProviderLocal } = settings;
    const predecessorFacts = { mode: 'database', catalog, environment: upstreamEnvironment, everyProviderLocal } as const;
    moveAside(place, predecessorFacts);
    store = openDatabase(database.path, now);
    const vault = await openVault(path, store, settings);
    const opened = { home: path, database: database.path, settings, configFile };
    if (options.by === 'server') noteDatabase(opened, databasePath(path, null).path);
    const predecessor = await importPredecessor(place, { store, vault, facts: predecessorFacts, now });
    const gateway = await createGateway({
      store,
      vault,
      keySource: keySource({ home: path, env: settings.masterKey, parse: parseKeys }),
      egress: (policy, onDenied) => buildEgress(policy, onDenied, options),
      programs: createPrograms(),
      catalog,
      protocols,
      translator: createTranslator(protocols, digestOf),
      environment: upstreamEnvironment,
      aws,
      settings,
      file,
      readSecretFile: secretFiles(file, log),
      place: { home: path, database: database.path },
      processProviders: options.processProviders,
      version,
      now,
      log,
    });
    const reload = file === null ? null : createReload(gateway.config, file, log);
    return {
      path,
      fixed,
      predecessor,
      gateway,
      afterStart: [prepareRanges],
      reload: async () => reload?.run(),
      announce: (address) => {
        for (const lock of locks) lock.update({ ...facts, address });
      },
      close: closing(gateway, store, locks, async () => reload?.stop()),
    };
  } catch (error) {
    store?.close();
    releaseAll(locks);
    throw error;
  }
}

/** The environment with the region of the AWS files, where no variable names one. */
function withRegion(aws: AwsPorts): Readonly<Record<string, string | undefined>> {
  const region = regionOfAwsFiles(aws, upstreamEnvironment);
  const { AWS_REGION: named = upstreamEnvironment['AWS_DEFAULT_REGION'] ?? region ?? undefined } = upstreamEnvironment;
  return { ...upstreamEnvironment, AWS_REGION: named };
}

/** @throws OlaError `conflict` that names the process that holds the home or the database */
export function takeLocks(home: string, database: DatabasePath, facts: LockHolder): readonly Lock[] {
  const lock = held(`The home ${home}`, takeHomeLock(home, facts));
  if (!database.shared) return [lock];
  try {
    return [lock, held(`The database ${database.path}`, takeDatabaseLock(database.path, facts))];
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** @throws OlaError `conflict` when another process holds the lock */
function held(what: string, answer: LockAnswer): Lock {
  if ('heldBy' in answer) throw heldBy(what, answer.heldBy);
  return answer;
}

export function releaseAll(locks: readonly Lock[]): void {
  for (const lock of locks.toReversed()) lock.release();
}

/** Closes in this order: last writes, database, locks. No other process may open the home before everything is written. */
function closing(gateway: Gateway, store: Store, locks: readonly Lock[], stopReload: () => Promise<void>): () => Promise<void> {
  return async () => {
    await stopReload();
    await gateway.flush();
    store.close();
    releaseAll(locks);
  };
}

function openDatabase(path: string, now: Clock): Store {
  const database = openSqlite(path);
  const backUp = (schema: number) => copySqlite(database, `${path.replace(/\.sqlite3$/, '')}.schema-${schema}.sqlite3`);
  return openStore({ database, now, backUp });
}

/** @throws OlaError when no available key opens the stored secrets: secrets sealed with a wrong key must not be added to them */
async function openVault(home: string, store: Store, settings: Settings): Promise<Vault> {
  const secrets = await everythingSealed(store);
  const ring = loadKeyRing({ home, env: settings.masterKey, secretsExist: secrets.length > 0, parse: parseKeys });
  const vault = createVault(ring);
  const strange = missingKey(secrets, vault);
  if (strange !== null) {
    const message = `The stored secrets were encrypted with master key ${strange}, but the given master key is ${ring[0].id}. Give the right key (OPEN_LLM_AUTH_MASTER_KEY_FILE, OPEN_LLM_AUTH_MASTER_KEY, or master.key in ${home}). Nothing was changed.`;
    throw new OlaError('persistence_unavailable', message);
  }
  return vault;
}

/**
 * The id of a missing key that sealed stored secrets; null when none is missing. A single secret that names an unknown key,
 * among others that open, is damaged: only its provider fails.
 */
function missingKey(secrets: readonly Sealed[], vault: Vault): string | null {
  const counts = new Map<string, number>();
  for (const { envelope } of secrets) {
    if (!/^v1\.[0-9a-f]{8}\./.test(envelope) || vault.canOpen(envelope)) continue;
    const id = envelope.slice(3, 11);
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  const someOpen = secrets.some(({ envelope }) => vault.canOpen(envelope));
  const missing = [...counts].find(([, count]) => count > 1 || !someOpen);
  return missing === undefined ? null : missing[0];
}

function buildEgress(
  policy: () => EgressPolicy,
  onDenied: (denial: EgressDenial) => void,
  { now, log, ownListeners }: OpenHomeOptions,
): Egress {
  return createEgress({ policy, resolve, dial, now, ownListeners, localAddresses, log, onDenied });
}

function heldBy(what: string, holder: LockHolder | null): OlaError {
  const who = holder === null ? 'another ola' : `ola ${holder.version} with process id ${holder.pid}`;
  const where = holder?.address === null || holder === null ? '' : `, which listens on ${holder.address}`;
  return new OlaError('conflict', `${what} is in use by ${who}${where}. Stop that process first; \`ola status\` shows it.`);
}
