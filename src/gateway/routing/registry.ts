/** Providers that can be used now, made from the configuration, the catalog and the environment at each change. */
import type { Catalog } from '../../catalog/lookup.ts';
import type { ConfigDocument, Protocol, ProviderConfig } from '../../core/document.ts';
import type { Destination } from '../../core/egress.ts';
import type { JsonObject } from '../../core/json.ts';
import { type CatalogModel, type CredentialStyle, noQuirks, type ProviderQuirks } from '../../core/providers.ts';
import { type Credential, chooseCredentials, defaultEnvVar } from '../../credentials/resolve.ts';
import { configuredProviders, destinationOf, originOf, served } from './destinations.ts';
import { type BoundSecrets, boundOrigin, boundSecrets, noSecrets, type SecretOrigins } from './secret-origins.ts';

/** Protocols that this program can call. */
export const builtProtocols = ['openai-completions'] as const satisfies readonly Protocol[];

/** One credential of a provider with the headers it makes, ready to be sent. */
export interface SignedTarget {
  readonly credential: Credential;
  readonly headers: Readonly<Record<string, string>>;
}

export interface ActiveProvider {
  readonly id: string;
  readonly destination: Destination;
  readonly models: readonly CatalogModel[];
  /** False: a model that is not listed is refused. */
  readonly anyModel: boolean;
  readonly quirks: ProviderQuirks;
  /** It is known to serve no embeddings. */
  readonly noEmbeddings: boolean;
  /** In the order they are tried; at least one. */
  readonly targets: readonly [SignedTarget, ...SignedTarget[]];
}

/** A provider that cannot be used, and what would help. */
export interface InactiveProvider {
  readonly id: string;
  readonly code: 'provider_disabled' | 'provider_resolution_failed';
  readonly help: string;
}

export interface Registry {
  /** In the order in which they are preferred. */
  readonly active: ReadonlyMap<string, ActiveProvider>;
  /** Why a canonical id is not among the active ones; null when it is. */
  why(id: string): InactiveProvider | null;
}

/** A provider of this process, never stored (`--demo`). */
export interface ProcessProvider {
  readonly id: string;
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
}

/** What was made of a configured provider with its secrets in place, good as long as that object is the same. */
export type KnownProviders = WeakMap<
  ProviderConfig,
  { readonly madeOf: MadeOf; readonly made: ActiveProvider | InactiveProvider }
>;

interface MadeOf {
  readonly id: string;
  /** The settings of the document that bear on every provider. */
  readonly common: string;
}

/** @param known filled here; a change of one provider then makes one provider */
export function buildRegistry(
  snapshot: ConfiguredSecrets,
  facts: RegistryInputs,
  known: KnownProviders = new WeakMap(),
): Registry {
  const document = snapshot.open;
  const allowed = new Set((document.activeProviderIds ?? []).map(facts.catalog.canonicalId));
  const active = new Map<string, ActiveProvider>();
  const inactive = new Map<string, InactiveProvider>();
  const configured = configuredProviders(document, facts.catalog);
  const stored = configuredProviders(snapshot.document as ConfigDocument, facts.catalog);

  const common = JSON.stringify([document.egressPolicy?.allowLocalProviders, document.models?.mode]);
  const make = (id: string, config: ProviderConfig | undefined) => {
    if (config === undefined) return activate(id, config, facts, document, noSecrets);
    const of = { id, common };
    const before = known.get(config);
    if (before !== undefined && isSame(before.madeOf, of)) return before.made;
    const made = activate(
      id,
      config,
      facts,
      document,
      boundSecrets(stored.get(id) ?? {}, config, snapshot.secrets, facts.catalog),
    );
    known.set(config, { madeOf: of, made });
    return made;
  };

  const ids = new Set([...allowed, ...configured.keys(), ...facts.catalog.providers().map((row) => row.id)]);
  for (const id of ids) {
    const config = configured.get(id);
    if (config?.enabled === false)
      inactive.set(id, { id, code: 'provider_disabled', help: `Provider '${id}' is switched off in the configuration.` });
    else if (allowed.size > 0 && !allowed.has(id)) {
      inactive.set(id, { id, code: 'provider_disabled', help: `Provider '${id}' is not among activeProviderIds.` });
    } else {
      const made = make(id, config);
      if ('targets' in made) active.set(id, made);
      else inactive.set(id, made);
    }
  }
  for (const provider of facts.processProviders) active.set(provider.id, processProvider(provider, facts));
  return {
    active,
    why: (id) => (active.has(id) ? null : (inactive.get(id) ?? unknownProvider(id))),
  };
}

function isSame(one: MadeOf, other: MadeOf): boolean {
  return one.id === other.id && one.common === other.common;
}

