/** Calls whose client and upstream speak different protocols, through the gateway to a real server. */
import { afterEach, describe, expect, test } from 'bun:test';
import { OlaError } from '../../../src/core/errors.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import type { Protocol } from '../../../src/core/protocol.ts';
import type { Answer, InferenceRequest } from '../../../src/gateway/inference/call.ts';
import { protocols } from '../../../src/protocols/all.ts';
import { directories } from '../../directories.ts';
import { callOver, open, own, type Scene } from '../scene.ts';

const directory = directories();
const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

interface Asked {
  readonly path: string;
  readonly headers: Headers;
  readonly body: JsonObject;
}

type Answers = (asked: Asked) => Response;

/** A gateway with the providers `claude-like` and `chat-like`, which are one real server here. */
async function play(answers: Answers, more: JsonObject = {}) {
  const asked: Asked[] = [];
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      const one = { path: new URL(request.url).pathname, headers: request.headers, body: (await request.json()) as JsonObject };
      asked.push(one);
      return answers(one);
    },
  });
  const scene = await open(directory());
  cleanups.push(async () => {
    await server.stop(true);
    await scene[Symbol.asyncDispose]();
  });
  const base = `http://127.0.0.1:${server.port}`;
  const common = { allowLocal: true, apiKey: 'key-0123456789' };
  const providers = {
    'claude-like': { ...common, baseUrl: base, api: 'anthropic-messages' },
    'chat-like': { ...common, baseUrl: `${base}/v1` },
  };
  await scene.gateway.documents.replace({ providers, ...more }, null, own);
  return { scene, asked };
}

function protocolOf(path: string): Protocol {
  const found = protocols.find(({ clientRoutes }) => clientRoutes.some((route) => route.path === path));
  if (found === undefined) throw new Error(`there is no route ${path}`);
  return found;
}

async function call({ gateway }: Scene, path: string, fields: JsonObject): Promise<Answer> {
  const protocol = protocolOf(path);
  const route = protocol.clientRoutes.find((each) => each.path === path) as InferenceRequest['route'];
  const body = { text: JSON.stringify(fields), fields };
  const request = { route, body, params: {}, peek: route.peek(body, {}), query: '', headers: null };
  return gateway.inference.run(callOver({ protocol }), request);
}

async function refusal(scene: Scene, path: string, fields: JsonObject): Promise<OlaError> {
  const thrown: unknown = await call(scene, path, fields).catch((error: unknown) => error);
  if (thrown instanceof OlaError) return thrown;
  throw new Error('it was not refused');
}

const chat = '/v1/chat/completions';
const messages = '/v1/messages';
const count = '/v1/messages/count_tokens';
const question = [{ role: 'user', content: 'hi' }];
const message = (more: JsonObject = {}): JsonObject => ({
  ...{ id: 'msg_1', type: 'message', role: 'assistant', model: 'm', stop_reason: 'end_turn', stop_sequence: null },
  content: [{ type: 'text', text: 'hello' }],
  usage: { input_tokens: 3, output_tokens: 2 },
  ...more,
});
const completion = { id: 'c1', model: 'm', choices: [{ index: 0, message: { content: 'hello' }, finish_reason: 'stop' }] };
const told = async ({ body }: Answer) => JSON.parse(await new Response(body).text()) as JsonObject;

