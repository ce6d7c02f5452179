/** What ola does, put together: the use-cases that `http` and `cli` call. */

import type { Catalog } from '../catalog/lookup.ts';
import { localPrincipal } from '../core/access.ts';
import type { AwsPorts } from '../core/aws.ts';
import type { Egress, EgressDenial, EgressPolicy } from '../core/egress.ts';
import type { Clock, Log } from '../core/ports.ts';
import type { Programs } from '../core/programs.ts';
import type { Protocol, Translator } from '../core/protocol.ts';
import type { BuiltinProvider, ProviderState } from '../core/providers.ts';
import { createRedactor, type Redact } from '../core/redaction.ts';
import type { Store } from '../core/store.ts';
import type { KeySource, Vault } from '../core/vault.ts';
import { type Access, createAccess, withdrawn } from './access/access.ts';
import { createLimits, type Limits, shuttingDown } from './access/limits.ts';
import { loadTokens, type Tokens } from './access/tokens.ts';
import { createVia, type Via } from './access/via.ts';
import { noAwsFiles } from './aws-asking.ts';
import { createAwsCredentials } from './aws-credentials.ts';
import { type AuthProfiles, createAuthProfiles, refuseUnknown } from './config/auth-profiles.ts';
import { type Config, type ConfigFile, loadConfig } from './config/config.ts';
import { type ConfiguredProviderView, configuredProviderViews } from './config/configured-providers.ts';
import { createDocuments, type Documents } from './config/documents.ts';
import { createExports, type Exports } from './config/exports.ts';
import { createKeys, type Keys } from './config/master-keys.ts';
import { createProviders, type Providers } from './config/providers.ts';
import { createRevisions, type Revisions } from './config/revisions.ts';
import { createSnapshots, type Snapshots } from './config/snapshots.ts';
import type { WriteContext } from './config/write-section.ts';
import { type CooledCredentials, changedCredentials, createCooledCredentials, holdsCredential } from './cooled-credentials.ts';
import { type CredentialTest, testCredential } from './credential-test.ts';
import { createGcpCredentials } from './gcp-credentials.ts';
import { loadGrants, type RenewalState } from './grants.ts';
import { createHealth, type Health } from './health.ts';
import { createInference, type Inference } from './inference/inference.ts';
import { createLiveCalls } from './inference/live-calls.ts';
import { createOwnModels } from './inference/own-models.ts';
import { createAudit, type Requester } from './records/audit.ts';
import { createRetention } from './records/retention.ts';
import { createUsage, type Usage } from './records/usage.ts';
import { loadCooldowns } from './routing/cooldowns.ts';
import { type Explanation, explain } from './routing/explain.ts';
import { findModel, listModels, type ModelView, modelsOfProvider, type ProviderModels } from './routing/models.ts';
import { credentialOf, type ProfileState, profileState, unusableProfile } from './routing/profile-states.ts';
import { ownTokens, providerStates } from './routing/provider-states.ts';
import type { ProcessProvider } from './routing/registry.ts';
import { type GatewaySettings, heldSecrets, legacyTokens, namesToken, policyOf, viewOf } from './view.ts';

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
  readonly authProfiles: AuthProfiles;
  /** Whether an auth profile can be used now, and how the renewal of its tokens stands. @throws OlaError `not_found` */
  profileState(id: string): ShownProfile;
  /**
   * Asks the provider of an auth profile for its models, with that profile.
   * @throws OlaError `not_found`; `conflict` for a profile that cannot be used, with the reason
   */
  testProfile(id: string, requester: Requester): Promise<TestedProfile>;
  /** The providers that are configured or usable, with their addresses, keys and states. */
  configuredProviders(): ConfiguredProviderView[];
  /** The protocols that clients may speak. */
  readonly protocols: readonly Protocol[];
  readonly inference: Inference;
  readonly usage: Usage;
  /** The credentials that are left alone for a while. */
  readonly cooledCredentials: CooledCredentials;
  readonly limits: Limits;
  readonly health: Health;
  /** Where configuration and state are. */
  readonly place: HomePaths;
  /** Every secret this process holds is cut out of what passes through. */
  readonly redact: Redact;
  /** Which providers can be used now, and why others cannot. */
  providerStates(): readonly ProviderState[];
  /** Every provider that the catalog describes. */
  builtinProviders(): readonly BuiltinProvider[];
  /**
   * The models of one provider, usable or not. A server that tells its models itself is asked, and waited for at most a second.
   * @param idOrAlias of a provider of the catalog or the configuration
   * @throws OlaError `not_found`
   */
  providerModels(idOrAlias: string): Promise<ProviderModels>;
  /** The places with an access token of ola where a provider's key belongs. */
  ownTokens(): readonly string[];
  /** How a model would be called now, and why other credentials are not used. */
  explain(model: string | null, operation: 'chat' | 'embeddings'): Explanation;
  /** The models that are known now; no server is asked. */
  knownModels(): ModelView[];
  /** The known models, and those of own servers, which are asked and waited for at most a second. */
  listModels(): Promise<ModelView[]>;
  /** @throws OlaError `model_not_found` */
  findModel(name: string): Promise<ModelView>;
  /**
   * Called about once a second: keeps quiet streams alive, cuts those whose token has been revoked or has expired, clears
   * old records.
   * @param at milliseconds of a clock that does not jump
   */
  tick(at: number): void;
  /** Lets nothing new in; what runs goes on. */
  drain(): void;
  /** Ends what still runs, each stream with an error. */
  cut(): void;
  /** Records what still runs as cut off; before its connections go, or it looks like clients that left. */
  abandon(): void;
  /** Abandons what still runs, and writes what waits: the last thing before the end. */
  flush(): Promise<void>;
}

