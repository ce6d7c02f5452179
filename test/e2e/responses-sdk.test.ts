/**
 * The unchanged `openai` package asks for responses of upstreams that speak them, and of upstreams that do not: its accumulator
 * reads each event of a stream by its place.
 */
import { describe, expect, test } from 'bun:test';
import OpenAI from 'openai';
import { addAnthropic, event as anthropicEvent, events as anthropicEvents } from './anthropic.ts';
import { addResponses, good } from './responses.ts';
import { adminToken, stage } from './stage.ts';
import { answer, bytes, chunk, event, stream, streamHead } from './upstream.ts';

const { start, upstream } = stage();
const shared = (async () => {
  const [ola, up] = await Promise.all([start(), upstream()]);
  await ola.addProvider('chat', up);
  await addResponses(ola, 'direct', up);
  await addAnthropic(ola, 'messages', up);
  const client = new OpenAI({ apiKey: adminToken, baseURL: `${ola.address}/v1`, maxRetries: 0, logLevel: 'off' });
  return { ola, up, client };
})();
type Params = Omit<OpenAI.Responses.ResponseCreateParamsNonStreaming, 'stream'>;

/** Both forms of an answer: whole, and as the package's accumulator builds it from the events. */
async function both(params: Params): Promise<readonly OpenAI.Responses.Response[]> {
  const { client } = await shared;
  return [await client.responses.create(params), await client.responses.stream(params).finalResponse()];
}

test('a response of an upstream that speaks them', async () => {
  const { up, client } = await shared;
  up.modes.set('same', good);
  for (const response of await both({ model: 'direct/same', input: 'Hello' })) {
    expect(response.output_text).toBe('Hello');
    expect(response.usage?.input_tokens_details.cached_tokens).toBe(5);
  }
  expect((await client.responses.inputTokens.count({ model: 'direct/same', input: 'Hello' })).input_tokens).toBe(42);
});

