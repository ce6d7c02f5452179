/** Providers that can be used now, made from the configuration, the catalog and the environment at each change. */
import type { Catalog } from '../../catalog/lookup.ts';
import type { Consents } from '../../core/config.ts';
import type { ConfigDocument, ProviderConfig } from '../../core/document.ts';
import type { Destination } from '../../core/egress.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Clock } from '../../core/ports.ts';
import type { Translator } from '../../core/protocol.ts';
import {
  type CatalogModel,
  noQuirks,
  type ProtocolId,
  type ProviderEndpoint,
  type ProviderQuirks,
} from '../../core/providers.ts';
import { holdsToken } from '../../core/tokens.ts';
import { type Candidate, staticCandidate } from '../../credentials/candidates.ts';
import type { RankedProfiles } from '../../credentials/profiles.ts';
import {
  type Credential,
  chooseCredentials,
  cleanSecret,
  type PassedOver,
  type PassedReason,
} from '../../credentials/resolve.ts';
import { type CandidatePorts, candidateOf } from './candidate-of.ts';
import { listedModels, mergeModels } from './configured-models.ts';
import { configuredProviders, destinationOfEndpoint, endpointsOf, lacksUsualVersion, originOf } from './destinations.ts';
import { type ProviderProfiles, profilesByProvider } from './profiles.ts';
import { programProvider } from './programs.ts';
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
  programOff,
  refusedProgram,
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
  /** Auth profiles that may be used when they are named, by id: also those whose secret another candidate has. */
  readonly named: ReadonlyMap<string, Candidate>;
  /** Credentials that may not go there, and why. */
  readonly passed: readonly PassedOver[];
}

export interface ActiveProvider {
  readonly id: string;
  /** The preferred one first; at least one. Auth profiles with a base URL of their own have endpoints of the same protocol behind it. */
  readonly endpoints: readonly [ActiveEndpoint, ...ActiveEndpoint[]];
  readonly models: readonly CatalogModel[];
  /** Neither catalog nor configuration knows its models: it is asked for them. */
  readonly asksModels: boolean;
  /** False: a model that is not listed is refused. */
  readonly anyModel: boolean;
  /** It is known to serve no embeddings. */
  readonly noEmbeddings: boolean;
  /** Credentials that may go to none of its endpoints, or not to all, and why. */
  readonly passed: readonly PassedOver[];
}

export interface Registry {
  /** In the order in which they are preferred. */
  readonly active: ReadonlyMap<string, ActiveProvider>;
  /** Why a canonical id is not among the active ones; null when it is. */
  why(id: string): InactiveProvider | null;
  readonly inactive: ReadonlyMap<string, InactiveProvider>;
  /** The configured providers, with references in place of secrets. */
  readonly configured: ReadonlyMap<string, ProviderConfig>;
  /** The first moment at which a credential expires, in milliseconds since 1970: from then on the registry is another one. */
  readonly until: number;
}

/** A provider of this process, never stored (`--demo`). */
export interface ProcessProvider {
  readonly id: string;
  readonly protocol: ProtocolId;
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly models: readonly CatalogModel[];
}

export interface RegistryInputs extends CandidatePorts {
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
  readonly translates: Translator['translates'];
  readonly now: Clock;
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

  const profiles = profilesByProvider(snapshot, origins, facts.catalog, {
    now: facts.now(),
    needsLogin: (profile, refresh) => facts.grants?.needsLogin(profile, refresh) === true,
  });

  const make = (id: string, config: ProviderConfig | undefined) => {
    const variables = (name: string) => origins(name, id);
    const secrets = config === undefined ? noSecrets : boundSecrets(stored.get(id) ?? {}, config, snapshot.secrets, variables);
    return activate(id, { config, facts, document, secrets, variables, profiles: profiles.get(id) ?? noProfiles });
  };

  const ids = new Set([...allowed, ...configured.keys(), ...profiles.keys(), ...facts.catalog.everyId()]);
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
    until: firstExpiry(active.values()),
    why: (id) => (active.has(id) ? null : (inactive.get(id) ?? unknownProvider(id))),
  };
}

const noProfiles: ProviderProfiles = { shared: { profiles: [], rankAfter: 0 }, elsewhere: new Map() };

function firstExpiry(providers: Iterable<ActiveProvider>): number {
  const candidates = [...providers].flatMap(({ endpoints }) => endpoints.flatMap(({ named }) => [...named.values()]));
  return Math.min(...candidates.map(({ expiresAt }) => expiresAt ?? Number.POSITIVE_INFINITY));
}