export interface ShownProfile extends ProfileState {
  /** Absent: it has no tokens that are renewed. */
  readonly renewal?: RenewalState;
}

export interface TestedProfile extends CredentialTest {
  readonly profile: string;
  /** Canonical. */
  readonly provider: string;
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
  readonly programs: Programs;
  readonly catalog: Catalog;
  /** The table of protocols; the catalog knows the same ones. */
  readonly protocols: readonly Protocol[];
  /** Over the same table. */
  readonly translator: Translator;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where AWS credentials come from besides the environment; absent: nowhere. */
  readonly aws?: AwsPorts;
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

export async function createGateway(ports: GatewayPorts): Promise<Gateway> {
  const { store, vault, catalog, settings, now, log, version } = ports;
  const audit = createAudit({ store: store.audit, now, log });
  const usage = createUsage({ store: store.usage, log });
  const tokens = await loadTokens({ store: store.tokens, audit, now, log });
  const own: Requester = { principal: localPrincipal, requestId: null, clientIp: null, userAgent: null };
  const via = createVia();
  const onDenied = (denial: EgressDenial) => audit.record(audit.event('egress.denied', own, { ...denial }, 'denied'));
  const facts: WriteContext = {
    mode: ports.file === null ? 'database' : 'file',
    catalog,
    environment: ports.environment,
    processProviders: ports.processProviders,
    everyProviderLocal: settings.everyProviderLocal,
    envReferences: new Set(settings.envReferences),
    userAgent: `ola/${version}`,
    via: via.own,
    translates: ports.translator.translates,
    now,
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
  const ownModels = createOwnModels({
    egress: { send: (to, request) => egress.send(to, request) },
    protocols: ports.protocols,
    now,
  });
  const cooldowns = await loadCooldowns({ store: store.cooldowns, now, log });
  const grants = await loadGrants({
    ...{ store: store.grants, vault, now, log },
    profiles: Object.keys(config.snapshot().open.authProfiles ?? {}),
    owner: crypto.randomUUID(),
    userAgent: facts.userAgent,
    egress: () => egress,
  });
  const aws = createAwsCredentials({
    ...{ environment: ports.environment, aws: ports.aws ?? noAwsFiles, userAgent: facts.userAgent, now, log },
    everyProviderLocal: settings.everyProviderLocal,
    egress: () => egress,
  });
  const gcp = createGcpCredentials({
    ...{ environment: ports.environment, files: ports.aws ?? noAwsFiles, userAgent: facts.userAgent, now, log },
    egress: () => egress,
  });
  const inputs = { ...facts, grants, aws, gcp };
  let view = viewOf(config.snapshot(), inputs, settings, ownModels.of);
  access.setLegacyTokens(legacyTokens(config.snapshot(), settings), namesToken(config.snapshot(), settings));
  /** The view of now: a token that expires while nothing is written is used no more from then on. */
  const current = () => {
    if (now() >= view.until) view = viewOf(config.snapshot(), inputs, settings, ownModels.of);
    return view;
  };
  grants.onLost(() => {
    view = viewOf(config.snapshot(), inputs, settings, ownModels.of);
  });
  config.onChange((snapshot) => {
    const before = view.registry;
    view = viewOf(snapshot, inputs, settings, ownModels.of);
    for (const changed of changedCredentials(before, view.registry)) cooldowns.clear(changed);
    access.setLegacyTokens(legacyTokens(snapshot, settings), namesToken(snapshot, settings));
  });

  const redact = createRedactor(() => [...heldSecrets(view, settings), ...grants.secrets(), ...aws.secrets(), ...gcp.secrets()]);
  const egress = ports.egress(() => view.policy, onDenied);
  const live = createLiveCalls();
  const inference = createInference({
    egress,
    programs: ports.programs,
    limits,
    live,
    usage,
    redact,
    now,
    log,
    cooldowns,
    protocols: ports.protocols,
    translator: ports.translator,
    planOf: (wanted) => current().planOf(wanted),
    holds: ({ provider, candidate }) => holdsCredential(current().registry, provider.id, candidate),
  });
  audit.record(audit.event('server.start', own, { version }));

  /** The canonical provider of an auth profile. @throws OlaError `not_found` */
  function providerOf(profile: string): string {
    const { document, open } = config.snapshot();
    refuseUnknown(profile, document);
    return catalog.canonicalId(open.authProfiles?.[profile]?.provider ?? '');
  }

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
    providers: createProviders({ config, catalog, protocols: ports.protocols, processProviders: ports.processProviders }),
    authProfiles: createAuthProfiles({ config, catalog, processProviders: ports.processProviders }),
    profileState(id) {
      const state = profileState(id, providerOf(id), current().registry);
      const profile = config.snapshot().open.authProfiles?.[id];
      const isRenewed = profile?.type === 'oauth' && profile.refresh !== undefined;
      const renewal = isRenewed ? grants.stateOf(id) : null;
      return renewal === null ? state : { ...state, renewal };
    },
    async testProfile(id, requester) {
      const of = { profile: id, provider: providerOf(id) };
      const credential = credentialOf(id, of.provider, current().registry);
      if (credential === null) throw unusableProfile(id, profileState(id, of.provider, current().registry));
      const { protocols } = ports;
      return { ...of, ...(await testCredential(of, credential, { egress, protocols, audit, redact, now }, requester)) };
    },
    configuredProviders: () => configuredProviderViews(current().registry, config.snapshot(), catalog),
    protocols: ports.protocols,
    inference,
    usage,
    cooledCredentials: createCooledCredentials({ cooldowns, registry: () => view.registry, audit }),
    limits,
    health,
    place: ports.place,
    redact,
    providerStates: () => providerStates(current().registry),
    builtinProviders: () => catalog.builtin(),
    async providerModels(idOrAlias) {
      const id = catalog.canonicalId(idOrAlias);
      const active = current().registry.active.get(id);
      if (active !== undefined) await ownModels.refresh([active]);
      const document = config.snapshot().open;
      return modelsOfProvider(id, { registry: current().registry, asked: ownModels.of, catalog, document });
    },
    ownTokens: () => ownTokens(current().registry),
    explain: (name, operation) => {
      const [protocol = ''] = catalog.protocols;
      return explain({ name, profile: null, protocol, operation }, current().routing, cooldowns);
    },
    knownModels: () => listModels(current().registry, ownModels.of),
    async listModels() {
      await ownModels.refresh(current().registry.active.values());
      return listModels(current().registry, ownModels.of);
    },
    async findModel(name) {
      await ownModels.refresh(current().registry.active.values());
      return findModel(name, { registry: current().registry, asked: ownModels.of, canonicalId: catalog.canonicalId });
    },
    drain() {
      health.drain();
      limits.close();
    },
    tick(at) {
      live.tick(at);
      live.cut(withdrawn(), (principal) => !access.holds(principal));
      retention.tick();
    },
    cut: () => live.cut(shuttingDown()),
    abandon: () => live.abandon(shuttingDown()),
    async flush() {
      await retention.stop();
      live.abandon(shuttingDown());
      audit.record(audit.event('server.stop', own, { version }));
      await Promise.all([usage.flush(), audit.flush(), tokens.flush(), cooldowns.flush(), grants.flush()]);
    },
  };
}