function activate(
  id: string,
  config: ProviderConfig | undefined,
  facts: RegistryInputs,
  document: ConfigDocument,
  { apiKey, headers }: BoundSecrets,
): ActiveProvider | InactiveProvider {
  const row = facts.catalog.provider(id);
  const destination = destinationOf(id, config ?? {}, facts, document);
  const origin = destination === null ? null : originOf(destination.baseUrl);
  if (destination === null || origin === null) return unknownProvider(id);
  const envVars = [...(row?.envVars ?? []), defaultEnvVar(id)];
  const { usable, mismatched } = chooseCredentials({
    origin,
    envVars,
    environment: facts.environment,
    envBinding: facts.catalog.envBinding,
    configured: apiKey !== null && 'secret' in apiKey ? { secret: apiKey.secret, origin: boundOrigin(apiKey, origin) } : null,
    needsNone: config?.authHeader === false,
    // A server on one's own machine rarely asks for a key; one that has a key does.
    noneWillDo: row?.local === true && config !== undefined && (apiKey === null || 'secret' in apiKey),
  });
  const sent: Record<string, string> = {};
  for (const [name, header] of headers) {
    // Without one of its headers a call could be another one than was meant.
    if ('broken' in header) return brokenHeader(id, name, header.broken);
    if (header.origins?.includes(origin) === false)
      return withoutCredential(id, envVars, [...mismatched, `headers.${name}`], null);
    sent[name] = header.secret;
  }
  const style = (row === null ? undefined : facts.catalog.endpoint(row, served).style) ?? 'bearer';
  const [first, ...rest] = usable.map((credential) => target(credential, style, sent, facts));
  if (first === undefined) {
    const broken = apiKey !== null && 'broken' in apiKey ? apiKey.broken : null;
    return withoutCredential(id, envVars, mismatched, broken);
  }
  const replace = document.models?.mode === 'replace';
  return {
    id,
    destination,
    models: mergeModels(replace ? [] : facts.catalog.models(id), config?.models ?? []),
    anyModel: !replace,
    quirks: row?.quirks ?? noQuirks,
    noEmbeddings: row?.noEmbeddings === true,
    targets: [first, ...rest],
  };
}

function target(
  credential: Credential,
  style: CredentialStyle,
  extra: Readonly<Record<string, string>>,
  { userAgent, via }: Pick<RegistryInputs, 'userAgent' | 'via'>,
): SignedTarget {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(extra)) headers[name.toLowerCase()] = value;
  headers['content-type'] = 'application/json';
  // Decompression has no upper bound: ask for none (and the dialer does none).
  headers['accept-encoding'] = 'identity';
  headers['user-agent'] ??= userAgent;
  headers['via'] = via;
  if (credential.secret !== null) {
    if (style === 'bearer') headers['authorization'] = `Bearer ${credential.secret}`;
    else headers[style] = credential.secret;
  }
  return { credential, headers };
}

/** Custom rows win over the catalog's of the same id. */
function mergeModels(listed: readonly CatalogModel[], custom: NonNullable<ProviderConfig['models']>): readonly CatalogModel[] {
  const merged = new Map(listed.map((model) => [model.id, model]));
  for (const { id, contextWindow, maxTokens } of custom) {
    const sizes = {
      ...(contextWindow === undefined ? {} : { contextWindow }),
      ...(maxTokens === undefined ? {} : { maxTokens }),
    };
    merged.set(id, { ...merged.get(id), id, ...sizes });
  }
  return [...merged.values()];
}

function processProvider(provider: ProcessProvider, facts: RegistryInputs): ActiveProvider {
  const { id, baseUrl, apiKey, models } = provider;
  return {
    id,
    destination: { name: id, baseUrl, allowLocal: true },
    models,
    anyModel: false,
    quirks: noQuirks,
    noEmbeddings: false,
    targets: [target({ source: 'provider-config', secret: apiKey }, 'bearer', {}, facts)],
  };
}

function unknownProvider(id: string): InactiveProvider {
  const help = `There is no provider '${id}' here. Add it with \`PUT /config/providers/${id}\` and its baseUrl, or check the name.`;
  return { id, code: 'provider_resolution_failed', help };
}

function brokenHeader(id: string, name: string, why: string): InactiveProvider {
  const help = `Provider '${id}' cannot be used: its header '${name}' ${why}. Send the header again with \`PUT /config/providers/${id}\`, or mend what it names.`;
  return { id, code: 'provider_resolution_failed', help };
}

/** @param broken why the key that is configured cannot be used */
function withoutCredential(
  id: string,
  envVars: readonly string[],
  mismatched: readonly string[],
  broken: string | null,
): InactiveProvider {
  const [name] = envVars;
  const left = mismatched.length === 0 ? '' : ` (${mismatched.join(', ')} belongs to another address: origin_mismatch)`;
  const why = broken === null ? '' : ` (its apiKey ${broken})`;
  const help = `Provider '${id}' has no usable credential${left}${why}. Set ${name} and restart, or send its apiKey (authHeader false if it needs none) with \`PUT /config/providers/${id}\`.`;
  return { id, code: 'provider_resolution_failed', help };
}
