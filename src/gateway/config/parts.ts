/** Parts of the configuration document: named, found, put in place, taken out. Pure. */
import { Kind, type TSchema } from '@sinclair/typebox';
import { documentSchema } from '../../core/document.ts';
import { isObject, type Json, type JsonObject } from '../../core/json.ts';
import { memberSchema, type Path, valueAt } from '../../core/secrets.ts';

/** Whether a place lies in a part, or is the part itself. */
export function isWithin(place: Path, part: Path): boolean {
  return part.every((key, index) => place[index] === key);
}

/** How an error names a place to whoever sent the part: places in it by the fields below it, others in full. */
export function nameIn(part: Path, place: Path): string {
  const below = isWithin(place, part) ? place.slice(part.length) : [];
  return (below.length === 0 ? place : below).join('.');
}

/** What stands in front of the fields of an entry in an error: `providers.acme.`, or nothing when the entry is the part. */
export function prefixIn(part: Path, entry: Path): string {
  const shown = isWithin(entry, part) ? entry.slice(part.length) : entry;
  return shown.map((key) => `${key}.`).join('');
}

/** Whether the part is one provider. */
export function isProvider(path: Path): boolean {
  return path.length === 2 && path[0] === 'providers';
}

/** The provider or profile that a field belongs to; every other part is itself. */
export function entryOf(path: Path): Path {
  const [section] = path;
  return section === 'providers' || section === 'authProfiles' ? path.slice(0, 2) : path;
}

/** @param path of keys that the schema of the document knows */
export function schemaOfPart(path: Path): TSchema {
  let schema: TSchema | null = documentSchema;
  for (const key of path) schema = memberSchema(schema, key);
  if (schema === null) throw new Error(`the schema does not know the part ${path.join('.')}`);
  return schema;
}

/** A document that has nothing but the part. */
export function documentOfPart(path: Path, value: Json): Json {
  return path.reduceRight<Json>((inner, key) => ({ [key]: inner }), value);
}

/** The part as it is in force; undefined when the document does not have it. */
export function partAt(document: JsonObject, path: Path): Json | undefined {
  return valueAt(gathered(document, path), path);
}

/**
 * The document with another value of a part, every other part the same object.
 * @param value undefined takes the part out
 */
export function withPart(document: JsonObject, path: Path, value: Json | undefined): JsonObject {
  if (path.length === 0) return (value ?? {}) as JsonObject;
  return withMember(gathered(document, path), path, value);
}

function withMember(parent: JsonObject, [key = '', ...rest]: Path, value: Json | undefined): JsonObject {
  const member = valueAt(parent, [key]);
  const next = rest.length === 0 ? value : withMember(isObject(member) ? (member as JsonObject) : {}, rest, value);
  if (next !== undefined) return { ...parent, [key]: next };
  const { [key]: _, ...others } = parent;
  return others;
}

/**
 * `models.providers` is merged over `providers`: a provider that is written alone is brought together under `providers` as it
 * is in force, because an entry that stayed in `models.providers` would go on in its place.
 */
export function gathered(document: JsonObject, [section, id]: Path): JsonObject {
  const { models } = document;
  if (section !== 'providers' || id === undefined || !isObject(models)) return document;
  const over = valueAt(document, ['models', 'providers', id]);
  if (!isObject(over)) return document;
  const { [id]: _, ...others } = models['providers'] as JsonObject;
  const under = valueAt(document, ['providers', id]);
  const entry = { ...(isObject(under) ? under : {}), ...over } as JsonObject;
  const providers = { ...(document['providers'] as JsonObject | undefined), [id]: entry };
  return { ...document, providers, models: { ...(models as JsonObject), providers: others } };
}

/**
 * A part that is put replaces what is stored, except that a key which it does not name stays when ola does not know that key
 * or when the schema marks secrets there: nobody can send back a secret that was never shown. A map of secrets (headers) is
 * kept entry by entry.
 * @param sent as it came, `null` where a key is to go
 * @param next `sent` without its nulls, placeholders resolved
 */
export function keepUnnamed(stored: Json | undefined, sent: Json, next: Json | undefined, schema: TSchema): Json | undefined {
  if (!isObject(stored) || !isObject(sent) || !isObject(next)) return next;
  const memberOf = (key: string): Json | undefined => {
    const inner = memberSchema(schema, key);
    const [before, after] = [valueAt(stored as JsonObject, [key]), valueAt(next as JsonObject, [key])];
    if (!Object.hasOwn(sent, key)) return inner === null || marksSecrets(inner) ? before : undefined;
    return isMapOfSecrets(inner) ? keepUnnamed(before, sent[key] as Json, after, inner) : after;
  };
  const keys = new Set([...Object.keys(stored), ...Object.keys(next)]);
  const members = [...keys].map((key) => [key, memberOf(key)] as const);
  return Object.fromEntries(members.filter(([, member]) => member !== undefined)) as JsonObject;
}

function isMapOfSecrets(schema: TSchema | null): schema is TSchema {
  return schema !== null && schema[Kind] === 'Record' && marksSecrets(schema);
}

function marksSecrets(schema: TSchema): boolean {
  if (schema['x-secret'] === true) return true;
  const inner: readonly unknown[] = [
    schema['items'],
    ...Object.values((schema['properties'] ?? {}) as object),
    ...Object.values((schema['patternProperties'] ?? {}) as object),
  ];
  return inner.some((each) => each !== undefined && marksSecrets(each as TSchema));
}
