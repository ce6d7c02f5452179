/** The credentials of a provider for one origin, in the order they are tried, and those that were passed over. Pure. */
import { holdsToken } from '../core/tokens.ts';
import type { AwsWish } from './aws-source.ts';
import { isVertexOrigin } from './gcp.ts';
import type { EnteredTokens } from './grants.ts';

/** The kind of a credential. A key from a variable or from the provider is an `api_key`; `aws-sdk`: a signature; `gcp`: a token of the host's Google login; `none`: the endpoint needs none. */
export type CredentialKind = 'oauth' | 'token' | 'api_key' | 'aws-sdk' | 'gcp' | 'none';

export interface Credential {
  /** `profile:ID`, `env:NAME`, `provider-config`, `none`: what a usage record and `auth_source` say. */
  readonly source: string;
  /** The auth profile that it comes from; null for any other source. */
  readonly profile: string | null;
  readonly kind: CredentialKind;
  /** Lower ranks are tried first; credentials of an equal rank are interchangeable. */
  readonly rank: number;
  /** Milliseconds since 1970, from which on it must not be used; null: never. */
  readonly expiresAt: number | null;
  /** The vendor's id of the account; absent: it is not configured. */
  readonly account?: string;
  /** Null: the endpoint needs none. */
  readonly secret: string | null;
  /** The tokens that are renewed, and sent in place of the secret; absent: it is sent as it is. */
  readonly renewable?: EnteredTokens;
  /** The AWS credentials that sign in place of the secret, which only names them. */
  readonly aws?: AwsWish;
  /** A token of the host's Google login is sent in place of the secret, which only names it. */
  readonly gcp?: true;
}

/** An auth profile with its turn. */
export interface RankedProfile {
  readonly id: string;
  readonly kind: CredentialKind;
  readonly rank: number;
  readonly expiresAt: number | null;
  readonly account?: string;
  readonly secret: ProfileSecret;
}

/** A secret and the origins that it may be sent to (null: no limit), or the reason why there is none to send. */
export type ProfileSecret =
  | {
      readonly text: string;
      readonly origins: readonly string[] | null;
      readonly renewable?: EnteredTokens;
      readonly aws?: AwsWish;
      readonly gcp?: true;
    }
  | { readonly reason: PassedReason; readonly why?: string };

export interface CredentialInputs {
  /** `https://host:port` of where the call goes. */
  readonly origin: string;
  /** The provider's auth profiles for this endpoint, in the order they are tried. */
  readonly profiles: readonly RankedProfile[];
  /** The rank of the first credential after the profiles. */
  readonly rankAfterProfiles: number;
  /** Environment variables in the order they are tried. */
  readonly envVars: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The origins that the key in an environment variable may be sent to; null for a variable without a limit. */
  readonly envBinding: (name: string) => readonly string[] | null;
  /** The provider's own key and the origin it was entered for. */
  readonly configured: { readonly secret: string; readonly origin: string | null } | null;
  /** `auth: aws-sdk`: the AWS credentials of the provider itself; null: it asks for none. */
  readonly aws?: AwsWish | null;
  /** `authHeader: false`: no credential is sent. */
  readonly needsNone: boolean;
  /** Without a key a call may be tried all the same. */
  readonly noneWillDo: boolean;
}

/** `not_needed`: the endpoint takes no credential. `no_address`: the provider has none. `not_built`: this version cannot use it. `not_spoken`: nor its provider's protocol. */
export type PassedReason =
  | 'disabled'
  | 'excluded_by_order'
  | 'not_built'
  | 'missing_credential'
  | 'unresolved_ref'
  | 'expired'
  | 'needs_login'
  | 'not_needed'
  | 'no_address'
  | 'own_token'
  | 'origin_mismatch'
  | 'duplicate'
  | 'not_spoken';

/** A credential that was passed over, and why. */
export interface PassedOver {
  readonly source: string;
  readonly reason: PassedReason;
  /** The reason in words where the code says too little: the end of a sentence that begins with the credential. */
  readonly why?: string;
}

