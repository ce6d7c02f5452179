/** From what was sent, read or imported to a document that may be stored; where its secrets may go. */
import { type Catalog, createCatalog } from '../../catalog/lookup.ts';
import { type ConfigDocument, documentSchema, type ProviderConfig, protocols } from '../../core/document.ts';
import type { Egress, EgressPolicy } from '../../core/egress.ts';
import { OlaError } from '../../core/errors.ts';
import { foldNames } from '../../core/field-names.ts';
import { isObject, type Json, type JsonObject } from '../../core/json.ts';
import { compileCheck, unknownFields, type Warning } from '../../core/schema.ts';
import { isSecretReference, mapSecrets, type Path } from '../../core/secrets.ts';
import { checkTokenId, type ImportedToken, importedToken } from '../access/imported-tokens.ts';
import { configuredProviders, destinationOf, originOf } from '../routing/destinations.ts';
import { shareEqual } from './changes.ts';
import { normalForm, refuseUnwieldy } from './normal-form.ts';
import { type ConfigMode, quoted, resolvePlaceholders } from './placeholders.ts';
import { checkCredential, checkProvider, checkUrl, notServed, profileIdShape } from './provider-rules.ts';

export interface ReadContext {
  readonly mode: ConfigMode;
  readonly catalog: Catalog;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `OPEN_LLM_AUTH_ALLOW_LOCALHOST_EGRESS`: every provider may be local. */
  readonly everyProviderLocal: boolean;
}

export interface WriteContext extends ReadContext {
  /** Judges destinations by the policy that a document brings, not by the one in force. */
  readonly egressUnder: (document: ConfigDocument) => Pick<Egress, 'check'>;
}

export interface ReadDocument {
  /** References where a secret stays, plain strings where one is new. */
  readonly document: JsonObject;
  /** Access tokens that stood in it in clear; only in database mode, where they leave the document. */
  readonly tokens: readonly ImportedToken[];
  /** What this version does not act on, or has changed. */
  readonly warnings: readonly Warning[];
}

const fitsSchema = compileCheck(documentSchema);

/**
 * Names folded, nulls and hints dropped, `auth.profiles` and `auth.order` merged over `authProfiles` and `authOrder`,
 * provider ids canonical, `[REDACTED]` replaced by what stands at the same place in `current`.
 * @param current the stored document, with references
 * @throws OlaError `invalid_field`, `unsafe_destination`, `conflict`, `request_too_large`, naming the path
 */
export function readDocument(given: Json, current: JsonObject, facts: ReadContext): ReadDocument {
  refuseUnwieldy(given);
  const folded = foldNames(given, documentSchema);
  if (!isObject(folded)) throw new OlaError('invalid_field', 'The configuration is to be a JSON object.');
  const named = normalForm(folded as JsonObject, facts.catalog);
  fitsSchema(named);
  const warnings = [...unknownFields(documentSchema, named), ...checkFields(named as ConfigDocument)];
  refuseMovedDatabase(named as ConfigDocument, current as ConfigDocument, facts.mode);
  const settled = resolvePlaceholders(named, { schema: documentSchema, stored: current, facts, path: [] });
  if (facts.mode === 'file') {
    for (const [name, config] of tokensIn(settled)) checkTokenId(name, config);
    return { document: settled, tokens: [], warnings };
  }
  const { document, tokens } = takeTokens(settled, facts.environment);
  return { document: shareEqual(document, current), tokens, warnings: [...warnings, ...tokens.map(tokenWarning)] };
}

/** What the schema cannot say. @returns what this version cannot serve, and keeps */
function checkFields(document: ConfigDocument): Warning[] {
  const warnings: Warning[] = [];
  for (const { id, path, config } of providerEntries(document)) {
    checkProvider(id, config, path);
    warnings.push(...notServed(config, path));
  }
  for (const [id, profile] of Object.entries(document.authProfiles ?? {})) {
    const path = `authProfiles.${id}`;
    if (!profileIdShape.test(id)) {
      const message = `'${path}' is no profile id: use 1 to 128 of A-Z, a-z, 0-9 and \`._@+:/-\`, \`/\` only after a \`:\`.`;
      throw new OlaError('invalid_field', message, { param: path });
    }
    checkUrl(profile.provider, profile.baseUrl, `${path}.baseUrl`);
    for (const field of ['key', 'token', 'access'] as const) checkCredential(textOf(profile[field]), `${path}.${field}`);
  }
  checkCredential(document.serverToken, 'serverToken');
  return warnings;
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : undefined);

interface ProviderEntry {
  readonly id: string;
  /** With a dot at its end. */
  readonly path: string;
  readonly config: ProviderConfig;
}

function providerEntries(document: ConfigDocument): ProviderEntry[] {
  const entries = (map: Readonly<Record<string, ProviderConfig>> | undefined, path: string) =>
    Object.entries(map ?? {}).map(([id, config]) => ({ id, path: `${path}.${id}.`, config }));
  return [...entries(document.providers, 'providers'), ...entries(document.models?.providers, 'models.providers')];
}

/** What is in the database cannot say where the database is. */
function refuseMovedDatabase(next: ConfigDocument, current: ConfigDocument, mode: ConfigMode): void {
  const path = next.durableState?.dbPath;
  if (mode === 'file' || path === undefined || path === current.durableState?.dbPath) return;
  const message =
    "'durableState.dbPath' cannot be changed here: the configuration is in that database. Leave it out, and set OPEN_LLM_AUTH_DB_PATH.";
  throw new OlaError('conflict', message, { param: 'durableState.dbPath' });
}

function tokensIn(document: JsonObject) {
  return Object.entries((document as ConfigDocument).authorization?.tokens ?? {});
}

