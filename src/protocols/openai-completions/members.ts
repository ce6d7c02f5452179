/** Members of a client's JSON, read by type: a wrong type is refused by the name of its field. */
import type { CacheHint, Extras } from '../../core/conversation.ts';
import { OlaError } from '../../core/errors.ts';
import { isObject } from '../../core/json.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** The id under which this protocol keeps its own members and forms in `extras`. */
export const ownProtocol = 'openai-completions';

const noFields: Fields = {};

/** @param param the field as a dotted path: `messages.2.content` */
export function refuse(param: string, message: string): never {
  throw new OlaError('invalid_request', message, { param });
}

/** The path of a member: `tools.0` and `name` make `tools.0.name`. @param place empty for the request itself */
export function placeOf(place: string, name: string | number): string {
  return place === '' ? String(name) : `${place}.${name}`;
}

interface Types {
  readonly string: string;
  readonly number: number;
  readonly boolean: boolean;
}
const typeWords: Readonly<Record<keyof Types, string>> = { string: 'a text', number: 'a number', boolean: 'true or false' };

function typed<Name extends keyof Types>(type: Name, fields: Fields, name: string, place: string): Types[Name] | null {
  const value = fields[name];
  if (value === undefined || value === null) return null;
  if (typeof value === type) return value as Types[Name];
  return refuseType(placeOf(place, name), typeWords[type]);
}

/** @returns null for an absent member and for null, as in all of these */
export const stringIn = (fields: Fields, name: string, place = '') => typed('string', fields, name, place);
export const numberIn = (fields: Fields, name: string, place = '') => typed('number', fields, name, place);
export const booleanIn = (fields: Fields, name: string, place = '') => typed('boolean', fields, name, place);

export function neededString(fields: Fields, name: string, place: string): string {
  return stringIn(fields, name, place) ?? refuse(placeOf(place, name), `\`${placeOf(place, name)}\` is missing; give a text.`);
}

export function objectIn(fields: Fields, name: string, place = ''): Fields | null {
  const value = fields[name];
  if (value === undefined || value === null) return null;
  return isObject(value) ? value : refuseType(placeOf(place, name), 'an object');
}

export function neededObject(fields: Fields, name: string, place: string): Fields {
  return objectIn(fields, name, place) ?? refuse(placeOf(place, name), `\`${placeOf(place, name)}\` is missing; give an object.`);
}

export function objectsIn(fields: Fields, name: string, place = ''): readonly Fields[] | null {
  const value = fields[name];
  if (value === undefined || value === null) return null;
  const param = placeOf(place, name);
  if (!Array.isArray(value)) return refuseType(param, 'a list');
  return value.map((item: unknown, at) => (isObject(item) ? item : refuseType(placeOf(param, at), 'an object')));
}

export function refuseType(param: string, type: string): never {
  return refuse(param, `\`${param}\` must be ${type}.`);
}

/** Members besides the known ones, null values left out. */
export function membersBeside(fields: Fields, known: readonly string[]): Fields {
  let rest: Record<string, unknown> | null = null;
  for (const name of Object.keys(fields)) {
    if (known.includes(name) || fields[name] === null || fields[name] === undefined) continue;
    rest ??= {};
    rest[name] = fields[name];
  }
  return rest ?? noFields;
}

/** The own members and forms that `extras` has; empty when there are none. */
export function ownIn(extras: Extras | undefined): Fields {
  return extras?.[ownProtocol] ?? noFields;
}

/** Members of an object that is kept in `extras`. */
export function keptIn(own: Fields, name: string): Fields {
  const kept = own[name];
  return isObject(kept) ? kept : noFields;
}

/** `extras` with own members and forms; nothing where all are empty or undefined. */
export function extrasOf(own: Fields): { readonly extras?: Extras } {
  const filled = Object.entries(own).filter(([, value]) => value !== undefined && !(isObject(value) && isEmpty(value)));
  return filled.length === 0 ? {} : { extras: { [ownProtocol]: Object.fromEntries(filled) } };
}

function isEmpty(fields: Fields): boolean {
  for (const _ in fields) return false;
  return true;
}

/** `cache_control` of Anthropic's API, which OpenRouter and others take on messages, parts and tools of a chat too. */
export function cacheIn(fields: Fields, place: string): { readonly cache?: CacheHint } {
  const control = objectIn(fields, 'cache_control', place);
  return control === null ? {} : { cache: { ttl: stringIn(control, 'ttl', placeOf(place, 'cache_control')) } };
}
