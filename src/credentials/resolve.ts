/** Which secret goes with a call: the candidates of a provider in the order they are tried. Pure. */

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
  /** The origins that a variable's key is for; null when the catalog does not know the variable. */
  readonly envBinding: (name: string) => readonly string[] | null;
  /** The provider's own key and the origin it was entered for. */
  readonly configured: { readonly secret: string; readonly origin: string | null } | null;
  /** `authHeader: false`: no credential is sent. */
  readonly needsNone: boolean;
  /** Without a key a call may be tried all the same. */
  readonly noneWillDo: boolean;
}

export interface CredentialChoice {
  readonly usable: readonly Credential[];
  /** What was left out because it belongs to another origin. */
  readonly mismatched: readonly string[];
}

/** A secret goes only to the origin it was entered for; one secret is tried once, wherever it stands twice. */
export function chooseCredentials(facts: CredentialInputs): CredentialChoice {
  if (facts.needsNone) return { usable: [{ source: 'none', secret: null }], mismatched: [] };
  const usable: Credential[] = [];
  const mismatched: string[] = [];
  const offer = (source: string, secret: string, bound: readonly string[] | null) => {
    if (bound !== null && !bound.includes(facts.origin)) mismatched.push(source);
    else if (!usable.some((other) => other.secret === secret)) usable.push({ source, secret });
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
  return { usable, mismatched };
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
