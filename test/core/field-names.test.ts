import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { documentSchema, providerSchema } from '../../src/core/document.ts';
import { foldNames } from '../../src/core/field-names.ts';
import type { Json, JsonObject } from '../../src/core/json.ts';

const snake = (camel: string) => camel.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const fields = Object.keys(providerSchema.properties);
const key = fc.oneof(
  fc.constantFrom(...fields, ...fields.map(snake)),
  fc.constantFrom('__proto__', 'constructor', 'my_own', 'myOwn'),
  fc.string({ maxLength: 5 }),
);
const json = fc.jsonValue({ depthSize: 'small' }) as fc.Arbitrary<Json>;
const provider = fc
  .tuple(fc.array(fc.tuple(key, json), { maxLength: 6 }))
  .map(([entries]) => {
    const object: Record<string, Json> = {};
    for (const [name, value] of entries)
      Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true });
    return object as JsonObject;
  })
  .filter((value) =>
    fields.every((name) => snake(name) === name || !(Object.hasOwn(value, name) && Object.hasOwn(value, snake(name)))),
  );

const text = (value: unknown) => JSON.stringify(value);
const fold = (value: JsonObject) => foldNames(value, providerSchema);

describe('field names', () => {
  test('are taken in snake_case and kept in camelCase, below maps and arrays too', () => {
    const given = {
      providers: { my_company: { base_url: 'u', api_key: 'k', auth_header: false, models: [{ id: 'm', context_window: 1 }] } },
      active_provider_ids: ['a_b'],
      egress_policy: { resolve_dns: false },
    };
    expect(foldNames(given, documentSchema)).toEqual({
      providers: { my_company: { baseUrl: 'u', apiKey: 'k', authHeader: false, models: [{ id: 'm', contextWindow: 1 }] } },
      activeProviderIds: ['a_b'],
      egressPolicy: { resolveDns: false },
    });
  });

  test('for every field of a provider', () => {
    for (const name of fields) expect(fold({ [snake(name)]: 1 })).toEqual({ [name]: 1 });
  });

  test('fold once and for all: a second time changes nothing', () => {
    fc.assert(
      fc.property(provider, (value) => {
        const once = fold(value) as JsonObject;
        expect(text(fold(once))).toBe(text(once));
      }),
    );
  });

  test('fold without losing a value', () => {
    fc.assert(
      fc.property(provider, (value) => {
        expect(text(Object.values(fold(value) as JsonObject).map((it) => it))).toBe(text(Object.values(value)));
      }),
    );
  });
});

describe('what is no field of the schema stays as it is written', () => {
  test('keys of maps: header names and provider ids', () => {
    const value = { headers: { api_key: '1', x_y: '2', 'X-Z': '3' } };
    expect(fold(value)).toEqual(value);
    expect(foldNames({ providers: { base_url: {} } }, documentSchema)).toEqual({ providers: { base_url: {} } });
  });

  test('unknown keys, and everything under them', () => {
    const value = { my_field: { base_url: 'x', api_key: 'y' }, base__url: 1, _base_url: 2 };
    expect(fold(value)).toEqual(value);
  });

  test('__proto__ is an own key and no prototype', () => {
    const value = JSON.parse('{"__proto__": {"api_key": "x"}, "api_key": "y"}') as JsonObject;
    const folded = fold(value);
    expect(text(folded)).toBe('{"__proto__":{"api_key":"x"},"apiKey":"y"}');
    expect(Object.getPrototypeOf(folded)).toBe(Object.prototype);
  });

  test('what is no object', () => {
    for (const value of [null, 'base_url', 1, true, ['base_url']]) expect(foldNames(value, providerSchema)).toEqual(value);
  });
});

describe('two spellings of one field', () => {
  test('are refused by name, in either order, at any depth', () => {
    const twice = [
      { base_url: 'a', baseUrl: 'b' },
      { baseUrl: 'a', base_url: 'b' },
    ];
    for (const value of twice) {
      expect(() => fold(value)).toThrow(expect.objectContaining({ code: 'invalid_field', facts: { param: 'baseUrl' } }));
      expect(() => foldNames({ providers: { acme: value } }, documentSchema)).toThrow(
        expect.objectContaining({ facts: { param: 'providers.acme.baseUrl' } }),
      );
    }
    expect(() => fold({ models: [{ id: 'a' }, { id: 'b', max_tokens: 1, maxTokens: 2 }] })).toThrow(
      expect.objectContaining({ facts: { param: 'models.1.maxTokens' } }),
    );
  });
});
