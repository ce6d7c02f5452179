import { describe, expect, test } from 'bun:test';
import { Type } from '@sinclair/typebox';
import { createSchemas } from '../../../src/http/reference/schemas.ts';

const shown = (schema: Parameters<ReturnType<typeof createSchemas>['show']>[0]) => createSchemas({}).show(schema);

describe('a schema as the reference shows it', () => {
  test('has choices of constants as one list, of one type alone', () => {
    expect(shown(Type.Union([Type.Literal('a'), Type.Literal('b')], { description: 'which' }))).toEqual({
      type: 'string',
      enum: ['a', 'b'],
      description: 'which',
    });
    const mixed = Type.Union([Type.Literal('a'), Type.Literal(1)]);
    expect(shown(mixed)['enum']).toBeUndefined();
    expect(shown(mixed)['anyOf']).toHaveLength(2);
  });

  test('has what may be null as a list of types', () => {
    expect(shown(Type.Union([Type.String({ maxLength: 3 }), Type.Null()], { description: 'why' }))).toEqual({
      type: ['string', 'null'],
      maxLength: 3,
      description: 'why',
    });
    const choice = Type.Union([Type.Union([Type.Literal('a'), Type.Literal('b')]), Type.Null()]);
    expect(shown(choice)).toEqual({ anyOf: [{ type: 'string', enum: ['a', 'b'] }, { type: 'null' }] });
  });

  test('has a map as additional properties', () => {
    expect(shown(Type.Record(Type.String(), Type.Integer()))).toEqual({
      type: 'object',
      additionalProperties: { type: 'integer' },
    });
  });

  test('has none of our annotations, but what they mean', () => {
    const later = Type.Object(
      { key: Type.String({ 'x-secret': true, 'x-plain': true }) },
      { 'x-later': true, description: 'of tomorrow' },
    );
    expect(shown(later)).toEqual({
      type: 'object',
      required: ['key'],
      properties: { key: { type: 'string', format: 'password' } },
      description: 'of tomorrow; kept, and not acted on by this version',
    });
    expect(shown(Type.Integer({ maximum: Number.MAX_SAFE_INTEGER }))).toEqual({ type: 'integer' });
    expect(shown(Type.Integer({ maximum: 7 }))).toEqual({ type: 'integer', maximum: 7 });
  });

  test('keeps properties whose names are words of JSON Schema', () => {
    const odd = Type.Object({ properties: Type.Null(), items: Type.Null(), $id: Type.String(), anyOf: Type.Boolean() });
    expect(shown(odd)['properties']).toEqual({
      properties: { type: 'null' },
      items: { type: 'null' },
      $id: { type: 'string' },
      anyOf: { type: 'boolean' },
    });
  });
});

describe('a component', () => {
  const pet = Type.Object({ name: Type.String() }, { $id: 'Pet' });

  test('is what has an id, also inside lists and choices, and as an optional member', () => {
    const schemas = createSchemas({});
    const reference = { $ref: '#/components/schemas/Pet' };
    expect(schemas.show(Type.Array(pet))).toEqual({ type: 'array', items: reference });
    expect(schemas.show(Type.Object({ pet: Type.Optional(pet) }))['properties']).toEqual({ pet: reference });
    expect(schemas.show(Type.Union([pet, Type.Number()]))['anyOf']).toEqual([reference, { type: 'number' }]);
    expect(schemas.components()).toEqual({
      Pet: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } },
    });
  });

  test('is what was named, wherever it stands, once it is met', () => {
    const named = Type.Object({ a: Type.String() });
    const schemas = createSchemas({ Named: named });
    expect(schemas.components()).toEqual({});
    expect(schemas.show(Type.Object({ one: Type.Optional(named) }))['properties']).toEqual({
      one: { $ref: '#/components/schemas/Named' },
    });
    expect(Object.keys(schemas.components())).toEqual(['Named']);
  });

  test('has one shape', () => {
    const schemas = createSchemas({});
    schemas.show(pet);
    expect(() => schemas.show(Type.Object({}, { $id: 'Pet' }))).toThrow('two schemas are called Pet');
  });
});
