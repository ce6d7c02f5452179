/** Where configured providers are: their endpoints, and with which settings each is dialled. */
import type { Catalog } from '../../catalog/lookup.ts';
import { lacksVersion, splitQuery, withoutVersion } from '../../core/base-url.ts';
import type { ConfigDocument, ProviderConfig } from '../../core/document.ts';
import { type Destination, defaultTimeouts } from '../../core/egress.ts';
import type { Timeouts } from '../../core/ports.ts';
import { inRegion, noQuirks, type ProtocolId, type ProviderEndpoint } from '../../core/providers.ts';

/** The configured providers under canonical ids, `models.providers` over `providers`. */
export function configuredProviders(document: ConfigDocument, catalog: Catalog): Map<string, ProviderConfig> {
  const merged = new Map<string, ProviderConfig>();
  for (const map of [document.providers, document.models?.providers]) {
    for (const [id, config] of Object.entries(map ?? {})) {
      const canonical = catalog.canonicalId(id);
      const under = merged.get(canonical);
      merged.set(canonical, under === undefined ? config : { ...under, ...config });
    }
  }
  return merged;
}

/** `https://host:port`, or null for a URL that is none. */
export function originOf(baseUrl: string): string | null {
  return URL.canParse(baseUrl) ? new URL(baseUrl).origin : null;
}

/**
 * The endpoints of a provider that this program can call, the preferred one first. A configured base URL is the only
 * one, for the configured protocol; else the catalog's row has them. A configured protocol that this program does not
 * have is passed over here; a write warns of it.
 */
export function endpointsOf(id: string, config: ProviderConfig, catalog: Catalog): readonly ProviderEndpoint[] {
  const endpoints = unstyledEndpoints(id, config, catalog);
  const { credentialStyle: style } = config;
  return style === undefined ? endpoints : endpoints.map((endpoint) => ({ ...endpoint, style }));
}

function unstyledEndpoints(id: string, config: ProviderConfig, catalog: Catalog): readonly ProviderEndpoint[] {
  const rows = rowsOf(id, config, catalog);
  const api = catalog.protocols.find((protocol) => protocol === config.api);
  // A program is run for the catalog's row alone, never for a provider that a configuration makes up.
  if (api !== undefined && catalog.isProgram(api) && !rows.some(({ protocol }) => protocol === api)) return [];
  const wanted = api ?? catalog.protocols[0];
  const listed = rows.find(({ protocol }) => protocol === wanted);
  if (config.baseUrl === undefined) {
    if (api === undefined) return rows;
    return listed === undefined ? [] : [listed];
  }
  const like = listed ?? (api === undefined ? rows[0] : undefined);
  const protocol = like?.protocol ?? wanted;
  if (protocol === undefined) return [];
  const { style = catalog.vendorEndpoint(protocol)?.style ?? 'bearer', quirks = noQuirks } =
    like ?? catalog.addressedByUser(id) ?? {};
  const baseUrl = doubledVersion(config.baseUrl, protocol, catalog) ?? config.baseUrl;
  const first: ProviderEndpoint = { protocol, baseUrl, style, quirks };
  return api === undefined ? [first, ...besides(id, first, catalog)] : [first];
}

/** Other protocols that the vendor serves at the same address, where the configured one has the path that the vendor documents. */
function besides(id: string, first: ProviderEndpoint, catalog: Catalog): readonly ProviderEndpoint[] {
  const documented = catalog.addressedByUser(id)?.endpoints ?? [];
  const own = documented.find(({ protocol }) => protocol === first.protocol);
  if (own === undefined || pathOf(own.baseUrl) !== pathOf(first.baseUrl)) return [];
  const others = documented.filter(({ protocol, baseUrl }) => protocol !== first.protocol && baseUrl === own.baseUrl);
  return others.filter(({ protocol }) => catalog.protocols.includes(protocol)).map(({ protocol }) => ({ ...first, protocol }));
}

