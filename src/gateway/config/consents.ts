/**
 * The environment variables that may be sent to an address. A key of the catalog's belongs to the catalog's address. For any other pair the
 * owner of the machine consents by writing it: an admin token alone could name any variable of the server, and an address of its
 * holder's choice. Pure.
 */
import type { Catalog } from '../../catalog/lookup.ts';
import type { Consents } from '../../core/config.ts';
import { type ConfigDocument, documentSchema } from '../../core/document.ts';
import { OlaError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { parseReference } from '../../core/secret-references.ts';
import { mapSecrets, type Path } from '../../core/secrets.ts';
import { configuredProviders } from '../routing/destinations.ts';
import { catalogOrigins, variablesOf } from '../routing/secret-origins.ts';
import { type OriginContext, originOfSecrets } from './origins.ts';
import { nameIn } from './parts.ts';

export interface ConsentContext extends OriginContext {
  /** `OPEN_LLM_AUTH_ENV_REFERENCES`: variables that may be sent to any address. */
  readonly envReferences: ReadonlySet<string>;
}

/** A variable that a document would send to an address. */
interface Use {
  readonly path: Path;
  readonly provider: string;
  readonly name: string;
  readonly origin: string;
  /** False: no reference names the variable, the id of the provider does (`ACME_API_KEY`). */
  readonly named: boolean;
}

/** The consents of an owner who wrote the whole document. */
export function allConsents(document: JsonObject, context: OriginContext): Consents {
  return withUses({}, usesOf(document, context));
}

/** A document, and the consents that it was written with; null: by a version that knew none, when every reference was honoured. */
export interface ConsentedDocument {
  readonly document: JsonObject;
  readonly consents: Consents;
}

/**
 * The consents after a write. The owner consents to what the write adds, not to what another writer had put there before.
 * A consent that was given stays: that address has had the key.
 */
export function consentsAfter(next: JsonObject, before: ConsentedDocument, byOwner: boolean, context: OriginContext): Consents {
  return byOwner ? withUses(before.consents, addedUses(next, before.document, context)) : before.consents;
}

/**
 * @param part the part that was written
 * @throws OlaError `invalid_field` for a reference to a variable that may not go to its provider's address
 */
export function refuseUnconsented(next: JsonObject, before: ConsentedDocument, part: Path, context: ConsentContext): void {
  const refused = addedUses(next, before.document, context).find((use) => use.named && !isAllowed(use, before.consents, context));
  if (refused === undefined) return;
  const { path, name } = refused;
  const param = nameIn(part, path);
  const line = `ola config set ${path.join('.')} '\${${name}}'`;
  const message =
    `'${param}' names the variable ${name}. Over HTTP only a variable of the catalog may be named, for its provider's own address, ` +
    `or one that OPEN_LLM_AUTH_ENV_REFERENCES lists. Send the key itself, or write the rest and then run \`${line}\` where ola runs.`;
  throw new OlaError('invalid_field', message, { param, details: { variable: name } });
}

function isAllowed({ name, provider, origin }: Use, consents: Consents, { catalog, envReferences }: ConsentContext): boolean {
  if (envReferences.has(name)) return true;
  return catalogOrigins(name, provider, catalog).includes(origin) || consents[name]?.includes(origin) === true;
}

function withUses(consents: Consents, uses: readonly Use[]): Consents {
  const merged = new Map(Object.entries(consents).map(([name, origins]) => [name, new Set(origins)] as const));
  for (const { name, origin } of uses) merged.set(name, (merged.get(name) ?? new Set()).add(origin));
  return Object.fromEntries([...merged].map(([name, origins]) => [name, [...origins]]));
}

/** The uses that a document has and the one before did not: at another place, of another variable, or for another address. */
function addedUses(next: JsonObject, before: JsonObject, context: OriginContext): readonly Use[] {
  const keyOf = ({ path, name, origin }: Use) => JSON.stringify([path, name, origin]);
  const known = new Set(usesOf(before, context).map(keyOf));
  return usesOf(next, context).filter((use) => !known.has(keyOf(use)));
}

function usesOf(document: JsonObject, context: OriginContext): readonly Use[] {
  const typed = document as ConfigDocument;
  const originOf = originOfSecrets(document, context);
  const uses: Use[] = [];
  mapSecrets(document, documentSchema, (value, path) => {
    const reference = typeof value === 'string' ? parseReference(value) : null;
    const origin = reference?.kind === 'variable' ? originOf(path) : null;
    if (reference?.kind === 'variable' && origin !== null) {
      uses.push({ path, provider: providerAt(typed, path, context.catalog), name: reference.name, origin, named: true });
    }
    return value;
  });
  for (const id of configuredProviders(typed, context.catalog).keys()) {
    const path = ['providers', id];
    const origin = originOf(path);
    // A variable of the catalog's goes to the catalog's address alone, unless a reference names it.
    for (const name of variablesOf(id, context.catalog).filter((each) => context.catalog.envBinding(each) === null)) {
      if (origin !== null) uses.push({ path, provider: id, name, origin, named: false });
    }
  }
  return uses;
}

function providerAt(document: ConfigDocument, [section, second = '', third = '']: Path, { canonicalId }: Catalog): string {
  if (section === 'authProfiles') return canonicalId(document.authProfiles?.[second]?.provider ?? '');
  return canonicalId(section === 'models' ? third : second);
}
