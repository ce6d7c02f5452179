/** Members of a client's JSON, read by type: a wrong type is refused by the name of its field. */
import type { Extras } from '../../core/conversation.ts';
import { OlaError } from '../../core/errors.ts';
import { isObject } from '../../core/json.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** The id under which this protocol keeps its own members in `extras`. */
export const protocolId = 'ollama';

/** @param param the field as a dotted path: `messages.2.content` */
export function refuse(param: string, message: string): never {
  throw new OlaError('invalid_request', message, { param });
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
  return refuse(placeOf(place, name), `\`${placeOf(place, name)}\` must be ${typeWords[type]}.`);
}

/** The path of a member. @param place empty for the request itself */
export function placeOf(place: string, name: string | number): string {
  return place === '' ? String(name) : `${place}.${name}`;
}

/** @returns null for an absent member and for null, as in all of these */
export const stringIn = (fields: Fields, name: string, place = '') => typed('string', fields, name, place);
export const numberIn = (fields: Fields, name: string, place = '') => typed('number', fields, name, place);
export const booleanIn = (fields: Fields, name: string, place = '') => typed('boolean', fields, name, place);

export function objectIn(fields: Fields, name: string, place = ''): Fields | null {
  const value = fields[name];
  if (value === undefined || value === null) return null;
  return isObject(value) ? value : refuse(placeOf(place, name), `\`${placeOf(place, name)}\` must be an object.`);
}

export function listIn(fields: Fields, name: string, place = ''): readonly unknown[] {
  const value = fields[name];
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : refuse(placeOf(place, name), `\`${placeOf(place, name)}\` must be a list.`);
}

export function objectsIn(fields: Fields, name: string, place = ''): readonly Fields[] {
  return listIn(fields, name, place).map((item, at) => {
    const param = placeOf(placeOf(place, name), at);
    return isObject(item) ? item : refuse(param, `\`${param}\` must be an object.`);
  });
}

/** The members besides those known, null values left out. */
export function membersBeside(fields: Fields, known: ReadonlySet<string>): Fields {
  return Object.fromEntries(
    Object.entries(fields).filter(([name, value]) => !known.has(name) && value !== null && value !== undefined),
  );
}

/** The own members that `extras` has; empty when there are none. */
export function ownIn(extras: Extras | undefined): Fields {
  return extras?.[protocolId] ?? {};
}

/** The object to spread into a part or a turn; empty when there is nothing to keep. */
export function extrasOf(own: Fields): { readonly extras?: Extras } {
  return Object.keys(own).length === 0 ? {} : { extras: { [protocolId]: own } };
}
