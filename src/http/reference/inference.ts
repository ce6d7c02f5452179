/** What the reference says of inference and models: all routes under `/v1`. */
import { Type } from '@sinclair/typebox';
import { chatOperations } from './chat.ts';
import {
  answerHeaders,
  inferenceErrors,
  integer,
  model,
  oneOf,
  open,
  profileParameter,
  text,
  usage,
  user,
} from './inference-shapes.ts';
import { mediaOperations } from './media.ts';
import type { Operations } from './operations.ts';
import { json } from './shapes.ts';

const tokens = Type.Array(Type.Integer({ minimum: 0 }), { minItems: 1 });
const words = Type.String({ minLength: 1 });
const embeddingRequest = open(
  {
    model,
    input: Type.Union([words, Type.Array(words, { minItems: 1 }), tokens, Type.Array(tokens, { minItems: 1 })], {
      description: 'a text, a list of texts, tokens, or a list of them; none empty',
    }),
    encoding_format: Type.Optional(
      oneOf(['float', 'base64'], 'numbers, or 32-bit floats as base64; OpenAI’s packages ask for base64'),
    ),
    dimensions: Type.Optional(integer('so many numbers, where the model can', 1)),
    user,
  },
  { $id: 'EmbeddingRequest' },
);
const embeddingList = open(
  {
    object: Type.Literal('list'),
    data: Type.Array(
      open({
        object: Type.Literal('embedding'),
        index: Type.Integer({ minimum: 0 }),
        embedding: Type.Union([Type.Array(Type.Number()), Type.String({ description: 'base64' })]),
      }),
    ),
    model: Type.String(),
    usage: Type.Optional(usage),
  },
  { $id: 'Embeddings' },
);

const moderationInput = Type.Union([
  Type.String(),
  Type.Array(Type.String()),
  Type.Array(
    Type.Union([
      open({ type: Type.Literal('text'), text: Type.String() }),
      open({ type: Type.Literal('image_url'), image_url: open({ url: Type.String() }) }),
    ]),
  ),
]);
const moderation = open(
  {
    id: Type.String(),
    model: Type.String(),
    results: Type.Array(
      open({
        flagged: Type.Boolean({ description: 'whether any category is met' }),
        categories: Type.Record(Type.String(), Type.Boolean()),
        category_scores: Type.Record(Type.String(), Type.Number()),
      }),
    ),
  },
  { $id: 'Moderation' },
);

const modelView = open(
  {
    id: text('as it is asked for: `PROVIDER/MODEL`'),
    object: Type.Literal('model'),
    created: Type.Integer({ description: 'vendors do not say: 0' }),
    owned_by: text('the provider'),
    context_window: Type.Optional(Type.Integer({ description: 'in tokens, where it is known' })),
    max_output_tokens: Type.Optional(Type.Integer({ description: 'in tokens, where it is known' })),
  },
  { $id: 'Model' },
);
const echo = {
  id: 'demo/echo',
  object: 'model',
  created: 0,
  owned_by: 'demo',
  context_window: 131_072,
  max_output_tokens: 131_072,
};

export const inferenceOperations: Operations = {
  ...chatOperations,
  'POST /v1/embeddings': {
    id: 'createEmbedding',
    tag: 'Inference',
    description:
      'Texts as vectors, to compare them by meaning. The demo’s are made of a hash: good for trying, not for searching.',
    parameters: [profileParameter],
    request: json(embeddingRequest, {
      demo: { summary: 'From the demo model', value: { model: 'demo/echo', input: 'Hello' } },
      list: {
        summary: 'Several texts',
        value: { model: 'openai/text-embedding-3-small', input: ['a lighthouse', 'a tower by the sea'], dimensions: 256 },
      },
    }),
    answers: [
      {
        status: 200,
        description: 'One vector for each text, in their order.',
        headers: answerHeaders,
        content: json(embeddingList, {
          two: {
            summary: 'A vector of two numbers',
            value: {
              object: 'list',
              data: [{ object: 'embedding', index: 0, embedding: [0.6, -0.8] }],
              model: 'echo',
              usage: { prompt_tokens: 1, total_tokens: 1 },
            },
          },
        }),
      },
    ],
    errors: [...inferenceErrors, 'embeddings_not_supported'],
  },
  'POST /v1/moderations': {
    id: 'createModeration',
    tag: 'Inference',
    description: 'Whether texts and images are harmful. The model must be named: the default model is one to chat with.',
    parameters: [profileParameter],
    request: json(open({ model, input: moderationInput }, { $id: 'ModerationRequest' }), {
      text: { summary: 'A text', value: { model: 'openai/omni-moderation-latest', input: 'I like lighthouses.' } },
    }),
    answers: [{ status: 200, description: 'One result for each input.', headers: answerHeaders, content: json(moderation) }],
    errors: inferenceErrors,
  },
  ...mediaOperations,
  'GET /v1/models': {
    id: 'listModels',
    tag: 'Models',
    description:
      'Only what could be used now: providers with credentials, and the models that are known of them. Others of the same provider may be named too.',
    answers: [
      {
        status: 200,
        description: 'All of them.',
        content: json(Type.Object({ object: Type.Literal('list'), data: Type.Array(modelView) }), {
          demo: { summary: 'With the demo alone', value: { object: 'list', data: [echo] } },
        }),
      },
    ],
  },
  'GET /v1/models/*': {
    id: 'getModel',
    tag: 'Models',
    path: '/v1/models/{id}',
    description: 'Slashes in the id may stand as they are or as `%2F`.',
    parameters: [
      {
        name: 'id',
        in: 'path',
        description: '`PROVIDER/MODEL`, or a bare id that one provider lists.',
        schema: Type.String(),
        example: 'demo/echo',
      },
    ],
    answers: [
      { status: 200, description: 'The model.', content: json(modelView, { demo: { summary: 'The demo', value: echo } }) },
    ],
    errors: ['model_not_found'],
  },
};
