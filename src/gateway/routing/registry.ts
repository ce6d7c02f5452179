/** Providers that can be used now, made from the configuration, the catalog and the environment at each change. */
import type { Catalog } from '../../catalog/lookup.ts';
import type { Consents } from '../../core/config.ts';
import type { ConfigDocument, ProviderConfig } from '../../core/document.ts';
import type { Destination } from '../../core/egress.ts';
import type { JsonObject } from '../../core/json.ts';
import {
  type CatalogModel,
  noQuirks,
  type ProtocolId,
  type ProviderEndpoint,
  type ProviderQuirks,
} from '../../core/providers.ts';
import { holdsToken } from '../../core/tokens.ts';
import { type Candidate, staticCandidate } from '../../credentials/candidates.ts';
import { chooseCredentials, cleanSecret, type PassedOver } from '../../credentials/resolve.ts';
import { listedModels, mergeModels } from './configured-models.ts';
import { configuredProviders, destinationOfEndpoint, endpointsOf, lacksUsualVersion, originOf } from './destinations.ts';
import {
  type BoundSecrets,
  boundOrigin,
  boundSecrets,
  noSecrets,
  type SecretOrigins,
  variableOrigins,
  variablesOf,
} from './secret-origins.ts';
import {
  brokenHeader,
  type InactiveProvider,
  notListed,
  notSpoken,
  switchedOff,
  unknownProvider,
  withoutCredential,
} from './unusable.ts';

/** A protocol of a provider, where it is served, and the credentials that go there. */
export interface ActiveEndpoint {
  readonly protocol: ProtocolId;
  readonly destination: Destination;
  readonly quirks: ProviderQuirks;
  /** Its base URL has no version and may need one: a 404 may come of it. */
  readonly lacksVersion: boolean;
  /** In the order they are tried; at least one. */
  readonly candidates: readonly [Candidate, ...Candidate[]];
  /** Credentials that may not go there, and why. */
  readonly passed: readonly PassedOver[];
}

export interface ActiveProvider {
  readonly id: string;
  /** The preferred one first; at least one. */
  readonly endpoints: readonly [ActiveEndpoint, ...ActiveEndpoint[]];
  readonly models: readonly CatalogModel[];
  /** Neither catalog nor configuration knows its models: it is asked for them. */
  readonly asksModels: boolean;
  /** False: a model that is not listed is refused. */
  readonly anyModel: boolean;
  /** It is known to serve no embeddings. */
  readonly noEmbeddings: boolean;
}

export interface Registry {
  /** In the order in which they are preferred. */
  readonly active: ReadonlyMap<string, ActiveProvider>;
  /** Why a canonical id is not among the active ones; null when it is. */
  why(id: string): InactiveProvider | null;
  readonly inactive: ReadonlyMap<string, InactiveProvider>;
  /** The configured providers, with references in place of secrets. */
  readonly configured: ReadonlyMap<string, ProviderConfig>;
}

/** A provider of this process, never stored (`--demo`). */
export interface ProcessProvider {
  readonly id: string;
  readonly protocol: ProtocolId;
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly models: readonly CatalogModel[];
}

export interface RegistryInputs {
  readonly catalog: Catalog;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly processProviders: readonly ProcessProvider[];
  /** `OPEN_LLM_AUTH_ALLOW_LOCALHOST_EGRESS`: every provider may be local. */
  readonly everyProviderLocal: boolean;
  /** `OPEN_LLM_AUTH_ENV_REFERENCES`: variables that may be sent to any address. */
  readonly envReferences: ReadonlySet<string>;
  readonly userAgent: string;
  /** The `via` header of every call. */
  readonly via: string;
}

/** The configuration as the registry reads it. */
export interface ConfiguredSecrets {
  /** References in place of secrets. */
  readonly document: JsonObject;
  /** Secrets in place; those that cannot be opened are left out. */
  readonly open: ConfigDocument;
  readonly secrets: SecretOrigins;
  /** Addresses that variables may go to besides the catalog's. */
  readonly consents: Consents;
}

export function buildRegistry(snapshot: ConfiguredSecrets, facts: RegistryInputs): Registry {
  const document = snapshot.open;
  const allowed = new Set((document.activeProviderIds ?? []).map(facts.catalog.canonicalId));
  const active = new Map<string, ActiveProvider>();
  const inactive = new Map<string, InactiveProvider>();
  const configured = configuredProviders(document, facts.catalog);
  const stored = configuredProviders(snapshot.document as ConfigDocument, facts.catalog);

  const origins = variableOrigins(snapshot.consents, facts.envReferences, facts.catalog);

  const make = (id: string, config: ProviderConfig | undefined) => {
    const variables = (name: string) => origins(name, id);
    const secrets = config === undefined ? noSecrets : boundSecrets(stored.get(id) ?? {}, config, snapshot.secrets, variables);
    return activate(id, { config, facts, document, secrets, variables });
  };

  const ids = new Set([...allowed, ...configured.keys(), ...facts.catalog.everyId()]);
  for (const id of ids) {
    const config = configured.get(id);
    if (config?.enabled === false) inactive.set(id, switchedOff(id));
    else if (allowed.size > 0 && !allowed.has(id)) inactive.set(id, notListed(id));
    else {
      const made = make(id, config);
      if ('endpoints' in made) active.set(id, made);
      else inactive.set(id, made);
    }
  }
  for (const provider of facts.processProviders) active.set(provider.id, processProvider(provider, facts));
  return {
    active,
    inactive,
    configured: stored,
    why: (id) => (active.has(id) ? null : (inactive.get(id) ?? unknownProvider(id))),
  };
}

