/** The configured auth profiles by provider, in the order they are tried, each secret with the origins that it may be sent to. Pure. */
import type { Catalog } from '../../catalog/lookup.ts';
import type { ConfigDocument, ProfileConfig } from '../../core/document.ts';
import type { JsonObject } from '../../core/json.ts';
import type { CatalogProvider } from '../../core/providers.ts';
import { parseReference } from '../../core/secret-references.ts';
import { enteredExpiry, type TokenEndpoint } from '../../credentials/grants.ts';
import { type AuthProfile, type RankedProfiles, rankProfiles } from '../../credentials/profiles.ts';
import { nameOfAws, type ProfileSecret } from '../../credentials/resolve.ts';
import { type BoundSecret, boundSecret, type SecretOrigins, type VariableOrigins } from './secret-origins.ts';

/** The auth profiles of a provider. Ranks count over both. */
export interface ProviderProfiles {
  /** For the provider's own address. */
  readonly shared: RankedProfiles;
  /** For a base URL of their own, by that URL. */
  readonly elsewhere: ReadonlyMap<string, RankedProfiles>;
}

interface ProfileFacts {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** True when the refresh token of a login was refused for good. */
  readonly needsLogin: (profile: string, refresh: string) => boolean;
}

/** The configuration: with references in place of secrets, with the secrets in place, and the origin of each. */
interface ProfileDocuments {
  readonly document: JsonObject;
  readonly open: ConfigDocument;
  readonly secrets: SecretOrigins;
}

/**
 * @param variables the origins of the variables that profiles name
 * @returns by canonical provider id
 */
export function profilesByProvider(
  { document, open, secrets }: ProfileDocuments,
  variables: VariableOrigins,
  catalog: Catalog,
  { now, needsLogin }: ProfileFacts,
): ReadonlyMap<string, ProviderProfiles> {
  const { canonicalId } = catalog;
  const stored = (document as ConfigDocument).authProfiles ?? {};
  const orders = ordersByProvider(open, canonicalId);
  const known = new Map<string, AuthProfile[]>();
  for (const [id, profile] of Object.entries(open.authProfiles ?? {})) {
    const provider = canonicalId(profile.provider);
    const bound = (field: SecretField) => {
      const reference = stored[id]?.[field];
      if (reference === undefined) return null;
      return boundSecret(reference, profile[field], secrets, (name) => variables(name, provider));
    };
    const secret = secretOfType(profile, bound, {
      endpoint: tokenEndpoint(profile, catalog.anyProvider(provider)),
      fromVariable: profile.metadata?.['tokenUrl'] !== undefined && isVariable(stored[id]?.refresh),
      isLost: (refresh) => needsLogin(id, refresh),
    });
    known.set(provider, [...(known.get(provider) ?? []), authProfile(id, profile, secret)]);
  }
  const baseUrlOf = (id: string) => open.authProfiles?.[id]?.baseUrl;
  const made = [...known].map(([provider, profiles]) => {
    const ranked = rankProfiles(provider, profiles, orders.get(provider) ?? null, now);
    return [provider, byAddress(ranked, baseUrlOf)] as const;
  });
  return new Map(made);
}

type SecretField = 'key' | 'token' | 'access' | 'refresh';

interface LoginFacts {
  /** Null: its tokens cannot be renewed. */
  readonly endpoint: TokenEndpoint | null;
  /** The refresh token is a variable's value, and would go to an address that a person named. */
  readonly fromVariable: boolean;
  /** True when the refresh token was refused for good. */
  readonly isLost: (refresh: string) => boolean;
}

function secretOfType(
  { type, expires, metadata, allowInstanceMetadata }: ProfileConfig,
  bound: (field: SecretField) => BoundSecret | null,
  { endpoint, fromVariable, isLost }: LoginFacts,
): ProfileSecret | null {
  if (type === 'aws-sdk') {
    const aws = { profile: metadata?.['profile'] ?? null, instanceMetadata: allowInstanceMetadata === true };
    return { text: nameOfAws(aws), origins: null, aws };
  }
  if (type === 'gcp') return { text: 'gcp', origins: null, gcp: true };
  if (type !== 'oauth') {
    const own = bound(type === 'token' ? 'token' : 'key');
    return own === null ? null : secretOf(own);
  }
  const [access, refresh] = [bound('access'), bound('refresh')];
  if (access !== null && 'broken' in access) return secretOf(access);
  if (refresh === null || endpoint === null) return access === null ? null : secretOf(access);
  if ('broken' in refresh) return secretOf(refresh);
  if (!isTokenUrl(endpoint.tokenUrl)) return { reason: 'unresolved_ref', why: 'has a metadata.tokenUrl that is no https URL' };
  // A variable is bound to addresses; the tokens that a person entered are for the endpoint that was entered with them.
  if (fromVariable && refresh.origins?.includes(new URL(endpoint.tokenUrl).origin) === false) {
    return { reason: 'origin_mismatch', why: 'has a refresh token from a variable, which may not go to its metadata.tokenUrl' };
  }
  if (isLost(refresh.secret)) return { reason: 'needs_login' };
  const token = access?.secret ?? null;
  return {
    text: token ?? refresh.secret,
    origins: inBoth(refresh.origins, access?.origins ?? null),
    renewable: { access: token, refresh: refresh.secret, expiresAt: enteredExpiry(expires, token), endpoint },
  };
}

function isVariable(reference: unknown): boolean {
  return typeof reference === 'string' && parseReference(reference)?.kind === 'variable';
}

function inBoth(one: readonly string[] | null, other: readonly string[] | null): readonly string[] | null {
  if (one === null || other === null) return one ?? other;
  return one.filter((origin) => other.includes(origin));
}

function tokenEndpoint({ metadata }: ProfileConfig, row: CatalogProvider | null): TokenEndpoint | null {
  const { tokenUrl, clientId } = metadata ?? {};
  if (tokenUrl !== undefined) return { tokenUrl, clientId: clientId ?? null, style: 'form' };
  return row?.oauth === undefined ? null : { ...row.oauth, clientId: clientId ?? row.oauth.clientId };
}

/** Whether http may be used is for egress to say. */
function isTokenUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, hash } = new URL(text);
  return (protocol === 'https:' || protocol === 'http:') && username === '' && password === '' && hash === '';
}

function secretOf(bound: BoundSecret): ProfileSecret {
  if ('secret' in bound) return { text: bound.secret, origins: bound.origins };
  return { reason: 'unresolved_ref', why: `has a secret that ${bound.broken.long}` };
}

function authProfile(
  id: string,
  { type, enabled, projects, expires, accountId }: ProfileConfig,
  secret: ProfileSecret | null,
): AuthProfile {
  return {
    id,
    type,
    enabled: enabled !== false,
    isRestricted: projects !== undefined,
    expiresAt: endOf(type, expires, secret),
    ...(accountId === undefined || accountId === '' ? {} : { account: accountId }),
    secret,
  };
}

function endOf(type: ProfileConfig['type'], expires: number | undefined, secret: ProfileSecret | null): number | null {
  // An API key has no end of its own: what is there belongs to another type.
  if (type === 'api_key') return null;
  if (type !== 'oauth') return expires !== undefined && expires > 0 ? expires : null;
  // A login that cannot be used for another reason is told by that one; one that is renewed has no end.
  if (secret === null || 'reason' in secret || secret.renewable !== undefined) return null;
  return enteredExpiry(expires, secret.text);
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
