/** From what was sent, read or imported to a part of the configuration that may be stored. Pure. */
import type { TSchema } from '@sinclair/typebox';
import type { Catalog } from '../../catalog/lookup.ts';
import type { ConfigDocument, ProviderConfig } from '../../core/document.ts';
import { OlaError } from '../../core/errors.ts';
import { foldNames } from '../../core/field-names.ts';
import { isObject, type Json, type JsonObject } from '../../core/json.ts';
import { type Check, compileCheck, unknownFields, type Warning } from '../../core/schema.ts';
import { type Path, valueAt } from '../../core/secrets.ts';
import { checkTokenId, type ImportedToken, importedToken } from '../access/imported-tokens.ts';
import { cutEndpoints } from './base-urls.ts';
import { normalForm, refuseUnwieldy } from './normal-form.ts';
import { documentOfPart, isProvider, keepUnnamed, schemaOfPart } from './parts.ts';
import { type PlaceholderContext, resolvePlaceholders } from './placeholders.ts';
import { checkEntries, refuseUnusable } from './provider-rules.ts';

export interface ReadContext extends PlaceholderContext {
  readonly catalog: Catalog;
  /** `OPEN_LLM_AUTH_ALLOW_LOCALHOST_EGRESS`: every provider may be local. */
  readonly everyProviderLocal: boolean;
}

/** A part of the document, as it may be stored. */
export interface ReadPart {
  /** References where a secret stays, plain strings where one is new; undefined when `null` was sent. */
  readonly value: Json | undefined;
  /** Access tokens that stood in it in clear; in database mode alone, where they leave the document. */
  readonly tokens: readonly ImportedToken[];
  /** Fields that this version does not act on, and fields that were changed. */
  readonly warnings: readonly Warning[];
}

export interface ReadDocument extends ReadPart {
  readonly document: JsonObject;
}

/** Reads a whole document. @throws OlaError as `readPart` */
export function readDocument(given: Json, stored: JsonObject, context: ReadContext): ReadDocument {
  const read = readPart([], given, stored, context);
  return { ...read, document: read.value as JsonObject };
}

/**
 * Names folded, nulls and hints dropped, `auth.profiles` and `auth.order` merged over `authProfiles` and `authOrder`, provider
 * ids canonical, endpoints cut off base URLs, fields checked, `[REDACTED]` replaced by the secret of the same place. A part keeps the secrets and the unknown
 * keys that it does not name; a whole document keeps only what it names.
 * @param stored the document whose secrets the placeholders stand for, with references
 * @throws OlaError `invalid_field`, `unsafe_destination`, `conflict`, `request_too_large`, naming the place in what was sent
 */
export function readPart(path: Path, given: Json, stored: JsonObject, context: ReadContext): ReadPart {
  const schema = schemaOfPart(path);
  const sent = fold(path, given, schema);
  const { document: normal, warnings: cut } = cutEndpoints(
    normalForm(documentOfPart(path, sent) as JsonObject, context.catalog),
    path,
  );
  refuseOlderName(path, normal);
  const warnings = check(path, normal, schema, context);
  refuseMovedDatabase(normal, stored, context);
  const resolved = resolvePlaceholders(normal, stored, context);
  const { document, tokens } = takeTokens(resolved, context);
  const next = valueAt(document, path);
  const value = path.length === 0 ? next : keepUnnamed(valueAt(stored, path), sent, next, schema);
  return { value, tokens, warnings: [...cut, ...warnings, ...tokens.map(tokenWarning)] };
}

function fold(path: Path, given: Json, schema: TSchema): Json {
  refuseUnwieldy(documentOfPart(path, given));
  const folded = foldNames(given, schema);
  if (schema['type'] !== 'object' || isObject(folded)) return folded;
  const what =
    path.length === 0 ? 'The configuration is to be a JSON object.' : `The body is to be a JSON object, ${nounOf(path)}.`;
  throw new OlaError('invalid_field', what);
}

/** The normal form moves `auth.profiles` and `auth.order`, which a write of `auth` alone would lose. */
function refuseOlderName(path: Path, normal: JsonObject): void {
  const [section] = path;
  const moved = section === undefined ? undefined : Object.keys(normal).find((key) => key !== section);
  if (moved === undefined) return;
  throw new OlaError('invalid_field', `'${section}' has an older name of '${moved}' in it; write '${moved}' itself.`, {
    param: moved,
  });
}

function nounOf([section = '', id]: Path): string {
  const nouns: Readonly<Record<string, string>> = { providers: 'the provider', authProfiles: 'the profile' };
  return (id === undefined ? undefined : nouns[section]) ?? `the section '${section}'`;
}

const checks = new Map<TSchema, Check>();

/** The check of a part's schema, compiled when the part is first written. */
function checkOf(schema: TSchema): Check {
  const compiled = checks.get(schema) ?? compileCheck(schema);
  checks.set(schema, compiled);
  return compiled;
}

/** @param normal a document that has nothing but the part */
function check(path: Path, normal: JsonObject, schema: TSchema, { catalog }: ReadContext): Warning[] {
  const value = valueAt(normal, path);
  if (value === undefined) return [];
  checkOf(schema)(value);
  const notServed = checkEntries(normal as ConfigDocument, path, catalog);
  if (isProvider(path)) refuseUnusable(path[1] ?? '', value as ProviderConfig, catalog);
  return [...unknownFields(schema, value), ...notServed];
}

/** The database cannot say where the database is. */
function refuseMovedDatabase(next: JsonObject, stored: JsonObject, { mode }: ReadContext): void {
  const path = (document: JsonObject) => (document as ConfigDocument).durableState?.dbPath;
  if (mode === 'file' || path(next) === undefined || path(next) === path(stored)) return;
  const message =
    "'durableState.dbPath' cannot be changed here: the configuration is in that database. Leave it out, and set OPEN_LLM_AUTH_DB_PATH.";
  throw new OlaError('conflict', message, { param: 'durableState.dbPath' });
}

interface TakenTokens {
  readonly document: JsonObject;
  readonly tokens: readonly ImportedToken[];
}

/** In the database, access tokens leave the document and become hashed tokens; in a file they stay, and are compared as they are. */
function takeTokens(document: JsonObject, { mode, environment }: ReadContext): TakenTokens {
  const { authorization, ...others } = document;
  const named = Object.entries((document as ConfigDocument).authorization?.tokens ?? {});
  if (mode === 'file') for (const [name, config] of named) checkTokenId(name, config);
  if (mode === 'file' || !isObject(authorization) || authorization['tokens'] === undefined) return { document, tokens: [] };
  const { tokens: _, ...rest } = authorization as JsonObject;
  return {
    document: Object.keys(rest).length === 0 ? others : { ...others, authorization: rest },
    tokens: named.map(([name, config]) => importedToken(name, config, environment)),
  };
}

function tokenWarning({ name, isShort }: ImportedToken): Warning {
  const short = isShort ? '; it is short: make a better one with `ola token create`' : '';
  return {
    path: `authorization.tokens.${name}`,
    reason: `it is an access token now, kept as a hash, and no part of the configuration any more${short}`,
  };
}
