/** Providers that can be used now, made from the configuration, the catalog and the environment at each change. */
import type { Catalog } from '../catalog/lookup.ts';
import type { ConfigDocument, Protocol, ProviderConfig } from '../core/config.ts';
import type { Destination } from '../core/egress.ts';
import { type CatalogModel, type CredentialStyle, noQuirks, type ProviderQuirks } from '../core/providers.ts';
import { isSecretReference } from '../core/secrets.ts';
import { type Credential, chooseCredentials, defaultEnvVar } from '../credentials/resolve.ts';
import type { ConfigSnapshot } from './config.ts';

/** Protocols that this program can call. */
export const builtProtocols = ['openai-completions'] as const satisfies readonly Protocol[];

/** The protocol that clients speak: an endpoint for it is preferred. */
const served: Protocol = 'openai-completions';

/** One credential of a provider with the headers it makes, ready to be sent. */
export interface Target {
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
  /** In the order they are tried; at least one. */
  readonly targets: readonly [Target, ...Target[]];
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

export interface RegistryFacts {
  readonly catalog: Catalog;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly processProviders: readonly ProcessProvider[];
  /** `OPEN_LLM_AUTH_ALLOW_LOCALHOST_EGRESS`: every provider may be local. */
  readonly everyProviderLocal: boolean;
  readonly userAgent: string;
}

/** The configured providers under canonical ids, `models.providers` over `providers`. */
export function configuredProviders(document: ConfigDocument, catalog: Catalog): Map<string, ProviderConfig> {
  const merged = new Map<string, ProviderConfig>();
  for (const map of [document.providers, document.models?.providers]) {
    for (const [id, config] of Object.entries(map ?? {})) {
      const canonical = catalog.canonicalId(id);
      merged.set(canonical, { ...merged.get(canonical), ...config });
    }
  }
  return merged;
}

/** `https://host:port`, or null for a URL that is none. */
export function originOf(baseUrl: string): string | null {
  return URL.canParse(baseUrl) ? new URL(baseUrl).origin : null;
}

/** Where a configured provider's calls go. */
export function destinationOf(
  id: string,
  config: ProviderConfig,
  facts: RegistryFacts,
  document: ConfigDocument,
): Destination | null {
  const row = facts.catalog.provider(id);
  const baseUrl = config.baseUrl ?? (row === null ? undefined : facts.catalog.endpoint(row, served).baseUrl);
  if (baseUrl === undefined) return null;
  const listed = (document.egressPolicy?.allowLocalProviders ?? []).some((name) => facts.catalog.canonicalId(name) === id);
  return {
    name: id,
    baseUrl: baseUrl.replace(/\/+$/, ''),
    allowLocal: config.allowLocal ?? (row?.local === true || listed || facts.everyProviderLocal),
    ...(config.ports === undefined ? {} : { ports: config.ports }),
  };
}

export function buildRegistry(snapshot: ConfigSnapshot, facts: RegistryFacts): Registry {
  const document = snapshot.open;
  const allowed = new Set((document.activeProviderIds ?? []).map(facts.catalog.canonicalId));
  const active = new Map<string, ActiveProvider>();
  const inactive = new Map<string, InactiveProvider>();
  const configured = configuredProviders(document, facts.catalog);
  const origins = secretOrigins(snapshot, facts.catalog);

  const ids = new Set([...allowed, ...configured.keys(), ...facts.catalog.providers().map((row) => row.id)]);
  for (const id of ids) {
    const config = configured.get(id);
    if (config?.enabled === false)
      inactive.set(id, { id, code: 'provider_disabled', help: `Provider '${id}' is switched off in the configuration.` });
    else if (allowed.size > 0 && !allowed.has(id)) {
      inactive.set(id, { id, code: 'provider_disabled', help: `Provider '${id}' is not among activeProviderIds.` });
    } else {
      const made = activate(id, config, facts, document, origins.get(id) ?? noOrigins);
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

function activate(
  id: string,
  config: ProviderConfig | undefined,
  facts: RegistryFacts,
  document: ConfigDocument,
  bound: SecretOrigins,
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
    configured: config?.apiKey === undefined ? null : { secret: config.apiKey, origin: bound.apiKey },
    needsNone: config?.authHeader === false,
    // A server on one's own machine rarely asks for a key.
    noneWillDo: row?.local === true && config !== undefined,
  });
  const stray = Object.keys(config?.headers ?? {}).find((name) => (bound.headers.get(name) ?? origin) !== origin);
  if (stray !== undefined) return withoutCredential(id, envVars, [...mismatched, `headers.${stray}`]);
  const style = (row === null ? undefined : facts.catalog.endpoint(row, served).style) ?? 'bearer';
  const [first, ...rest] = usable.map((credential) => target(credential, style, config?.headers ?? {}, facts.userAgent));
  if (first === undefined) return withoutCredential(id, envVars, mismatched);
  const replace = document.models?.mode === 'replace';
  return {
    id,
    destination,
    models: mergeModels(replace ? [] : facts.catalog.models(id), config?.models ?? []),
    anyModel: !replace,
    quirks: row?.quirks ?? noQuirks,
    targets: [first, ...rest],
  };
}

function target(
  credential: Credential,
  style: CredentialStyle,
  extra: Readonly<Record<string, string>>,
  userAgent: string,
): Target {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(extra)) headers[name.toLowerCase()] = value;
  headers['content-type'] = 'application/json';
  // Decompression has no upper bound: ask for none (and the dialer does none).
  headers['accept-encoding'] = 'identity';
  headers['user-agent'] ??= userAgent;
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

function processProvider(provider: ProcessProvider, facts: RegistryFacts): ActiveProvider {
  const { id, baseUrl, apiKey, models } = provider;
  return {
    id,
    destination: { name: id, baseUrl, allowLocal: true },
    models,
    anyModel: false,
    quirks: noQuirks,
    targets: [target({ source: 'provider-config', secret: apiKey }, 'bearer', {}, facts.userAgent)],
  };
}

/** The origins that a provider's stored secrets were entered for; null: for none in particular. */
interface SecretOrigins {
  readonly apiKey: string | null;
  readonly headers: ReadonlyMap<string, string | null>;
}

const noOrigins: SecretOrigins = { apiKey: null, headers: new Map() };

function secretOrigins(snapshot: ConfigSnapshot, catalog: Catalog): Map<string, SecretOrigins> {
  const originOfSecret = (value: unknown) =>
    isSecretReference(value) ? (snapshot.secrets.get(value.$secret)?.origin ?? null) : null;
  const origins = new Map<string, SecretOrigins>();
  for (const [id, { apiKey, headers }] of configuredProviders(snapshot.document as ConfigDocument, catalog)) {
    const bound = Object.entries(headers ?? {}).map(([name, value]) => [name, originOfSecret(value)] as const);
    origins.set(id, { apiKey: originOfSecret(apiKey), headers: new Map(bound) });
  }
  return origins;
}

function unknownProvider(id: string): InactiveProvider {
  const help = `There is no provider '${id}' here. Add it with \`PUT /config/providers/${id}\` and its baseUrl, or check the name.`;
  return { id, code: 'provider_resolution_failed', help };
}

function withoutCredential(id: string, envVars: readonly string[], mismatched: readonly string[]): InactiveProvider {
  const [name] = envVars;
  const left = mismatched.length === 0 ? '' : ` (${mismatched.join(', ')} belongs to another address: origin_mismatch)`;
  const help = `Provider '${id}' has no usable credential${left}. Set ${name} and restart, or send its apiKey (authHeader false if it needs none) with \`PUT /config/providers/${id}\`.`;
  return { id, code: 'provider_resolution_failed', help };
}
