/** The address that each secret of a document is for, and the refusal of a write that would send a secret to another one. */
import type { Catalog } from '../../catalog/lookup.ts';
import { type ConfigDocument, documentSchema, type ProviderConfig } from '../../core/document.ts';
import { OlaError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { isSecretReference, mapSecrets, type Path, valueAt } from '../../core/secrets.ts';
import { configuredProviders, destinationOf, originOf } from '../routing/destinations.ts';
import { entryOf, isWithin, nameIn } from './parts.ts';
import { quoted } from './placeholders.ts';

export interface OriginContext {
  readonly catalog: Catalog;
  /** `OPEN_LLM_AUTH_ALLOW_LOCALHOST_EGRESS`: every provider may be local. */
  readonly everyProviderLocal: boolean;
}

/** The origin that a secret at a path is for; null: the secret is bound to none. */
export type OriginOf = (path: Path) => string | null;

/** The origin of a provider without an address: no call goes there, so a secret that is bound to it is never sent. */
const unknownOrigin = 'unknown:';

/** A secret of a provider is for that provider's origin, a secret of a profile for the profile's; others are bound to none. */
export function originOfSecrets(document: JsonObject, context: OriginContext): OriginOf {
  const typed = document as ConfigDocument;
  const configured = configuredProviders(typed, context.catalog);
  const known = new Map<string, string>();
  const ofProvider = (given: string): string => {
    const id = context.catalog.canonicalId(given);
    const origin = known.get(id) ?? providerOrigin(id, configured.get(id), typed, context);
    known.set(id, origin);
    return origin;
  };
  return (path) => {
    const [section, second, third] = path;
    if (section === 'providers' && second !== undefined) return ofProvider(second);
    if (section === 'models' && second === 'providers' && third !== undefined) return ofProvider(third);
    if (section !== 'authProfiles' || second === undefined) return null;
    const profile = typed.authProfiles?.[second];
    return profile?.baseUrl === undefined ? ofProvider(profile?.provider ?? '') : (originOf(profile.baseUrl) ?? unknownOrigin);
  };
}

function providerOrigin(
  id: string,
  config: ProviderConfig | undefined,
  document: ConfigDocument,
  context: OriginContext,
): string {
  const own = destinationOf(id, config ?? {}, context, document)?.baseUrl;
  const row = own === undefined ? context.catalog.anyProvider(id) : null;
  return originOf(own ?? row?.endpoints[0].baseUrl ?? '') ?? unknownOrigin;
}

/** The configuration before a write, and the origins that its secrets were entered for. */
export interface BoundDocument {
  readonly document: JsonObject;
  readonly secrets: ReadonlyMap<string, { readonly origin: string | null; readonly value: string }>;
}

/** The path of the address to which a profile's refresh token goes, unless it goes to the catalog's. */
const tokenUrlOf = (id: string): Path => ['authProfiles', id, 'metadata', 'tokenUrl'];
const refreshOf = (id: string): Path => ['authProfiles', id, 'refresh'];

/** Refresh tokens that stay while their token endpoint becomes another one. */
function strayedRefreshTokens(document: JsonObject, before: BoundDocument, { catalog }: OriginContext): Path[] {
  const originIn = (given: JsonObject, id: string): string | null => {
    const url = valueAt(given, tokenUrlOf(id));
    const text = isSecretReference(url) ? before.secrets.get(url.$secret)?.value : url;
    const provider = (given as ConfigDocument).authProfiles?.[id]?.provider ?? '';
    if (text === undefined || text === null) return originOf(catalog.anyProvider(provider)?.oauth?.tokenUrl ?? '');
    return typeof text === 'string' ? (originOf(text) ?? text) : null;
  };
  const ids = Object.keys((document as ConfigDocument).authProfiles ?? {});
  return ids
    .filter((id) => isSecretReference(valueAt(document, refreshOf(id))))
    .filter((id) => valueAt(document, tokenUrlOf(id)) !== undefined && originIn(document, id) !== originIn(before.document, id))
    .map(refreshOf);
}

/**
 * A secret that stays may not be sent to another origin than the one it was entered for. A secret that no longer fits before
 * the write, because its provider was changed or deleted under it, may stay as it is: it is sent nowhere.
 * @param part the part that was written: only the secrets in it, or in the provider or profile around it, are judged, because
 *   the request could not send others; calls skip those that no longer fit
 * @throws OlaError `secret_required` naming the places
 */
export function refuseStrayedSecrets(document: JsonObject, before: BoundDocument, part: Path, context: OriginContext): void {
  const originNow = originOfSecrets(document, context);
  const originBefore = originOfSecrets(before.document, context);
  const entry = entryOf(part);
  const strayed: string[] = [];
  mapSecrets(document, documentSchema, (value, path) => {
    if (!isSecretReference(value) || !isWithin(path, entry)) return value;
    const bound = before.secrets.get(value.$secret)?.origin ?? null;
    if (bound !== null && bound !== originNow(path) && bound === originBefore(path)) strayed.push(nameIn(part, path));
    return value;
  });
  for (const path of strayedRefreshTokens(document, before, context)) {
    if (isWithin(path, entry)) strayed.push(nameIn(part, path));
  }
  if (strayed.length === 0) return;
  const [param = ''] = strayed;
  const subject = `${quoted(strayed)} ${strayed.length === 1 ? 'was' : 'were'} entered for another address`;
  const deleting = part.length === 0 ? 'leave it out' : 'send null';
  const line =
    entry.length === 2
      ? ` On the command line: \`ola config set ${entry.join('.')} --stdin\`, with the whole entry as JSON.`
      : '';
  const message = `${subject}; send it again with the new baseUrl, or ${deleting} to delete it.${line}`;
  throw new OlaError('secret_required', message, { param, details: { paths: strayed } });
}

/** Secrets that an export brings, by `placeKey`, with the origin that each was entered for. */
export type ExportedSecrets = ReadonlyMap<string, { readonly value: string; readonly origin: string | null }>;

/** The key of a place in a map: JSON, because a key of a document may hold any character. */
export const placeKey = (path: Path): string => JSON.stringify(path);

/**
 * An exported secret goes to no other address than the one it was entered for: the addresses in an export stand in clear, and
 * a person who has the file can change them without the passphrase.
 * @throws OlaError `secret_required` naming the places
 */
export function refuseForeignSecrets(document: JsonObject, exported: ExportedSecrets, originNow: OriginOf): void {
  const foreign: string[] = [];
  mapSecrets(document, documentSchema, (value, path) => {
    const secret = exported.get(placeKey(path));
    if (secret !== undefined && value === secret.value && secret.origin !== originNow(path)) foreign.push(path.join('.'));
    return value;
  });
  for (const id of Object.keys((document as ConfigDocument).authProfiles ?? {})) {
    const [url, refresh] = [valueAt(document, tokenUrlOf(id)), exported.get(placeKey(refreshOf(id)))?.value];
    const isMoved = refresh !== undefined && valueAt(document, refreshOf(id)) === refresh;
    if (isMoved && url !== exported.get(placeKey(tokenUrlOf(id)))?.value) foreign.push(refreshOf(id).join('.'));
  }
  if (foreign.length === 0) return;
  const [param = ''] = foreign;
  const message = `The file names another address than the one these secrets were entered for: ${foreign.join(', ')}. Correct its baseUrl, or send the secrets themselves.`;
  throw new OlaError('secret_required', message, { param, details: { paths: foreign } });
}
