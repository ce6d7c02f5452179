/** What ola does, put together: the use-cases that `http` and `cli` call. */
import type { Catalog } from '../catalog/lookup.ts';
import { localPrincipal } from '../core/access.ts';
import type { ConfigDocument } from '../core/document.ts';
import { defaultEgressPolicy, type Egress, type EgressDenial, type EgressPolicy } from '../core/egress.ts';
import { isObject } from '../core/json.ts';
import type { Clock, Log } from '../core/ports.ts';
import { createRedactor, type Redact } from '../core/redaction.ts';
import type { Store } from '../core/store.ts';
import type { KeySource, Vault } from '../core/vault.ts';
import { cleanSecret } from '../credentials/resolve.ts';
import { type Access, createAccess, type LegacyToken, legacyAdmin, proxyKey } from './access/access.ts';
import { principalOfConfigured } from './access/imported-tokens.ts';
import { createLimits, type Limits, shuttingDown } from './access/limits.ts';
import { loadTokens, type Tokens } from './access/tokens.ts';
import { createVia, type Via } from './access/via.ts';
import { type Config, type ConfigFile, loadConfig } from './config/config.ts';
import { createDocuments, type Documents } from './config/documents.ts';
import { createExports, type Exports } from './config/exports.ts';
import type { CurrentConfig } from './config/in-force.ts';
import { createKeys, type Keys } from './config/master-keys.ts';
import { createProviders, type Providers } from './config/providers.ts';
import { createRevisions, type Revisions } from './config/revisions.ts';
import { createSnapshots, type Snapshots } from './config/snapshots.ts';
import type { WriteContext } from './config/write-section.ts';
import { createHealth, type Health } from './health.ts';
import { createInference, type Inference } from './inference/inference.ts';
import { createAudit, type Requester } from './records/audit.ts';
import { createRetention, type Retention } from './records/retention.ts';
import { createUsage, type Usage } from './records/usage.ts';
import { findModel, listModels, type ModelView } from './routing/models.ts';
import {
  buildRegistry,
  type KnownProviders,
  type ProcessProvider,
  type Registry,
  type RegistryInputs,
} from './routing/registry.ts';
import { type Route, route } from './routing/routing.ts';

export interface Gateway {
  readonly access: Access;
  /** By which a request that goes round in circles is known. */
  readonly via: Via;
  readonly tokens: Tokens;
  readonly config: Config;
  readonly documents: Documents;
  readonly revisions: Revisions;
  readonly snapshots: Snapshots;
  readonly exports: Exports;
  readonly keys: Keys;
  readonly providers: Providers;
  readonly inference: Inference;
  readonly usage: Usage;
  readonly limits: Limits;
  readonly health: Health;
  /** To be ticked about once a second. */
  readonly retention: Retention;
  /** Where configuration and state are. */
  readonly place: HomePaths;
  /** Every secret this process holds is cut out of what passes through. */
  readonly redact: Redact;
  listModels(): ModelView[];
  findModel(name: string): ModelView;
  /** Lets nothing new in; what runs goes on. */
  drain(): void;
  /** Ends what still runs, each stream with an error. */
  cut(): void;
  /** Records what still runs as cut off; before its connections go, or it looks like clients that left. */
  abandon(): void;
  /** Abandons what still runs, and writes what waits: the last thing before the end. */
  flush(): Promise<void>;
}

export interface HomePaths {
  /** Absolute. */
  readonly home: string;
  /** Absolute. */
  readonly database: string;
}

export interface GatewayPorts {
  readonly store: Store;
  readonly vault: Vault;
  /** Where the vault's keys are kept. */
  readonly keySource: KeySource;
  /** Made over the policy of the moment; every refusal is told. */
  readonly egress: (policy: () => EgressPolicy, onDenied: (denial: EgressDenial) => void) => Egress;
  readonly catalog: Catalog;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly settings: GatewaySettings;
  /** The file that governs; null: the database does. */
  readonly file: ConfigFile | null;
  /** The text of a file that the configuration names; null when it cannot be read. Not needed when no file governs. */
  readonly readSecretFile?: (path: string) => string | null;
  readonly place: HomePaths;
  readonly processProviders: readonly ProcessProvider[];
  readonly version: string;
  readonly now: Clock;
  readonly log: Log;
}

/** What the process was started with, beyond the document. */
export interface GatewaySettings {
  readonly adminToken: string | null;
  readonly proxyKey: string | null;
  readonly everyProviderLocal: boolean;
  readonly insecureHttp: boolean;
}