describe('a chat to a provider that speaks Anthropic’s protocol', () => {
  test('goes there in it, with the key as its vendor takes it, and comes back as a chat', async () => {
    const { scene, asked } = await play(() => Response.json(message()));
    const answer = await call(scene, chat, { model: 'claude-like/m', messages: question, max_tokens: 9 });
    expect(asked.map(({ path, headers }) => [path, headers.get('x-api-key'), headers.get('anthropic-version')])).toEqual([
      ['/v1/messages', 'key-0123456789', '2023-06-01'],
    ]);
    expect(asked[0]?.body).toMatchObject({ model: 'm', max_tokens: 9 });
    expect(await told(answer)).toMatchObject({
      object: 'chat.completion',
      choices: [{ message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 3, completion_tokens: 2 },
    });
    const [row] = await scene.gateway.usage.recent(1);
    expect(row).toMatchObject({ status: 200, provider: 'claude-like', tokens: { prompt: 3, completion: 2 } });
  });

  test('says what it left out', async () => {
    const { scene } = await play(() => Response.json(message()));
    const { headers } = await call(scene, chat, { model: 'claude-like/m', messages: question, seed: 1, 'odd,\u2028name': 1 });
    expect(headers['x-ola-dropped']).toContain('seed');
    expect(headers['x-ola-dropped']).toContain('odd??name');
  });

  test('is refused by its field, with nothing sent, where the protocol cannot say it', async () => {
    const { scene, asked } = await play(() => Response.json(message()));
    const audio = [{ type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } }];
    const error = await refusal(scene, chat, { model: 'claude-like/m', messages: [{ role: 'user', content: audio }] });
    expect(error).toMatchObject({ status: 400, code: 'invalid_request', facts: { param: 'messages.0.content.0' } });
    expect(asked).toEqual([]);
  });

  test('goes on to a fallback that can say it', async () => {
    const providerFallback = { order: { 'claude-like/m': ['chat-like/m'] } };
    const { scene, asked } = await play(() => Response.json(completion), { providerFallback });
    const audio = [{ type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } }];
    const answer = await call(scene, chat, { model: 'claude-like/m', messages: [{ role: 'user', content: audio }] });
    expect(answer.headers['x-ola-provider']).toBe('chat-like');
    expect(asked.map(({ path }) => path)).toEqual([chat]);
  });

  test('says an end that ola does not know beside the answer and in the usage row', async () => {
    const { scene } = await play(() => Response.json(message({ stop_reason: 'tired' })));
    const answer = await call(scene, chat, { model: 'claude-like/m', messages: question });
    expect(answer.headers['x-ola-upstream-stop']).toBe('tired');
    expect(await told(answer)).toMatchObject({ choices: [{ finish_reason: 'stop' }] });
    await scene.gateway.flush();
    expect((await scene.gateway.usage.recent(1))[0]).toMatchObject({ status: 200, stop: 'tired' });
  });

  test('is told an error in its own form, with the words of the upstream', async () => {
    const error = { type: 'error', error: { type: 'invalid_request_error', message: 'max_tokens: too large' } };
    const { scene } = await play(() => Response.json(error, { status: 400 }));
    const refused = await refusal(scene, chat, { model: 'claude-like/m', messages: question });
    expect(refused).toMatchObject({ status: 400, code: 'upstream_http_error' });
    expect(refused.message).toContain('claude-like');
    expect(refused.message).toContain('max_tokens: too large');
    expect(refused.facts.body).toBeUndefined();
  });

  test.each([429, 503, 529])('is told a %d with the upstream’s words, which say more than the status', async (status) => {
    const error = { type: 'error', error: { type: 'rate_limit_error', message: 'Wait for the next window' } };
    const { scene } = await play(() => Response.json(error, { status }));
    const refused = await refusal(scene, chat, { model: 'claude-like/m', messages: question });
    expect([refused.status, refused.message]).toEqual([status, expect.stringContaining('Wait for the next window')]);
  });

  test('that meets a rate limit cools the credential for that model', async () => {
    const error = { type: 'error', error: { type: 'rate_limit_error', message: 'slow' } };
    const { scene } = await play(() => Response.json(error, { status: 429, headers: { 'retry-after': '40' } }));
    await refusal(scene, chat, { model: 'claude-like/m', messages: question });
    const again = await refusal(scene, chat, { model: 'claude-like/m', messages: question });
    expect(again).toMatchObject({ status: 429, code: 'all_credentials_cooling_down' });
  });

  test('that thinks and calls a tool has its thinking back in the next turn, though the client dropped it', async () => {
    const thinking = { type: 'thinking', thinking: 'hm', signature: 'sig-1' };
    const use = { type: 'tool_use', id: 'toolu_1', name: 'look', input: { at: 1 } };
    const { scene, asked } = await play(() => Response.json(message({ content: [thinking, use], stop_reason: 'tool_use' })));
    const tools = [{ type: 'function', function: { name: 'look', parameters: { type: 'object' } } }];
    const first = await told(await call(scene, chat, { model: 'claude-like/m', messages: question, tools }));
    const [{ message: said }] = first['choices'] as [{ message: { tool_calls: JsonObject[] } }];
    const next = [
      ...question,
      { role: 'assistant', content: null, tool_calls: said.tool_calls },
      { role: 'tool', tool_call_id: 'toolu_1', content: 'seen' },
    ];
    await call(scene, chat, { model: 'claude-like/m', messages: next, tools });
    expect(asked[1]?.body['messages']).toMatchObject([{}, { role: 'assistant', content: [thinking, use] }, {}]);
  });
});

