/** Shapes that the inference operations share: fields of OpenAI's API, in open objects, as upstreams know more. */
import { type TProperties, type TSchema, Type } from '@sinclair/typebox';
import { longestModelName } from '../../core/models.ts';
import type { Content, Parameter } from './operations.ts';

export const open = (fields: TProperties, options: { readonly $id?: string; readonly description?: string } = {}) =>
  Type.Object(fields, { additionalProperties: true, ...options });
export const optional = (schema: TSchema) => Type.Optional(Type.Union([schema, Type.Null()]));
export const oneOf = (names: readonly string[], description: string) =>
  Type.Union(
    names.map((name) => Type.Literal(name)),
    { description },
  );
export const text = (description: string) => Type.String({ description });
export const number = (description: string, minimum: number, maximum: number) => Type.Number({ description, minimum, maximum });
export const integer = (description: string, minimum: number, maximum?: number) =>
  Type.Integer({ description, minimum, ...(maximum === undefined ? {} : { maximum }) });
export const flag = (description: string) => Type.Boolean({ description });

export const model = Type.Optional(
  Type.Union([Type.String({ maxLength: longestModelName }), Type.Null()], {
    description: '`PROVIDER/MODEL`, or a bare id that one provider lists; absent, empty or `default`: the default model',
  }),
);
export const user = Type.Optional(text('your own id for the person behind this; it goes to the provider'));

const tokens = (description: string) => Type.Integer({ minimum: 0, description });
export const usage = open(
  {
    prompt_tokens: tokens('tokens that were sent'),
    completion_tokens: Type.Optional(tokens('tokens that were made')),
    total_tokens: tokens('both'),
  },
  { $id: 'Usage', description: 'what the call used, as the provider counts' },
);

/** A preferred auth profile. */
export const profileParameter: Parameter = {
  name: 'X-Auth-Profile',
  in: 'header',
  description: 'The auth profile to use, or a suffix of its id: `work` for `groq:work`.',
  schema: Type.String(),
};

export const answerHeaders = {
  'X-Ola-Provider': 'The provider that answered.',
  'X-Ola-Model': 'Its own id of the model.',
  'X-Ola-Attempts': 'How many credentials were tried, when it was more than one.',
} as const;

/** What every inference route can be refused with, besides what its body may be wrong in. */
export const inferenceErrors = [
  'invalid_request',
  'egress_destination_blocked',
  'model_not_found',
  'provider_resolution_failed',
  'provider_disabled',
  'upstream_http_error',
  'upstream_auth_error',
  'upstream_unreachable',
  'upstream_truncated',
  'provider_error',
  'upstream_timeout',
] as const;

/** Server-sent events, one `data:` line of JSON each. */
export const eventStream = (description: string): Content => ({
  type: 'text/event-stream',
  schema: Type.String({ description }),
});

export const bytesOf = (type: string, description: string): Content => ({
  type,
  schema: Type.String({ format: 'binary', description }),
});
