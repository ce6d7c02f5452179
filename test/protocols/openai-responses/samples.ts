/** OpenAI's responses as their reference shows them (https://platform.openai.com/docs/api-reference/responses), in short. */
import type { Sample } from '../../contract/protocol.ts';

export const event = (type: string, more: object = {}): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;

const response = { id: 'resp_1', object: 'response', created_at: 1, model: 'm', error: null, incomplete_details: null };
const usage = {
  input_tokens: 19,
  input_tokens_details: { cached_tokens: 4 },
  output_tokens: 10,
  output_tokens_details: { reasoning_tokens: 2 },
  total_tokens: 29,
};
const text = 'Hi “there” 😀';
const content = { type: 'output_text', text, annotations: [] };
const message = { id: 'msg_1', type: 'message', status: 'completed', role: 'assistant', content: [content] };
const completed = { ...response, status: 'completed', output: [message], usage };
const place = { item_id: 'msg_1', output_index: 0, content_index: 0 };
const running = { ...response, status: 'in_progress', output: [], usage: null };

export const responseEvents: readonly string[] = [
  event('response.created', { sequence_number: 0, response: running }),
  event('response.in_progress', { sequence_number: 1, response: running }),
  event('response.output_item.added', {
    sequence_number: 2,
    output_index: 0,
    item: { ...message, status: 'in_progress', content: [] },
  }),
  event('response.content_part.added', { sequence_number: 3, ...place, part: { ...content, text: '' } }),
  event('response.output_text.delta', { sequence_number: 4, ...place, delta: 'Hi “there”' }),
  event('response.output_text.delta', { sequence_number: 5, ...place, delta: ' 😀' }),
  event('response.output_text.done', { sequence_number: 6, ...place, text }),
  event('response.content_part.done', { sequence_number: 7, ...place, part: content }),
  event('response.output_item.done', { sequence_number: 8, output_index: 0, item: message }),
  event('response.completed', { sequence_number: 9, response: completed }),
];

export const tooLong = {
  status: 400,
  body: JSON.stringify({
    error: {
      message: 'Your input exceeds the context window of this model. Please adjust your input and try again.',
      type: 'invalid_request_error',
      param: 'input',
      code: 'context_length_exceeded',
    },
  }),
};

const request = { model: 'MODEL', input: 'Hello' };

export const openaiResponses: readonly Sample[] = [
  {
    path: '/v1/responses',
    request,
    streaming: { stream: true },
    answer: JSON.stringify(completed),
    stream: responseEvents,
    prompt: 19,
    completion: 10,
    tooLong,
  },
  {
    path: '/v1/responses/input_tokens',
    request,
    answer: '{"object":"response.input_tokens","input_tokens":8}',
    prompt: 0,
    completion: 0,
    tooLong,
  },
  {
    path: '/v1/responses/compact',
    request,
    answer: JSON.stringify({ id: 'resp_2', object: 'response.compaction', output: [{ type: 'compaction', id: 'cmp_1' }], usage }),
    prompt: 19,
    completion: 10,
    tooLong,
  },
];
