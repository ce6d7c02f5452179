/** `GET /v1/models`. */
import { Type } from '@sinclair/typebox';
import type { ListedModel, ModelsCodec, Protocol } from '../../core/protocol.ts';
import type { Gateway } from '../../gateway/gateway.ts';
import type { Call } from '../call.ts';
import { type Route, reply, replyText, route } from '../route.ts';

const tokens = Type.Optional(Type.Integer({ description: 'in tokens; absent when it is not known' }));
const prices = {
  input: Type.Number({ description: 'of the prompt' }),
  output: Type.Number({ description: 'of the answer' }),
  cache_read: Type.Optional(Type.Number({ description: 'of the part of the prompt that was read from the cache' })),
  cache_write: Type.Optional(Type.Number({ description: 'of the part of the prompt that was written to the cache' })),
};
const above = Type.Integer({ description: 'tokens of the prompt; a call with more has the prices of this tier' });
const pricing = Type.Object(
  { ...prices, tiers: Type.Optional(Type.Array(Type.Object({ above, ...prices }))) },
  { description: 'dollars per million tokens; absent when the price is not known' },
);
const model = Type.Object(
  {
    id: Type.String({ description: 'PROVIDER/MODEL, the name to ask for' }),
    object: Type.Literal('model'),
    created: Type.Literal(0, { description: 'always 0: most vendors do not tell the date' }),
    owned_by: Type.String({ description: 'the id of the provider' }),
    context_window: tokens,
    max_output_tokens: tokens,
    name: Type.Optional(Type.String({ description: 'for people, where one is configured' })),
    input_modalities: Type.Optional(Type.Array(Type.String(), { description: 'the kinds of input: `text`, `image`' })),
    reasoning: Type.Optional(Type.Boolean({ description: 'whether it thinks before it answers' })),
    pricing: Type.Optional(pricing),
  },
  { $id: 'Model' },
);
const models = Type.Object({ object: Type.Literal('list'), data: Type.Array(model) });

const nullableTokens = (description: string) => Type.Union([Type.Integer(), Type.Null()], { description });
const anthropicModel = Type.Object(
  {
    type: Type.Literal('model'),
    id: Type.String({ description: 'PROVIDER/MODEL, the name to ask for' }),
    display_name: Type.String({ description: 'for people' }),
    created_at: Type.String({ description: 'always the start of the Unix epoch: most vendors do not tell the date' }),
    max_input_tokens: nullableTokens('null when it is not known'),
    max_tokens: nullableTokens('of an answer; null when it is not known'),
  },
  { $id: 'AnthropicModel', description: 'For a request with the header `anthropic-version`.' },
);
const modelId = Type.Union([Type.String(), Type.Null()]);
const anthropicModels = Type.Object(
  { data: Type.Array(anthropicModel), has_more: Type.Boolean(), first_id: modelId, last_id: modelId },
  { description: 'For a request with the header `anthropic-version`.' },
);

export function modelRoutes(gateway: Gateway): Route[] {
  return [
    ...gateway.protocols.flatMap(({ models: codec, errorBody }) =>
      codec?.path === undefined ? [] : ownModelRoutes(gateway, { codec, path: codec.path, errorBody }),
    ),
    route(
      {
        method: 'GET',
        path: '/v1/models',
        scope: 'read',
        summary: 'List the models that can be used now',
        answer: Type.Union([models, anthropicModels]),
      },
      async (call) => {
        const all = { object: 'list', data: await gateway.listModels() };
        const codec = codecFor(gateway, call);
        return codec === undefined ? reply(call, all) : replyText(call, codec.list(all.data.map(listed), queryOf(call)));
      },
    ),
    // A model id has slashes, so it takes the rest of the path; Elysia does not decode a wildcard.
    route(
      {
        method: 'GET',
        path: '/v1/models/*',
        scope: 'read',
        summary: 'Look up one model',
        answer: Type.Union([model, anthropicModel]),
      },
      async (call, _principal, params) => {
        const found = await gateway.findModel(decoded(params['*'] ?? ''));
        const codec = codecFor(gateway, call);
        return codec === undefined ? reply(call, found) : replyText(call, codec.one(listed(found)));
      },
    ),
  ];
}

interface OwnList {
  readonly codec: ModelsCodec;
  readonly path: string;
  readonly errorBody: Protocol['errorBody'];
}

/** The models under a path that only clients of one protocol know. */
function ownModelRoutes(gateway: Gateway, { codec, path, errorBody }: OwnList): Route[] {
  const declared = { method: 'GET', scope: 'read', errorBody } as const;
  const listSummary = 'List the models that can be used now (Google)';
  return [
    route({ ...declared, path, summary: listSummary }, async (call) =>
      replyText(call, codec.list((await gateway.listModels()).map(listed), queryOf(call))),
    ),
    route({ ...declared, path: `${path}/*`, summary: 'Look up one model (Google)' }, async (call, _principal, params) =>
      replyText(call, codec.one(listed(await gateway.findModel(decoded(params['*'] ?? ''))))),
    ),
  ];
}

/** The form of the client's protocol; undefined: OpenAI's, which is ola's own. */
function codecFor({ protocols }: Gateway, { request }: Call): ModelsCodec | undefined {
  const header = (name: string) => request.headers.get(name);
  return protocols.find(({ models }) => models?.isAsked(header))?.models ?? undefined;
}

type Model = Awaited<ReturnType<Gateway['findModel']>>;

/** A model as the forms of protocols take it. */
export function listed(model: Model): ListedModel {
  const { id, name, context_window: contextWindow, max_output_tokens: maxTokens, input_modalities: input, reasoning } = model;
  return {
    id,
    name: name ?? null,
    contextWindow: contextWindow ?? null,
    maxTokens: maxTokens ?? null,
    ...(input === undefined ? {} : { input }),
    ...(reasoning === undefined ? {} : { reasoning }),
  };
}

function queryOf({ request }: Call): string {
  const at = request.url.indexOf('?');
  return at < 0 ? '' : request.url.slice(at);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
