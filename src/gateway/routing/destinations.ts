/** Where configured providers are: their addresses, and what each may be dialled with. */
import type { Catalog } from '../../catalog/lookup.ts';
import type { ConfigDocument, Protocol, ProviderConfig } from '../../core/document.ts';
import { type Destination, defaultTimeouts } from '../../core/egress.ts';
import type { Timeouts } from '../../core/ports.ts';

/** The protocol that clients speak: an endpoint for it is preferred. */
export const served: Protocol = 'openai-completions';

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

/** Where a configured provider's calls go. */
export function destinationOf(
  id: string,
  config: ProviderConfig,
  facts: { readonly catalog: Catalog; readonly everyProviderLocal: boolean },
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
    ...(config.ca === undefined ? {} : { ca: config.ca }),
    ...(config.timeouts === undefined ? {} : { timeouts: timeoutsOf(config.timeouts) }),
  };
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
