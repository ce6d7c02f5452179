/** A double of OpenAI's responses: answers by a script, and refuses a request that breaks a rule of the API. */
import { answer, type Behaviour, bytes, chunk, lastChunk, type Received, streamHead } from '../upstream.ts';
import { type Asked, type Fields, fieldsOf, idOf, listOf, piecesOf, type Script, spent, type Told, textOf } from './script.ts';

const usage = {
  input_tokens: spent.prompt,
  input_tokens_details: { cached_tokens: spent.cacheRead },
  output_tokens: spent.completion,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: spent.prompt + spent.completion,
};

/** @see https://platform.openai.com/docs/api-reference/responses */
export function responses(script: Script): Behaviour {
  return (received) => {
    const body = fieldsOf(JSON.parse(received.body));
    const refuse = (status: number, type: string, message: string) =>
      answer(status, { error: { message, type, param: null, code: null } });
    const broken = ruleBroken(body);
    if (broken !== null) return refuse(400, 'invalid_request_error', broken)(received);
    const asked = readAsked(body);
    const reply = script(asked);
    if ('status' in reply) return refuse(reply.status, reply.type, reply.message)(received);
    // A summary comes where it is wished, and the sealed thought where it is included.
    const thinks = textOf(fieldsOf(body['reasoning'])['effort']) !== '';
    return (asked.stream ? streamed : whole)(received, thinks ? reply : { ...reply, reasoning: '' }, asked);
  };
}

const sealed = (text: string): string => Buffer.from(`sealed ${text}`).toString('base64');

function ruleBroken(body: Fields): string | null {
  const items = listOf(body['input']);
  const calls = items.filter(({ type }) => type === 'function_call').map((item) => textOf(item['call_id']));
  const outputs = items.filter(({ type }) => type === 'function_call_output').map((item) => textOf(item['call_id']));
  const lone = outputs.find((id) => !calls.includes(id));
  if (lone !== undefined) return `No tool call found for function call output with call_id ${lone}.`;
  const open = calls.find((id) => !outputs.includes(id));
  if (open !== undefined) return `No tool output found for function call ${open}.`;
  const wrong = items.find(
    ({ type, summary, encrypted_content: content }) =>
      type === 'reasoning' &&
      content !==
        sealed(
          listOf(summary)
            .map(({ text }) => textOf(text))
            .join(''),
        ),
  );
  return wrong === undefined ? null : 'The encrypted content could not be verified.';
}

function readAsked(body: Fields): Asked {
  const items = listOf(body['input']);
  const parts = (item: Fields | undefined): readonly Fields[] =>
    typeof item?.['content'] === 'string' ? [{ type: 'input_text', text: item['content'] }] : listOf(item?.['content']);
  const isOfModel = ({ type, role }: Fields) => role === 'assistant' || type === 'function_call' || type === 'reasoning';
  const users = items.filter(({ role }) => role === 'user').flatMap(parts);
  const lastOfModel = items.findLastIndex(isOfModel);
  return {
    model: textOf(body['model']),
    stream: body['stream'] === true,
    tools: listOf(body['tools']).map(({ name }) => textOf(name)),
    roles: items.map(({ role, type }) => textOf(role ?? type)),
    answers: items.filter((item, at) => isOfModel(item) && (at === 0 || !isOfModel(items[at - 1] as Fields))).length,
    results: items
      .slice(lastOfModel + 1)
      .filter(({ type }) => type === 'function_call_output')
      .map((item) => ({ callId: textOf(item['call_id']), text: textOf(item['output']) })),
    images: users
      .filter(({ type }) => type === 'input_image')
      .map((part) => textOf(part['image_url']).replace(/^data:[^,]*,/, '')),
    lastText: textOf(users.findLast(({ type }) => type === 'input_text')?.['text']),
  };
}

const part = (text: string): Fields => ({ type: 'output_text', text, annotations: [], logprobs: [] });

