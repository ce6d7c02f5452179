/** Field names are accepted in camelCase and snake_case, and stored and sent in camelCase. Keys of maps stay unchanged. */
import { Kind, type TSchema } from '@sinclair/typebox';
import { OlaError } from './errors.ts';
import { isObject, type Json, type JsonObject } from './json.ts';

/**
 * Renames snake_case fields to camelCase where the schema knows that name.
 * @throws OlaError `invalid_field` when a field is given in both spellings
 */
export function foldNames(value: Json, schema: TSchema | null, path = ''): Json {
  if (Array.isArray(value)) {
    const items = (schema?.['items'] as TSchema | undefined) ?? null;
    return value.map((item: Json, index) => foldNames(item, items, `${path}${index}.`));
  }
  if (!isObject(value)) return value;
  const properties = (schema?.['properties'] ?? {}) as Record<string, TSchema>;
  const isMap = schema === null || schema[Kind] === 'Record';
  const mapValues =
    isMap && schema !== null ? Object.values(schema['patternProperties'] as Record<string, TSchema>)[0] : undefined;
  const folded: Record<string, Json> = {};
  for (const key of Object.keys(value)) {
    const member = (value as JsonObject)[key];
    if (member === undefined) continue;
    const name = isMap || !key.includes('_') ? key : knownName(key, properties);
    if (name !== key && Object.hasOwn(value, name)) {
      throw new OlaError('invalid_field', `'${path}${key}' and '${path}${name}' are the same field; send only one of them.`, {
        param: `${path}${name}`,
      });
    }
    const inner = isMap ? (mapValues ?? null) : Object.hasOwn(properties, name) ? (properties[name] ?? null) : null;
    const mapped = typeof member === 'object' ? foldNames(member, inner, `${path}${key}.`) : member;
    if (name === '__proto__') {
      Object.defineProperty(folded, name, { value: mapped, enumerable: true, writable: true, configurable: true });
    } else folded[name] = mapped;
  }
  return folded;
}

function knownName(key: string, properties: Readonly<Record<string, TSchema>>): string {
  const camel = key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  return !Object.hasOwn(properties, key) && Object.hasOwn(properties, camel) ? camel : key;
}
