/** `GET /v1/models`. */
import { Type } from '@sinclair/typebox';
import type { Gateway } from '../../gateway/gateway.ts';
import { type Route, reply, route } from '../route.ts';

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

export function modelRoutes(gateway: Gateway): Route[] {
  return [
    route(
      { method: 'GET', path: '/v1/models', scope: 'read', summary: 'List the models that can be used now', answer: models },
      async (call) => reply(call, { object: 'list', data: await gateway.listModels() }),
    ),
    // A model id has slashes, so it takes the rest of the path; Elysia does not decode a wildcard.
    route(
      { method: 'GET', path: '/v1/models/*', scope: 'read', summary: 'Look up one model', answer: model },
      async (call, _principal, params) => reply(call, await gateway.findModel(decoded(params['*'] ?? ''))),
    ),
  ];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
