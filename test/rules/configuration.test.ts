/** The page about the configuration against the schema, and the schema against the code that reads it. */
import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TSchema } from '@sinclair/typebox';
import { documentSchema } from '../../src/core/document.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { parseJsonc } from '../../src/core/jsonc.ts';
import { compileCheck, unknownFields } from '../../src/core/schema.ts';

const root = join(import.meta.dir, '../..');
const page = readFileSync(join(root, 'docs/configuration.md'), 'utf8');

interface Key {
  readonly path: string;
  readonly acts: boolean;
  readonly secret: boolean;
}

/** The same keys again under another name. */
const mirrors = ['models.providers', 'auth.profiles', 'auth.order', 'auth.bruteForceProtection'];

/** Every key; `ID` stands for the keys of a map, `[]` for the items of a list. */
function keysOf(schema: TSchema, path: string, acts: boolean): Key[] {
  const actsHere = acts && schema['x-later'] !== true;
  const each = Object.values((schema['patternProperties'] ?? {}) as Record<string, TSchema>)[0];
  const secret = schema['x-secret'] === true || each?.['x-secret'] === true;
  const own = path === '' ? [] : [{ path, acts: actsHere, secret }];
  if (mirrors.includes(path)) return own;
  const inside = (inner: TSchema | undefined, prefix: string): Key[] =>
    Object.entries((inner?.['properties'] ?? {}) as Record<string, TSchema>).flatMap(([key, member]) =>
      keysOf(member, `${prefix}${key}`, actsHere && inner?.['x-later'] !== true),
    );
  const items = schema['items'] as TSchema | undefined;
  return [
    ...own,
    ...inside(schema, path === '' ? '' : `${path}.`),
    ...inside(each, `${path}.ID.`),
    ...inside(items, `${path}[].`),
  ];
}

const keys = keysOf(documentSchema, '', true);
const rows = [...page.matchAll(/^\| `([^`]+)` \| (.+?) \|(.*)\| (yes|no) \|$/gm)].map(([, path = '', meaning = '', , acts]) => ({
  path,
  acts: acts === 'yes',
  secret: /\((?:values: )?secret\b/.test(meaning),
}));

test('every key is on the page once, and every key of the page is one', () => {
  expect(rows.length).toBeGreaterThan(100);
  expect(rows.map(({ path }) => path).sort()).toEqual(keys.map(({ path }) => path).sort());
});

test('the page says which keys this version acts on, and which hold secrets', () => {
  const byPath = (list: readonly Key[]) => Object.fromEntries(list.map(({ path, ...facts }) => [path, facts]));
  expect(byPath(rows)).toEqual(byPath(keys));
});

test('every key that this version acts on is read by the code', async () => {
  const sources: string[] = [];
  for await (const path of new Bun.Glob('src/**/*.ts').scan({ cwd: root })) {
    if (path !== 'src/core/document.ts') sources.push(withoutComments(readFileSync(join(root, path), 'utf8')));
  }
  const code = sources.join('\n');
  // `$schema` is for editors.
  const acting = keys.filter(({ path, acts }) => acts && path !== '$schema').map(({ path }) => path.split('.').at(-1) ?? '');
  expect(acting.length).toBeGreaterThan(40);
  expect(acting.filter((name) => !new RegExp(`\\b${name}\\b`).test(code))).toEqual([]);
  // Were this check blind, it would find these too.
  expect(
    ['bruteForceProtection', 'fetchImages', 'oauthProviders'].filter((name) => new RegExp(`\\b${name}\\b`).test(code)),
  ).toEqual([]);
});

/** Names in comments and in texts for people read nothing. */
function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}

test('the example of the page fits the schema, and says nothing that is not acted on', () => {
  const [, example = ''] = /```jsonc\n([\s\S]*?)```/.exec(page) ?? [];
  const document = parseJsonc(example) as JsonObject;
  compileCheck(documentSchema)(document);
  expect(unknownFields(documentSchema, document)).toEqual([]);
});
