/** The credentials of a provider for one origin, in the order they are tried, and those that were passed over. Pure. */
import { holdsToken } from '../core/tokens.ts';

export interface Credential {
  /** `env:NAME`, `provider-config`, `none`: what a usage record and `auth_source` say. */
  readonly source: string;
  /** Null: the endpoint needs none. */
  readonly secret: string | null;
}

export interface CredentialInputs {
  /** `https://host:port` of where the call goes. */
  readonly origin: string;
  /** Environment variables in the order they are tried. */
  readonly envVars: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The origins that the key in an environment variable may be sent to; null for a variable without a limit. */
  readonly envBinding: (name: string) => readonly string[] | null;
  /** The provider's own key and the origin it was entered for. */
  readonly configured: { readonly secret: string; readonly origin: string | null } | null;
  /** `authHeader: false`: no credential is sent. */
  readonly needsNone: boolean;
  /** Without a key a call may be tried all the same. */
  readonly noneWillDo: boolean;
}

/** A credential that was passed over, and why. */
export interface PassedOver {
  readonly source: string;
  readonly reason: 'own_token' | 'origin_mismatch' | 'duplicate' | 'not_spoken';
}

export interface CredentialChoice {
  readonly usable: readonly Credential[];
  readonly passed: readonly PassedOver[];
}

/** A secret goes only to the origin it was entered for; one secret is tried once, wherever it stands twice. */
export function chooseCredentials(facts: CredentialInputs): CredentialChoice {
  if (facts.needsNone) return { usable: [{ source: 'none', secret: null }], passed: [] };
  const usable: Credential[] = [];
  const passed: PassedOver[] = [];
  const offer = (source: string, secret: string, bound: readonly string[] | null) => {
    if (holdsToken(secret)) passed.push({ source, reason: 'own_token' });
    else if (bound !== null && !bound.includes(facts.origin)) passed.push({ source, reason: 'origin_mismatch' });
    else if (usable.some((other) => other.secret === secret)) passed.push({ source, reason: 'duplicate' });
    else usable.push({ source, secret });
  };
  for (const name of new Set(facts.envVars)) {
    const secret = cleanSecret(facts.environment[name]);
    if (secret !== null) offer(`env:${name}`, secret, facts.envBinding(name));
  }
  if (facts.configured !== null) {
    const { secret, origin } = facts.configured;
    offer('provider-config', secret, origin === null ? null : [origin]);
  }
  if (usable.length === 0 && facts.noneWillDo) usable.push({ source: 'none', secret: null });
  return { usable, passed };
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
