/** One form for documents that say the same, made before they are checked, compared or stored. Pure. */
import type { TSchema } from '@sinclair/typebox';
import type { Catalog } from '../../catalog/lookup.ts';
import { documentSchema } from '../../core/document.ts';
import { OlaError } from '../../core/errors.ts';
import { isObject, type Json, type JsonObject } from '../../core/json.ts';
import { memberSchema } from '../../core/secrets.ts';
import { providerIdShape } from './provider-rules.ts';

/** @throws OlaError `invalid_field` for an id that no provider can have, and for a provider under two ids */
export function normalForm(document: JsonObject, catalog: Catalog): JsonObject {
  return canonicalIds(mergeMirrors(dropNulls(document, documentSchema)), catalog);
}

/** Characters of a document, about as many as its JSON text has. */
const maxCharacters = 4 * 1024 * 1024;
/** Levels of a document. */
const maxDepth = 64;

/**
 * Refuses what is too large or too deep to be walked, and the key `__proto__`, which would set an object's prototype.
 * @throws OlaError `invalid_field`, `request_too_large`
 */
export function refuseUnwieldy(given: Json): void {
  let characters = 0;
  const measure = (value: Json | undefined, depth: number): void => {
    if (depth > maxDepth) {
      throw new OlaError('invalid_field', `The configuration is nested more than ${maxDepth} levels deep.`);
    }
    characters += typeof value === 'string' ? value.length + 3 : 3;
    if (characters > maxCharacters) throw new OlaError('request_too_large', 'The configuration is larger than 4 MiB.');
    if (typeof value !== 'object' || value === null) return;
    for (const key of Object.keys(value)) {
      if (key === '__proto__') {
        throw new OlaError('invalid_field', "'__proto__' is not a name that a configuration may use.", { param: '__proto__' });
      }
      if (!Array.isArray(value)) characters += key.length;
      measure((value as JsonObject)[key], depth + 1);
    }
  };
  measure(given, 1);
}

/** Takes out members that are null or read-only where the schema knows the object; under unknown keys everything stays. */
function dropNulls(object: JsonObject, schema: TSchema): JsonObject {
  const kept: Record<string, Json> = {};
  for (const key of Object.keys(object)) {
    const value = object[key];
    const inner = memberSchema(schema, key);
    if (value === null || value === undefined || inner?.['readOnly'] === true) continue;
    kept[key] = inner === null || typeof value !== 'object' ? value : dropNullsInside(value, inner);
  }
  return kept;
}

function dropNullsInside(value: Json, schema: TSchema): Json {
  if (Array.isArray(value)) {
    const items = schema['items'] as TSchema | undefined;
    return items === undefined ? value : (value as readonly Json[]).map((item) => dropNullsInside(item, items));
  }
  return isObject(value) ? dropNulls(value as JsonObject, schema) : value;
}

/** `auth.profiles` over `authProfiles`, `auth.order` over `authOrder`. One that is no object stays: the schema refuses it. */
function mergeMirrors(document: JsonObject): JsonObject {
  const { auth } = document;
  if (!isObject(auth)) return document;
  const rest: Record<string, Json | undefined> = { ...(auth as JsonObject) };
  const merged: Record<string, Json | undefined> = { ...document };
  for (const [mirror, name] of [
    ['profiles', 'authProfiles'],
    ['order', 'authOrder'],
  ] as const) {
    const over = rest[mirror];
    const under = merged[name] ?? {};
    if (!isObject(over) || !isObject(under)) continue;
    const entries = { ...under, ...over } as JsonObject;
    if (Object.keys(entries).length > 0 || merged[name] !== undefined) merged[name] = entries;
    delete rest[mirror];
  }
  if (Object.keys(rest).length === 0) delete merged['auth'];
  else merged['auth'] = rest as JsonObject;
  return merged as JsonObject;
}

/** Provider ids without aliases, so that a provider that was written under an alias can be found again. */
function canonicalIds(document: JsonObject, catalog: Catalog): JsonObject {
  const { providers, models } = document;
  const renamed: Record<string, Json | undefined> = { ...document };
  if (isObject(providers)) renamed['providers'] = canonicalKeys(providers as JsonObject, 'providers', catalog);
  if (isObject(models) && isObject(models['providers'])) {
    const inner = canonicalKeys(models['providers'] as JsonObject, 'models.providers', catalog);
    renamed['models'] = { ...(models as JsonObject), providers: inner };
  }
  return renamed as JsonObject;
}

function canonicalKeys(map: JsonObject, path: string, catalog: Catalog): JsonObject {
  const renamed: Record<string, Json | undefined> = {};
  for (const [key, value] of Object.entries(map)) {
    const id = catalog.canonicalId(key);
    const param = `${path}.${key}`;
    if (!providerIdShape.test(id)) {
      const message = `'${param}' is no provider id: use 1 to 64 of a-z, 0-9, \`.\`, \`_\` and \`-\`, beginning with a letter or digit.`;
      throw new OlaError('invalid_field', message, { param });
    }
    if (Object.hasOwn(renamed, id)) {
      throw new OlaError('invalid_field', `'${param}' is the provider '${id}', which is there already; leave one of them.`, {
        param,
      });
    }
    renamed[id] = value;
  }
  return renamed as JsonObject;
}
