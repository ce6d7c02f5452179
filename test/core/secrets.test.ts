import { describe, expect, test } from 'bun:test';
import { Type } from '@sinclair/typebox';
import fc from 'fast-check';
import { documentSchema, providerSchema } from '../../src/core/document.ts';
import type { Json, JsonObject } from '../../src/core/json.ts';
import { isSecretReference, mapSecrets, type Path, redacted, valueAt } from '../../src/core/secrets.ts';

const text = (document: unknown) => JSON.stringify(document);
const dangerousKey = fc.constantFrom('__proto__', 'constructor', 'toString', 'prototype', 'hasOwnProperty');
const key = fc.oneof(
  fc.string({ maxLength: 6 }),
  dangerousKey,
  fc.constantFrom('apiKey', 'headers', 'models', 'providers', 'baseUrl'),
);

/** Own keys only, `__proto__` among them. */
function objectOf(entries: readonly (readonly [string, Json])[]): JsonObject {
  const object: Record<string, Json> = {};
  for (const [name, value] of entries)
    Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true });
  return object;
}

const { json } = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.string({ maxLength: 8 }),
    fc.array(tie('json'), { maxLength: 4 }),
    fc.array(fc.tuple(key, tie('json')), { maxLength: 5 }).map(objectOf),
  ),
}));
const anyObject = fc.array(fc.tuple(key, json), { maxLength: 6 }).map(objectOf);

/** Known fields well formed, with unknown ones beside them. */
const provider = fc
  .tuple(
    fc.record(
      {
        baseUrl: fc.webUrl(),
        apiKey: fc.string(),
        headers: fc.array(fc.tuple(key, fc.string()), { maxLength: 4 }).map(objectOf),
        models: fc.array(fc.record({ id: fc.string(), note: json }), { maxLength: 3 }),
        allowLocal: fc.boolean(),
      },
      { requiredKeys: [] },
    ),
    anyObject,
  )
  .map(([known, unknown]) => objectOf([...Object.entries(unknown), ...Object.entries(known as JsonObject)] as [string, Json][]));
const document = fc
  .tuple(fc.array(fc.tuple(key, provider), { maxLength: 3 }).map(objectOf), anyObject)
  .map(([providers, unknown]) => objectOf([...(Object.entries(unknown) as [string, Json][]), ['providers', providers]]));

/** Every string of a document with its path, and whether the schema knows it as no secret. */
const found = (value: JsonObject) => {
  const places: [string, Json][] = [];
  mapSecrets(value, documentSchema, (secret, path) => {
    places.push([path.join('\u0000'), secret]);
    return secret;
  });
  return places;
};

describe('a document', () => {
  test('that is mapped to itself stays the same, whatever its keys are', () => {
    fc.assert(
      fc.property(fc.oneof(document, anyObject), (value) => {
        expect(text(mapSecrets(value, documentSchema, (secret) => secret))).toBe(text(value));
      }),
    );
  });

  test('that is redacted and written back with its secrets is what it was', () => {
    fc.assert(
      fc.property(document, (value) => {
        const kept = new Map<string, Json>();
        const shown = mapSecrets(value, documentSchema, (secret, path) => {
          kept.set(text(path), secret);
          return redacted;
        });
        const back = mapSecrets(shown, documentSchema, (placeholder, path) => {
          expect(placeholder).toBe(redacted);
          return kept.get(text(path));
        });
        expect(text(back)).toBe(text(value));
      }),
    );
  });

  test('is not changed by being mapped', () => {
    fc.assert(
      fc.property(document, (value) => {
        const before = text(value);
        mapSecrets(value, documentSchema, () => redacted);
        expect(text(value)).toBe(before);
      }),
    );
  });

  test('gives the path at which each secret can be found again', () => {
    fc.assert(
      fc.property(document, (value) => {
        for (const [path, secret] of found(value)) expect(valueAt(value, path.split('\u0000'))).toEqual(secret);
      }),
    );
  });

  test('has a secret in every string under a key that the schema does not know, however deep', () => {
    const canary = fc.string({ minLength: 1, maxLength: 4 }).map((end) => `CANARY-${end}`);
    const { deep } = fc.letrec<{ deep: Json }>((tie) => ({
      deep: fc.oneof(canary, fc.array(tie('deep'), { maxLength: 3 }), fc.dictionary(key, tie('deep'), { maxKeys: 3 })),
    }));
    fc.assert(
      fc.property(deep, deep, deep, (a, b, c) => {
        const value = {
          vendor: a,
          providers: { acme: { baseUrl: 'https://a.example', extra: b, models: [{ id: 'm', extra: c }] } },
        };
        const shown = text(mapSecrets(value, documentSchema, () => redacted));
        expect(shown).not.toContain('CANARY');
        expect(shown).toContain('https://a.example');
      }),
    );
  });
});

