import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { formatPath, isSecret, readDocumentPath, setAt, spelledIn, unknownKey } from '../../src/cli/paths.ts';
import { documentSchema } from '../../src/core/document.ts';
import { foldNames } from '../../src/core/field-names.ts';
import type { Json, JsonObject } from '../../src/core/json.ts';
import { editJsonc, parseJsonc } from '../../src/core/jsonc.ts';
import { valueAt } from '../../src/core/secrets.ts';

const place = (text: string) => readDocumentPath(text, 'ola config get --help');

describe('a path', () => {
  test.each([
    ['defaultModel', ['defaultModel']],
    ['providers.acme.headers["x-a.b"]', ['providers', 'acme', 'headers', 'x-a.b']],
    ['providers.acme.headers[x-a.b]', ['providers', 'acme', 'headers', 'x-a.b']],
    ["providers['a.b'].baseUrl", ['providers', 'a.b', 'baseUrl']],
    ['providers."a.b".baseUrl', ['providers', 'a.b', 'baseUrl']],
    ['egressPolicy.allowedPorts[0]', ['egressPolicy', 'allowedPorts', '0']],
    ['authProfiles.openai:work.enabled', ['authProfiles', 'openai:work', 'enabled']],
    ['egress_policy.deny_hosts', ['egressPolicy', 'denyHosts']],
    ['providers.my_vendor.base_url', ['providers', 'my_vendor', 'baseUrl']],
  ])('%s', (text, path) => {
    expect(place(text).path).toEqual(path);
  });

  test.each(['', '.', 'a.', 'a..b', 'a[', 'a[]', 'a]b', 'a["b', 'a["\\x"]', '[0'])('%p cannot be read', (text) => {
    expect(() => place(text)).toThrow(/^the path/);
  });

  test('of any names reads back from its own text', () => {
    const name = fc.string({ minLength: 1, maxLength: 8, unit: 'binary' });
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 4 }), (names) => {
        // Below an unknown name no spelling is folded.
        const path = ['unknown', ...names];
        expect(place(formatPath(path)).path).toEqual(path);
      }),
    );
  });

  test('says whether what is written there is a secret', () => {
    for (const text of [
      'serverToken',
      'providers.acme.apiKey',
      'providers.acme.headers.x',
      'authProfiles.a:b.key',
      'nonsense.x',
    ]) {
      expect([text, isSecret(place(text))]).toEqual([text, true]);
    }
    for (const text of [
      'defaultModel',
      'providers.acme.baseUrl',
      'egressPolicy.allowedPorts[0]',
      'providers.acme.models[0].id',
    ]) {
      expect([text, isSecret(place(text))]).toEqual([text, false]);
    }
  });
});

describe('a name that nothing knows', () => {
  const document = {
    providers: { acme: { baseUrl: 'https://acme.example/v1' }, umbrella: {} },
    egressPolicy: { allowedPorts: [443] },
  };
  const unknown = (text: string, free: boolean) => unknownKey(document, place(text), free);

  test('is told with the names that come closest', () => {
    expect(unknown('egresPolicy.mode', true)).toMatchObject({ key: 'egresPolicy', parent: [], nearest: ['egressPolicy'] });
    expect(unknown('providers.acme.baseURI', true)).toMatchObject({ parent: ['providers', 'acme'], nearest: ['baseUrl'] });
    expect(unknown('providers.acmee.baseUrl', false)?.nearest).toEqual(['acme']);
    expect(unknown('providers.zzzzzzzz', false)?.nearest).toEqual(['acme', 'umbrella']);
    expect(unknown('egressPolicy.allowedPorts[1]', false)?.key).toBe('1');
    expect(unknown('egressPolicy.allowedPorts[2]', true)?.key).toBe('2');
    expect(unknown('__proto__.x', true)?.key).toBe('__proto__');
  });

  test('is none where whoever writes chooses names, and where the schema has it', () => {
    for (const text of ['providers.fresh.baseUrl', 'egressPolicy.allowedPorts[1]', 'cors.origins', 'providers.acme.headers.x']) {
      expect([text, unknown(text, true)]).toEqual([text, null]);
    }
    expect(unknown('egressPolicy.mode', false)).toBeNull();
  });
});

const key = fc.constantFrom('a', 'b', 'c', '__proto__', 'x-a.b');
const json: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<Json>(1, 'text', true, null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(key, tie('value'), { maxKeys: 3 }),
  ),
})).value;

describe('a value that is set', () => {
  const documents = fc.dictionary(key, json) as fc.Arbitrary<JsonObject>;

  test('is there, is the only change, and is gone when it is taken out', () => {
    fc.assert(
      fc.property(documents, fc.array(key, { minLength: 1, maxLength: 3 }), json, (document, path, value) => {
        const before = JSON.stringify(document);
        const next = trySet(document, path, value);
        expect(JSON.stringify(document)).toBe(before);
        if (next === null) return;
        expect(valueAt(next, path)).toEqual(value);
        const removed = setAt(next, path, undefined, 'ola');
        expect(valueAt(removed, path)).toBeUndefined();
        expect(JSON.stringify(Object.keys(next).filter((name) => name !== path[0]))).toBe(
          JSON.stringify(Object.keys(document).filter((name) => name !== path[0])),
        );
      }),
    );
  });

  test('never turns what has no members into something that has', () => {
    expect(() => setAt({ defaultModel: 'x' }, ['defaultModel', 'y'], 1, 'ola')).toThrow("'defaultModel.y' cannot be set");
    expect(() => setAt({ list: [1] }, ['list', 'x'], 1, 'ola')).toThrow("'list.x' cannot be set");
    expect(setAt({ list: [1, 2] }, ['list', '0'], undefined, 'ola')).toEqual({ list: [2] });
    expect(setAt({ list: [1] }, ['list', '1'], 2, 'ola')).toEqual({ list: [1, 2] });
  });
});

function trySet(document: JsonObject, path: readonly string[], value: Json): JsonObject | null {
  try {
    return setAt(document, path, value, 'ola');
  } catch {
    return null;
  }
}

test('in a file a value goes where the file spells its names otherwise, and everything else stays', () => {
  const text = '{\n  // where calls may go\n  "egress_policy": { "allowed_ports": [443] }, // end\n}\n';
  const { path } = place('egressPolicy.allowedPorts[1]');
  const edited = editJsonc(text, spelledIn(parseJsonc(text) as JsonObject, path), 8443);
  expect(edited).toContain('// where calls may go');
  expect(edited).toContain('// end');
  expect(foldNames(parseJsonc(edited), documentSchema)).toEqual({ egressPolicy: { allowedPorts: [443, 8443] } });
});
