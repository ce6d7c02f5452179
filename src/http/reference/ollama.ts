/** What the reference says of Ollama's wire formats. */
import { type TProperties, Type } from '@sinclair/typebox';
import type { Json } from '../../core/json.ts';
import { json, passedOn, text, vendorOperation } from './inference.ts';
import type { Content, DescribedRequest, ErrorForm, Operation, Operations } from './operations.ts';

const ollamaErrors: ErrorForm = {
  name: 'ollama',
  schema: Type.Object(
    { error: Type.String({ description: 'what went wrong, and what to do next' }) },
    { $id: 'OllamaError', description: 'Errors in the form of Ollama’s API; the header `X-Ola-Code` has ola’s own code.' },
  ),
};

const streams = 'false: the answer comes as one JSON object; else as a JSON object a line';

/** @param page below Ollama's API reference */
function called(
  page: string,
  id: string,
  description: string,
  request: DescribedRequest,
  ...content: readonly Content[]
): Operation {
  const described = { ...request, fields: { stream: streams, ...request.fields } };
  const operation = vendorOperation(`https://docs.ollama.com/api/${page}`, id, description, described, content);
  return { ...operation, errorForm: ollamaErrors };
}

const open = (properties: TProperties, description: string) =>
  Type.Object(properties, { additionalProperties: true, description });

/** An answer of ola's own. */
function told(page: string, id: string, description: string, example: Json): Operation {
  const vendorPage = page === '' ? {} : { vendorPage: `https://docs.ollama.com/api/${page}` };
  const content: Content = { type: 'application/json', schema: open({}, 'In the form of Ollama'), example };
  return {
    id,
    tag: 'Models',
    description,
    ...vendorPage,
    answers: [{ description: 'In the form of Ollama.', content: [content] }],
    errorForm: ollamaErrors,
  };
}

function refused(id: string): Operation {
  const description = 'Always refused: ola keeps no files of models. Clients that try are told so.';
  return { id, tag: 'Models', description, answers: [], errors: ['not_implemented'], errorForm: ollamaErrors };
}

const prompt = { model: 'groq/llama-3.3-70b-versatile', prompt: 'Hello' };
const hello = { model: 'groq/llama-3.3-70b-versatile', messages: [{ role: 'user', content: 'Hello' }] };
const embedder = 'openai/text-embedding-3-small';
const head = { model: hello.model, created_at: '2026-11-21T09:00:00.000Z' };
const end = { done: true, done_reason: 'stop', prompt_eval_count: 8, eval_count: 2 };
const said = (content: string) => ({ message: { role: 'assistant', content } });

/** A JSON object a line. */
const lines = (...objects: readonly object[]): Content => ({
  type: 'application/x-ndjson',
  schema: text('A JSON object a line, the last one with `done`'),
  example: objects.map((each) => `${JSON.stringify(each)}\n`).join(''),
});

const translated =
  'For a provider of another protocol ola translates. A stream that breaks off ends with a line that has `error`.';
const listed = {
  name: hello.model,
  model: hello.model,
  modified_at: '0001-01-01T00:00:00Z',
  size: 0,
  digest: '',
  details: { parent_model: '', format: '', family: '', families: [], parameter_size: '', quantization_level: '' },
};

export const ollamaOperations: Operations = {
  'POST /api/chat': called(
    'chat',
    'ollamaChat',
    `Ollama’s chats, for the models of every provider. ${passedOn} ${translated}`,
    { examples: { 'As a stream': hello, 'As one object': { ...hello, stream: false } } },
    json('Ollama’s answer', { ...head, ...said('Hi'), ...end }),
    lines({ ...head, ...said('Hi'), done: false }, { ...head, ...said(''), ...end }),
  ),
  'POST /api/generate': called(
    'generate',
    'ollamaGenerate',
    `Answers one prompt. ${passedOn} ${translated}`,
    { examples: { 'As a stream': prompt, 'As one object': { ...prompt, stream: false } } },
    json('Ollama’s answer', { ...head, response: 'Hi', ...end }),
    lines({ ...head, response: 'Hi', done: false }, { ...head, response: '', ...end }),
  ),
  'POST /api/embed': called(
    'embed',
    'ollamaEmbed',
    `Embeddings of one or more texts. ${passedOn} For a provider of another protocol ola translates.`,
    {
      examples: { 'A text': { model: embedder, input: 'Hello' }, 'Two texts': { model: embedder, input: ['Hello', 'Good day'] } },
    },
    json('Ollama’s embeddings', {
      model: embedder,
      embeddings: [
        [0.1, -0.2],
        [0.3, 0.4],
      ],
    }),
  ),
  'POST /api/embeddings': called(
    'embed',
    'ollamaEmbeddings',
    `The older call, for the embedding of one text. ${passedOn} For a provider of another protocol ola translates.`,
    { examples: { 'A text': { model: embedder, prompt: 'Hello' }, 'Another text': { model: embedder, prompt: 'Good day' } } },
    json('Ollama’s embedding', { embedding: [0.1, -0.2] }),
  ),
  'GET /api/tags': told(
    'tags',
    'ollamaTags',
    'The models of `GET /v1/models`, in the form of Ollama. A final `:latest` of a name that is asked for is cut off, unless a model is listed with it.',
    { models: [listed] },
  ),
  'POST /api/show': {
    ...told(
      'show',
      'ollamaShow',
      'What is known of a model, in the form of Ollama: its capabilities, and `ola.context_length` in `model_info`.',
      {
        ...{ license: '', modelfile: '', parameters: '', template: '' },
        details: listed.details,
        model_info: { 'general.architecture': 'ola', 'ola.context_length': 131_072 },
        capabilities: ['completion', 'tools'],
        modified_at: listed.modified_at,
      },
    ),
    request: {
      fields: { model: '`PROVIDER/MODEL`, or a model id that exactly one provider lists', name: 'the older spelling of `model`' },
      examples: { 'A model': { model: hello.model } },
    },
    errors: ['model_not_found'],
  },
  'GET /api/version': told('version', 'ollamaVersion', 'The version of Ollama’s API that is served, and that of ola.', {
    version: '0.12.6',
    ola: '0.1.0',
  }),
  'GET /api/ps': told('ps', 'ollamaPs', 'Always empty: ola has no model in memory.', { models: [] }),
  'POST /api/pull': refused('ollamaPull'),
  'POST /api/push': refused('ollamaPush'),
  'POST /api/create': refused('ollamaCreate'),
  'POST /api/copy': refused('ollamaCopy'),
  'DELETE /api/delete': refused('ollamaDelete'),
};