describe('secret is', () => {
  const secretsOf = (value: JsonObject, schema = providerSchema as Parameters<typeof mapSecrets>[1]) => {
    const paths: string[] = [];
    mapSecrets(value, schema, (secret, path) => {
      paths.push(path.join('.'));
      return secret;
    });
    return paths;
  };

  test('a field that is marked, every header value, nothing else that is known', () => {
    const value = {
      baseUrl: 'u',
      api: 'a',
      apiKey: 'k',
      headers: { a: '1', B: '2' },
      models: [{ id: 'm', name: 'n' }],
      hint: 'h',
    };
    expect(secretsOf(value)).toEqual(['apiKey', 'headers.a', 'headers.B']);
  });

  test('every string under an unknown key, in objects and arrays; numbers, booleans and null are not', () => {
    const value = { extra: { a: 'x', list: ['y', 1, { deep: 'z' }, null], flag: true, nothing: null } };
    expect(secretsOf(value)).toEqual(['extra.a', 'extra.list.0', 'extra.list.2.deep']);
  });

  test('a marked field that is null: it is being deleted', () => {
    const seen: Json[] = [];
    mapSecrets({ apiKey: null, headers: { a: null } }, providerSchema, (secret) => {
      seen.push(secret);
      return undefined;
    });
    expect(seen).toEqual([null, null]);
  });

  test('a field named like something every object has', () => {
    expect(secretsOf({ constructor: 'x', toString: 'y' } as unknown as JsonObject)).toEqual(['constructor', 'toString']);
    expect(secretsOf(JSON.parse('{"__proto__": {"apiKey": "x"}}') as JsonObject)).toEqual(['__proto__.apiKey']);
  });

  test('marked inside arrays too', () => {
    const schema = Type.Object({
      list: Type.Array(Type.Object({ key: Type.String({ 'x-secret': true }), name: Type.String() })),
    });
    expect(
      secretsOf(
        {
          list: [
            { key: 'a', name: 'b' },
            { key: 'c', name: 'd' },
          ],
        },
        schema,
      ),
    ).toEqual(['list.0.key', 'list.1.key']);
  });
});

describe('what the callback says', () => {
  test('undefined leaves the place out of an object, and null in an array, so that places keep their numbers', () => {
    const value = { baseUrl: 'u', apiKey: 'k', extra: ['a', 1] };
    expect(mapSecrets(value, providerSchema, () => undefined)).toEqual({ baseUrl: 'u', extra: [null, 1] });
  });

  test('a key named __proto__ becomes an own property and no prototype', () => {
    const value = JSON.parse('{"extra": {"__proto__": {"polluted": "yes"}}, "__proto__": "x"}') as JsonObject;
    const copy = mapSecrets(value, providerSchema, () => redacted);
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
    expect(text(copy)).toBe('{"extra":{"__proto__":{"polluted":"[REDACTED]"}},"__proto__":"[REDACTED]"}');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test('a reference is handed over whole wherever it stands', () => {
    const paths: Path[] = [];
    const reference = { $secret: 'id' };
    mapSecrets({ apiKey: reference, extra: [reference], headers: { a: reference } }, providerSchema, (value, path) => {
      expect(value).toEqual(reference);
      paths.push(path);
      return value;
    });
    expect(paths.map((path) => path.join('.'))).toEqual(['apiKey', 'extra.0', 'headers.a']);
  });
});

describe('a reference', () => {
  test('is an object with that one key and a string in it', () => {
    expect(isSecretReference({ $secret: 'id' })).toBe(true);
    for (const value of [null, 'id', [], { $secret: 1 }, { $secret: 'id', more: 1 }, {}, ['$secret']]) {
      expect(isSecretReference(value)).toBe(false);
    }
  });
});

describe('the value at a path', () => {
  test('is of the document, never of what every object has', () => {
    const value = { list: [{ a: 1 }], text: 'abc' };
    expect(valueAt(value, ['list', '0', 'a'])).toBe(1);
    expect(valueAt(value, [])).toBe(value);
    for (const path of [
      ['constructor'],
      ['__proto__'],
      ['text', '0'],
      ['text', 'length'],
      ['list', 'length'],
      ['list', '1'],
      ['no', 'no'],
    ]) {
      expect(valueAt(value, path)).toBeUndefined();
    }
  });
});

test('one object under two schemas is judged by each', () => {
  const shared = { apiKey: 'sk-1', baseUrl: 'https://a.example' };
  const kinds: [string, string][] = [];
  mapSecrets({ providers: { a: shared }, mine: shared }, documentSchema, (value, path, kind) => {
    kinds.push([path.join('.'), kind]);
    return value;
  });
  expect(kinds).toEqual([
    ['providers.a.apiKey', 'credential'],
    ['mine.apiKey', 'unknown'],
    ['mine.baseUrl', 'unknown'],
  ]);
});

test('the callback is told what makes a place secret', () => {
  const kinds = new Map<string, string>();
  const document = {
    providers: { a: { apiKey: 'x', headers: { h: 'x' }, odd: 'x', models: [{ id: 'm', headers: { h: 'x' } }] } },
    authProfiles: { p: { provider: 'a', type: 'token', token: 'x', metadata: { plan: 'x' } } },
    telemetry: { endpoint: 'x' },
  };
  mapSecrets(document, documentSchema, (value, path, kind) => {
    kinds.set(path.join('.'), kind);
    return value;
  });
  expect(Object.fromEntries(kinds)).toEqual({
    'providers.a.apiKey': 'credential',
    'providers.a.headers.h': 'plain',
    'providers.a.odd': 'unknown',
    'providers.a.models.0.headers.h': 'plain',
    'authProfiles.p.token': 'credential',
    'authProfiles.p.metadata.plan': 'plain',
    'telemetry.endpoint': 'unknown',
  });
});
