/** The auth profiles of one provider in the order they are tried, each with its secret or the reason why it is passed over. Pure. */
import type { CredentialKind, PassedReason, ProfileSecret, RankedProfile } from './resolve.ts';

export type ProfileType = 'api_key' | 'token' | 'oauth' | 'cli' | 'aws-sdk' | 'gcp';

export interface AuthProfile {
  readonly id: string;
  readonly type: ProfileType;
  readonly enabled: boolean;
  /** Only some projects may use it. */
  readonly isRestricted: boolean;
  /** Milliseconds since 1970; null: never. */
  readonly expiresAt: number | null;
  /** The vendor's id of the account; absent: it is not configured. */
  readonly account?: string;
  /** Null: the field that its type asks for is not there. */
  readonly secret: ProfileSecret | null;
}

export interface RankedProfiles {
  readonly profiles: readonly RankedProfile[];
  /** The rank of the first credential after them. */
  readonly rankAfter: number;
}

/** Kinds in the order they are tried when no order names their profiles. */
const turnOf: Readonly<Record<CredentialKind, number>> = {
  oauth: 0,
  token: 1,
  api_key: 2,
  'aws-sdk': 3,
  gcp: 3,
  none: 3,
};
const turns = 4;
const kindOf: Readonly<Record<ProfileType, CredentialKind>> = {
  api_key: 'api_key',
  token: 'token',
  oauth: 'oauth',
  cli: 'none',
  'aws-sdk': 'aws-sdk',
  gcp: 'gcp',
};
/** Command lines come later. */
const builtTypes: readonly ProfileType[] = ['api_key', 'token', 'oauth', 'aws-sdk', 'gcp'];

/**
 * The profiles that the order names come first, in that order; then the others, by kind, equal within a kind.
 * @param provider canonical: an entry of the order may leave it out, `work` is `acme:work`
 * @param order null: none is configured; an empty one excludes every profile
 * @param now milliseconds since 1970
 */
export function rankProfiles(
  provider: string,
  profiles: readonly AuthProfile[],
  order: readonly string[] | null,
  now: number,
): RankedProfiles {
  const isExcluded = order !== null && order.length === 0;
  const byId = new Map(profiles.map((profile) => [profile.id, profile]));
  const listed = new Set((order ?? []).flatMap((entry) => byId.get(profileIdOf(entry, provider, byId)) ?? []));
  const others = profiles.filter((profile) => !listed.has(profile)).sort(byKind);
  const ranked = (profile: AuthProfile, rank: number): RankedProfile => ({
    id: profile.id,
    kind: kindOf[profile.type],
    rank,
    expiresAt: profile.expiresAt,
    ...(profile.account === undefined ? {} : { account: profile.account }),
    secret: secretNow(profile, isExcluded, now),
  });
  return {
    profiles: [
      ...[...listed].map(ranked),
      ...others.map((profile) => ranked(profile, listed.size + turnOf[kindOf[profile.type]])),
    ],
    rankAfter: listed.size + turns,
  };
}

/** The id that a name means: `S` is exactly `PROVIDER:S` where that is there, else a whole id. */
export function profileIdOf(name: string, provider: string, known: { has(id: string): boolean }): string {
  const full = `${provider}:${name}`;
  return !name.includes(':') && known.has(full) ? full : name;
}

function byKind(one: AuthProfile, other: AuthProfile): number {
  const kind = turnOf[kindOf[one.type]] - turnOf[kindOf[other.type]];
  return kind !== 0 ? kind : one.id < other.id ? -1 : 1;
}

function secretNow(profile: AuthProfile, isExcluded: boolean, now: number): ProfileSecret {
  const reason = reasonAgainst(profile, isExcluded, now);
  if (reason !== null) return { reason };
  return profile.secret ?? { reason: 'missing_credential' };
}

/** Why a profile is passed over before its secret is looked at. */
function reasonAgainst(profile: AuthProfile, isExcluded: boolean, now: number): PassedReason | null {
  if (!profile.enabled) return 'disabled';
  if (isExcluded) return 'excluded_by_order';
  // A restriction that this version cannot keep must not be dropped.
  if (!builtTypes.includes(profile.type) || profile.isRestricted) return 'not_built';
  if (profile.expiresAt !== null && profile.expiresAt <= now) return 'expired';
  return null;
}