function activate(id: string, given: ConfiguredProvider): ActiveProvider | InactiveProvider {
  const { config, facts, document, profiles } = given;
  const program = programOf(id, given);
  if (program !== null) return program;
  const row = facts.catalog.provider(id);
  const elsewhere = [...profiles.elsewhere].flatMap(([baseUrl, theirs]) => activateElsewhere(id, baseUrl, theirs, given));
  const passed = elsewhere.flatMap((endpoint) => endpoint.passed);
  const here = endpointsOf(id, config ?? {}, facts.catalog).map((endpoint) =>
    activateEndpoint(id, endpoint, { ...given, ranked: profiles.shared, passed }),
  );
  const made = [...here, ...elsewhere];
  const [first, ...rest] = made.filter((endpoint) => 'candidates' in endpoint);
  if (first === undefined) return made.find((endpoint) => 'help' in endpoint) ?? withoutEndpoint(id, given);
  const isMeant = config !== undefined || first.named.size > 0;
  const replace = document.models?.mode === 'replace';
  return {
    id,
    endpoints: [first, ...rest],
    models: mergeModels(listedModels(id, document, facts.catalog), config?.models ?? []),
    asksModels: isMeant && !replace && (row === null || row.local === true) && (config?.models ?? []).length === 0,
    anyModel: !replace,
    noEmbeddings: row?.noEmbeddings === true,
    passed: made.flatMap((endpoint) => endpoint.passed),
  };
}

/** The provider of a program of this host; null for any other. */
function programOf(
  id: string,
  { config, facts: { catalog }, document }: ConfiguredProvider,
): ActiveProvider | InactiveProvider | null {
  const row = catalog.anyProvider(id);
  if (row?.program === undefined) return null;
  if (row.program.refused !== undefined) return refusedProgram(id, row.program.refused);
  if (config?.enabled !== true) return programOff(id, row.name);
  return programProvider(row, mergeModels(listedModels(id, document, catalog), config.models ?? []), config);
}

/** The profiles with one base URL of their own: no other credential goes there. */
function activateElsewhere(
  id: string,
  baseUrl: string,
  ranked: RankedProfiles,
  given: ConfiguredProvider,
): (ActiveEndpoint | InactiveProvider)[] {
  const config = { ...given.config, baseUrl, authHeader: true };
  const [endpoint] = endpointsOf(id, config, given.facts.catalog);
  if (endpoint === undefined) return [];
  const secrets = { ...given.secrets, apiKey: null };
  return [activateEndpoint(id, endpoint, { ...given, config, secrets, ranked, passed: [], profilesAlone: true })];
}

function withoutEndpoint(id: string, { facts: { catalog, environment }, profiles }: ConfiguredProvider): InactiveProvider {
  const named = catalog.anyProvider(id);
  const ofProfiles = profiles.shared.profiles.map((each) => `profile:${each.id}`);
  if (named === null) {
    return { ...unknownProvider(id), passed: ofProfiles.map((source) => ({ source, reason: 'no_address' })) };
  }
  const variables = named.envVars.filter((name) => cleanSecret(environment[name]) !== null);
  return notSpoken(named, [...ofProfiles, ...variables.map((name) => `env:${name}`)]);
}

interface ConfiguredProvider {
  readonly config: ProviderConfig | undefined;
  readonly facts: RegistryInputs;
  readonly document: ConfigDocument;
  readonly secrets: BoundSecrets;
  /** The origins that an environment variable may be sent to; null for a variable without a limit. */
  readonly variables: (name: string) => readonly string[] | null;
  readonly profiles: ProviderProfiles;
}

interface EndpointCredentials extends ConfiguredProvider {
  /** The profiles that go there. */
  readonly ranked: RankedProfiles;
  /** Profiles that go to another address, and cannot be used. */
  readonly passed: readonly PassedOver[];
  /** Neither variables nor the provider's key go there. */
  readonly profilesAlone?: true;
}

