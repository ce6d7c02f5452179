/**
 * JSON Schemas in the form that Anthropic's structured outputs take: closed objects, no limits of numbers, texts and lists
 * (https://docs.claude.com/en/docs/build-with-claude/structured-outputs).
 */
import { isObject } from '../core/json.ts';

type Fields = Readonly<Record<string, unknown>>;

const limits = new Set([
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  ...['minLength', 'maxLength', 'maxItems', 'uniqueItems', 'minProperties', 'maxProperties'],
]);
/** Members whose values are maps of schemas. */
const maps = new Set(['properties', '$defs', 'definitions']);
/** Members whose value is a schema, or a list of them. */
const nested = new Set(['items', 'anyOf', 'allOf', 'oneOf', 'prefixItems']);

/** Limits that cannot be enforced are told to the model in the description, as the vendor's SDKs do. */
export function formatSchema(schema: unknown): unknown {
  if (!isObject(schema)) return schema;
  const kept: Record<string, unknown> = {};
  const told: string[] = [];
  for (const [name, value] of Object.entries(schema)) {
    if (limits.has(name) || (name === 'minItems' && Number(value) > 1)) told.push(`${name}: ${JSON.stringify(value)}`);
    else if (maps.has(name) && isObject(value)) kept[name] = mapped(value);
    else if (nested.has(name)) kept[name] = Array.isArray(value) ? value.map(formatSchema) : formatSchema(value);
    else kept[name] = value;
  }
  if (told.length > 0) kept['description'] = [schema['description'], `{${told.join(', ')}}`].filter(Boolean).join('\n\n');
  if (schema['type'] === 'object' || isObject(schema['properties'])) kept['additionalProperties'] = false;
  return kept;
}

/** `fromEntries` keeps a property of the name `__proto__`, which an assignment would lose. */
function mapped(schemas: Fields): Fields {
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, formatSchema(schema)]));
}
