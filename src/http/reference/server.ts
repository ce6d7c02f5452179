/** What the reference says of health, the models that can be used, and its own pages. */
import { Type } from '@sinclair/typebox';
import { assetList } from '../../web/asset-list.ts';
import { anthropicErrors } from './anthropic.ts';
import { errorSchema } from './errors.ts';
import type { DescribedAnswer, ErrorForm, Operation, OperationKey, Operations, Parameter } from './operations.ts';

const healthy = {
  status: 'ok',
  version: '0.1.0',
  uptimeSeconds: 42,
  checks: { store: 'ok', config: 'ok', server: 'ok' },
};
const echo = {
  id: 'demo/echo',
  object: 'model',
  created: 0,
  owned_by: 'demo',
  context_window: 131_072,
  max_output_tokens: 131_072,
};

const priced = {
  id: 'groq/llama-3.3-70b-versatile',
  object: 'model',
  created: 0,
  owned_by: 'groq',
  context_window: 131_072,
  max_output_tokens: 32_768,
  input_modalities: ['text'],
  reasoning: false,
  pricing: { input: 0.59, output: 0.79 },
};

const cached = {
  ETag: 'Names exactly these bytes. Send it as `If-None-Match`, and they are not sent again while they are current.',
};
const unchanged: DescribedAnswer = { status: 304, description: 'Your copy is current.', content: [] };
const bytes = (contentType: string, description: string): DescribedAnswer => ({
  description,
  headers: cached,
  content: [{ type: contentType.replace(/;.*/, ''), schema: Type.String() }],
});

/** Each client reads its own envelope under the paths of models. */
const errorForm: ErrorForm = { name: 'models', schema: Type.Union([errorSchema, anthropicErrors.schema]) };

const anthropicVersion: Parameter = {
  name: 'anthropic-version',
  in: 'header',
  description: 'Asks for the form of Anthropic’s API; its SDKs send it.',
  schema: Type.String(),
};
const anthropicPaging: readonly Parameter[] = [
  anthropicVersion,
  {
    name: 'limit',
    in: 'query',
    description: 'In the form of Anthropic’s API: models on a page, 1000 unless it is set.',
    schema: Type.Integer({ minimum: 1, maximum: 1000 }),
  },
  { name: 'after_id', in: 'query', description: 'In that form: the `last_id` of the page before.', schema: Type.String() },
  { name: 'before_id', in: 'query', description: 'In that form: the `first_id` of the page behind.', schema: Type.String() },
];

export const serverOperations: Operations = {
  'GET /v1/models': {
    id: 'listModels',
    tag: 'Models',
    description:
      'The known models of all providers that can be used now, which are those with credentials, each with what is known of its sizes, its kinds of input and its price (`pricing`, in dollars per million tokens). Other models of these providers can be asked for, too. A server of your own, or one that the catalog does not have, is asked for its models if the configuration lists none for it; the answer waits for it a second at most.\n\nA request with the header `anthropic-version` is answered in the form of Anthropic’s API, in pages of up to 1000 models.',
    parameters: anthropicPaging,
    answers: [{ description: 'All models.', example: { object: 'list', data: [echo, priced] } }],
    errors: ['invalid_request'],
    errorForm,
  },
  'GET /v1/models/*': {
    id: 'getModel',
    tag: 'Models',
    path: '/v1/models/{id}',
    description:
      'A slash in the id may be sent as `/` or as `%2F`. A request with the header `anthropic-version` is answered in the form of Anthropic’s API.',
    parameters: [
      {
        name: 'id',
        in: 'path',
        description: '`PROVIDER/MODEL`, or a model id that exactly one provider lists.',
        schema: Type.String(),
        example: echo.id,
      },
      anthropicVersion,
    ],
    answers: [{ description: 'The model.', example: priced }],
    errors: ['model_not_found'],
    errorForm,
  },
  'GET /health': {
    id: 'getHealth',
    tag: 'Health',
    description:
      'For probes: it needs no token, and shows names and states only. `degraded` means that the configuration file cannot be used, and that ola works with the last good configuration.',
    answers: [
      { description: 'The gateway works.', example: healthy },
      {
        status: 503,
        description: 'The gateway is shutting down, or its database cannot be used.',
        example: { ...healthy, status: 'unavailable', checks: { ...healthy.checks, server: 'draining' } },
      },
    ],
  },
  'GET /': {
    id: 'getWelcomePage',
    tag: 'Pages',
    description: 'For a client that accepts `text/html`, which browsers do. Any other client gets 404 `route_not_found`.',
    answers: [bytes('text/html', 'The page.'), unchanged],
  },
  'GET /docs': {
    id: 'getReferencePage',
    tag: 'Pages',
    description: 'This page. It calls this gateway only, and keeps a token in memory only.',
    answers: [bytes('text/html', 'The page.'), unchanged],
  },
  'GET /docs/json': {
    id: 'getReference',
    tag: 'Pages',
    description: 'This document, in OpenAPI 3.1, for generators of clients.',
    answers: [{ description: 'The document.', headers: cached }, unchanged],
  },
  ...Object.fromEntries(
    assetList.map(({ path, type, id, what }): [OperationKey, Operation] => [
      `GET ${path}`,
      { id, tag: 'Pages', answers: [bytes(type, what), unchanged] },
    ]),
  ),
};