function takeTokens(
  document: JsonObject,
  environment: ReadContext['environment'],
): { readonly document: JsonObject; readonly tokens: readonly ImportedToken[] } {
  const { authorization, ...others } = document;
  if (!isObject(authorization) || authorization['tokens'] === undefined) return { document, tokens: [] };
  const { tokens: _, ...rest } = authorization as JsonObject;
  return {
    document: Object.keys(rest).length === 0 ? others : { ...others, authorization: rest },
    tokens: tokensIn(document).map(([name, config]) => importedToken(name, config, environment)),
  };
}

function tokenWarning({ name, isShort }: ImportedToken): Warning {
  const short = isShort ? '; it is short: make a better one with `ola token create`' : '';
  return {
    path: `authorization.tokens.${name}`,
    reason: `it is an access token now, kept as a hash, and no part of the configuration any more${short}`,
  };
}

/** The address of a provider that has none: no call goes there, so no secret that is bound to it is ever sent. */
const unknownOrigin = 'unknown:';
/** With the rows that this version cannot call: their keys are bound all the same. */
const everyVendor = createCatalog(protocols);

/** The origin that a secret at a path is for: its provider's, its profile's; null for others. */
export function originOfSecrets(document: JsonObject, facts: ReadContext): (path: Path) => string | null {
  const typed = document as ConfigDocument;
  const configured = configuredProviders(typed, facts.catalog);
  const known = new Map<string, string>();
  const ofProvider = (given: string): string => {
    const id = facts.catalog.canonicalId(given);
    const origin = known.get(id) ?? providerOrigin(id, configured.get(id), typed, facts);
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
  facts: Pick<ReadContext, 'catalog' | 'everyProviderLocal'>,
): string {
  const own = destinationOf(id, config ?? {}, facts, document)?.baseUrl;
  const row = own === undefined ? everyVendor.provider(id) : null;
  return originOf(own ?? row?.endpoints[0].baseUrl ?? '') ?? unknownOrigin;
}

/**
 * A secret that stays may not be sent to another origin than the one it was entered for. One that fits no longer already,
 * because its provider was changed or deleted under it, may stay as it is: it is sent nowhere.
 * @throws OlaError `secret_required` naming the paths
 */
export function refuseStrayedSecrets(
  document: JsonObject,
  current: { readonly document: JsonObject; readonly secrets: ReadonlyMap<string, { readonly origin: string | null }> },
  facts: ReadContext,
): void {
  const originOf = originOfSecrets(document, facts);
  const originBefore = originOfSecrets(current.document, facts);
  const astray: Path[] = [];
  mapSecrets(document, documentSchema, (value, path) => {
    if (!isSecretReference(value)) return value;
    const bound = current.secrets.get(value.$secret)?.origin ?? null;
    if (bound !== null && bound !== originOf(path) && bound === originBefore(path)) astray.push(path);
    return value as unknown as Json;
  });
  const [first, ...others] = astray;
  if (first !== undefined) throw strayed(first, ...others);
}

/** @returns the refusal of secrets that were entered for another address */
export function strayed(first: Path, ...others: readonly Path[]): OlaError {
  const paths = [first, ...others].map((path) => path.join('.'));
  const what = others.length === 0 ? `${quoted(paths)} was` : `${quoted(paths)} were`;
  const message = `${what} entered for another address; send it again with the new baseUrl, or leave it out to delete it.`;
  return new OlaError('secret_required', message, { param: first.join('.'), details: { paths } });
}

/** So many names are resolved at a time. */
const judgedAtOnce = 16;

/**
 * @param leniently in place of what the document's policy says
 * @throws OlaError unsafe_destination naming the path
 */
export async function refuseUnsafeDestinations(
  document: JsonObject,
  facts: WriteContext,
  leniently: Partial<Pick<EgressPolicy, 'resolveDns' | 'failClosed'>> = {},
): Promise<void> {
  const typed = document as ConfigDocument;
  const egress = facts.egressUnder({ ...typed, egressPolicy: { ...typed.egressPolicy, ...leniently } });
  const waiting = destinationsIn(typed, facts);
  const refusals = new Map<number, OlaError>();
  let next = 0;
  const judgeSome = async () => {
    for (let index = next++; index < waiting.length && refusals.size === 0; index = next++) {
      const entry = waiting[index];
      const denial = entry === undefined ? null : await egress.check(entry.destination);
      if (entry === undefined || denial === null) continue;
      const { path, destination } = entry;
      const local = destination.allowLocal ? '' : ' If it is your own machine or network, give its provider "allowLocal": true.';
      const message = `'${path}' may not be used: ${denial.reason}.${local} Nothing was saved.`;
      refusals.set(index, new OlaError('unsafe_destination', message, { param: path, details: { ...denial } }));
    }
  };
  await Promise.all(Array.from({ length: judgedAtOnce }, judgeSome));
  const first = [...refusals].sort(([a], [b]) => a - b)[0];
  if (first !== undefined) throw first[1];
}

/** Every base URL of the document, as the destination that it makes. */
function destinationsIn(document: ConfigDocument, facts: ReadContext) {
  const merged = configuredProviders(document, facts.catalog);
  const at = (id: string, baseUrl: string | undefined, path: string) => {
    if (baseUrl === undefined) return [];
    const destination = destinationOf(id, { ...merged.get(id), baseUrl }, facts, document);
    return destination === null ? [] : [{ path, destination }];
  };
  return [
    ...providerEntries(document).flatMap(({ id, path, config }) => at(id, config.baseUrl, `${path}baseUrl`)),
    ...Object.entries(document.authProfiles ?? {}).flatMap(([id, { provider, baseUrl }]) =>
      at(facts.catalog.canonicalId(provider), baseUrl, `authProfiles.${id}.baseUrl`),
    ),
  ];
}
