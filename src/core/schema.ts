/** Checks data against a schema and says, without repeating the data, which field is wrong and what is expected. */
import type { TSchema } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { type ValueError, ValueErrorType } from '@sinclair/typebox/errors';
import { OlaError } from './errors.ts';
import type { Json, JsonObject } from './json.ts';
import { lazy } from './lazy.ts';
import { didYouMean, nearestNames } from './nearest.ts';

export interface Check {
  /** @throws OlaError `invalid_field` (422), `param` naming the first field that does not fit */
  (value: unknown): void;
  /** Compiles the schema now. Without it the first value waits for that. */
  prepare(): void;
}

/** The check of a schema. The schema is compiled once, at the first check: the one of the document takes 20 ms and, for some seconds, 9 MB. */
export function compileCheck(schema: TSchema): Check {
  const compiled = lazy(() => TypeCompiler.Compile(schema));
  const check = (value: unknown): void => {
    if (compiled().Check(value)) return;
    const error = compiled().Errors(value).First();
    throw error === undefined ? new OlaError('invalid_field', 'The body does not fit its schema.') : misfit(error, schema);
  };
  return Object.assign(check, { prepare: () => void compiled() });
}

/**
 * A misfit in words: the path, and what the schema expects; never the value that was sent.
 * @param root the schema of the whole, for the names that an unknown field may have meant
 */
export function misfit(error: ValueError, root?: TSchema): OlaError {
  const path = error.path.split('/').slice(1).map(fromPointer);
  const param = path.join('.');
  const name = param === '' ? 'The body' : `'${param}'`;
  return new OlaError('invalid_field', `${name} ${fault(error, path, root)}`, param === '' ? {} : { param });
}

function fault(error: ValueError, path: readonly string[], root: TSchema | undefined): string {
  if (error.type === ValueErrorType.ObjectRequiredProperty) return 'is missing.';
  if (error.type !== ValueErrorType.ObjectAdditionalProperties) return `does not fit: ${expectation(error)}.`;
  const parent = path.slice(0, -1).reduce<TSchema | undefined>((schema, key) => schema?.['properties']?.[key], root);
  const names = Object.keys((parent?.['properties'] ?? {}) as object);
  const question = didYouMean(nearestNames(path.at(-1) ?? '', names, mostSuggestions));
  return `is not a field here.${question || ` The fields are ${names.join(', ')}.`}`;
}

/** Names that one message suggests. */
const mostSuggestions = 3;

/** RFC 6901, section 4. */
function fromPointer(token: string): string {
  return token.replaceAll('~1', '/').replaceAll('~0', '~');
}

function expectation(error: ValueError): string {
  const { schema } = error;
  const anyOf = schema['anyOf'] as TSchema[] | undefined;
  const choices = anyOf?.map((choice) => choice['const'] ?? choice['type']).filter((choice) => choice !== undefined);
  if (choices !== undefined && choices.length > 0 && choices.length === anyOf?.length) {
    return `expected ${anyOf.some((choice) => choice['const'] !== undefined) ? `one of ${choices.join(', ')}` : choices.join(' or ')}`;
  }
  const message = error.message.charAt(0).toLowerCase() + error.message.slice(1);
  return schema.description === undefined ? message : `${message} (${schema.description})`;
}

export interface Warning {
  readonly path: string;
  readonly reason: string;
}

/**
 * What a document says that ola does not act on, kept all the same: keys that the schema does not know, because a typing
 * error looks just like them, and keys that a later version will know what to do with.
 */
export function unknownFields(schema: TSchema, value: Json | undefined, path = ''): Warning[] {
  const found: Warning[] = [];
  findUnknown(schema, value, path, found);
  return found;
}

/** @param path with a dot at its end, unless it is empty */
function findUnknown(schema: TSchema, value: Json | undefined, path: string, found: Warning[]): void {
  if (schema['x-later'] === true) {
    found.push({ path: path.slice(0, -1), reason: 'this version does not act on it; it is kept' });
  }
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    const items = schema['items'] as TSchema | undefined;
    if (items !== undefined) for (const [index, item] of value.entries()) findUnknown(items, item, `${path}${index}.`, found);
  } else if (schema['x-secret'] !== true) findUnknownMembers(schema, value as JsonObject, path, found);
}

function findUnknownMembers(schema: TSchema, value: JsonObject, path: string, found: Warning[]): void {
  const properties = schema['properties'] as Record<string, TSchema> | undefined;
  const patterns = schema['patternProperties'] as Record<string, TSchema> | undefined;
  const each = patterns === undefined ? undefined : Object.values(patterns)[0];
  const knowsNone = properties === undefined || (schema['x-later'] === true && Object.keys(properties).length === 0);
  for (const key of Object.keys(value)) {
    const member = value[key];
    if (member === undefined) continue;
    const inner = properties !== undefined && Object.hasOwn(properties, key) ? properties[key] : each;
    if (inner !== undefined) findUnknown(inner, member, `${path}${key}.`, found);
    else if (!knowsNone) {
      const question = didYouMean(nearestNames(key, Object.keys(properties), mostSuggestions));
      const reason = 'ola does not know this key; it is kept as it is';
      found.push({ path: `${path}${key}`, reason: question === '' ? reason : `${reason}.${question}` });
    }
  }
}
