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
  if (!isObject(value) || typeof value['$secret'] !== 'string') return false;
  return Object.keys(value).length === 1;
}

/** Names a place in a document: `providers.acme.apiKey`. */
export type Path = readonly string[];

/**
 * What makes a place secret. `credential`: its schema says so; `plain`: its schema says so, and that it may stand in clear in
 * a file; `unknown`: the schema does not know the key.
 */
export type SecretKind = 'credential' | 'plain' | 'unknown';

type Replace = (value: Json, path: Path, kind: SecretKind) => Json | undefined;

/**
 * A document in which `replace` has decided what stands in each secret place; parts without a change are the same objects.
 * @param replace gets the value found there (a string, a reference, or null where a secret is being deleted);
 *   undefined leaves the place out
 */
export function mapSecrets(document: JsonObject, schema: TSchema, replace: Replace): JsonObject {
  return walk(document, schema, { path: [], replace }) as JsonObject;
}

interface Walk {
  /** The keys down to here; one array for all of it, copied where it is handed out. */
  readonly path: string[];
  readonly replace: Replace;
}

function walk(value: Json | undefined, schema: TSchema | null, state: Walk): Json | undefined {
  if (typeof value === 'string' || value === null) {
    const kind = kindOf(schema);
    return kind === null || (value === null && schema === null) ? value : replaced(value, kind, state);
  }
  if (typeof value !== 'object') return value;
  if (isSecretReference(value)) return replaced(value, kindOf(schema) ?? 'unknown', state);
  if (Array.isArray(value)) return walkItems(value as readonly Json[], schema, state);
  return walkMembers(value as JsonObject, schema, state);
}

function replaced(value: Json, kind: SecretKind, state: Walk): Json | undefined {
  return state.replace(value, state.path.slice(), kind);
}

function kindOf(schema: TSchema | null): SecretKind | null {
  if (schema === null) return 'unknown';
  if (schema['x-secret'] !== true) return null;
  return schema['x-plain'] === true ? 'plain' : 'credential';
}

function walkItems(items: readonly Json[], schema: TSchema | null, state: Walk): Json {
  const itemSchema = (schema?.['items'] as TSchema | undefined) ?? null;
  let copy: Json[] | null = null;
  for (const [index, item] of items.entries()) {
    state.path.push(String(index));
    const mapped = walk(item, itemSchema, state) ?? null;
    state.path.pop();
    if (mapped === item) continue;
    copy ??= [...items];
    copy[index] = mapped;
  }
  return copy ?? items;
}

function walkMembers(members: JsonObject, schema: TSchema | null, state: Walk): Json {
  let copy: Record<string, Json | undefined> | null = null;
  for (const key of Object.keys(members)) {
    const member = members[key];
    state.path.push(key);
    const mapped = walk(member, memberSchema(schema, key), state);
    state.path.pop();
    if (mapped === member) continue;
    copy ??= { ...members };
    if (mapped === undefined) delete copy[key];
    // A key like __proto__ must become an own property, not the prototype.
    else Object.defineProperty(copy, key, { value: mapped, enumerable: true, writable: true, configurable: true });
  }
  return copy ?? members;
}

/** What the schema says of a member; null when it does not know the key. */
export function memberSchema(schema: TSchema | null, key: string): TSchema | null {
  if (schema === null) return null;
  const properties = schema['properties'] as Record<string, TSchema> | undefined;
  if (properties && Object.hasOwn(properties, key)) return properties[key] ?? null;
  if (schema[Kind] === 'Record') {
    const patterns = schema['patternProperties'] as Record<string, TSchema>;
    for (const pattern in patterns) return patterns[pattern] ?? null;
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
