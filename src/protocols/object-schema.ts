/** The schemas of tools as objects at their root. */
import { isObject } from '../core/json.ts';

type Fields = Readonly<Record<string, unknown>>;

const combinators = ['anyOf', 'oneOf', 'allOf'] as const;

/** Claude asks for the type `object` at the root of a tool's schema and refuses combinations there. */
export function objectSchema(schema: Fields | null): Fields {
  if (schema === null) return { type: 'object', properties: {} };
  const combined = combinators.filter((name) => Array.isArray(schema[name]));
  if (combined.length === 0) {
    return schema['type'] === 'object' || schema['$ref'] !== undefined ? schema : { ...schema, type: 'object' };
  }
  return combined.reduce(merged, { ...schema, type: 'object' });
}

/**
 * The root schema with the branches of one combination merged into it. Required are the properties that the branches of
 * `allOf` name together, or that each branch of a choice names.
 */
function merged(schema: Fields, name: (typeof combinators)[number]): Fields {
  const { [name]: list, ...rest } = schema;
  const branches = (list as readonly unknown[]).filter(isObject);
  const required = branches.map((branch) => new Set(requiredOf(branch)));
  const common =
    name === 'allOf'
      ? required.flatMap((names) => [...names])
      : [...(required[0] ?? [])].filter((each) => required.every((names) => names.has(each)));
  const all = [...new Set([...requiredOf(rest), ...common])];
  return {
    ...rest,
    properties: mergedProperties([rest, ...branches], name === 'allOf' ? 'allOf' : 'anyOf'),
    ...(all.length === 0 ? {} : { required: all }),
  };
}

/** @param combinator joins the schemas of a property that differ between the branches: below the root Claude takes them */
function mergedProperties(schemas: readonly Fields[], combinator: 'anyOf' | 'allOf'): Fields {
  const byName = new Map<string, Map<string, unknown>>();
  for (const { properties } of schemas) {
    for (const [name, property] of isObject(properties) ? Object.entries(properties) : []) {
      const kinds = byName.get(name) ?? new Map<string, unknown>();
      byName.set(name, kinds.set(JSON.stringify(property), property));
    }
  }
  const joined = [...byName].map(([name, kinds]) => {
    const [only, ...others] = kinds.values();
    return [name, others.length === 0 ? only : { [combinator]: [only, ...others] }] as const;
  });
  // `fromEntries` keeps a property of the name `__proto__`, which an assignment would lose.
  return Object.fromEntries(joined);
}

function requiredOf(schema: Fields): string[] {
  const list = schema['required'];
  return Array.isArray(list) ? list.filter((each) => typeof each === 'string') : [];
}
