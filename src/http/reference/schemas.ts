/** TypeBox schemas as an OpenAPI 3.1 document shows them: components by name, and forms that people and generators read well. */
import type { TSchema } from '@sinclair/typebox';
import { isObject, type Json, type JsonObject } from '../../core/json.ts';

export interface Schemas {
  /** A schema as it stands in the document: written out, or a reference to a component that is gathered here. */
  show(schema: TSchema): JsonObject;
  /** What was referred to so far, by name. */
  components(): Readonly<Record<string, JsonObject>>;
}

/**
 * @param named schemas that become components wherever they stand, also inside others; those with an `$id` become one under it
 */
export function createSchemas(named: Readonly<Record<string, TSchema>>): Schemas {
  const components = new Map<string, JsonObject>();
  /** By their text, since TypeBox copies a schema that it makes optional. */
  const names = new Map<string, string>();

  function show(value: unknown): JsonObject {
    const { $id, ...schema } = value as Readonly<Record<string, unknown>>;
    const shown = readable(members(schema));
    if (typeof $id === 'string') return component($id, shown);
    const name = names.get(JSON.stringify(shown));
    return name === undefined ? shown : component(name, shown);
  }

  /** @throws Error when two different schemas have one name */
  function component(name: string, shown: JsonObject): JsonObject {
    const known = components.get(name);
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(shown)) throw new Error(`two schemas are called ${name}`);
    components.set(name, shown);
    return { $ref: `#/components/schemas/${name}` };
  }

  /** The same schema with each schema inside it shown; TypeBox's symbols stay behind. */
  function members(schema: Readonly<Record<string, unknown>>): Record<string, Json> {
    const shown: Record<string, Json> = {};
    for (const [key, value] of Object.entries(schema)) {
      if (key === 'properties' || key === 'patternProperties') {
        shown[key] = Object.fromEntries(Object.entries(value as object).map(([name, inner]) => [name, show(inner)]));
      } else if (Array.isArray(value) && ['anyOf', 'allOf', 'oneOf'].includes(key)) shown[key] = value.map(show);
      else if (isObject(value) && ['items', 'additionalProperties', 'not'].includes(key)) shown[key] = show(value);
      else if (value !== undefined) shown[key] = value as Json;
    }
    return shown;
  }

  for (const [name, schema] of Object.entries(named)) names.set(JSON.stringify(show(schema)), name);
  return { show, components: () => Object.fromEntries([...components].sort(([a], [b]) => (a < b ? -1 : 1))) };
}

/** Steps that leave the meaning as it is, but for annotations of ours that say nothing to others. */
function readable(schema: Record<string, Json>): JsonObject {
  return [withoutAnnotations, withPlainMap, withEnum, withNull].reduce((shown, step) => step(shown), schema);
}

type Shown = Record<string, Json>;

function withoutAnnotations(schema: Shown): Shown {
  const { 'x-secret': secret, 'x-plain': _, 'x-later': later, ...rest } = schema;
  const said = typeof rest['description'] === 'string' ? `${rest['description']}; ` : '';
  // A limit that no number here can pass.
  if (rest['maximum'] === Number.MAX_SAFE_INTEGER) delete rest['maximum'];
  return {
    ...rest,
    ...(secret === true ? { format: 'password' } : {}),
    ...(later === true ? { description: `${said}kept, and not acted on by this version` } : {}),
  };
}

/** A record: TypeBox writes it as a pattern that every key fits. */
function withPlainMap(schema: Shown): Shown {
  const { patternProperties, ...rest } = schema;
  const [entry, ...others] = Object.entries((patternProperties ?? {}) as JsonObject);
  if (entry === undefined || entry[0] !== '^(.*)$' || others.length > 0) return schema;
  return { ...rest, additionalProperties: entry[1] as Json };
}

/** A choice of constants of one type. */
function withEnum(schema: Shown): Shown {
  const { anyOf, ...rest } = schema;
  const choices = (anyOf ?? []) as readonly JsonObject[];
  const type = choices[0]?.['type'];
  if (type === undefined || !choices.every((choice) => 'const' in choice && choice['type'] === type)) return schema;
  return { ...rest, type, enum: choices.map((choice) => choice['const'] as Json) };
}

/** Something of one type, or null. */
function withNull(schema: Shown): Shown {
  const { anyOf, ...rest } = schema;
  const [choice, none, ...others] = (anyOf ?? []) as readonly JsonObject[];
  if (choice === undefined || none?.['type'] !== 'null' || others.length > 0) return schema;
  if (typeof choice['type'] !== 'string' || 'enum' in choice || 'const' in choice) return schema;
  return { ...(choice as Shown), ...rest, type: [choice['type'], 'null'] };
}
