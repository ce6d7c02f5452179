import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { documentSchema, providerSchema } from '../../src/core/document.ts';
import { OlaError } from '../../src/core/errors.ts';
import type { Json } from '../../src/core/json.ts';
import { compileCheck, unknownFields } from '../../src/core/schema.ts';
import { newTokenSchema } from '../../src/core/tokens.ts';
import { chatRequestSchema } from '../../src/protocols/openai-completions/routes.ts';

type Schema = Parameters<typeof compileCheck>[0];

function misfit(schema: Schema, value: unknown): OlaError {
  try {
    compileCheck(schema)(value);
  } catch (error) {
    if (error instanceof OlaError) return error;
  }
  throw new Error('it fits');
}

describe('what fits', () => {
  test('passes, with fields that the schema does not know', () => {
    compileCheck(chatRequestSchema)({ messages: [{ role: 'user', content: null, x: 1 }], stream: null, temperature: 'hot' });
    compileCheck(providerSchema)({});
    compileCheck(documentSchema)({ providers: { acme: { baseUrl: 'u', headers: { a: 'b' } } }, other: [] });
  });
});

describe('what does not fit', () => {
  const table: readonly [name: string, schema: Schema, value: unknown, param: string | undefined, expected: RegExp][] = [
    ['a field that is missing', chatRequestSchema, {}, 'messages', /^'messages' is missing\.$/],
    ['a field of another type', chatRequestSchema, { messages: 'hi' }, 'messages', /^'messages' does not fit: expected array/],
    ['an array that is empty', chatRequestSchema, { messages: [] }, 'messages', /greater or equal to 1/],
    [
      'an item, by its place',
      chatRequestSchema,
      { messages: [{}, 7] },
      'messages.1',
      /^'messages.1' does not fit: expected object/,
    ],
    ['a word that is no choice', providerSchema, { auth: 'soap' }, 'auth', /expected one of api-key, /],
    ['a field of a map', documentSchema, { providers: { acme: { baseUrl: 7 } } }, 'providers.acme.baseUrl', /string/],
    ['a name with a slash and a tilde', providerSchema, { headers: { 'a/b~c': 7 } }, 'headers.a/b~c', /^'headers.a\/b~c' /],
    ['what is meant, from the schema', providerSchema, { ports: [0] }, 'ports.0', /equal to 1/],
    [
      'a field that is not there, with the one that was meant',
      newTokenSchema,
      { name: 'n', scope: [] },
      'scope',
      /Did you mean 'scopes'\?$/,
    ],
    [
      'a field that is like none',
      newTokenSchema,
      { name: 'n', allowedModels: [] },
      'allowedModels',
      /The fields are name, scopes, /,
    ],
    ['the whole of it', providerSchema, 'text', undefined, /^The body does not fit: expected object/],
    ['nothing', providerSchema, undefined, undefined, /^The body /],
  ];
  for (const [name, schema, value, param, expected] of table) {
    test(`is named: ${name}`, () => {
      const error = misfit(schema, value);
      expect(error.code).toBe('invalid_field');
      expect(error.status).toBe(422);
      expect(error.facts.param).toBe(param as string);
      expect(error.message).toMatch(expected);
    });
  }

  test('is never repeated: the value that was sent is not in the message', () => {
    const canary = 'CANARY-sk-0123456789';
    const value = fc.oneof(
      fc.constant(canary),
      fc.constant(canary.repeat(200)),
      fc.constant([canary]),
      fc.constant({ [`x`]: canary }),
      fc.integer(),
      fc.constant(null),
      fc.boolean(),
    );
    const field = fc.constantFrom(...Object.keys(providerSchema.properties));
    fc.assert(
      fc.property(field, value, (name, wrong) => {
        for (const [schema, body] of [
          [providerSchema, { [name]: wrong }],
          [documentSchema, { providers: { acme: { [name]: wrong } }, models: wrong, defaultModel: wrong }],
          [chatRequestSchema, { messages: wrong, model: wrong, stream: wrong }],
        ] as const) {
          try {
            compileCheck(schema)(body);
          } catch (error) {
            expect(error).toBeInstanceOf(OlaError);
            expect(JSON.stringify([String(error), (error as OlaError).facts])).not.toContain('CANARY');
          }
        }
      }),
    );
  });
});

describe('a number written as text', () => {
  test('is not taken for a number', () => {
    expect(misfit(providerSchema, { ports: ['443'] }).facts.param).toBe('ports.0');
  });
});

describe('unknown keys', () => {
  const unknown = (value: Json) => unknownFields(documentSchema, value).map(({ path }) => path);

  test('are reported with their path, below maps and arrays too', () => {
    const value = {
      providers: {
        acme: { baseUrl: 'u', apikey: 'k', headers: { anything: 'goes' }, models: [{ id: 'm' }, { id: 'n', size: 1 }] },
      },
      activProviderIds: [],
    };
    expect(unknown(value)).toEqual(['providers.acme.apikey', 'providers.acme.models.1.size', 'activProviderIds']);
  });

  test('named like something every object has are unknown too', () => {
    expect(unknown(JSON.parse('{"constructor": 1, "__proto__": {"a": 1}}') as Json)).toEqual(['constructor', '__proto__']);
  });

  test('come with the key that may have been meant', () => {
    const reasons = unknownFields(providerSchema, { baseURL: 'u', zzzzzzzzzz: 1 }).map(({ reason }) => reason);
    expect(reasons[0]).toEndWith("Did you mean 'baseUrl'?");
    expect(reasons[1]).toEndWith('it is kept as it is');
  });

  test('their reason does not hold the value', () => {
    expect(JSON.stringify(unknownFields(providerSchema, { apikey: 'CANARY' }))).not.toContain('CANARY');
  });
});

describe('keys of a later version', () => {
  const said = (value: Json) => unknownFields(documentSchema, value).map(({ path, reason }) => [path, reason.includes('act')]);

  test('are reported once each, and nothing below those whose content nobody knows yet', () => {
    const value = {
      authProfiles: { 'a:b': { provider: 'a', type: 'oauth', email: 'a', odd: 1 } },
      telemetry: { endpoint: 'x', deep: { a: 1 } },
      egressPolicy: { fetchImages: true, mode: 'off' },
      providers: { acme: { weight: 1, models: [{ id: 'm', api: 'ollama' }] } },
    };
    expect(said(value)).toEqual([
      ['authProfiles.a:b.email', true],
      ['authProfiles.a:b.odd', false],
      ['telemetry', true],
      ['egressPolicy.fetchImages', true],
      ['providers.acme.weight', true],
      ['providers.acme.models.0.api', true],
    ]);
  });
});

test('of several types the message names each', () => {
  const check = compileCheck(chatRequestSchema);
  const messages = [{ role: 'user', content: 'x' }];
  expect(() => check({ messages, stream: 'yes' })).toThrow("'stream' does not fit: expected boolean or null.");
  expect(() => check({ messages, model: 5 })).toThrow("'model' does not fit: expected string or null.");
});
