import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { differencesOf } from '../../src/core/diff.ts';
import type { Json, JsonObject } from '../../src/core/json.ts';
import { isSecretReference, type Path, valueAt } from '../../src/core/secrets.ts';

const key = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('a', 'b', 'a.b', '', '0', 'constructor', 'hasOwnProperty', 'toString') },
  fc.string({ maxLength: 3 }).filter((text) => text !== '__proto__'),
);
const leaf = fc.oneof(
  fc.constantFrom<Json>(null, true, 0, '', 'x', [1], [], {}),
  fc.constantFrom('1', '2').map((id): Json => ({ $secret: id })),
);
const { json } = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie('json'), { maxLength: 3 }),
    fc.dictionary(key, tie('json'), { maxKeys: 4, noNullPrototype: true }),
  ),
}));
const document = fc.dictionary(key, json, { maxKeys: 4, noNullPrototype: true }) as fc.Arbitrary<JsonObject>;

function without(target: JsonObject, [first = '', ...rest]: Path): JsonObject {
  if (rest.length > 0) return { ...target, [first]: without(target[first] as JsonObject, rest) };
  return Object.fromEntries(Object.entries(target).filter(([name]) => name !== first));
}

function set(target: JsonObject, [first = '', ...rest]: Path, value: Json): JsonObject {
  return { ...target, [first]: rest.length === 0 ? value : set(target[first] as JsonObject, rest, value) };
}

/** Does to one document what is said to differ from the other. */
function apply(from: JsonObject, to: JsonObject): JsonObject {
  let next = from;
  for (const { path, change } of differencesOf(from, to)) {
    expect(valueAt(from, path) === undefined).toBe(change === 'added');
    expect(valueAt(to, path) === undefined).toBe(change === 'removed');
    next = change === 'removed' ? without(next, path) : set(next, path, valueAt(to, path) as Json);
  }
  return next;
}

describe('what differs between two documents', () => {
  test('makes one of the other, and nothing more is said than is needed', () => {
    fc.assert(
      fc.property(document, document, (from, to) => {
        expect(apply(from, to)).toEqual(to);
        const paths = differencesOf(from, to).map(({ path }) => path);
        for (const one of paths) {
          const within = paths.filter((other) => other.length < one.length && other.every((part, index) => part === one[index]));
          expect(within).toEqual([]);
        }
      }),
    );
  });

  test('is nothing when they are the same, in whatever order their keys stand', () => {
    const reversed = (value: Json): Json => {
      if (Array.isArray(value)) return value.map((item: Json) => reversed(item));
      if (typeof value !== 'object' || value === null || isSecretReference(value)) return value;
      const entries = Object.entries(value as JsonObject).toReversed();
      return Object.fromEntries(entries.map(([name, member]) => [name, reversed(member as Json)]));
    };
    fc.assert(
      fc.property(document, (one) => {
        expect(differencesOf(one, reversed(one) as JsonObject)).toEqual([]);
      }),
    );
  });

  test('is said by key in maps, of a list and of a secret as a whole', () => {
    const from = { providers: { acme: { ports: [1, 2], apiKey: { $secret: '1' }, gone: {} } }, same: { a: [{ $secret: '1' }] } };
    const to = { providers: { acme: { ports: [1, 3], apiKey: { $secret: '2' } }, 'x.y': {} }, same: { a: [{ $secret: '1' }] } };
    expect(differencesOf(from, to)).toEqual([
      { path: ['providers', 'acme', 'ports'], change: 'changed' },
      { path: ['providers', 'acme', 'apiKey'], change: 'changed' },
      { path: ['providers', 'acme', 'gone'], change: 'removed' },
      { path: ['providers', 'x.y'], change: 'added' },
    ]);
  });
});