export async function createGateway(ports: GatewayPorts): Promise<Gateway> {
  const { store, vault, catalog, settings, now, log, version } = ports;
  const audit = createAudit({ store: store.audit, now, log });
  const usage = createUsage({ store: store.usage, log });
  const tokens = await loadTokens({ store: store.tokens, audit, now, log });
  const own: Requester = { principal: localPrincipal, requestId: null, clientIp: null, userAgent: null };
  const via = createVia();
  const onDenied = (denial: EgressDenial) => audit.record(audit.event('egress.denied', own, { ...denial }, 'denied'));
  const facts: RegistryInputs & WriteContext = {
    mode: ports.file === null ? 'database' : 'file',
    catalog,
    environment: ports.environment,
    processProviders: ports.processProviders,
    everyProviderLocal: settings.everyProviderLocal,
    userAgent: `ola/${version}`,
    via: via.own,
    egressUnder(document) {
      const policy = policyOf(document, settings);
      return ports.egress(() => policy, onDenied);
    },
  };
  const { file, readSecretFile = () => null } = ports;
  const config = await loadConfig({ store: store.config, vault, tokens, audit, file, readSecretFile, context: facts, now, log });
  const access = createAccess(tokens);
  const limits = createLimits(tokens);
  const health = createHealth({ store, config, version, now });
  const retention = createRetention({ store, document: () => config.snapshot().open, now, log });
  const known: KnownProviders = new WeakMap();
  let view = viewOf(config.snapshot(), { facts, known, settings });
  access.setLegacyTokens(legacyTokens(config.snapshot(), settings), namesToken(config.snapshot(), settings));
  config.onChange((snapshot) => {
    view = viewOf(snapshot, { facts, known, settings });
    access.setLegacyTokens(legacyTokens(snapshot, settings), namesToken(snapshot, settings));
  });

  const redact = createRedactor(() => heldSecrets(view, settings));
  const egress = ports.egress(() => view.policy, onDenied);
  const inference = createInference({
    egress,
    limits,
    usage,
    redact,
    now,
    log,
    route: (model, profile) => view.route(model, profile),
  });
  audit.record(audit.event('server.start', own, { version }));

  return {
    access,
    via,
    tokens,
    config,
    documents: createDocuments({ config, tokens, context: facts, now }),
    revisions: createRevisions({ store: store.config, config }),
    snapshots: createSnapshots({ store: store.config, config, vault, audit, context: facts, now }),
    exports: createExports({ store, config, audit }),
    keys: createKeys({ vault, source: ports.keySource, store, audit }),
    providers: createProviders({ config, catalog, processProviders: ports.processProviders }),
    inference,
    usage,
    limits,
    health,
    retention,
    place: ports.place,
    redact,
    listModels: () => listModels(view.registry),
    findModel: (name) => findModel(view.registry, catalog.canonicalId, name),
    drain() {
      health.drain();
      limits.close();
    },
    cut: () => inference.cutAll(shuttingDown()),
    abandon: () => inference.abandonAll(shuttingDown()),
    async flush() {
      await retention.stop();
      inference.abandonAll(shuttingDown());
      audit.record(audit.event('server.stop', own, { version }));
      await Promise.all([usage.flush(), audit.flush(), tokens.flush()]);
    },
  };
}

/** What is derived from one snapshot, once. */
interface View {
  readonly registry: Registry;
  readonly policy: EgressPolicy;
  readonly secrets: readonly string[];
  route(model: string | null | undefined, profile: string | null): Route;
}

/** So many different model names are remembered with their routes. */
const mostRoutes = 1000;

interface ViewInputs {
  readonly facts: RegistryInputs;
  readonly known: KnownProviders;
  readonly settings: GatewaySettings;
}

function viewOf(snapshot: CurrentConfig, { facts, known, settings }: ViewInputs): View {
  const document = snapshot.open;
  const registry = buildRegistry(snapshot, facts, known);
  const routing = {
    registry,
    catalog: facts.catalog,
    defaultModel: document.defaultModel ?? null,
    activeProviderIds: document.activeProviderIds ?? [],
  };
  const routes = new Map<string, Route>();
  return {
    registry,
    policy: policyOf(document, settings),
    secrets: [...[...snapshot.secrets.values()].map(({ value }) => value), ...snapshot.named],
    route(model, profile) {
      const known = profile === null ? routes.get(model ?? '') : undefined;
      if (known !== undefined) return known;
      const found = route(model, profile, routing);
      if (routes.size >= mostRoutes) routes.clear();
      if (profile === null) routes.set(model ?? '', found);
      return found;
    },
  };
}

function policyOf(document: ConfigDocument, settings: GatewaySettings): EgressPolicy {
  const policy = { ...defaultEgressPolicy, ...document.egressPolicy } as EgressPolicy;
  return settings.insecureHttp ? { ...policy, enforceHttps: false } : policy;
}

/** Tokens that stand in clear: in the environment, in the document, and in file mode under `authorization.tokens`. */
function legacyTokens({ open }: CurrentConfig, settings: GatewaySettings): LegacyToken[] {
  const { authorization, serverToken } = open;
  const list: LegacyToken[] = [];
  if (authorization?.legacyAdminCompatibility !== false) {
    for (const token of [settings.adminToken, cleanSecret(serverToken)]) {
      if (token !== null) list.push({ token, principal: legacyAdmin });
    }
  }
  if (settings.proxyKey !== null) list.push({ token: settings.proxyKey, principal: proxyKey });
  for (const [name, config] of Object.entries(authorization?.tokens ?? {})) {
    const token = cleanSecret(config.token);
    if (config.enabled === false || token === null) continue;
    list.push({ token, principal: principalOfConfigured(name, config) });
  }
  return list;
}

/** Whether a token is meant to be asked for, also one that is switched off, not honoured, or cannot be opened now. */
function namesToken({ document }: CurrentConfig, { adminToken, proxyKey }: GatewaySettings): boolean {
  const { authorization, serverToken } = document;
  if (adminToken !== null || proxyKey !== null || (serverToken ?? null) !== null) return true;
  const tokens = isObject(authorization) ? authorization['tokens'] : null;
  return isObject(tokens) && Object.keys(tokens).length > 0;
}

function* heldSecrets(view: View, { adminToken, proxyKey }: GatewaySettings): Iterable<string> {
  yield* view.secrets;
  for (const token of [adminToken, proxyKey]) if (token !== null) yield token;
  for (const { targets } of view.registry.active.values()) {
    for (const { credential } of targets) if (credential.secret !== null) yield credential.secret;
  }
}
