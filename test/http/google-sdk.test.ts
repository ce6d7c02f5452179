/** The unchanged `@google/genai` package in front of the app, and Google's API behind it, played on loopback. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { ApiError, GoogleGenAI } from '@google/genai';
import { directories } from '../directories.ts';
import { own } from '../gateway/scene.ts';
import { type AppScene, open } from './scene.ts';

const directory = directories();

type Fields = Record<string, unknown>;

interface Asked {
  readonly path: string;
  readonly key: string | null;
  readonly body: Fields;
}

/** The requests that the upstream got, the last one last. */
const asked: Asked[] = [];
const last = () => asked.at(-1)!;

const usage = { promptTokenCount: 9, candidatesTokenCount: 3, totalTokenCount: 12 };
const candidate = (parts: readonly Fields[], more: Fields = {}) => ({ content: { role: 'model', parts }, index: 0, ...more });
const chunk = (fields: Fields) => `data: ${JSON.stringify({ responseId: 'r1', modelVersion: 'up', ...fields })}\r\n\r\n`;
const call = { functionCall: { id: 'f1', name: 'rain', args: { bed: 'north' } }, thoughtSignature: 'c2lnbmVk' };

/** Google's answers by the name of the model. */
const google: Readonly<Record<string, (verb: string) => Response>> = {
  words: (verb) => {
    if (verb === 'countTokens') return Response.json({ totalTokens: 42 });
    if (verb === 'batchEmbedContents') return Response.json({ embeddings: [{ values: [1, 2] }, { values: [3, 4] }] });
    if (verb === 'generateContent') {
      return Response.json({
        candidates: [candidate([{ text: 'Hello' }], { finishReason: 'STOP' })],
        usageMetadata: usage,
        responseId: 'r1',
      });
    }
    const chunks = [
      { candidates: [candidate([{ text: 'Hel' }])] },
      { candidates: [candidate([{ text: 'lo' }], { finishReason: 'STOP' })], usageMetadata: usage },
    ];
    return events(chunks.map(chunk).join(''));
  },
  calls: () =>
    events(
      chunk({ candidates: [candidate([{ text: 'I look.', thought: true }, call])] }) +
        chunk({ candidates: [candidate([{ text: '' }], { finishReason: 'STOP' })] }),
    ),
  broken: () => events(chunk({ candidates: [candidate([{ text: 'Hel' }])] })),
  limited: () => Response.json({ error: { code: 400, message: 'bad field', status: 'INVALID_ARGUMENT' } }, { status: 400 }),
};
const events = (text: string) => new Response(text, { headers: { 'content-type': 'text/event-stream' } });

const sse = (type: string, more: Fields = {}) => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
const begun = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'up',
  content: [],
  usage: { input_tokens: 8, output_tokens: 1 },
};

/** Anthropic's answers: a thought and a call, and words once the call has its result. */
function anthropic(body: Fields): Response {
  const isAnswered = JSON.stringify(body['messages']).includes('tool_result');
  const blocks = isAnswered
    ? [
        sse('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
        sse('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'It rains.' } }),
        sse('content_block_stop', { index: 0 }),
      ]
    : [
        sse('content_block_start', { index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } }),
        sse('content_block_delta', { index: 0, delta: { type: 'thinking_delta', thinking: 'I look.' } }),
        sse('content_block_delta', { index: 0, delta: { type: 'signature_delta', signature: 'SIGNED' } }),
        sse('content_block_stop', { index: 0 }),
        sse('content_block_start', { index: 1, content_block: { type: 'tool_use', id: 'toolu_1', name: 'rain', input: {} } }),
        sse('content_block_delta', { index: 1, delta: { type: 'input_json_delta', partial_json: '{"bed":"north"}' } }),
        sse('content_block_stop', { index: 1 }),
      ];
  const reason = isAnswered ? 'end_turn' : 'tool_use';
  const end = [
    sse('message_delta', { delta: { stop_reason: reason, stop_sequence: null }, usage: { output_tokens: 5 } }),
    sse('message_stop'),
  ];
  return events([sse('message_start', { message: begun }), ...blocks, ...end].join(''));
}

const upstream = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  async fetch(request) {
    const { pathname } = new URL(request.url);
    const body = request.method === 'GET' ? {} : ((await request.json()) as Fields);
    asked.push({ path: request.url.slice(request.url.indexOf(pathname)), key: request.headers.get('x-goog-api-key'), body });
    if (pathname === '/v1beta/models') return Response.json({ models: [{ name: 'models/listed' }] });
    if (pathname.startsWith('/v1/messages')) return anthropic(body);
    const [, model = '', verb = ''] = /\/models\/([^:]+):(\w+)$/.exec(pathname) ?? [];
    return google[model]?.(verb) ?? new Response(null, { status: 404 });
  },
});

