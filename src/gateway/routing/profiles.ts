/** The configured auth profiles by provider, in the order they are tried, each secret with the origins that it may be sent to. Pure. */
import type { Catalog } from '../../catalog/lookup.ts';
import type { ConfigDocument, ProfileConfig } from '../../core/document.ts';
import type { JsonObject } from '../../core/json.ts';
import { type AuthProfile, type RankedProfiles, rankProfiles } from '../../credentials/profiles.ts';
import type { ProfileSecret } from '../../credentials/resolve.ts';
import { type BoundSecret, boundSecret, type SecretOrigins, type VariableOrigins } from './secret-origins.ts';

/** The auth profiles of a provider. Ranks count over both. */
export interface ProviderProfiles {
  /** For the provider's own address. */
  readonly shared: RankedProfiles;
  /** For a base URL of their own, by that URL. */
  readonly elsewhere: ReadonlyMap<string, RankedProfiles>;
}

/** The configuration: with references in place of secrets, with the secrets in place, and the origin of each. */
interface ProfileDocuments {
  readonly document: JsonObject;
  readonly open: ConfigDocument;
  readonly secrets: SecretOrigins;
}

/**
 * @param variables the origins of the variables that profiles name
 * @param now milliseconds since 1970
 * @returns by canonical provider id
 */
export function profilesByProvider(
  { document, open, secrets }: ProfileDocuments,
  variables: VariableOrigins,
  { canonicalId }: Catalog,
  now: number,
): ReadonlyMap<string, ProviderProfiles> {
  const stored = (document as ConfigDocument).authProfiles ?? {};
  const orders = ordersByProvider(open, canonicalId);
  const known = new Map<string, AuthProfile[]>();
  for (const [id, profile] of Object.entries(open.authProfiles ?? {})) {
    const provider = canonicalId(profile.provider);
    const field = profile.type === 'token' ? 'token' : 'key';
    const reference = stored[id]?.[field];
    const bound = () => boundSecret(reference, profile[field], secrets, (name) => variables(name, provider));
    const secret = reference === undefined ? null : secretOf(bound());
    known.set(provider, [...(known.get(provider) ?? []), authProfile(id, profile, secret)]);
  }
  const baseUrlOf = (id: string) => open.authProfiles?.[id]?.baseUrl;
  const made = [...known].map(([provider, profiles]) => {
    const ranked = rankProfiles(provider, profiles, orders.get(provider) ?? null, now);
    return [provider, byAddress(ranked, baseUrlOf)] as const;
  });
  return new Map(made);
}

function secretOf(bound: BoundSecret): ProfileSecret {
  if ('secret' in bound) return { text: bound.secret, origins: bound.origins };
  return { reason: 'unresolved_ref', why: `has a secret that ${bound.broken.long}` };
}

function authProfile(id: string, { type, enabled, projects, expires }: ProfileConfig, secret: ProfileSecret | null): AuthProfile {
  const isToken = type !== 'api_key';
  return {
    id,
    type,
    enabled: enabled !== false,
    isRestricted: projects !== undefined,
    // An API key has no end of its own: what is there belongs to another type.
    expiresAt: isToken && expires !== undefined && expires > 0 ? expires : null,
    secret,
  };
}

/** `authOrder` by canonical provider id; an order that stands under two names of a provider is one. */
export function ordersByProvider(
  { authOrder = {} }: ConfigDocument,
  canonicalId: (id: string) => string,
): ReadonlyMap<string, readonly string[]> {
  const orders = new Map<string, readonly string[]>();
  for (const [name, ids] of Object.entries(authOrder)) {
    const provider = canonicalId(name);
    orders.set(provider, [...(orders.get(provider) ?? []), ...ids]);
  }
  return orders;
}

function byAddress(ranked: RankedProfiles, baseUrlOf: (id: string) => string | undefined): ProviderProfiles {
  const { rankAfter } = ranked;
  const at = (baseUrl: string | undefined) => ({
    profiles: ranked.profiles.filter(({ id }) => baseUrlOf(id) === baseUrl),
    rankAfter,
  });
  const urls = new Set(ranked.profiles.flatMap(({ id }) => baseUrlOf(id) ?? []));
  return { shared: at(undefined), elsewhere: new Map([...urls].map((url) => [url, at(url)])) };
}
