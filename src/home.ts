/** Opens a home: its lock, its database, its keys, and the gateway over them. Shared by the server and the offline command line. */
import { createCatalog } from './catalog/lookup.ts';
import type { Egress, EgressDenial, EgressPolicy } from './core/egress.ts';
import { OlaError } from './core/errors.ts';
import type { Clock, Log } from './core/ports.ts';
import { type Settings, secretVariables } from './core/settings.ts';
import type { Store } from './core/store.ts';
import type { Vault } from './core/vault.ts';
import { createVault, parseKeys } from './credentials/vault.ts';
import { createEgress } from './egress/dial.ts';
import { createGateway, type Gateway } from './gateway/gateway.ts';
import { builtProtocols, type ProcessProvider } from './gateway/registry.ts';
import { dial } from './runtime/dial.ts';
import { type FixedMode, prepareHome } from './runtime/files.ts';
import { loadKeyRing } from './runtime/keys.ts';
import { type HolderFacts, type HomeLock, takeHomeLock } from './runtime/lock.ts';
import { environment, processId } from './runtime/process.ts';
import { resolve } from './runtime/resolve.ts';
import { localAddresses } from './runtime/serve.ts';
import { copySqlite, openSqlite } from './runtime/sqlite.ts';
import { openStore } from './store/open.ts';
import { version } from './version.ts';

export interface OpenHome {
  readonly path: string;
  /** Modes that were too wide, narrowed now. */
  readonly fixed: readonly FixedMode[];
  readonly gateway: Gateway;
  /** Says where this process listens, to whoever finds the home taken. */
  announce(address: string): void;
  close(): Promise<void>;
}

export interface OpenHomeOptions {
  readonly path: string;
  readonly settings: Settings;
  readonly processProviders: readonly ProcessProvider[];
  /** Where this process listens: never a destination. */
  readonly ownListeners: () => readonly { readonly address: string; readonly port: number }[];
  readonly now: Clock;
  readonly log: Log;
}

/** Where providers' keys are looked for. Ola's own secrets are not there: the name of a provider chooses a variable. */
const upstreamEnvironment = Object.fromEntries(Object.entries(environment).filter(([name]) => !secretVariables.includes(name)));

/** @throws OlaError `conflict` naming who holds the home; `persistence_unavailable` */
export async function openHome(options: OpenHomeOptions): Promise<OpenHome> {
  const { settings, now, log } = options;
  const { path, fixed } = prepareHome(options.path);
  const facts: HolderFacts = { pid: processId, version, address: null, startedAt: now() };
  const lock = takeHomeLock(path, facts);
  if ('heldBy' in lock) throw heldBy(path, lock.heldBy);
  let store: Store | null = null;
  try {
    store = openDatabase(path, now);
    const gateway = await createGateway({
      store,
      vault: await openVault(path, store, settings),
      egress: (policy, onDenied) => buildEgress(policy, onDenied, options),
      catalog: createCatalog(builtProtocols),
      environment: upstreamEnvironment,
      settings,
      processProviders: options.processProviders,
      version,
      now,
      log,
    });
    return {
      path,
      fixed,
      gateway,
      announce: (address) => lock.update({ ...facts, address }),
      close: closing(gateway, store, lock),
    };
  } catch (error) {
    store?.close();
    lock.release();
    throw error;
  }
}

/** The last writes, then the database, then the lock: nobody else may come in before all is written. */
function closing(gateway: Gateway, store: Store, lock: HomeLock): () => Promise<void> {
  return async () => {
    await gateway.flush();
    store.close();
    lock.release();
  };
}

function openDatabase(path: string, now: Clock): Store {
  const database = openSqlite(`${path}/runtime_state.sqlite3`);
  const backUp = (schema: number) => copySqlite(database, `${path}/runtime_state.schema-${schema}.sqlite3`);
  return openStore({ database, now, backUp });
}

/** @throws OlaError when secrets are stored that the keys at hand do not open: a wrong key must not write beside them */
async function openVault(home: string, store: Store, settings: Settings): Promise<Vault> {
  const secrets = await store.config.secrets();
  const ring = loadKeyRing({ home, env: settings.masterKey, secretsExist: secrets.length > 0, parse: parseKeys });
  const vault = createVault(ring);
  const strange = secrets.find(({ envelope }) => /^v1\.[0-9a-f]{8}\./.test(envelope) && !vault.canOpen(envelope));
  if (strange !== undefined) {
    const message = `The stored secrets were sealed with master key ${strange.envelope.slice(3, 11)}, but the one given is ${ring[0].id}. Give the right one (OPEN_LLM_AUTH_MASTER_KEY_FILE, OPEN_LLM_AUTH_MASTER_KEY, or master.key in ${home}). Nothing was changed.`;
    throw new OlaError('persistence_unavailable', message);
  }
  return vault;
}

function buildEgress(
  policy: () => EgressPolicy,
  onDenied: (denial: EgressDenial) => void,
  { now, log, ownListeners }: OpenHomeOptions,
): Egress {
  return createEgress({ policy, resolve, dial, now, ownListeners, localAddresses, log, onDenied });
}

function heldBy(path: string, holder: HolderFacts | null): OlaError {
  const who = holder === null ? 'another ola' : `ola ${holder.version} with process id ${holder.pid}`;
  const where = holder?.address === null || holder === null ? '' : `, which listens on ${holder.address}`;
  return new OlaError(
    'conflict',
    `The home ${path} is in use by ${who}${where}. See \`ola status\`, or set OPEN_LLM_AUTH_HOME to another directory.`,
  );
}
