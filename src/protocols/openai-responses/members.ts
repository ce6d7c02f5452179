/** Members of a request of OpenAI's responses, read by type: a wrong type is refused by the name of its field. */
import type { Extras } from '../../core/conversation.ts';
import { OlaError } from '../../core/errors.ts';
import { isObject } from '../../core/json.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** The id under which this protocol keeps its own members and forms in `extras`. */
export const ownProtocol = 'openai-responses';

const noFields: Fields = {};

/** @param param the field as a dotted path: `input.2.content` */
export function refuse(param: string, message: string): never {
  throw new OlaError('invalid_request', message, { param });
}

export function refuseType(param: string, type: string): never {
  return refuse(param, `\`${param}\` must be ${type}.`);
}

/** @param place empty for the request itself */
function pathOf(place: string, name: string): string {
  return place === '' ? name : `${place}.${name}`;
}

/** @returns null for an absent member and for null, as in all of these */
export function stringIn(fields: Fields, name: string, place = ''): string | null {
  const value = fields[name] ?? null;
  return value === null || typeof value === 'string' ? value : refuseType(pathOf(place, name), 'a text');
}

export function numberIn(fields: Fields, name: string): number | null {
  const value = fields[name] ?? null;
  return value === null || typeof value === 'number' ? value : refuseType(name, 'a number');
}

export function booleanIn(fields: Fields, name: string, place = ''): boolean | null {
  const value = fields[name] ?? null;
  return value === null || typeof value === 'boolean' ? value : refuseType(pathOf(place, name), 'true or false');
}

export function neededString(fields: Fields, name: string, place: string): string {
  const path = pathOf(place, name);
  return stringIn(fields, name, place) ?? refuse(path, `\`${path}\` is missing; give a text.`);
}

export function objectIn(fields: Fields, name: string, place = ''): Fields | null {
  const value = fields[name] ?? null;
  return value === null || isObject(value) ? value : refuseType(pathOf(place, name), 'an object');
}

export function objectsIn(fields: Fields, name: string): readonly Fields[] | null {
  const value = fields[name] ?? null;
  if (value === null) return null;
  if (!Array.isArray(value)) return refuseType(name, 'a list');
  return value.map((item: unknown, at) => (isObject(item) ? item : refuseType(`${name}.${at}`, 'an object')));
}

/** The text where it is one and says something; null for anything else. */
export function nonEmpty(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** Members besides the known ones, null values left out. */
export function membersBeside(fields: Fields, known: readonly string[]): Fields {
  const rest = Object.entries(fields).filter(([name, value]) => !known.includes(name) && value !== null && value !== undefined);
  return rest.length === 0 ? noFields : Object.fromEntries(rest);
}

/** Members without those whose value is null or undefined. */
export function withoutNull(fields: Fields): Fields {
  return membersBeside(fields, []);
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
  const filled = Object.entries(own).filter(
    ([, value]) => value !== undefined && !(isObject(value) && Object.keys(value).length === 0),
  );
  return filled.length === 0 ? {} : { extras: { [ownProtocol]: Object.fromEntries(filled) } };
}