export interface CredentialChoice {
  readonly usable: readonly Credential[];
  /** Credentials of profiles that may be used when they are named: duplicates of another source too. */
  readonly named: readonly Credential[];
  readonly passed: readonly PassedOver[];
}

/** A secret goes only to the origin it was entered for; one secret is tried once, wherever it stands twice. */
export function chooseCredentials(facts: CredentialInputs): CredentialChoice {
  const { profiles, rankAfterProfiles } = facts;
  if (facts.needsNone) {
    const passed = profiles.map(({ id }): PassedOver => ({ source: `profile:${id}`, reason: 'not_needed' }));
    return { usable: [noCredential(rankAfterProfiles)], named: [], passed };
  }
  const usable: Credential[] = [];
  const named: Credential[] = [];
  const passed: PassedOver[] = [];
  const offer = (credential: Credential & { readonly secret: string }, bound: readonly string[] | null) => {
    const { source, secret } = credential;
    if (holdsToken(secret)) return void passed.push({ source, reason: 'own_token' });
    if (bound !== null && !bound.includes(facts.origin)) return void passed.push({ source, reason: 'origin_mismatch' });
    // The token opens all of the login's Google Cloud: an address that a configuration names must not get it.
    if (credential.gcp === true && !isVertexOrigin(facts.origin)) {
      return void passed.push({ source, reason: 'origin_mismatch', why: 'goes to hosts of Vertex AI at googleapis.com alone' });
    }
    if (credential.profile !== null) named.push(credential);
    if (usable.some((other) => other.secret === secret)) passed.push({ source, reason: 'duplicate' });
    else usable.push(credential);
  };
  for (const { id, secret, ...rest } of profiles) {
    const source = `profile:${id}`;
    if ('reason' in secret) passed.push({ source, ...secret });
    else {
      const { text, origins, ...more } = secret;
      offer({ source, profile: id, ...rest, secret: text, ...more }, origins);
    }
  }
  let rank = rankAfterProfiles;
  const key = (source: string, secret: string) =>
    ({ source, profile: null, kind: 'api_key', rank: rank++, expiresAt: null, secret }) as const;
  for (const name of new Set(facts.envVars)) {
    const secret = cleanSecret(facts.environment[name]);
    if (secret !== null) offer(key(`env:${name}`, secret), facts.envBinding(name));
  }
  if (facts.configured !== null) {
    const { secret, origin } = facts.configured;
    offer(key('provider-config', secret), origin === null ? null : [origin]);
  }
  if (facts.aws != null) {
    const secret = nameOfAws(facts.aws);
    // A signature is for the host that it names: it is worth nothing at another one.
    offer({ ...key(awsSource, secret), kind: 'aws-sdk', aws: facts.aws }, null);
  }
  if (usable.length === 0 && facts.noneWillDo) usable.push(noCredential(rank));
  return { usable, named, passed };
}

/** The source of AWS credentials that no auth profile names. */
const awsSource = 'aws-sdk:default';

/** Stands for the secret of AWS credentials: those with the same name are the same. */
export function nameOfAws({ profile }: AwsWish): string {
  return `aws-sdk ${profile ?? ''}`.trim();
}

function noCredential(rank: number): Credential {
  return { source: 'none', profile: null, kind: 'none', rank, expiresAt: null, secret: null };
}

/** `acme-east` -> `ACME_EAST_API_KEY`. */
export function defaultEnvVar(providerId: string): string {
  return `${providerId.replace(/[^a-z0-9]+/gi, '_').toUpperCase()}_API_KEY`;
}

/** A pasted key often brings a line end; an empty one is none. */
export function cleanSecret(text: string | undefined): string | null {
  const clean = (text ?? '').replace(/[\r\n\u2028\u2029]/g, '').trim();
  return clean === '' ? null : clean;
}