function activate(id: string, given: ConfiguredProvider): ActiveProvider | InactiveProvider {
  const { config, facts, document } = given;
  const row = facts.catalog.provider(id);
  const known = endpointsOf(id, config ?? {}, facts.catalog);
  const made = known.map((endpoint) => activateEndpoint(id, endpoint, given));
  const [first, ...rest] = made.filter((endpoint) => 'candidates' in endpoint);
  if (first === undefined) return made.find((endpoint) => 'help' in endpoint) ?? withoutEndpoint(id, facts);
  const replace = document.models?.mode === 'replace';
  return {
    id,
    endpoints: [first, ...rest],
    models: mergeModels(listedModels(id, document, facts.catalog), config?.models ?? []),
    asksModels: config !== undefined && !replace && (row === null || row.local === true) && (config.models ?? []).length === 0,
    anyModel: !replace,
    noEmbeddings: row?.noEmbeddings === true,
  };
}

function withoutEndpoint(id: string, { catalog, environment }: RegistryInputs): InactiveProvider {
  const named = catalog.anyProvider(id);
  if (named === null) return unknownProvider(id);
  return notSpoken(
    named,
    named.envVars.filter((name) => cleanSecret(environment[name]) !== null),
  );
}

interface ConfiguredProvider {
  readonly config: ProviderConfig | undefined;
  readonly facts: RegistryInputs;
  readonly document: ConfigDocument;
  readonly secrets: BoundSecrets;
  /** The origins that an environment variable may be sent to; null for a variable without a limit. */
  readonly variables: (name: string) => readonly string[] | null;
}

function activateEndpoint(
  id: string,
  endpoint: ProviderEndpoint,
  { config, facts, document, secrets: { apiKey, headers }, variables }: ConfiguredProvider,
): ActiveEndpoint | InactiveProvider {
  const row = facts.catalog.provider(id);
  const destination = destinationOfEndpoint(id, endpoint, { config: config ?? {}, facts, document });
  const origin = originOf(destination.baseUrl);
  if (origin === null) return unknownProvider(id);
  const envVars = variablesOf(id, facts.catalog);
  const { usable, passed } = chooseCredentials({
    origin,
    envVars,
    environment: facts.environment,
    envBinding: variables,
    configured: apiKey !== null && 'secret' in apiKey ? { secret: apiKey.secret, origin: boundOrigin(apiKey, origin) } : null,
    needsNone: config?.authHeader === false,
    // A server on one's own machine rarely asks for a key; one that has a key does.
    noneWillDo: row?.local === true && config !== undefined && (apiKey === null || 'secret' in apiKey),
  });
  const extra: Record<string, string> = {};
  for (const [name, header] of headers) {
    // Without one of its headers a call could be another one than was meant.
    if ('broken' in header) return brokenHeader(id, name, header.broken);
    if (holdsToken(header.secret)) {
      return withoutCredential(id, envVars, [...passed, { source: `headers.${name}`, reason: 'own_token' }], null);
    }
    const strayed: PassedOver = { source: `headers.${name}`, reason: 'origin_mismatch' };
    if (header.origins?.includes(origin) === false) return withoutCredential(id, envVars, [...passed, strayed], null);
    extra[name] = header.secret;
  }
  const { protocol, style, quirks } = endpoint;
  const { userAgent, via } = facts;
  const [first, ...rest] = usable.map((credential) => staticCandidate(credential, { style, extra, userAgent, via }));
  const lacksVersion = config?.baseUrl !== undefined && lacksUsualVersion(id, config.baseUrl, facts.catalog);
  if (first !== undefined) return { protocol, destination, quirks, lacksVersion, candidates: [first, ...rest], passed };
  return withoutCredential(id, envVars, passed, apiKey !== null && 'broken' in apiKey ? apiKey.broken : null);
}

function processProvider(provider: ProcessProvider, facts: RegistryInputs): ActiveProvider {
  const { id, protocol, baseUrl, apiKey, models } = provider;
  const { userAgent, via } = facts;
  const candidate = staticCandidate(
    { source: 'provider-config', secret: apiKey },
    { style: 'bearer', extra: {}, userAgent, via },
  );
  const destination = { name: id, baseUrl, allowLocal: true };
  const endpoint = { protocol, destination, quirks: noQuirks, lacksVersion: false, candidates: [candidate], passed: [] } as const;
  return { id, endpoints: [endpoint], models, asksModels: false, anyModel: false, noEmbeddings: false };
}
