/** The hub shape: OpenAI's chat request, open, checked only as deep as ola reads it. */
import { type Static, Type } from '@sinclair/typebox';

/** Shallow on purpose: what ola does not read goes to the upstream as it came. */
export const chatRequestSchema = Type.Object(
  {
    model: Type.Optional(Type.Union([Type.String({ maxLength: 512 }), Type.Null()])),
    messages: Type.Array(Type.Object({}, { additionalProperties: true }), { minItems: 1 }),
    stream: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])),
    stream_options: Type.Optional(
      Type.Union([
        Type.Object({ include_usage: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])) }, { additionalProperties: true }),
        Type.Null(),
      ]),
    ),
  },
  { additionalProperties: true },
);
export type ChatRequest = Static<typeof chatRequestSchema> & { readonly [field: string]: unknown };
