/** Requests of OpenAI's API, open objects, checked only as deep as ola reads them: all else goes to the upstream as it came. */
import { type TProperties, Type } from '@sinclair/typebox';

const nullable = <Schema extends Parameters<typeof Type.Union>[0][number]>(schema: Schema) =>
  Type.Optional(Type.Union([schema, Type.Null()]));

/** More characters than any model's name has. */
export const longestModelName = 512;
const model = nullable(Type.String({ maxLength: longestModelName }));
const stream = nullable(Type.Boolean());
const streamOptions = nullable(Type.Object({ include_usage: nullable(Type.Boolean()) }, { additionalProperties: true }));

const open = <Fields extends TProperties>(fields: Fields) => Type.Object(fields, { additionalProperties: true });
const someObject = open({});

export const chatRequestSchema = open({
  model,
  messages: Type.Array(someObject, { minItems: 1 }),
  stream,
  stream_options: streamOptions,
});

const tokens = Type.Array(Type.Integer());
const promptShapes = [Type.String(), Type.Array(Type.String()), tokens, Type.Array(tokens), Type.Null()];

export const completionRequestSchema = open({
  model,
  prompt: Type.Optional(Type.Union(promptShapes)),
  stream,
  stream_options: streamOptions,
});

/** What `input` must be is asked by `checkEmbeddingInput`: a misfit is another error there. */
export const embeddingRequestSchema = open({ model, input: Type.Optional(Type.Unknown()) });

export const moderationRequestSchema = open({
  model,
  input: Type.Union([Type.String(), Type.Array(Type.String()), Type.Array(someObject)]),
});

export const imageRequestSchema = open({ model, prompt: Type.String(), stream });

export const speechRequestSchema = open({ model, input: Type.String(), stream_format: nullable(Type.String()) });

/** What ola reads of every request, whatever it is for. */
export interface InferenceRequest {
  /** As the client wrote it; absent, null, empty or `default`: the default model. */
  readonly model?: string | null;
  /** Whether a stream of events is asked for; other values where nobody asks. */
  readonly stream?: unknown;
  readonly stream_options?: unknown;
  readonly [field: string]: unknown;
}
