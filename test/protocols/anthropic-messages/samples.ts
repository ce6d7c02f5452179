/** Anthropic's API as its reference shows it (https://docs.anthropic.com/en/api/messages), in short. */
import type { Sample } from '../../contract/protocol.ts';

export const event = (type: string, more: object = {}): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;

const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'm' };
const usage = { input_tokens: 12, cache_creation_input_tokens: 3, cache_read_input_tokens: 4 };

export const messageEvents: readonly string[] = [
  event('message_start', {
    message: { ...message, content: [], stop_reason: null, stop_sequence: null, usage: { ...usage, output_tokens: 1 } },
  }),
  event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
  event('ping'),
  event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'Hi “there”' } }),
  event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: ' 😀' } }),
  event('content_block_stop', { index: 0 }),
  event('message_delta', { delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 10 } }),
  event('message_stop'),
];

const tooLong = {
  status: 400,
  body: JSON.stringify({
    type: 'error',
    error: { type: 'invalid_request_error', message: 'prompt is too long: 208310 tokens > 200000 maximum' },
    request_id: 'req_011',
  }),
};

export const anthropicMessages: readonly Sample[] = [
  {
    path: '/v1/messages',
    request: { model: 'MODEL', max_tokens: 64, messages: [{ role: 'user', content: 'Hello' }] },
    streaming: { stream: true },
    answer: JSON.stringify({
      ...message,
      content: [{ type: 'text', text: 'Hi “there” 😀' }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      usage: { ...usage, output_tokens: 10 },
    }),
    stream: messageEvents,
    prompt: 19,
    completion: 10,
    tooLong,
  },
  {
    path: '/v1/messages/count_tokens',
    request: { model: 'MODEL', messages: [{ role: 'user', content: 'Hello' }] },
    answer: '{"input_tokens":8}',
    prompt: 0,
    completion: 0,
    tooLong,
  },
];
