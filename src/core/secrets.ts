/**
 * Secrets in a document, by schema: the one walk that takes them out, shows that they are there, and puts them back.
 * Secret are strings whose schema says `x-secret`, and every string under a key that the schema does not know.
 */
import { Kind, type TSchema } from '@sinclair/typebox';
import { isObject, type Json, type JsonObject } from './json.ts';

export const redacted = '[REDACTED]';

/** Stands in a stored document where a secret was. */
export interface SecretReference {
  readonly $secret: string;
}

export function isSecretReference(value: unknown): value is SecretReference {
  return isObject(value) && typeof value['$secret'] === 'string' && Object.keys(value).length === 1;
}

/** Names a place in a document: `providers.acme.apiKey`. */
export type Path = readonly string[];

/**
 * Copies a document, letting `replace` decide what stands in each secret place.
 * @param replace gets the value found there (a string, a reference, or null where a secret is being deleted);
 *   undefined leaves the place out
 */
export function mapSecrets(
  document: JsonObject,
  schema: TSchema,
  replace: (value: Json, path: Path) => Json | undefined,
): JsonObject {
  return walk(document, schema, [], replace) as JsonObject;
}

type Replace = (value: Json, path: Path) => Json | undefined;

function walk(value: Json | undefined, schema: TSchema | null, path: Path, replace: Replace): Json | undefined {
  if (value === undefined) return undefined;
  const secretHere = schema === null || schema['x-secret'] === true;
  if (isSecretReference(value)) return replace(value as unknown as Json, path);
  if (secretHere && (typeof value === 'string' || (value === null && schema !== null))) return replace(value, path);
  if (Array.isArray(value)) {
    const items = (schema?.['items'] as TSchema | undefined) ?? null;
    return value.map(
      (item: Json, index) => walk(item, schema === null ? null : items, [...path, String(index)], replace) ?? null,
    );
  }
  if (!isObject(value)) return value;
  const copy: Record<string, Json> = {};
  for (const [key, member] of Object.entries(value as JsonObject)) {
    const mapped = walk(member, memberSchema(schema, key), [...path, key], replace);
    // A key like __proto__ must become an own property, not the prototype.
    if (mapped !== undefined)
      Object.defineProperty(copy, key, { value: mapped, enumerable: true, writable: true, configurable: true });
  }
  return copy;
}

function memberSchema(schema: TSchema | null, key: string): TSchema | null {
  if (schema === null) return null;
  const properties = schema['properties'] as Record<string, TSchema> | undefined;
  if (properties && Object.hasOwn(properties, key)) return properties[key] ?? null;
  if (schema[Kind] === 'Record') {
    const patterns = schema['patternProperties'] as Record<string, TSchema>;
    return Object.values(patterns)[0] ?? null;
  }
  return null;
}

/** The value at a path, or undefined. */
export function valueAt(document: Json | undefined, path: Path): Json | undefined {
  let value: Json | undefined = document;
  for (const key of path) {
    if (Array.isArray(value)) value = (value as readonly Json[])[Number(key)];
    else if (isObject(value) && Object.hasOwn(value, key)) value = (value as JsonObject)[key];
    else return undefined;
  }
  return value;
}
