/** A double of Ollama's chat: answers by a script, and refuses a request that breaks a rule of the API. */
import { answer, type Behaviour, bytes, chunk, lastChunk, type Received } from '../upstream.ts';
import { type Asked, type Fields, fieldsOf, listOf, piecesOf, type Script, spent, type Told, textOf } from './script.ts';

/** @see https://docs.ollama.com/api/chat */
export function ollama(script: Script): Behaviour {
  return (received) => {
    const body = fieldsOf(JSON.parse(received.body));
    const broken = ruleBroken(listOf(body['messages']));
    if (broken !== null) return answer(400, { error: broken })(received);
    const asked = readAsked(body);
    const reply = script(asked);
    if ('status' in reply) return answer(reply.status, { error: reply.message })(received);
    const thinks = body['think'] !== undefined && body['think'] !== false;
    return (asked.stream ? streamed : whole)(received, thinks ? reply : { ...reply, reasoning: '' }, asked);
  };
}

/** Ollama reads each message into a struct: a member of another kind fails. */
function ruleBroken(messages: readonly Fields[]): string | null {
  for (const [at, { role, content, images, tool_calls: calls }] of messages.entries()) {
    if (!['system', 'user', 'assistant', 'tool'].includes(textOf(role))) return `invalid role of message ${at}`;
    if (content !== undefined && typeof content !== 'string') return 'json: cannot unmarshal array into Go struct field content';
    if (images !== undefined && !(images as unknown[]).every((image) => typeof image === 'string' && !image.startsWith('data:')))
      return 'illegal base64 data at input byte 4';
    for (const call of listOf(calls)) {
      const args = fieldsOf(call['function'])['arguments'];
      if (typeof args !== 'object' || args === null) return 'json: cannot unmarshal string into Go struct field arguments';
    }
    if (role === 'tool' && textOf(messages[at]?.['tool_name']) === '')
      return `message ${at} is a result without the name of its tool`;
  }
  return null;
}

function readAsked(body: Fields): Asked {
  const messages = listOf(body['messages']);
  const lastAnswer = messages.findLastIndex(({ role }) => role === 'assistant');
  const results = messages.slice(lastAnswer + 1).filter(({ role }) => role === 'tool');
  return {
    model: textOf(body['model']),
    stream: body['stream'] !== false,
    tools: listOf(body['tools']).map((tool) => textOf(fieldsOf(tool['function'])['name'])),
    roles: messages.map(({ role }) => textOf(role)),
    answers: messages.filter(({ role }) => role === 'assistant').length,
    results: results.map((message) => ({ callId: textOf(message['tool_call_id']), text: textOf(message['content']) })),
    images: messages.flatMap(({ images }) => (Array.isArray(images) ? (images as string[]) : [])),
    lastText: textOf(messages.findLast(({ role }) => role === 'user')?.['content']),
  };
}

const callsOf = ({ calls = [] }: Told): readonly Fields[] =>
  calls.map(({ name, input }, index) => ({ function: { index, name, arguments: input } }));

const line = ({ model }: Asked, message: Fields, more: Fields = { done: false }): Fields => ({
  model,
  created_at: '2025-10-26T17:15:24Z',
  message: { role: 'assistant', content: '', ...message },
  ...more,
});

/** Ollama says `stop` of an answer with calls, too. */
const ended = ({ end }: Told): Fields => ({
  done: true,
  done_reason: end === 'length' ? 'length' : 'stop',
  prompt_eval_count: spent.prompt,
  eval_count: spent.completion,
});

function whole(received: Received, told: Told, asked: Asked): void | Promise<void> {
  const { text = '', reasoning = '' } = told;
  const calls = callsOf(told);
  const message = {
    content: text,
    ...(reasoning === '' ? {} : { thinking: reasoning }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
  return answer(200, line(asked, message, ended(told)))(received);
}

const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n';

/** Calls come whole, each on its line. */
function streamed(received: Received, told: Told, asked: Asked): void | Promise<void> {
  const lines = [
    ...piecesOf(told.reasoning ?? '').map((thinking) => line(asked, { thinking })),
    ...piecesOf(told.text ?? '').map((content) => line(asked, { content })),
    ...callsOf(told).map((call) => line(asked, { tool_calls: [call] })),
  ];
  const written = (list: readonly Fields[]) => head + list.map((each) => chunk(`${JSON.stringify(each)}\n`)).join('');
  if (told.breaksOff === true) return bytes(written(lines), 'end')(received);
  received.socket.write(written([...lines, line(asked, {}, ended(told))]) + lastChunk);
}