function activateEndpoint(id: string, endpoint: ProviderEndpoint, given: EndpointCredentials): ActiveEndpoint | InactiveProvider {
  const { config, facts, document, variables, ranked, profilesAlone } = given;
  const { apiKey, headers } = given.secrets;
  const row = facts.catalog.provider(id);
  const destination = destinationOfEndpoint(id, endpoint, { config: config ?? {}, facts, document });
  const origin = originOf(destination.baseUrl);
  if (origin === null) return unknownProvider(id);
  const envVars = variablesOf(id, facts.catalog);
  const chosen = chooseCredentials({
    origin,
    profiles: ranked.profiles,
    rankAfterProfiles: ranked.rankAfter,
    envVars: profilesAlone === true ? [] : envVars,
    environment: facts.environment,
    envBinding: variables,
    configured: apiKey !== null && 'secret' in apiKey ? { secret: apiKey.secret, origin: boundOrigin(apiKey, origin) } : null,
    aws:
      config?.auth === 'aws-sdk' && profilesAlone !== true
        ? { profile: null, instanceMetadata: config.allowInstanceMetadata === true }
        : null,
    needsNone: config?.authHeader === false,
    // A server on one's own machine rarely asks for a key; one that has a key does.
    noneWillDo: profilesAlone !== true && row?.local === true && config !== undefined && (apiKey === null || 'secret' in apiKey),
  });
  const passed = [...chosen.passed, ...given.passed];
  const fault = headerFault(id, origin, headers, { envVars, passed, named: chosen.named });
  if (fault !== null) return fault;
  const configured = [...headers].map(([name, header]) => [name, 'secret' in header ? header.secret : ''] as const);
  const extra = { ...row?.headers, ...Object.fromEntries(configured) };
  const { protocol, style, quirks } = endpoint;
  const { userAgent, via } = facts;
  const isStyleConfigured = config?.credentialStyle !== undefined;
  const staticHeaders = {
    style,
    isStyleConfigured,
    forms: row?.secretForms ?? [],
    account: row?.account ?? null,
    extra,
    userAgent,
    via,
  };
  const region = config?.region ?? row?.regional?.usual ?? null;
  const made = (credential: Credential) => candidateOf(credential, staticHeaders, { destination, region }, facts);
  const [first, ...rest] = chosen.usable.map(made);
  // A profile is the same candidate whether it is named or not: what is known of a candidate is kept by that object.
  const candidates = new Map([first, ...rest].map((candidate) => [candidate?.source, candidate]));
  const named = new Map(chosen.named.map((each) => [each.profile ?? '', candidates.get(each.source) ?? made(each)]));
  const lacksVersion = lacksUsualVersion(id, config ?? {}, facts.catalog);
  if (first !== undefined) return { protocol, destination, quirks, lacksVersion, candidates: [first, ...rest], named, passed };
  return withoutCredential(id, envVars, passed, apiKey !== null && 'broken' in apiKey ? apiKey.broken : null);
}

interface ChosenCredentials {
  readonly envVars: readonly string[];
  readonly named: readonly Credential[];
  readonly passed: readonly PassedOver[];
}

/** Without one of its headers a call could be another one than was meant: the endpoint is not used. Null: all may be sent. */
function headerFault(
  id: string,
  origin: string,
  headers: BoundSecrets['headers'],
  { envVars, named, passed }: ChosenCredentials,
): InactiveProvider | null {
  for (const [name, header] of headers) {
    const without = (reason: PassedReason) => [...passed, ...named.map((each) => withoutHeader(each, name, reason))];
    if ('broken' in header) return { ...brokenHeader(id, name, header.broken), passed: without('unresolved_ref') };
    const source = `headers.${name}`;
    const stopped = (reason: PassedReason, ofProfiles: PassedReason) => {
      const inactive = withoutCredential(id, envVars, [...passed, { source, reason }], null);
      return { ...inactive, passed: [...without(ofProfiles), { source, reason }] };
    };
    if (holdsToken(header.secret)) return stopped('own_token', 'unresolved_ref');
    if (header.origins?.includes(origin) === false) return stopped('origin_mismatch', 'origin_mismatch');
  }
  return null;
}

function withoutHeader({ source }: Credential, name: string, reason: PassedReason): PassedOver {
  return {
    source,
    reason,
    why: `cannot be used: the header '${name}' of its provider may not be sent to its address or cannot be read`,
  };
}

function processProvider(provider: ProcessProvider, facts: RegistryInputs): ActiveProvider {
  const { id, protocol, baseUrl, apiKey, models } = provider;
  const { userAgent, via } = facts;
  const candidate = staticCandidate(
    { source: 'provider-config', profile: null, kind: 'api_key', rank: 0, expiresAt: null, secret: apiKey },
    { style: 'bearer', isStyleConfigured: false, forms: [], account: null, extra: {}, userAgent, via },
  );
  const destination = { name: id, baseUrl, allowLocal: true };
  const rest = { quirks: noQuirks, lacksVersion: false, named: new Map<string, Candidate>(), passed: [] };
  const endpoint = { protocol, destination, ...rest, candidates: [candidate] } as const;
  return { id, endpoints: [endpoint], models, asksModels: false, anyModel: false, noEmbeddings: false, passed: [] };
}
