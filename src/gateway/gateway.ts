/** What ola does, put together: the use-cases that `http` and `cli` call. */
import type { Catalog } from '../catalog/lookup.ts';
import { localPrincipal } from '../core/access.ts';
import type { ConfigDocument } from '../core/config.ts';
import { defaultEgressPolicy, type Egress, type EgressDenial, type EgressPolicy } from '../core/egress.ts';
import type { Clock, Log } from '../core/ports.ts';
import { createRedactor, type Redact } from '../core/redaction.ts';
import type { Store } from '../core/store.ts';
import type { Vault } from '../core/vault.ts';
import { type Access, createAccess, type LegacyToken, legacyAdmin, proxyKey } from './access.ts';
import { createAudit, type Origin } from './audit.ts';
import { type Chat, createChat } from './chat.ts';
import { type Config, type ConfigSnapshot, loadConfig, redactDocument } from './config.ts';
import { createHealth, type Health } from './health.ts';
import { createLimits, type Limits, shuttingDown } from './limits.ts';
import { findModel, listModels, type ModelView } from './models.ts';
import { createProviders, type Providers } from './providers.ts';
import { buildRegistry, type ProcessProvider, type Registry, type RegistryFacts } from './registry.ts';
import { type Route, route } from './routing.ts';
import { loadTokens, type Tokens } from './tokens.ts';
import { createUsage, type Usage } from './usage.ts';

export interface Gateway {
  readonly access: Access;
  readonly tokens: Tokens;
  readonly config: Config;
  readonly providers: Providers;
  readonly chat: Chat;
  readonly usage: Usage;
  readonly limits: Limits;
  readonly health: Health;
  /** Every secret this process holds is cut out of what passes through. */
  readonly redact: Redact;
  listModels(): ModelView[];
  findModel(name: string): ModelView;
  /** The document with secrets redacted. */
  showConfig(): { readonly document: object; readonly etag: string };
  /** Lets nothing new in; what runs goes on. */
  drain(): void;
  /** Ends what still runs, each stream with an error event. */
  cut(): void;
  /** Records what still runs as cut off, and writes what waits: the last thing before the end. */
  flush(): Promise<void>;
}

export interface GatewayPorts {
  readonly store: Store;
  readonly vault: Vault;
  /** Made over the policy of the moment; every refusal is told. */
  readonly egress: (policy: () => EgressPolicy, onDenied: (denial: EgressDenial) => void) => Egress;
  readonly catalog: Catalog;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly settings: GatewaySettings;
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
  const config = await loadConfig({ store: store.config, vault, audit, now, log });
  const access = createAccess(tokens);
  const limits = createLimits(tokens);
  const health = createHealth({ store, version, now });
  const facts: RegistryFacts = {
    catalog,
    environment: ports.environment,
    processProviders: ports.processProviders,
    everyProviderLocal: settings.everyProviderLocal,
    userAgent: `ola/${version}`,
  };
  let view = viewOf(config.snapshot(), facts, settings);
  access.setLegacyTokens(legacyTokens(config.snapshot(), settings));
  config.onChange((snapshot) => {
    view = viewOf(snapshot, facts, settings);
    access.setLegacyTokens(legacyTokens(snapshot, settings));
  });

  const redact = createRedactor(() => heldSecrets(view, settings));
  const own: Origin = { principal: localPrincipal, requestId: null, clientIp: null, userAgent: null };
  const egress = ports.egress(
    () => view.policy,
    (denial) => audit.record(audit.event('egress.denied', own, { ...denial }, 'denied')),
  );
  const chat = createChat({ egress, limits, usage, redact, now, log, route: (model, profile) => view.route(model, profile) });
  audit.record(audit.event('server.start', own, { version }));

  return {
    access,
    tokens,
    config,
    providers: createProviders({ config, egress, facts }),
    chat,
    usage,
    limits,
    health,
    redact,
    listModels: () => listModels(view.registry),
    findModel: (name) => findModel(view.registry, catalog.canonicalId, name),
    showConfig: () => ({ document: redactDocument(config.snapshot().document), etag: config.snapshot().etag }),
    drain() {
      health.drain();
      limits.close();
    },
    cut: () => chat.cutAll(shuttingDown()),
    async flush() {
      chat.abandonAll(shuttingDown());
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

function viewOf(snapshot: ConfigSnapshot, facts: RegistryFacts, settings: GatewaySettings): View {
  const document = snapshot.open;
  const registry = buildRegistry(snapshot, facts);
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
    secrets: [...snapshot.secrets.values()].map(({ value }) => value),
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

function legacyTokens(snapshot: ConfigSnapshot, settings: GatewaySettings): LegacyToken[] {
  const list: LegacyToken[] = [];
  if (settings.adminToken !== null) list.push({ token: settings.adminToken, principal: legacyAdmin });
  if (snapshot.open.serverToken !== undefined) list.push({ token: snapshot.open.serverToken, principal: legacyAdmin });
  if (settings.proxyKey !== null) list.push({ token: settings.proxyKey, principal: proxyKey });
  return list;
}

function* heldSecrets(view: View, { adminToken, proxyKey }: GatewaySettings): Iterable<string> {
  yield* view.secrets;
  for (const token of [adminToken, proxyKey]) if (token !== null) yield token;
  for (const { targets } of view.registry.active.values()) {
    for (const { credential } of targets) if (credential.secret !== null) yield credential.secret;
  }
}