let scene: AppScene;
let door: ReturnType<typeof Bun.serve>;
let ai: GoogleGenAI;
beforeAll(async () => {
  scene = await open(directory(), { settings: { everyProviderLocal: true } });
  const at = `http://127.0.0.1:${upstream.port}`;
  const put = (id: string, provider: object) =>
    scene.gateway.providers.put(id, { apiKey: 'key-0123456789', ...provider }, null, own);
  await put('gem', { baseUrl: `${at}/v1beta`, api: 'google-generative-ai' });
  await put('ant', { baseUrl: at, api: 'anthropic-messages', models: [{ id: 'up' }] });
  door = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: async (request) => {
      const { pathname, search } = new URL(request.url);
      const headers = new Headers(request.headers);
      headers.delete('host');
      const body = request.method === 'GET' ? {} : { body: await request.arrayBuffer() };
      return scene.ask(request.method, pathname + search, { headers, ...body });
    },
  });
  ai = new GoogleGenAI({ apiKey: scene.tokens.write, httpOptions: { baseUrl: `http://127.0.0.1:${door.port}` } });
});
afterAll(async () => {
  await door.stop(true);
  await upstream.stop(true);
  await scene[Symbol.asyncDispose]();
});

async function textOf(stream: AsyncGenerator<{ readonly text: string | undefined }>): Promise<string> {
  let text = '';
  for await (const part of stream) text += part.text ?? '';
  return text;
}

test('words, whole and as a stream, from an upstream of the same protocol', async () => {
  const whole = await ai.models.generateContent({ model: 'gem/words', contents: 'Hi', config: { maxOutputTokens: 5 } });
  expect([whole.text, whole.usageMetadata?.totalTokenCount]).toEqual(['Hello', 12]);
  expect(last()).toMatchObject({
    path: '/v1beta/models/words:generateContent',
    key: 'key-0123456789',
    body: { generationConfig: { maxOutputTokens: 5 } },
  });
  expect(await textOf(await ai.models.generateContentStream({ model: 'gem/words', contents: 'Hi' }))).toBe('Hello');
  expect(last().path).toBe('/v1beta/models/words:streamGenerateContent?alt=sse');
});

test('a count, embeddings and the models', async () => {
  expect((await ai.models.countTokens({ model: 'gem/words', contents: 'Hi' })).totalTokens).toBe(42);
  expect((await ai.models.countTokens({ model: 'ant/up', contents: 'Hi' })).totalTokens).toBeGreaterThan(0);
  const made = await ai.models.embedContent({ model: 'gem/words', contents: ['a', 'b'] });
  expect(made.embeddings?.map(({ values }) => values)).toEqual([
    [1, 2],
    [3, 4],
  ]);
  const reader = new GoogleGenAI({ apiKey: scene.tokens.read, httpOptions: { baseUrl: `http://127.0.0.1:${door.port}` } });
  const names: (string | undefined)[] = [];
  for await (const { name } of await reader.models.list({ config: { pageSize: 1 } })) names.push(name);
  expect(names).toEqual(expect.arrayContaining(['models/ant/up', 'models/gem/listed']));
  expect((await reader.models.get({ model: 'ant/up' })).name).toBe('models/ant/up');
});

test('a chat with a call of a tool, over an upstream of Anthropic’s protocol: its thinking goes back with its signature', async () => {
  const tools = [
    {
      functionDeclarations: [{ name: 'rain', parametersJsonSchema: { type: 'object', properties: { bed: { type: 'string' } } } }],
    },
  ];
  const chat = ai.chats.create({ model: 'ant/up', config: { tools, thinkingConfig: { includeThoughts: true } } });
  const calls: unknown[] = [];
  let thoughts = '';
  for await (const part of await chat.sendMessageStream({ message: 'Does it rain?' })) {
    calls.push(...(part.functionCalls ?? []));
    for (const each of part.candidates?.[0]?.content?.parts ?? []) if (each.thought === true) thoughts += each.text ?? '';
  }
  expect([calls, thoughts]).toEqual([[{ id: 'toolu_1', name: 'rain', args: { bed: 'north' } }], 'I look.']);
  const response = { functionResponse: { id: 'toolu_1', name: 'rain', response: { output: 'yes' } } };
  expect(await textOf(await chat.sendMessageStream({ message: response }))).toBe('It rains.');
  expect(last().body['messages']).toMatchObject([
    { role: 'user' },
    {
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: 'I look.', signature: 'SIGNED' },
        { type: 'tool_use', id: 'toolu_1', name: 'rain', input: { bed: 'north' } },
      ],
    },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'text', text: 'yes' }] }] },
  ]);
});