test('D06: the schema of a tool goes whole to an upstream that takes any, whatever words it has', async () => {
  const parameters = {
    type: 'object',
    properties: {
      n: { type: 'integer', exclusiveMinimum: 0, multipleOf: 2 },
      list: { type: 'array', uniqueItems: true, items: { $ref: '#/$defs/node' } },
      kind: { const: 'a' },
      size: { enum: [1, 2] },
      note: { type: ['string', 'null'], format: 'uuid' },
      rest: { type: 'object', propertyNames: { pattern: '^x' }, patternProperties: { '^y': {} } },
      empty: {},
    },
    $defs: { node: { type: 'object', properties: { next: { $ref: '#/$defs/node' } } } },
  };
  const { scene, asked } = await play(({ path }) => Response.json(path === messages ? message() : completion));
  const tools = [{ type: 'function', function: { name: 'look', parameters } }];
  await call(scene, chat, { model: 'claude-like/m', messages: question, tools });
  const named = [{ name: 'look', input_schema: parameters }];
  await call(scene, messages, { model: 'chat-like/m', max_tokens: 9, messages: question, tools: named });
  expect(asked[0]?.body['tools']).toEqual(named);
  expect(asked[1]?.body['tools']).toEqual(tools);
});

describe('a message to a provider that speaks OpenAI’s protocol', () => {
  test('goes there as a chat and comes back as a message', async () => {
    const { scene, asked } = await play(() => Response.json(completion));
    const answer = await call(scene, messages, { model: 'chat-like/m', max_tokens: 9, messages: question });
    expect(asked.map(({ path, headers }) => [path, headers.get('authorization')])).toEqual([[chat, 'Bearer key-0123456789']]);
    expect(await told(answer)).toMatchObject({ type: 'message', content: [{ type: 'text', text: 'hello' }] });
  });

  test('has its tokens estimated, and says so, with nothing sent', async () => {
    const { scene, asked } = await play(() => Response.json(completion));
    const answer = await call(scene, count, { model: 'chat-like/m', messages: [{ role: 'user', content: 'x'.repeat(4000) }] });
    expect(answer.headers['x-ola-estimated']).toBe('input_tokens');
    expect((await told(answer))['input_tokens']).toBeGreaterThanOrEqual(1000);
    expect(asked).toEqual([]);
    await scene.gateway.flush();
    expect((await scene.gateway.usage.recent(1))[0]).toMatchObject({ status: 200, costMicros: null });
  });
});

test('a call that is not translated says which protocols the provider speaks', async () => {
  const { scene } = await play(() => Response.json(completion));
  const error = await refusal(scene, '/v1/embeddings', { model: 'claude-like/m', input: 'x' });
  expect(error).toMatchObject({ status: 404, code: 'provider_resolution_failed' });
  expect(error.message).toContain('anthropic-messages');
});
