/** Shapes and parameters that operations of several groups share. A schema with an `$id` becomes a component of that name. */
import { type TSchema, Type } from '@sinclair/typebox';
import type { Content, Parameter } from './operations.ts';

export const time = (description: string) => Type.String({ format: 'date-time', description });
export const timeOrNull = (description: string) => Type.Union([time(description), Type.Null()], { description });
export const ok = Type.Literal('ok');

const warning = Type.Object(
  {
    path: Type.String({ description: 'where, dotted' }),
    reason: Type.String({ description: 'why ola does not act on it' }),
  },
  { $id: 'Warning', description: 'something that was kept and that this version does not act on: look for a typing error' },
);
export const warnings = Type.Array(warning, { description: 'absent when there is nothing to say' });

export const missing = Type.Array(Type.String(), { description: 'places whose secrets are not in it' });

/** A page of a list. */
export function listOf(item: TSchema) {
  return Type.Object({
    object: Type.Literal('list'),
    data: Type.Array(item),
    hasMore: Type.Boolean(),
    nextCursor: Type.Union([Type.String(), Type.Null()], { description: 'give it as `after` for the next page' }),
  });
}

export const pageParameters: readonly Parameter[] = [
  {
    name: 'limit',
    in: 'query',
    description: 'So many at a time.',
    schema: Type.Integer({ minimum: 1, maximum: 1000, default: 50 }),
  },
  { name: 'after', in: 'query', description: 'The `nextCursor` of the page before.', schema: Type.String() },
];

export const ifMatch: Parameter = {
  name: 'If-Match',
  in: 'header',
  description: 'The `ETag` of the configuration that you have read: when it has changed since, nothing is written (412).',
  schema: Type.String(),
};

export const etagHeader = { ETag: 'The revision of the configuration, for `If-Match`.' } as const;

/** What every write of the configuration may be refused with, besides its own. */
export const writeErrors = ['config_managed_by_file', 'precondition_failed', 'persistence_unavailable'] as const;

export const json = (schema: TSchema, examples?: Content['examples']): readonly Content[] => [
  { type: 'application/json', schema, ...(examples === undefined ? {} : { examples }) },
];

/** The one envelope of errors, OpenAI's. */
export const errorSchema = Type.Object(
  {
    error: Type.Object({
      message: Type.String({ description: 'what went wrong, and what to do next' }),
      type: Type.Union(
        ['invalid_request_error', 'authentication_error', 'permission_error', 'rate_limit_error', 'api_error'].map((name) =>
          Type.Literal(name),
        ),
      ),
      param: Type.Union([Type.String(), Type.Null()], { description: 'the field that is at fault, dotted' }),
      code: Type.String({ description: 'for programs: it does not change' }),
      details: Type.Optional(Type.Object({}, { additionalProperties: true, description: 'facts, by code' })),
    }),
  },
  { $id: 'ErrorEnvelope', description: 'every error of ola' },
);