describe('over chats', () => {
  test('a text, with its usage and what was asked for', async () => {
    const params: Params = { model: 'chat/text', input: 'Hello', instructions: 'Be brief.', temperature: 0.5, store: true };
    for (const response of await both(params)) {
      expect(response).toMatchObject({ object: 'response', status: 'completed', output_text: 'Hello', model: 'chat/text' });
      expect(response).toMatchObject({ instructions: 'Be brief.', temperature: 0.5, store: false });
      expect(response.id).toStartWith('resp_');
      expect(response.usage).toMatchObject({ input_tokens: 11, output_tokens: 7, total_tokens: 18 });
      expect(response.output.map(({ id }) => id?.slice(0, 4))).toEqual(['msg_']);
    }
  });

  test('each event has its number, its place and its time, in the vendor’s order', async () => {
    const { client } = await shared;
    const got: OpenAI.Responses.ResponseStreamEvent[] = [];
    for await (const each of await client.responses.create({ model: 'chat/order', input: 'Hello', stream: true })) got.push(each);
    expect(got.map(({ type }) => type.replace('response.', ''))).toEqual([
      'created',
      'in_progress',
      'output_item.added',
      'content_part.added',
      'output_text.delta',
      'output_text.delta',
      'output_text.done',
      'content_part.done',
      'output_item.done',
      'completed',
    ]);
    expect(got.map((each) => each.sequence_number)).toEqual(got.map((_, at) => at));
  });

  const called = [
    event('', { choices: [{ index: 0, delta: { role: 'assistant', content: 'Let me look.' }, finish_reason: null }] }),
    ...['call_1', 'call_2'].flatMap((id, index) => [
      call({ index, id, type: 'function', function: { name: 'look', arguments: '' } }),
      call({ index, function: { arguments: '{"at":' } }),
      call({ index, function: { arguments: `"${id}"}` } }),
    ]),
    event('', { choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] }),
    'data: [DONE]\n\n',
  ];
  function call(delta: object): string {
    return event('', { choices: [{ index: 0, delta: { tool_calls: [delta] }, finish_reason: null }] });
  }
  const look: OpenAI.Responses.Tool = {
    type: 'function',
    name: 'look',
    parameters: { type: 'object', properties: { at: { type: 'string' } } },
    strict: false,
  };

  test('litellm#17246: a text and parallel calls, each with its own arguments, and the results of the next turn', async () => {
    const { up, client } = await shared;
    up.modes.set('tools', stream(...called));
    const params = { model: 'chat/tools', input: 'Look', tools: [look] };
    const response = await client.responses.stream(params).finalResponse();
    expect(response.output.map(({ type }) => type)).toEqual(['message', 'function_call', 'function_call']);
    expect(response.output_text).toBe('Let me look.');
    const calls = response.output.filter((item) => item.type === 'function_call');
    expect(calls.map(({ call_id: id, arguments: text }) => [id, text])).toEqual([
      ['call_1', '{"at":"call_1"}'],
      ['call_2', '{"at":"call_2"}'],
    ]);
    up.modes.set('results', (received) =>
      answer(
        200,
        JSON.stringify({ choices: [{ index: 0, message: { role: 'assistant', content: 'ok' }, finish_reason: 'stop' }] }),
      )(received),
    );
    const results = calls.map(({ call_id: id }) => ({ type: 'function_call_output' as const, call_id: id, output: `of ${id}` }));
    const replayed = response.output as OpenAI.Responses.ResponseInputItem[];
    const input = [{ role: 'user' as const, content: 'Look' }, ...replayed, ...results.reverse()];
    await client.responses.create({ ...params, model: 'chat/results', input });
    const { messages } = JSON.parse(up.requestFor('results').body) as { messages: readonly Record<string, unknown>[] };
    expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'tool']);
    expect(messages.slice(2).map(({ tool_call_id: id, content }) => [id, content])).toEqual([
      ['call_1', 'of call_1'],
      ['call_2', 'of call_2'],
    ]);
  });

  test('D04: a free-form tool is called with its text, in events of its own, beside a function', async () => {
    const { up, client } = await shared;
    const patch = '*** Begin Patch\n*** Add File: a\n+“a”\n*** End Patch';
    const text = JSON.stringify({ input: patch });
    const pieces = [text.slice(0, 9), text.slice(9, 30), text.slice(30)];
    up.modes.set(
      'patch',
      stream(
        call({ index: 0, id: 'call_1', type: 'function', function: { name: 'apply_patch', arguments: '' } }),
        ...pieces.map((piece) => call({ index: 0, function: { arguments: piece } })),
        event('', { choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] }),
        'data: [DONE]\n\n',
      ),
    );
    const format = { type: 'grammar' as const, syntax: 'lark' as const, definition: 'start: "*** Begin Patch"' };
    const tools: OpenAI.Responses.Tool[] = [look, { type: 'custom', name: 'apply_patch', description: 'Edits files.', format }];
    const types: string[] = [];
    const got = client.responses.stream({ model: 'chat/patch', input: 'Edit', tools });
    got.on('event', ({ type }) => types.push(type));
    const response = await got.finalResponse();
    expect(response.output).toMatchObject([{ type: 'custom_tool_call', name: 'apply_patch', call_id: 'call_1', input: patch }]);
    expect(types).toContain('response.custom_tool_call_input.delta');
    expect(types).toContain('response.custom_tool_call_input.done');
    const sent = JSON.parse(up.requestFor('patch').body) as { tools: readonly { function: Record<string, unknown> }[] };
    expect(sent.tools.map((tool) => tool.function['name'])).toEqual(['look', 'apply_patch']);
    expect(sent.tools[1]?.function['description']).toContain(format.definition);
    up.modes.set(
      'patched',
      answer(200, { choices: [{ index: 0, message: { role: 'assistant', content: 'ok' }, finish_reason: 'stop' }] }),
    );
    const result = { type: 'custom_tool_call_output' as const, call_id: 'call_1', output: 'Done' };
    const input = [
      { role: 'user' as const, content: 'Edit' },
      ...(response.output as OpenAI.Responses.ResponseInputItem[]),
      result,
    ];
    await client.responses.create({ model: 'chat/patched', input, tools });
    const { messages } = JSON.parse(up.requestFor('patched').body) as { messages: readonly Record<string, unknown>[] };
    expect(messages.slice(1)).toMatchObject([
      { role: 'assistant', tool_calls: [{ function: { name: 'apply_patch', arguments: text } }] },
      { role: 'tool', tool_call_id: 'call_1', content: 'Done' },
    ]);
  });

  test('litellm#29223: a stream that breaks off throws, with the words of the failure', async () => {
    const { up, client } = await shared;
    up.modes.set('cut', bytes(streamHead + chunk(event('Hel')), 'end'));
    const cut = async () => {
      for await (const _ of await client.responses.create({ model: 'chat/cut', input: 'Hello', stream: true }));
    };
    await expect(cut()).rejects.toThrow('before it was complete');
    await expect(client.responses.stream({ model: 'chat/cut', input: 'Hello' }).finalResponse()).rejects.toThrow(
      'before it was complete',
    );
  });

  test('a stored conversation is refused by name', async () => {
    const { client } = await shared;
    const thrown = await client.responses
      .create({ model: 'chat/stored', input: 'Hello', previous_response_id: 'resp_0' })
      .catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(OpenAI.BadRequestError);
    expect(thrown).toMatchObject({ param: 'previous_response_id', message: expect.stringContaining('`input`') });
  });
});

