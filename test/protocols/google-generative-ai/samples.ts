/** Google's API as its reference shows it (https://ai.google.dev/api/generate-content), in short. */
import type { Sample } from '../../contract/protocol.ts';

export const chunk = (fields: object): string => `data: ${JSON.stringify(fields)}\n\n`;

const facts = { modelVersion: 'gemini-x', responseId: 'r1' };
const content = (text: string) => ({ content: { parts: [{ text }], role: 'model' }, index: 0 });
const usage = { promptTokenCount: 12, candidatesTokenCount: 7, totalTokenCount: 22, thoughtsTokenCount: 3 };

export const chunks: readonly string[] = [
  chunk({ candidates: [content('Hi “there”')], usageMetadata: { promptTokenCount: 12, totalTokenCount: 12 }, ...facts }),
  chunk({ candidates: [content(' 😀')], ...facts }),
  chunk({ candidates: [{ ...content(''), finishReason: 'STOP' }], usageMetadata: usage, ...facts }),
];

const tooLong = {
  status: 400,
  body: JSON.stringify({
    error: {
      code: 400,
      message: 'The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).',
      status: 'INVALID_ARGUMENT',
    },
  }),
};
const contents = [{ role: 'user', parts: [{ text: 'Hello' }] }];
const params = { '*': 'MODEL' };
const text = { parts: [{ text: 'Hello' }] };

export const googleGenerativeAi: readonly Sample[] = [
  {
    path: '/v1beta/models/*:generateContent',
    request: { contents },
    params,
    answer: JSON.stringify({ candidates: [{ ...content('Hi'), finishReason: 'STOP' }], usageMetadata: usage, ...facts }),
    prompt: 12,
    completion: 10,
    tooLong,
  },
  {
    path: '/v1beta/models/*:streamGenerateContent',
    request: { contents },
    params,
    query: '?alt=sse',
    streams: true,
    streaming: {},
    answer: JSON.stringify({ candidates: [{ ...content('Hi'), finishReason: 'STOP' }], usageMetadata: usage, ...facts }),
    stream: chunks,
    prompt: 12,
    completion: 10,
    tooLong,
  },
  {
    path: '/v1beta/models/*:countTokens',
    request: { contents },
    params,
    answer: '{"totalTokens":8}',
    prompt: 0,
    completion: 0,
    tooLong,
  },
  {
    path: '/v1beta/models/*:embedContent',
    request: { content: text },
    params,
    answer: '{"embedding":{"values":[0.5,-1]},"usageMetadata":{"promptTokenCount":3}}',
    prompt: 3,
    completion: 0,
    tooLong,
  },
  {
    path: '/v1beta/models/*:batchEmbedContents',
    request: { requests: [{ content: text }] },
    params,
    answer: '{"embeddings":[{"values":[0.5,-1]}],"usageMetadata":{"promptTokenCount":3}}',
    prompt: 3,
    completion: 0,
    tooLong,
  },
];
