/** The secrets of a configured provider, and the origins that each may be sent to. */
import type { Catalog } from '../../catalog/lookup.ts';
import type { Consents } from '../../core/config.ts';
import type { ProviderConfig } from '../../core/document.ts';
import { parseReference } from '../../core/secret-references.ts';
import { isSecretReference } from '../../core/secrets.ts';
import { cleanSecret, defaultEnvVar } from '../../credentials/resolve.ts';
import { originOf } from './destinations.ts';

/** Visible ASCII, space and tab inside (RFC 9110, 5.5). */
export const headerValue = /^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/;

/** Opened secrets by id, with the origin that each was entered for. */
export type SecretOrigins = ReadonlyMap<string, { readonly origin: string | null }>;

/** Why a secret cannot be used. */
export interface Broken {
  /** The end of a sentence that begins with the place: `names the variable A, which is not set`. */
  readonly long: string;
  /** For a list of providers: `A is not set`. */
  readonly short: string;
}

/** A secret with the origins that it may be sent to (null: no limit), or the reason why it cannot be used. */
export type BoundSecret = { readonly secret: string; readonly origins: readonly string[] | null } | { readonly broken: Broken };

export interface BoundSecrets {
  readonly apiKey: BoundSecret | null;
  readonly headers: ReadonlyMap<string, BoundSecret>;
}

export const noSecrets: BoundSecrets = { apiKey: null, headers: new Map() };

/** The variables that hold a provider's key without being named, in the order they are tried. */
export function variablesOf(id: string, catalog: Catalog): readonly string[] {
  const known = catalog.anyProvider(id) ?? catalog.addressedByUser(id);
  return [...new Set([...(known?.envVars ?? []), defaultEnvVar(id)])];
}

/** The origins that the catalog allows an environment variable for a provider. */
export function catalogOrigins(name: string, id: string, catalog: Catalog): readonly string[] {
  const row = variablesOf(id, catalog).includes(name) ? catalog.anyProvider(id) : null;
  const own = (row?.endpoints ?? []).flatMap(({ baseUrl }) => originOf(baseUrl) ?? []);
  return catalog.envBinding(name) ?? [...own, ...(row?.otherOrigins ?? [])];
}

/** The origins that an environment variable may be sent to for a provider; null for a variable without a limit. */
export type VariableOrigins = (name: string, id: string) => readonly string[] | null;

/** @param envReferences variables that may go anywhere */
export function variableOrigins(consents: Consents, envReferences: ReadonlySet<string>, catalog: Catalog): VariableOrigins {
  return (name, id) => (envReferences.has(name) ? null : [...catalogOrigins(name, id, catalog), ...(consents[name] ?? [])]);
}

/** @param stored with references in place of secrets; @param open with secrets in place */
export function boundSecrets(
  stored: ProviderConfig,
  open: ProviderConfig,
  secrets: SecretOrigins,
  variables: (name: string) => readonly string[] | null,
): BoundSecrets {
  const bound = (reference: unknown, value: string | undefined) => boundSecret(reference, value, secrets, variables);
  const headers = Object.entries(stored.headers ?? {}).map(
    ([name, reference]) => [name, bound(reference, open.headers?.[name])] as const,
  );
  return { apiKey: stored.apiKey === undefined ? null : bound(stored.apiKey, open.apiKey), headers: new Map(headers) };
}

/**
 * @param reference the value as it is stored
 * @param value the secret itself; undefined when it cannot be opened
 */
export function boundSecret(
  reference: unknown,
  value: string | undefined,
  secrets: SecretOrigins,
  variables: (name: string) => readonly string[] | null,
): BoundSecret {
  const secret = cleanSecret(value);
  if (secret === null) return { broken: whyBroken(reference) };
  if (!headerValue.test(secret)) return { broken: unsendable };
  return { secret, origins: boundTo(reference, secrets, variables) };
}

/** The origins that the secret behind a value of the document may be sent to. */
function boundTo(
  reference: unknown,
  secrets: SecretOrigins,
  variables: (name: string) => readonly string[] | null,
): readonly string[] | null {
  const kept = (id: string) => {
    const origin = secrets.get(id)?.origin ?? null;
    return origin === null ? null : [origin];
  };
  if (isSecretReference(reference)) return kept(reference.$secret);
  const named = typeof reference === 'string' ? parseReference(reference) : null;
  if (named?.kind === 'variable') return variables(named.name);
  return named?.kind === 'store' ? kept(named.id) : null;
}

/** Of the origins that a secret may go to the one in question, else any other; null when it may go anywhere. */
export function boundOrigin({ origins }: { readonly origins: readonly string[] | null }, wanted: string): string | null {
  if (origins === null) return null;
  return origins.includes(wanted) ? wanted : (origins[0] ?? '');
}

const unsendable: Broken = {
  long: 'has characters that a header cannot carry',
  short: 'its key has characters that a header cannot carry',
};

/** Clients read this: a variable's name may be known, the path of a file may not. */
function whyBroken(reference: unknown): Broken {
  const named = typeof reference === 'string' ? parseReference(reference) : null;
  if (named?.kind === 'variable') {
    return { long: `names the variable ${named.name}, which is not set`, short: `${named.name} is not set` };
  }
  if (named?.kind === 'file') return { long: 'names a file that cannot be read', short: 'its key file cannot be read' };
  if (named?.kind === 'store') return { long: 'names a stored secret that is not there', short: 'its stored key is not there' };
  return { long: 'is damaged in the database and is to be entered again', short: 'its stored key is damaged' };
}
