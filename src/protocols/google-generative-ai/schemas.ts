/** Google's `Schema`, a subset of OpenAPI's, as JSON Schema (https://ai.google.dev/api/caching#Schema). */
import { isObject } from '../../core/json.ts';
import { camelOf, type Fields } from './names.ts';

/** Members whose value is a schema, or a list of them. */
const nested: ReadonlySet<string> = new Set(['items', 'anyOf', 'prefixItems', 'additionalProperties']);
/** Counts, which the API writes as texts too: they are 64-bit integers. */
const counts: ReadonlySet<string> = new Set([
  ...['minItems', 'maxItems', 'minLength', 'maxLength', 'minProperties', 'maxProperties'],
]);
/** Members that JSON Schema does not have. */
const own: ReadonlySet<string> = new Set(['nullable', 'propertyOrdering', 'example']);

/** @returns a value that is no object as it is */
export function jsonSchemaOf(schema: unknown): unknown {
  if (!isObject(schema)) return schema;
  const members = Object.entries(schema).flatMap(([given, value]): [string, unknown][] => {
    const name = camelOf(given);
    if (own.has(name)) return [];
    if (name === 'type') return [[name, typeOf(value, schema['nullable'] === true)]];
    if (name === 'properties' && isObject(value)) return [[name, propertiesOf(value)]];
    if (nested.has(name)) return [[name, Array.isArray(value) ? value.map(jsonSchemaOf) : jsonSchemaOf(value)]];
    return [[name, counts.has(name) && typeof value === 'string' ? Number(value) : value]];
  });
  return Object.fromEntries(members);
}

/** The names of properties are the client's own. `fromEntries` keeps one of the name `__proto__`. */
function propertiesOf(properties: Fields): Fields {
  return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, jsonSchemaOf(schema)]));
}

function typeOf(type: unknown, nullable: boolean): unknown {
  if (typeof type !== 'string') return type;
  const name = type.toLowerCase();
  return nullable ? [name, 'null'] : name;
}
