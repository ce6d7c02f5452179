/** What the reference says of Google's wire formats. */
import { Type } from '@sinclair/typebox';
import { eventStream, json, vendorOperation } from './inference.ts';
import type { Content, DescribedRequest, ErrorForm, Operation, Operations, Parameter } from './operations.ts';

const googleErrors: ErrorForm = {
  name: 'google',
  schema: Type.Object(
    {
      error: Type.Object({
        code: Type.Integer({ description: 'the status' }),
        message: Type.String({ description: 'what went wrong, and what to do next' }),
        status: Type.String({ description: 'Google’s name for the status: `INVALID_ARGUMENT`' }),
        details: Type.Array(Type.Object({}, { additionalProperties: true }), {
          description: 'one ErrorInfo: its `reason` is ola’s own code in capitals, which does not change',
        }),
      }),
    },
    { $id: 'GoogleError', description: 'Errors in the form of Google’s API.' },
  ),
};

const model: Parameter = {
  name: 'model',
  in: 'path',
  description: '`PROVIDER/MODEL`, its slash as it is, or a model id that exactly one provider lists.',
  schema: Type.String(),
  example: 'google/gemini-3.5-flash',
};

const passedOn =
  'A provider of this protocol gets the body unchanged, under its own model id, and its answer comes back unchanged. To any other provider both are translated.';

function google(
  verb: string,
  operation: { readonly id: string; readonly page: string; readonly description: string },
  request: DescribedRequest,
  ...content: readonly Content[]
): Operation {
  const page = `https://ai.google.dev/api/${operation.page}`;
  const described = vendorOperation(page, operation.id, operation.description, request, content);
  return {
    ...described,
    path: `/v1beta/models/{model}:${verb}`,
    parameters: [model, ...(described.parameters ?? [])],
    errorForm: googleErrors,
  };
}

const contents = [{ role: 'user', parts: [{ text: 'Hello' }] }];
const answer = {
  candidates: [{ content: { parts: [{ text: 'Hi' }], role: 'model' }, finishReason: 'STOP', index: 0 }],
  usageMetadata: { promptTokenCount: 8, candidatesTokenCount: 4, totalTokenCount: 12 },
  modelVersion: 'gemini-3.5-flash',
  responseId: 'r-1',
};
const system = { parts: [{ text: 'Answer in one word.' }] };
const questions = { 'A question': { contents }, 'With instructions': { systemInstruction: system, contents } };
const vector = { values: [0.013, -0.027] };
const text = { parts: [{ text: 'Hello' }] };

const page = { id: 'listModelsOfGoogle', tag: 'Models', errorForm: googleErrors } as const;
const shown = {
  name: 'models/google/gemini-3.5-flash',
  baseModelId: 'google/gemini-3.5-flash',
  version: '',
  displayName: 'Gemini 3.5 Flash',
  inputTokenLimit: 1_048_576,
  outputTokenLimit: 65_536,
  supportedGenerationMethods: ['generateContent'],
};
const pages: readonly Parameter[] = [
  { name: 'pageSize', in: 'query', description: 'Models on a page, 1000 at most.', schema: Type.Integer({ minimum: 1 }) },
  { name: 'pageToken', in: 'query', description: 'The `nextPageToken` of the page before.', schema: Type.String() },
];

export const googleOperations: Operations = {
  'POST /v1beta/models/*:generateContent': google(
    'generateContent',
    { id: 'generateContent', page: 'generate-content', description: passedOn },
    { examples: questions },
    json('Google’s answer', answer),
  ),
  'POST /v1beta/models/*:streamGenerateContent': google(
    'streamGenerateContent',
    {
      id: 'streamGenerateContent',
      page: 'generate-content#method:-models.streamgeneratecontent',
      description: `${passedOn} A stream that breaks off ends with an error in place of a finish reason.`,
    },
    { examples: questions },
    eventStream('Google’s chunks, each in the form of an answer', JSON.stringify(answer)),
  ),
  'POST /v1beta/models/*:countTokens': google(
    'countTokens',
    {
      id: 'countTokens',
      page: 'tokens',
      description: `${passedOn} For a provider that cannot count, ola estimates, and says so in \`X-Ola-Estimated\`.`,
    },
    { examples: questions },
    json('Google’s count', { totalTokens: 8 }),
  ),
  'POST /v1beta/models/*:embedContent': google(
    'embedContent',
    { id: 'embedContent', page: 'embeddings', description: passedOn },
    { examples: { 'A text': { content: text }, 'A short vector': { content: text, outputDimensionality: 256 } } },
    json('Google’s embedding', { embedding: vector }),
  ),
  'POST /v1beta/models/*:batchEmbedContents': google(
    'batchEmbedContents',
    { id: 'batchEmbedContents', page: 'embeddings', description: passedOn },
    {
      examples: {
        'Two texts': { requests: [{ content: text }, { content: text }] },
        'One text': { requests: [{ content: text }] },
      },
    },
    json('Google’s embeddings', { embeddings: [vector, vector] }),
  ),
  'GET /v1beta/models': {
    ...page,
    parameters: pages,
    answers: [{ description: 'The models, in Google’s form.', content: [json('The list', { models: [shown] })] }],
    errors: ['invalid_request'],
  },
  'GET /v1beta/models/*': {
    ...page,
    id: 'getModelOfGoogle',
    path: '/v1beta/models/{model}',
    parameters: [model],
    answers: [{ description: 'The model, in Google’s form.', content: [json('The model', shown)] }],
    errors: ['model_not_found'],
  },
};