test('errors are those of its class, also in the middle of a stream', async () => {
  const thrown = (model: string, from = ai) =>
    from.models.generateContent({ model, contents: 'Hi' }).catch((error: unknown) => error);
  const refused = await thrown('gem/limited');
  expect(refused).toBeInstanceOf(ApiError);
  expect(refused).toMatchObject({ status: 400, message: expect.stringContaining('bad field') });
  expect(await thrown('nobody/nothing')).toMatchObject({ status: 404 });
  const stranger = new GoogleGenAI({ apiKey: 'ola_nobody', httpOptions: { baseUrl: `http://127.0.0.1:${door.port}` } });
  expect(await thrown('gem/words', stranger)).toMatchObject({ status: 401 });
  const broken = await ai.models.generateContentStream({ model: 'gem/broken', contents: 'Hi' });
  expect(await textOf(broken).catch((error: unknown) => error)).toBeInstanceOf(ApiError);
});

const post = async (path: string, body: object): Promise<Fields> => {
  const headers = { authorization: `Bearer ${scene.tokens.write}`, 'content-type': 'application/json' };
  const response = await scene.ask('POST', path, { headers, body: JSON.stringify(body) });
  const text = await response.text();
  expect([response.status, text.slice(0, 300)]).toEqual([200, expect.any(String)]);
  return JSON.parse(text) as Fields;
};

test('litellm#16893: a chat client that drops the signature of a call has it back, from the memory of the gateway', async () => {
  const tools = [{ type: 'function', function: { name: 'rain', parameters: { type: 'object', properties: {} } } }];
  const question = { role: 'user', content: 'Does it rain?' };
  const first = await post('/v1/chat/completions', { model: 'gem/calls', messages: [question], tools });
  const { message } = (first['choices'] as { message: Fields }[])[0]!;
  expect(message).toMatchObject({ tool_calls: [{ id: 'f1', function: { name: 'rain', arguments: '{"bed":"north"}' } }] });
  const { tool_calls: toolCalls } = message;
  const result = { role: 'tool', tool_call_id: 'f1', content: 'yes' };
  await post('/v1/chat/completions', {
    model: 'gem/calls',
    messages: [question, { role: 'assistant', content: null, tool_calls: toolCalls }, result],
    tools,
  });
  expect(last().body['contents']).toMatchObject([
    { role: 'user' },
    { role: 'model', parts: [{ text: 'I look.', thought: true }, call] },
    { role: 'user', parts: [{ functionResponse: { id: 'f1', name: 'rain', response: { output: 'yes' } } }] },
  ]);
});

test('a stream without alt=sse is a list in JSON, translated or not, with an error at its end where it broke', async () => {
  const headers = { 'x-goog-api-key': scene.tokens.write, 'content-type': 'application/json' };
  const body = JSON.stringify({ contents: [{ parts: [{ text: 'Hi' }] }] });
  const listOf = async (model: string) => {
    const response = await scene.ask('POST', `/v1beta/models/${model}:streamGenerateContent`, { headers, body });
    expect(response.headers.get('content-type')).toBe('application/json');
    return (await response.json()) as Fields[];
  };
  expect((await listOf('gem/words')).at(-1)).toMatchObject({ candidates: [{ finishReason: 'STOP' }] });
  expect((await listOf('ant%2Fup')).at(-1)).toMatchObject({ candidates: [{ finishReason: 'STOP' }] });
  expect((await listOf('gem/broken')).at(-1)).toMatchObject({ error: { details: [{ reason: 'UPSTREAM_TRUNCATED' }] } });
});

test('OpenAI’s embeddings from a model of Google’s', async () => {
  const made = await post('/v1/embeddings', { model: 'gem/words', input: ['a', 'b'] });
  expect(made).toMatchObject({
    model: 'gem/words',
    data: [
      { index: 0, embedding: [1, 2] },
      { index: 1, embedding: [3, 4] },
    ],
  });
  expect(last().path).toBe('/v1beta/models/words:batchEmbedContents');
});
