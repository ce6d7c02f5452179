/** A double of Anthropic's Messages API: answers by a script, and refuses a request that breaks a rule of the API. */
import { createHmac } from 'node:crypto';
import { answer, type Behaviour, bytes, chunk, lastChunk, type Received, streamHead } from '../upstream.ts';
import { ruleBroken } from './anthropic-rules.ts';
import {
  type Asked,
  type Fields,
  fieldsOf,
  idOf,
  listOf,
  piecesOf,
  type Refused,
  type Script,
  spent,
  type Told,
  textOf,
} from './script.ts';

/** The proof of a reasoning's text, which is bound to the account: another key's is refused. */
export const signatureOf = (thinking: string, key: string): string => createHmac('sha256', key).update(thinking).digest('base64');

const usage = {
  input_tokens: spent.prompt - spent.cacheRead - spent.cacheWrite,
  cache_read_input_tokens: spent.cacheRead,
  cache_creation_input_tokens: spent.cacheWrite,
  output_tokens: spent.completion,
};

const countLine = 'POST /v1/messages/count_tokens';

/** @see https://docs.anthropic.com/en/api/messages, and /en/api/messages-streaming */
export function anthropic(script: Script): Behaviour {
  return (received) => {
    const body = fieldsOf(JSON.parse(received.body));
    const key = received.headers.get('x-api-key') ?? received.headers.get('authorization')?.replace('Bearer ', '') ?? '';
    const counts = received.head.startsWith(countLine);
    const broken = ruleBroken(body, received.headers, counts, (thinking) => signatureOf(thinking, key));
    if (broken !== null) return refuse(received, { status: 400, type: 'invalid_request_error', message: broken });
    if (counts) return answer(200, { input_tokens: spent.prompt })(received);
    const asked = readAsked(body);
    const reply = script(asked);
    if ('status' in reply) return refuse(received, reply);
    const thinks = ['enabled', 'adaptive'].includes(textOf(fieldsOf(body['thinking'])['type']));
    const told = thinks ? reply : { ...reply, reasoning: '' };
    const content = blocksOf(told, asked, key);
    return (asked.stream ? streamed : whole)(received, content, told, asked);
  };
}

function refuse(received: Received, { status, type, message, headers }: Refused): void | Promise<void> {
  return answer(status, { type: 'error', error: { type, message }, request_id: 'req_double' }, headers)(received);
}

function readAsked(body: Fields): Asked {
  const messages = listOf(body['messages']);
  const blocks = (message: Fields | undefined): readonly Fields[] =>
    typeof message?.['content'] === 'string' ? [{ type: 'text', text: message['content'] }] : listOf(message?.['content']);
  const users = messages.filter(({ role }) => role === 'user');
  const inner = (block: Fields): readonly Fields[] => [block, ...listOf(block['content']).flatMap(inner)];
  const lastAnswer = messages.findLastIndex(({ role }) => role === 'assistant');
  return {
    model: textOf(body['model']),
    stream: body['stream'] === true,
    tools: listOf(body['tools']).map(({ name }) => textOf(name)),
    roles: messages.map(({ role }) => textOf(role)),
    answers: messages.filter(({ role }) => role === 'assistant').length,
    results: messages
      .slice(lastAnswer + 1)
      .flatMap(blocks)
      .filter(({ type }) => type === 'tool_result')
      .map((block) => ({ callId: textOf(block['tool_use_id']), text: joined(block['content']) })),
    images: users
      .flatMap(blocks)
      .flatMap(inner)
      .filter(({ type }) => type === 'image')
      .map(({ source }) => textOf(fieldsOf(source)['data'])),
    lastText: textOf(
      users
        .flatMap(blocks)
        .filter(({ type }) => type === 'text')
        .at(-1)?.['text'],
    ),
  };
}

function joined(content: unknown): string {
  if (typeof content === 'string') return content;
  return listOf(content)
    .map(({ text }) => textOf(text))
    .join('');
}

function blocksOf({ reasoning = '', text = '', calls = [] }: Told, asked: Asked, key: string): readonly Fields[] {
  return [
    ...(reasoning === '' ? [] : [{ type: 'thinking', thinking: reasoning, signature: signatureOf(reasoning, key) }]),
    ...(text === '' ? [] : [{ type: 'text', text }]),
    ...calls.map(({ name, input }, at) => ({ type: 'tool_use', id: `toolu_${idOf(asked, at)}`, name, input })),
  ];
}

function stopOf({ end, calls = [] }: Told): string {
  if (end !== undefined) return end === 'length' ? 'max_tokens' : 'refusal';
  return calls.length > 0 ? 'tool_use' : 'end_turn';
}

const message = (asked: Asked, content: readonly Fields[], more: Fields): Fields => ({
  id: `msg_${idOf(asked)}`,
  type: 'message',
  role: 'assistant',
  model: asked.model,
  content,
  stop_sequence: null,
  ...more,
});

function whole(received: Received, content: readonly Fields[], told: Told, asked: Asked): void | Promise<void> {
  const body = message(asked, content, { stop_reason: stopOf(told), usage });
  if (told.breaksOff !== true) return answer(200, body, { 'request-id': 'req_double' })(received);
  return bytes(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n{"id":"msg_`, 'end')(received);
}

const event = (type: string, fields: Fields): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;

function streamed(received: Received, content: readonly Fields[], told: Told, asked: Asked): void | Promise<void> {
  const start = message(asked, [], { stop_reason: null, usage: { ...usage, output_tokens: 1 } });
  const events = [event('message_start', { message: start }), event('ping', {}), ...content.flatMap(blockEvents)];
  if (told.breaksOff === true) {
    const sent = streamHead + events.slice(0, -1).map(chunk).join('');
    return bytes(sent, 'end')(received);
  }
  const delta = { stop_reason: stopOf(told), stop_sequence: null };
  events.push(event('message_delta', { delta, usage }), event('message_stop', {}));
  received.socket.write(streamHead + events.map(chunk).join('') + lastChunk);
}

function blockEvents(block: Fields, index: number): readonly string[] {
  const delta = (fields: Fields) => event('content_block_delta', { index, delta: fields });
  const begin = (content_block: Fields) => event('content_block_start', { index, content_block });
  const end = event('content_block_stop', { index });
  if (block['type'] === 'text') {
    const deltas = piecesOf(textOf(block['text'])).map((text) => delta({ type: 'text_delta', text }));
    return [begin({ type: 'text', text: '' }), ...deltas, end];
  }
  if (block['type'] === 'thinking') {
    const deltas = piecesOf(textOf(block['thinking'])).map((thinking) => delta({ type: 'thinking_delta', thinking }));
    const signed = delta({ type: 'signature_delta', signature: block['signature'] });
    return [begin({ type: 'thinking', thinking: '', signature: '' }), ...deltas, signed, end];
  }
  const deltas = ['', ...piecesOf(JSON.stringify(block['input']))].map((partial_json) =>
    delta({ type: 'input_json_delta', partial_json }),
  );
  return [begin({ ...block, input: {} }), ...deltas, end];
}
