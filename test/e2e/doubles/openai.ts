/** A double of OpenAI's chat completions: answers by a script, and refuses a request that breaks a rule of the API. */
import { answer, type Behaviour, bytes, chunk, done, lastChunk, type Received, streamHead } from '../upstream.ts';
import { ruleBroken } from './openai-rules.ts';
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

const usage = {
  prompt_tokens: spent.prompt,
  completion_tokens: spent.completion,
  total_tokens: spent.prompt + spent.completion,
  prompt_tokens_details: { cached_tokens: spent.cacheRead },
};

/** @see https://platform.openai.com/docs/api-reference/chat; reasoning as other vendors of the protocol tell it */
export function openai(script: Script): Behaviour {
  return (received) => {
    const body = fieldsOf(JSON.parse(received.body));
    const broken = ruleBroken(body);
    if (broken !== null) return refuse(received, { status: 400, type: 'invalid_request_error', message: broken });
    const asked = readAsked(body);
    const reply = script(asked);
    if ('status' in reply) return refuse(received, reply);
    return (asked.stream ? streamed : whole)(received, reply, asked, body);
  };
}

function refuse(received: Received, { status, type, message, code, headers }: Refused): void | Promise<void> {
  return answer(status, { error: { message, type, param: null, code: code ?? null } }, headers)(received);
}

function readAsked(body: Fields): Asked {
  const messages = listOf(body['messages']);
  const parts = (message: Fields): readonly Fields[] =>
    typeof message['content'] === 'string' ? [{ type: 'text', text: message['content'] }] : listOf(message['content']);
  const lastAnswer = messages.findLastIndex(({ role }) => role === 'assistant');
  return {
    model: textOf(body['model']),
    stream: body['stream'] === true,
    tools: listOf(body['tools']).map((tool) => textOf(fieldsOf(tool['function'])['name'])),
    roles: messages.map(({ role }) => textOf(role)),
    answers: messages.filter(({ role }) => role === 'assistant').length,
    results: messages
      .slice(lastAnswer + 1)
      .filter(({ role }) => role === 'tool')
      .map((message) => ({ callId: textOf(message['tool_call_id']), text: joined(parts(message)) })),
    images: messages
      .flatMap(parts)
      .filter(({ type }) => type === 'image_url')
      .map((part) => textOf(fieldsOf(part['image_url'])['url']).replace(/^data:[^,]*,/, '')),
    lastText: textOf(
      messages
        .filter(({ role }) => role === 'user')
        .flatMap(parts)
        .filter(({ type }) => type === 'text')
        .at(-1)?.['text'],
    ),
  };
}

const joined = (parts: readonly Fields[]): string => parts.map(({ text }) => textOf(text)).join('');

function callsOf({ calls = [] }: Told, asked: Asked): readonly Fields[] {
  return calls.map(({ name, input }, at) => ({
    id: `call_${idOf(asked, at)}`,
    type: 'function',
    function: { name, arguments: JSON.stringify(input) },
  }));
}

function finishOf({ end, calls = [] }: Told): string {
  if (end !== undefined) return end === 'length' ? 'length' : 'content_filter';
  return calls.length > 0 ? 'tool_calls' : 'stop';
}

const head = (asked: Asked): Fields => ({ id: `chatcmpl-${idOf(asked)}`, created: 1_700_000_000, model: asked.model });

function whole(received: Received, told: Told, asked: Asked): void | Promise<void> {
  const calls = callsOf(told, asked);
  const message = {
    role: 'assistant',
    content: told.text ?? null,
    ...(told.reasoning === undefined ? {} : { reasoning_content: told.reasoning }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
  const choices = [{ index: 0, message, finish_reason: finishOf(told) }];
  if (told.breaksOff !== true)
    return answer(200, { ...head(asked), object: 'chat.completion', choices, usage }, { 'x-request-id': 'req_double' })(received);
  return bytes('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n{"id":"chat', 'end')(received);
}

function streamed(received: Received, told: Told, asked: Asked, body: Fields): void | Promise<void> {
  const event = (choices: readonly Fields[], more: Fields = {}) =>
    `data: ${JSON.stringify({ ...head(asked), object: 'chat.completion.chunk', choices, ...more })}\n\n`;
  const delta = (fields: Fields) => event([{ index: 0, delta: fields, finish_reason: null }]);
  const events = [
    delta({ role: 'assistant', content: '' }),
    ...piecesOf(told.reasoning ?? '').map((reasoning_content) => delta({ reasoning_content })),
    ...piecesOf(told.text ?? '').map((content) => delta({ content })),
    ...callsOf(told, asked).flatMap((call, index) => callDeltas(call, index).map((each) => delta({ tool_calls: [each] }))),
  ];
  if (told.breaksOff === true) return bytes(streamHead + events.map(chunk).join(''), 'end')(received);
  events.push(event([{ index: 0, delta: {}, finish_reason: finishOf(told) }]));
  if (fieldsOf(body['stream_options'])['include_usage'] === true) events.push(event([], { usage }));
  received.socket.write(streamHead + [...events, done].map(chunk).join('') + lastChunk);
}

function callDeltas(call: Fields, index: number): readonly Fields[] {
  const called = fieldsOf(call['function']);
  const pieces = piecesOf(textOf(called['arguments'])).map((text) => ({ index, function: { arguments: text } }));
  return [{ ...call, index, function: { ...called, arguments: '' } }, ...pieces];
}