/** The path of a base URL, which may have braces in its host. */
function pathOf(baseUrl: string): string {
  return baseUrl.replace(/^[a-z]+:\/\/[^/]*/i, '').replace(/\/?(?:\?.*)?$/, '');
}

/** The endpoints of the catalog's row, in the region that the configuration names. */
function rowsOf(id: string, { region }: ProviderConfig, catalog: Catalog): readonly ProviderEndpoint[] {
  const { endpoints = [], regional } = catalog.provider(id) ?? {};
  if (region === undefined || regional === undefined) return endpoints;
  return endpoints.map((endpoint) => ({ ...endpoint, baseUrl: inRegion(endpoint.baseUrl, regional, region) }));
}

/**
 * A version at the end of a base URL where each call of the protocol begins with it (`/v1/messages`): SDKs differ in which of
 * the two they call the base URL.
 * @returns the base URL without it; null when there is none
 */
export function doubledVersion(baseUrl: string, protocol: ProtocolId, catalog: Catalog): string | null {
  const vendor = catalog.vendorEndpoint(protocol);
  return vendor !== null && lacksVersion(vendor.baseUrl) ? withoutVersion(baseUrl) : null;
}

/** Whether a configured base URL has no version and the API behind it is likely to have one: the catalog says which vendors do not. */
export function lacksUsualVersion(id: string, { baseUrl, api }: ProviderConfig, catalog: Catalog): boolean {
  if (baseUrl === undefined || !lacksVersion(baseUrl)) return false;
  const [listed] = endpointsOf(id, {}, catalog);
  const usual = listed ?? catalog.vendorEndpoint(api ?? catalog.protocols[0] ?? '');
  return usual === null || !lacksVersion(usual.baseUrl);
}

interface DestinationInputs {
  readonly catalog: Catalog;
  readonly everyProviderLocal: boolean;
}

/** Where the calls of a configured provider go, to its preferred endpoint; null when it has none. */
export function destinationOf(
  id: string,
  config: ProviderConfig,
  facts: DestinationInputs,
  document: ConfigDocument,
): Destination | null {
  const [endpoint] = endpointsOf(id, config, facts.catalog);
  // A program has no address that could be judged.
  return endpoint === undefined || facts.catalog.isProgram(endpoint.protocol)
    ? null
    : destinationOfEndpoint(id, endpoint, { config, facts, document });
}

export function destinationOfEndpoint(
  id: string,
  { baseUrl }: ProviderEndpoint,
  given: { readonly config: ProviderConfig; readonly facts: DestinationInputs; readonly document: ConfigDocument },
): Destination {
  const { config, facts, document } = given;
  const isRowLocal = facts.catalog.provider(id)?.local === true;
  const listed = (document.egressPolicy?.allowLocalProviders ?? []).some((name) => facts.catalog.canonicalId(name) === id);
  const { base, query } = splitQuery(baseUrl);
  return {
    name: id,
    baseUrl: base,
    ...(query === '' ? {} : { query }),
    allowLocal: config.allowLocal ?? (isRowLocal || listed || facts.everyProviderLocal),
    ...(config.ports === undefined ? {} : { ports: config.ports }),
    ...(config.ca === undefined ? {} : { ca: config.ca }),
    ...(config.timeouts === undefined ? {} : { timeouts: timeoutsOf(config.timeouts) }),
  };
}

export function timeoutsIn({ timeouts }: ProviderConfig): Timeouts | null {
  return timeouts === undefined ? null : timeoutsOf(timeouts);
}

/** Seconds for people, milliseconds for the dialer. */
function timeoutsOf({ connectSeconds, firstByteSeconds, idleSeconds }: NonNullable<ProviderConfig['timeouts']>): Timeouts {
  const or = (seconds: number | undefined, fallback: number) => (seconds === undefined ? fallback : seconds * 1000);
  return {
    connect: or(connectSeconds, defaultTimeouts.connect),
    firstByte: or(firstByteSeconds, defaultTimeouts.firstByte),
    idle: or(idleSeconds, defaultTimeouts.idle),
  };
}