function itemsOf({ reasoning = '', text = '', calls = [] }: Told, asked: Asked): readonly Fields[] {
  const status = 'completed';
  const summary = [{ type: 'summary_text', text: reasoning }];
  return [
    ...(reasoning === '' ? [] : [{ id: `rs_${idOf(asked)}`, type: 'reasoning', summary, encrypted_content: sealed(reasoning) }]),
    ...(text === '' ? [] : [{ id: `msg_${idOf(asked)}`, type: 'message', role: 'assistant', status, content: [part(text)] }]),
    ...calls.map(({ name, input }, at) => {
      const [id, call_id] = [`fc_${idOf(asked, at)}`, `call_${idOf(asked, at)}`];
      return { id, call_id, type: 'function_call', status, name, arguments: JSON.stringify(input) };
    }),
  ];
}

function response(asked: Asked, output: readonly Fields[], { end }: Told): Fields {
  const cut = end === 'length' ? 'max_output_tokens' : 'content_filter';
  return {
    id: `resp_${idOf(asked)}`,
    object: 'response',
    created_at: 1_795_000_000,
    model: asked.model,
    status: end === undefined ? 'completed' : 'incomplete',
    error: null,
    incomplete_details: end === undefined ? null : { reason: cut },
    output,
    usage,
  };
}

function whole(received: Received, told: Told, asked: Asked): void | Promise<void> {
  return answer(200, response(asked, itemsOf(told, asked), told))(received);
}

function streamed(received: Received, told: Told, asked: Asked): void | Promise<void> {
  const events: string[] = [];
  const send = (type: string, more: Fields) => {
    events.push(`event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: events.length, ...more })}\n\n`);
  };
  const items = itemsOf(told, asked);
  send('response.created', { response: { ...response(asked, [], told), status: 'in_progress', usage: null } });
  for (const [at, item] of items.entries()) itemEvents(item, at, send);
  const written = (list: readonly string[]) => streamHead + list.map(chunk).join('');
  if (told.breaksOff === true) return bytes(written(events), 'end')(received);
  send(told.end === undefined ? 'response.completed' : 'response.incomplete', { response: response(asked, items, told) });
  received.socket.write(written(events) + lastChunk);
}

type Send = (type: string, more: Fields) => void;

function itemEvents(item: Fields, output_index: number, send: Send): void {
  const place = { item_id: item['id'], output_index };
  const begun = { message: { content: [] }, function_call: { arguments: '' }, reasoning: { summary: [] } };
  const status = item['type'] === 'reasoning' ? {} : { status: 'in_progress' };
  send('response.output_item.added', {
    output_index,
    item: { ...item, ...status, ...begun[item['type'] as keyof typeof begun] },
  });
  if (item['type'] === 'function_call') {
    const text = textOf(item['arguments']);
    for (const delta of piecesOf(text)) send('response.function_call_arguments.delta', { ...place, delta });
    send('response.function_call_arguments.done', { ...place, arguments: text });
  } else if (item['type'] === 'message') {
    const text = textOf(listOf(item['content'])[0]?.['text']);
    send('response.content_part.added', { ...place, content_index: 0, part: part('') });
    for (const delta of piecesOf(text)) send('response.output_text.delta', { ...place, content_index: 0, delta, logprobs: [] });
    send('response.output_text.done', { ...place, content_index: 0, text, logprobs: [] });
    send('response.content_part.done', { ...place, content_index: 0, part: part(text) });
  } else {
    const [summary = {}] = listOf(item['summary']);
    send('response.reasoning_summary_part.added', { ...place, summary_index: 0, part: { ...summary, text: '' } });
    for (const delta of piecesOf(textOf(summary['text']))) {
      send('response.reasoning_summary_text.delta', { ...place, summary_index: 0, delta });
    }
    send('response.reasoning_summary_text.done', { ...place, summary_index: 0, text: summary['text'] });
    send('response.reasoning_summary_part.done', { ...place, summary_index: 0, part: summary });
  }
  send('response.output_item.done', { output_index, item });
}
