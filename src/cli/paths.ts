/** Paths in the configuration as people type them: `providers.acme.headers["x-a.b"]`, `egressPolicy.allowedPorts[0]`. */
import { documentSchema } from '../core/document.ts';
import { isObject, type Json, type JsonObject } from '../core/json.ts';
import { nearestNames } from '../core/nearest.ts';
import type { compileCheck } from '../core/schema.ts';
import { type Path, valueAt } from '../core/secrets.ts';
import { usageFailure } from './failure.ts';

type Schema = Parameters<typeof compileCheck>[0];

/** A path in the document and the schema of the value there. */
export interface DocumentPath {
  /** Keys in the schema's spelling. */
  readonly path: Path;
  /** Null when the schema does not describe this path. */
  readonly schema: Schema | null;
}

/** One key of a path. A key that contains a dot is put in brackets; quotes are optional there, because shells remove them. */
const step = /(?:^|\.)([^.[\]"']+)|(?:^|\.)("(?:[^"\\]|\\.)+")|\[("(?:[^"\\]|\\.)+")\]|\['([^']+)'\]|\[([^\]"']+)\]/y;

/** @throws Failure (usage) */
export function readDocumentPath(text: string, next: string): DocumentPath {
  const path: string[] = [];
  let schema: Schema | null = documentSchema;
  step.lastIndex = 0;
  for (let at = 0; at < text.length; at = step.lastIndex) {
    const written = step
      .exec(text)
      ?.slice(1)
      .find((part) => part !== undefined);
    const key = written?.startsWith('"') ? unquoted(written) : written;
    if (key === undefined) {
      const why = `Expected names separated by dots, and brackets around a name that contains a dot: providers.acme.headers["x-a.b"].`;
      throw usageFailure('the path cannot be read', why, next);
    }
    const name = spelling(schema, key);
    path.push(name);
    schema = memberOf(schema, name);
  }
  if (path.length === 0) throw usageFailure('the path is empty', 'Give a path like providers.acme.baseUrl.', next);
  return { path, schema };
}

/** @returns undefined when the text is not a JSON string */
function unquoted(text: string): string | undefined {
  try {
    return JSON.parse(text) as string;
  } catch {
    return undefined;
  }
}

/** The inverse of `readDocumentPath`. */
export function formatPath(path: Path): string {
  const text = path.map((key) => {
    if (/^\d+$/.test(key)) return `[${key}]`;
    return /^[^.[\]"'\s]+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
  });
  return text.join('').replace(/^\./, '');
}

/** True when text at this path is treated as a secret: the schema says so, or does not describe the path. */
export function isSecret({ schema }: DocumentPath): boolean {
  return schema === null || schema['x-secret'] === true;
}

/** The schema's name for a key that is typed in snake_case; any other key as it is. */
function spelling(schema: Schema | null, key: string): string {
  const camel = key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  return !knows(schema, key) && knows(schema, camel) ? camel : key;
}

function propertiesOf(schema: Schema | null): Readonly<Record<string, Schema>> {
  return (schema?.['properties'] ?? {}) as Record<string, Schema>;
}

function knows(schema: Schema | null, key: string): boolean {
  return Object.hasOwn(propertiesOf(schema), key);
}

/** The schema of the members of a map or a list. */
function eachOf(schema: Schema | null): Schema | null {
  const patterns = schema?.['patternProperties'] as Record<string, Schema> | undefined;
  return (patterns === undefined ? (schema?.['items'] as Schema | undefined) : Object.values(patterns)[0]) ?? null;
}

function memberOf(schema: Schema | null, key: string): Schema | null {
  return knows(schema, key) ? (propertiesOf(schema)[key] ?? null) : eachOf(schema);
}

/** True when the user chooses the names at this level: in a map, in a section of a later version, and where there is no schema. */
function isFree(schema: Schema | null): boolean {
  if (schema === null || schema['patternProperties'] !== undefined) return true;
  return schema['x-later'] === true && Object.keys(propertiesOf(schema)).length === 0;
}

/** The first key of a path that neither the document nor the schema has. */
export interface Unknown {
  readonly key: string;
  /** Path of the object in which the key was looked for. */
  readonly parent: Path;
  /** The names there that are most like the key; all names when none is like it. */
  readonly nearest: readonly string[];
}

/**
 * @param free true when a new name is allowed where the user chooses names: to add a provider
 * @returns null when every key is known
 */
export function unknownKey(document: JsonObject, { path }: DocumentPath, free: boolean): Unknown | null {
  let schema: Schema | null = documentSchema;
  for (const [index, key] of path.entries()) {
    const parent = path.slice(0, index);
    const level = valueAt(document, parent);
    const known = new Set([
      ...Object.keys(propertiesOf(schema)),
      ...(typeof level === 'object' && level ? Object.keys(level) : []),
    ]);
    const next = Array.isArray(level) && key === String(level.length);
    if (!known.has(key) && !(free && (next || isFree(schema)))) return { key, parent, nearest: nearestOf(key, [...known]) };
    schema = memberOf(schema, key);
  }
  return null;
}

export function sayUnknown({ key, parent, nearest }: Unknown): string {
  const where = parent.length === 0 ? '' : ` in '${formatPath(parent)}'`;
  const names = nearest.length === 0 ? '' : ` Nearest: ${nearest.map((name) => formatPath([name])).join(', ')}.`;
  return `Nothing is named '${key}'${where}.${names}`;
}

/** Names suggested for an unknown key. */
const maxSuggestions = 8;

function nearestOf(key: string, names: readonly string[]): readonly string[] {
  const close = nearestNames(key, names, maxSuggestions);
  return close.length > 0 ? close : [...names].sort().slice(0, maxSuggestions);
}

/** Older names of sections, which a configuration file may still use. */
const olderNames: Readonly<Record<string, Path>> = { authProfiles: ['auth', 'profiles'], authOrder: ['auth', 'order'] };

/** The same path in a file's document (names folded), which may use the older name of the section. */
export function placeInFile(document: JsonObject, { path, schema }: DocumentPath): DocumentPath {
  const [section = '', id, ...rest] = path;
  const older = Object.hasOwn(olderNames, section) ? olderNames[section] : undefined;
  if (older === undefined || id === undefined || valueAt(document, [...older, id]) === undefined) return { path, schema };
  return { path: [...older, id, ...rest], schema };
}

/** The path in the file's spelling: snake_case where the file uses it, numbers for items of lists. */
export function spelledIn(document: JsonObject, path: Path): (string | number)[] {
  const spelled: (string | number)[] = [];
  let schema: Schema | null = documentSchema;
  for (const key of path) {
    const level = valueAt(document, spelled.map(String));
    const snake = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const foreign = isObject(level) && !Object.hasOwn(level, key) && Object.hasOwn(level, snake) && knows(schema, key);
    if (Array.isArray(level)) spelled.push(Number(key));
    else spelled.push(foreign ? snake : key);
    schema = memberOf(schema, key);
  }
  return spelled;
}

/**
 * The path to remove so that no empty section is left: `usage` for the only value in it. An entry of a map stays, because an
 * empty one has a meaning (`providers.ollama`).
 */
export function pathToUnset(document: JsonObject, path: Path): Path {
  for (let length = path.length - 1; length > 0; length--) {
    const parent = valueAt(document, path.slice(0, length));
    const isOnly = isObject(parent) && Object.keys(parent).length === 1;
    if (!isOnly || isEntry(path.slice(0, length))) return path.slice(0, length + 1);
  }
  return path.slice(0, 1);
}

/** True when the user chose the last name of the path. */
function isEntry(path: Path): boolean {
  let schema: Schema | null = documentSchema;
  for (const key of path.slice(0, -1)) schema = memberOf(schema, key);
  return !knows(schema, path.at(-1) ?? '');
}

/**
 * Copies the document with one value set, or removed when it is undefined. Missing objects on the path are created.
 * @throws Failure (usage) when a value on the path is neither an object nor a list
 */
export function setAt(document: JsonObject, path: Path, value: Json | undefined, next: string): JsonObject {
  const refuse = (at: Path) =>
    usageFailure(`'${formatPath(path)}' cannot be set`, `'${formatPath(at)}' has no member of that name.`, next);
  function within(current: Json | undefined, depth: number): Json | undefined {
    const key = path[depth];
    if (key === undefined) return value;
    const below = path.slice(0, depth);
    if (Array.isArray(current))
      return withItem(current, key, within((current as readonly Json[])[Number(key)], depth + 1), () => refuse(below));
    if (current !== undefined && !isObject(current)) throw refuse(below);
    const object = (current ?? {}) as JsonObject;
    const member = within(Object.hasOwn(object, key) ? object[key] : undefined, depth + 1);
    if (member === undefined) return Object.fromEntries(Object.entries(object).filter(([name]) => name !== key));
    // A computed key defines an own property, even when it is `__proto__`.
    return { ...object, [key]: member };
  }
  return within(document, 0) as JsonObject;
}

function withItem(list: readonly Json[], key: string, item: Json | undefined, refuse: () => Error): Json {
  const index = Number(key);
  if (!/^\d+$/.test(key) || index > list.length) throw refuse();
  return item === undefined ? list.filter((_, at) => at !== index) : [...list.slice(0, index), item, ...list.slice(index + 1)];
}
