/** Anthropic's side of a test: what its API answers, on the server of upstream.ts. */
import type { Ola } from './stage.ts';
import { answer, type Behaviour, chunk, lastChunk, streamHead, type Upstream } from './upstream.ts';

/** One event, as https://docs.anthropic.com/en/docs/build-with-claude/streaming shows it. */
export const event = (type: string, more: object = {}): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;

const head = { id: 'msg_1', type: 'message', role: 'assistant', model: 'up' };
const usage = { input_tokens: 11, cache_creation_input_tokens: 0, cache_read_input_tokens: 5 };

export function message(text: string): object {
  const content = [{ type: 'text', text }];
  return { ...head, content, stop_reason: 'end_turn', stop_sequence: null, usage: { ...usage, output_tokens: 7 } };
}

export const messageEvents: readonly string[] = [
  event('message_start', {
    message: { ...head, content: [], stop_reason: null, stop_sequence: null, usage: { ...usage, output_tokens: 1 } },
  }),
  event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
  event('ping'),
  event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'Hel' } }),
  event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'lo' } }),
  event('content_block_stop', { index: 0 }),
  event('message_delta', { delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 7 } }),
  event('message_stop'),
];

/** Anthropic's error as https://docs.anthropic.com/en/api/errors shows it. */
export const failure = (type: string, text: string, more: object = {}) =>
  ({ type: 'error', error: { type, message: text, ...more }, request_id: 'req_up' }) as const;

/** A stream of events in chunked framing, with headers. */
export function events(list: readonly string[], headers: Readonly<Record<string, string>> = {}): Behaviour {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return ({ socket }) =>
    void socket.write(streamHead.replace('\r\n\r\n', `\r\n${lines.join('')}\r\n`) + list.map(chunk).join('') + lastChunk);
}

/** What a good upstream does. */
export const good: Behaviour = (received) => {
  if (received.head.startsWith('POST /v1/messages/count_tokens')) return answer(200, { input_tokens: 42 })(received);
  const { stream } = JSON.parse(received.body) as { stream?: boolean };
  return (stream === true ? events(messageEvents) : answer(200, message('Hello')))(received);
};

/** Configures the server as a provider of Anthropic's protocol; SDKs and ola put `/v1` behind its base URL themselves. */
export async function addAnthropic(ola: Ola, id: string, up: Upstream, more: object = {}): Promise<void> {
  await ola.addProvider(id, up, { api: 'anthropic-messages', baseUrl: `http://127.0.0.1:${up.port}`, ...more });
}
