/**
 * Secrets in a document, found by its schema. One walk serves to take them out, to show that they exist, and to put them
 * back. A string is secret when its schema says `x-secret`, or when the schema does not know its key.
 */
import { Kind, type TSchema } from '@sinclair/typebox';
import { isObject, type Json, type JsonObject } from './json.ts';

export const redacted = '[REDACTED]';

/** The reference to a sealed secret in a stored document. */
export interface SecretReference {
  readonly $secret: string;
}

export function isSecretReference(value: unknown): value is SecretReference {
  if (!isObject(value) || typeof value['$secret'] !== 'string') return false;
  return Object.keys(value).length === 1;
}

/** The keys that lead to a value in a document: `providers`, `acme`, `apiKey`. */
export type Path = readonly string[];

/**
 * The reason why a value is secret. `credential`: the schema says so. `plain`: the schema says so, and allows the value in
 * clear in a file. `unknown`: the schema does not know the key.
 */
export type SecretKind = 'credential' | 'plain' | 'unknown';

type Replace = (value: Json, path: Path, kind: SecretKind) => Json | undefined;

/**
 * Copies a document with every secret value replaced; unchanged parts are the same objects.
 * @param replace gets each secret value (a string, a reference, or null for a secret to delete) and returns the new one;
 *   undefined removes it
 */
export function mapSecrets(document: JsonObject, schema: TSchema, replace: Replace): JsonObject {
  return walk(document, schema, { path: [], replace }) as JsonObject;
}

interface Walk {
  /** The keys down to the present value. All steps share this array; it is copied when it is handed out. */
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

/** The schema of a member; null when the parent's schema does not know the key. */
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
