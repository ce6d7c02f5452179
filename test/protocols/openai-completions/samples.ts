/** OpenAI's API as its reference shows it (https://platform.openai.com/docs/api-reference), in short. */
import type { Sample } from '../../contract/protocol.ts';

const usage = { prompt_tokens: 19, completion_tokens: 10, total_tokens: 29 };
const chunk = (delta: object, finish: string | null = null) =>
  `data: ${JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices: [{ index: 0, delta, finish_reason: finish }],
  })}\n\n`;

const tooLong = {
  status: 400,
  body: JSON.stringify({
    error: {
      message: "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
      type: 'invalid_request_error',
      param: 'messages',
      code: 'context_length_exceeded',
    },
  }),
};

export const openaiCompletions: readonly Sample[] = [
  {
    path: '/v1/chat/completions',
    request: { model: 'MODEL', messages: [{ role: 'user', content: 'Hello' }] },
    streaming: { stream: true, stream_options: { include_usage: true } },
    answer: JSON.stringify({
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 1,
      model: 'm',
      choices: [{ index: 0, message: { role: 'assistant', content: 'Hi “there” 😀' }, finish_reason: 'stop' }],
      usage,
    }),
    stream: [
      chunk({ role: 'assistant', content: '' }),
      chunk({ content: 'Hi “there” 😀' }),
      chunk({}, 'stop'),
      `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [], usage })}\n\n`,
      'data: [DONE]\n\n',
    ],
    completeFrom: 3,
    prompt: 19,
    completion: 10,
    tooLong,
  },
  {
    path: '/v1/embeddings',
    request: { model: 'MODEL', input: 'Hello' },
    answer: JSON.stringify({
      object: 'list',
      data: [{ object: 'embedding', index: 0, embedding: [0.1, -0.2] }],
      model: 'm',
      usage: { prompt_tokens: 8, completion_tokens: 0, total_tokens: 8 },
    }),
    prompt: 8,
    completion: 0,
    tooLong,
  },
  {
    path: '/v1/moderations',
    request: { model: 'MODEL', input: 'Hello' },
    answer: JSON.stringify({
      id: 'modr-1',
      model: 'm',
      results: [{ flagged: false }],
      usage: { input_tokens: 3, output_tokens: 0 },
    }),
    prompt: 3,
    completion: 0,
    tooLong,
  },
];
