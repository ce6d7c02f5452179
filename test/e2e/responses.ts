/** OpenAI's responses as an upstream of a test: what its API answers, on the server of upstream.ts. */
import type { Ola } from './stage.ts';
import { answer, type Behaviour, chunk, lastChunk, streamHead, type Upstream } from './upstream.ts';

/** One event, as https://platform.openai.com/docs/api-reference/responses-streaming shows it. */
export const event = (type: string, more: object = {}): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;

const head = { id: 'resp_1', object: 'response', created_at: 1_795_000_000, model: 'up', error: null, incomplete_details: null };
const usage = {
  input_tokens: 11,
  input_tokens_details: { cached_tokens: 5 },
  output_tokens: 7,
  output_tokens_details: { reasoning_tokens: 2 },
  total_tokens: 18,
};
const part = (text: string) => ({ type: 'output_text', text, annotations: [], logprobs: [] });
const item = (status: string, content: readonly object[]) => ({
  id: 'msg_1',
  type: 'message',
  status,
  role: 'assistant',
  content,
});

/** A whole response whose output has these items. */
export function response(...output: readonly object[]): object {
  return { ...head, status: 'completed', output, usage, parallel_tool_calls: true, tool_choice: 'auto', tools: [] };
}
export const said = (text: string): object => item('completed', [part(text)]);

const running = { ...head, status: 'in_progress', output: [], usage: null };
const place = { item_id: 'msg_1', output_index: 0, content_index: 0 };
const created = event('response.created', { sequence_number: 0, response: running });

/** The stream of a response that says `Hello`. */
export const responseEvents: readonly string[] = [
  created,
  event('response.in_progress', { sequence_number: 1, response: running }),
  event('response.output_item.added', { sequence_number: 2, output_index: 0, item: item('in_progress', []) }),
  event('response.content_part.added', { sequence_number: 3, ...place, part: part('') }),
  event('response.output_text.delta', { sequence_number: 4, ...place, delta: 'Hel', logprobs: [] }),
  event('response.output_text.delta', { sequence_number: 5, ...place, delta: 'lo', logprobs: [] }),
  event('response.output_text.done', { sequence_number: 6, ...place, text: 'Hello', logprobs: [] }),
  event('response.content_part.done', { sequence_number: 7, ...place, part: part('Hello') }),
  event('response.output_item.done', { sequence_number: 8, output_index: 0, item: said('Hello') }),
  event('response.completed', { sequence_number: 9, response: response(said('Hello')) }),
];

/** The stream of a response that failed before it said anything. */
export const failedEvents = (code: string, message: string): readonly string[] => [
  created,
  event('response.failed', { sequence_number: 1, response: { ...running, status: 'failed', error: { code, message } } }),
];

/** A stream of events in chunked framing, with headers. */
export function events(list: readonly string[], headers: Readonly<Record<string, string>> = {}): Behaviour {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return ({ socket }) =>
    void socket.write(streamHead.replace('\r\n\r\n', `\r\n${lines.join('')}\r\n`) + list.map(chunk).join('') + lastChunk);
}

/** What a good upstream does. */
export const good: Behaviour = (received) => {
  if (received.head.startsWith('POST /v1/responses/input_tokens'))
    return answer(200, { object: 'response.input_tokens', input_tokens: 42 })(received);
  const { stream } = JSON.parse(received.body) as { stream?: boolean };
  return (stream === true ? events(responseEvents) : answer(200, response(said('Hello'))))(received);
};

/** Configures the server as a provider of OpenAI's responses. */
export async function addResponses(ola: Ola, id: string, up: Upstream, more: object = {}): Promise<void> {
  await ola.addProvider(id, up, { api: 'openai-responses', ...more });
}