describe('over Anthropic’s messages', () => {
  const head = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'up',
    content: [],
    stop_reason: null,
    stop_sequence: null,
  };
  const block = (index: number, content_block: object, ...deltas: readonly object[]) => [
    anthropicEvent('content_block_start', { index, content_block }),
    ...deltas.map((delta) => anthropicEvent('content_block_delta', { index, delta })),
    anthropicEvent('content_block_stop', { index }),
  ];
  const thinks = [
    anthropicEvent('message_start', { message: { ...head, usage: { input_tokens: 11, output_tokens: 1 } } }),
    ...block(
      0,
      { type: 'thinking', thinking: '', signature: '' },
      { type: 'thinking_delta', thinking: 'Hm.' },
      { type: 'signature_delta', signature: 'c2ln' },
    ),
    ...block(1, { type: 'redacted_thinking', data: 'ZW5j' }),
    ...block(2, { type: 'text', text: '' }, { type: 'text_delta', text: 'Hi' }),
    anthropicEvent('message_delta', { delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 7 } }),
    anthropicEvent('message_stop'),
  ];

  test('its thinking comes as reasoning items, and goes back signed as it was', async () => {
    const { up, client } = await shared;
    up.modes.set('thinks', anthropicEvents(thinks));
    const response = await client.responses.stream({ model: 'messages/thinks', input: 'Hello' }).finalResponse();
    const told = response.output.map((item) => (item.type === 'reasoning' ? [item.summary.map(({ text }) => text)] : item.type));
    expect(told).toEqual([[['Hm.']], [[]], 'message']);
    for (const item of response.output) if (item.type === 'reasoning') expect(item.encrypted_content).toStartWith('ola-r1.');
    const input = [
      { role: 'user' as const, content: 'Hello' },
      ...(response.output as OpenAI.Responses.ResponseInputItem[]),
      { role: 'user' as const, content: 'More' },
    ];
    for await (const _ of await client.responses.create({ model: 'messages/thinks', input, stream: true }));
    const { messages } = JSON.parse(up.for('thinks').at(-1)?.body ?? '') as { messages: readonly { content: unknown }[] };
    expect(messages[1]?.content).toEqual([
      { type: 'thinking', thinking: 'Hm.', signature: 'c2ln' },
      { type: 'redacted_thinking', data: 'ZW5j' },
      { type: 'text', text: 'Hi' },
    ]);
  });
});

test('clients of chats and of messages ask an upstream of responses', async () => {
  const { up, client } = await shared;
  up.modes.set('other', good);
  const messages = [{ role: 'user' as const, content: 'Hello' }];
  const whole = await client.chat.completions.create({ model: 'direct/other', messages });
  expect(whole.choices[0]?.message.content).toBe('Hello');
  expect(whole.usage).toMatchObject({ prompt_tokens: 11, prompt_tokens_details: { cached_tokens: 5 } });
  const texts: string[] = [];
  for await (const { choices } of await client.chat.completions.create({ model: 'direct/other', messages, stream: true }))
    texts.push(choices[0]?.delta.content ?? '');
  expect(texts.join('')).toBe('Hello');
  expect(JSON.parse(up.for('other').at(-1)?.body ?? '')).toMatchObject({ store: false, stream: true, input: [{ role: 'user' }] });
});
