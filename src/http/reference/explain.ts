/** What the reference says of `/config/explain` and `/config/requests`. */
import { Type } from '@sinclair/typebox';
import { type Operations, pageParameters } from './operations.ts';
import { exampleRequest } from './usage.ts';

const model = 'llama-3.3-70b-versatile';
const credential = 'env:GROQ_API_KEY';

const explanation = {
  model: `groq/${model}`,
  provider: 'groq',
  upstreamModel: model,
  attempts: [
    {
      provider: 'cerebras',
      model: 'llama-3.3-70b',
      credential: 'env:CEREBRAS_API_KEY',
      standing: 'ready',
      readyAt: null,
    },
    { provider: 'groq', model, credential, standing: 'cooling', readyAt: '2026-11-21T09:00:30.000Z' },
  ],
  mostAttempts: 6,
  passed: [
    {
      provider: 'groq',
      credential: 'provider-config:groq',
      reason: 'duplicate',
      why: 'has the same secret as another credential, which is tried in its place',
    },
  ],
  fallbacks: [{ model: 'cerebras/llama-3.3-70b', why: null }],
  error: null,
};

export const explainOperations: Operations = {
  'GET /config/explain': {
    id: 'explainModel',
    tag: 'Models',
    description:
      'Nothing is sent to a provider. The answer has every credential in the order in which a call would try them, the credentials that are not used with the reason, and the fallbacks of the model.',
    parameters: [
      {
        name: 'model',
        in: 'query',
        description: 'As in a request; left out: the default model.',
        schema: Type.String(),
        example: `groq/${model}`,
      },
      {
        name: 'operation',
        in: 'query',
        description: 'The kind of call.',
        schema: Type.Union([Type.Literal('chat'), Type.Literal('embeddings')], { default: 'chat' }),
      },
    ],
    answers: [
      {
        description: 'The order of a call at this moment.',
        example: explanation,
      },
    ],
    errors: ['invalid_field'],
  },
  'GET /config/requests': {
    id: 'listRequests',
    tag: 'Usage',
    description: 'The newest first, refused ones too.',
    parameters: pageParameters,
    answers: [
      {
        description: 'A page of calls.',
        example: { object: 'list', data: [exampleRequest], hasMore: true, nextCursor: '1806336000000512' },
      },
    ],
    errors: ['invalid_field', 'persistence_unavailable'],
  },
  'GET /config/requests/:id': {
    id: 'explainRequest',
    tag: 'Usage',
    description:
      'The id is in the header `X-Request-Id` of every answer. Of the newest 100,000 calls of models; when two have the same id, the newest. `now` is the explanation of its model at this moment: it says why other credentials are not used.',
    parameters: [
      { name: 'id', in: 'path', description: 'The id of a request.', schema: Type.String(), example: exampleRequest.request_id },
    ],
    answers: [
      {
        description: 'The request and its attempts.',
        example: {
          request: { ...exampleRequest, failed_attempts: 1 },
          attempts: [
            { provider: 'groq', model, credential, status: 429, error: 'upstream_http_error', milliseconds: 41 },
            { provider: 'groq', model, credential: 'groq:work', status: 200, error: null, milliseconds: null },
          ],
          now: { ...explanation, attempts: explanation.attempts.slice(0, 1) },
        },
      },
    ],
    errors: ['not_found', 'persistence_unavailable'],
  },
};
