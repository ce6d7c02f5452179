/**
 * Ollama's own API through the binary, judged by other people's programs: the vendor's package before it, aimock behind it, and
 * the packages of OpenAI and Anthropic over servers of Ollama.
 */
import { afterAll, describe, expect, test } from 'bun:test';
import { LLMock } from '@copilotkit/aimock';
import { Ollama, type Tool } from 'ollama';
import OpenAI from 'openai';
import { sdksOf } from './sdks.ts';
import { adminToken, type Ola, stage } from './stage.ts';

const { start } = stage();
const text = 'Grüße — “two” words, a tab\t, 🙂 and \u2028 the end.';
const usage = { prompt_tokens: 19, completion_tokens: 7, input_tokens: 19, output_tokens: 7 };

const mock = new LLMock({ port: 0, host: '127.0.0.1', strict: true, logLevel: 'silent', chunkSize: 5 });
const weather = (city: string) => ({ name: 'get_weather', arguments: { city } });
mock.on({ userMessage: 'say it' }, { content: text, usage });
mock.on({ userMessage: 'both cities', hasToolResult: true }, { content: 'Both are warm.', usage });
mock.on({ userMessage: 'both cities' }, { content: 'I look.', toolCalls: [weather('Bern'), weather('Zürich')], usage });

const upstreams = { openai: 'openai-completions', anthropic: 'anthropic-messages', ollama: 'ollama' } as const;
type UpstreamName = keyof typeof upstreams;

interface Asked {
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}
/** A server of Ollama's that answers by the name of the model, and what it was asked. */
const asked: Asked[] = [];
const lines = (...objects: readonly object[]) => objects.map((each) => `${JSON.stringify(each)}\n`).join('');
const end = { done: true, done_reason: 'stop', prompt_eval_count: 3, eval_count: 1 };
const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  async fetch(request) {
    const { pathname: path } = new URL(request.url);
    if (path === '/v1/models') return Response.json({ data: [] });
    if (path === '/v1/embeddings')
      return Response.json({ data: [{ index: 0, embedding: [0.25] }], model: 'e', usage: { prompt_tokens: 2 } });
    if (path === '/api/tags') return Response.json({ models: [{ name: 'qwen3:latest', model: 'qwen3:latest' }] });
    const body = (await request.json()) as Asked['body'];
    asked.push({ path, body });
    const name = String(body['model']);
    if (path === '/api/embed') {
      const input = body['input'] as readonly string[];
      return Response.json({ model: name, embeddings: input.map((_, at) => [at, 0.5]), prompt_eval_count: 4 });
    }
    if (name === 'missing') return Response.json({ error: 'model "missing" not found, try pulling it first' }, { status: 404 });
    if (name === 'plain' && body['think'] !== undefined)
      return Response.json({ error: '"plain" does not support thinking' }, { status: 400 });
    const said = { model: name, created_at: '2025-10-26T17:15:24Z', message: { role: 'assistant', content: 'Hi' } };
    if (name === 'crashes') return new Response(lines({ ...said, done: false }, { error: 'the model crashed' }));
    if (name === 'cut') return new Response(lines({ ...said, done: false }));
    if (body['stream'] === false) return Response.json({ ...said, ...end });
    return new Response(lines({ ...said, done: false }, { ...said, message: { role: 'assistant', content: '' }, ...end }));
  },
});

const shared = (async () => {
  const [ola, url] = await Promise.all([start(), mock.start()]);
  const add = async (id: string, api: string, baseUrl: string) => {
    const body = { api, baseUrl, apiKey: 'key-of-the-mock-0123456789', allowLocal: true };
    const { status, text: said } = await ola.ask('PUT', `/config/providers/${id}`, body);
    expect(`${status} ${said}`).toStartWith('200 ');
  };
  await add('mock-openai', upstreams.openai, `${url}/v1`);
  await add('mock-anthropic', upstreams.anthropic, url);
  await add('mock-ollama', upstreams.ollama, url);
  await add('vectors', upstreams.openai, `http://127.0.0.1:${server.port}/v1`);
  await add('box', 'ollama', `http://127.0.0.1:${server.port}/v1`);
  return ola;
})();
const clientOf = ({ address }: Ola) => new Ollama({ host: address, headers: { Authorization: `Bearer ${adminToken}` } });
afterAll(async () => {
  await mock.stop();
  await server.stop(true);
});

const tools: Tool[] = [
  {
    type: 'function',
    function: { name: 'get_weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
  },
];
type Message = { role: string; content: string; tool_calls?: { id?: string; function: { name: string; arguments: object } }[] };

/** The package folds no streams: its README shows this loop. */
async function heard(client: Ollama, model: string, messages: readonly object[], stream: boolean) {
  const question = { model, messages: messages as Message[], tools };
  if (!stream) {
    const { message, done_reason: reason, eval_count: count } = await client.chat({ ...question, stream });
    return { message: message as Message, reason, count };
  }
  const message: Message = { role: 'assistant', content: '' };
  let reason = '';
  let count = 0;
  for await (const part of await client.chat({ ...question, stream })) {
    message.content += part.message.content;
    const calls = part.message.tool_calls as Message['tool_calls'];
    if (calls !== undefined) message.tool_calls = [...(message.tool_calls ?? []), ...calls];
    if (part.done) ({ done_reason: reason, eval_count: count } = part);
  }
  return { message, reason, count };
}

for (const upstream of Object.keys(upstreams) as UpstreamName[]) {
  for (const stream of [false, true]) {
    describe(`Ollama's package over ${upstream}'s upstream, ${stream ? 'streamed' : 'whole'}`, () => {
      test('text, byte for byte, with its end', async () => {
        const client = clientOf(await shared);
        const { message, reason } = await heard(
          client,
          `mock-${upstream}/m`,
          [{ role: 'user', content: 'please say it' }],
          stream,
        );
        expect([message.content, reason]).toEqual([text, 'stop']);
      });

      test('parallel tools, and their results by the names of the tools', async () => {
        const client = clientOf(await shared);
        const messages: object[] = [{ role: 'user', content: 'both cities' }];
        const first = await heard(client, `mock-${upstream}/m`, messages, stream);
        const calls = first.message.tool_calls ?? [];
        expect(calls.map((each) => [each.function.name, each.function.arguments])).toEqual([
          ['get_weather', { city: 'Bern' }],
          ['get_weather', { city: 'Zürich' }],
        ]);
        const results = ['19 °C', '21 °C'].map((content) => ({ role: 'tool', tool_name: 'get_weather', content }));
        const second = await heard(client, `mock-${upstream}/m`, [...messages, first.message, ...results], stream);
        expect(second.message.content).toBe('Both are warm.');
      });
    });
  }
}

describe('the packages of OpenAI and Anthropic over a server of Ollama', () => {
  for (const name of ['openai', 'anthropic'] as const) {
    for (const stream of [false, true]) {
      test(`${name}, ${stream ? 'streamed' : 'whole'}: text and parallel tools, each call with an id of its own`, async () => {
        const client = sdksOf((await shared).address, adminToken).find((each) => each.name === name)!;
        const model = 'mock-ollama/m';
        expect((await client.ask({ model, stream, turns: [{ user: 'please say it' }] })).text).toBe(text);
        const user = { user: 'both cities' };
        const parameters = { type: 'object', properties: { city: { type: 'string' } } };
        const asking = { model, stream, tools: [{ name: 'get_weather', parameters }] };
        const first = await client.ask({ ...asking, turns: [user] });
        expect(first.end).toBe('tool_calls');
        const ids = first.calls.map(({ id }) => id);
        expect([new Set(ids).size, ids.every((id) => id !== '')]).toEqual([2, true]);
        const results = ids.map((id) => ({ id, text: `of ${id}` })).toReversed();
        expect((await client.ask({ ...asking, turns: [user, { heard: first }, { results }] })).text).toBe('Both are warm.');
      });
    }
  }
});

describe('a server of Ollama', () => {
  const chat = (ola: Ola, model: string, more: object = {}) => ola.chat(`box/${model}`, { ...more });

  test('is called below a base URL that ends in a version, without it', async () => {
    const ola = await shared;
    expect((await chat(ola, 'm')).status).toBe(200);
    expect(asked.at(-1)?.path).toBe('/api/chat');
  });

  test('whose model cannot think is asked once more without, and not again; another model still is', async () => {
    const ola = await shared;
    const of = (model: string) => asked.filter(({ body }) => body['model'] === model).map(({ body }) => body['think']);
    const first = await chat(ola, 'plain', { reasoning_effort: 'high' });
    expect([first.status, of('plain')]).toEqual([200, ['high', undefined]]);
    expect(first.headers.get('x-ola-dropped')).toBe('reasoning_effort');
    await chat(ola, 'plain', { reasoning_effort: 'high' });
    expect(of('plain')).toEqual(['high', undefined, undefined]);
    await chat(ola, 'other', { reasoning_effort: 'high' });
    expect(of('other')).toEqual(['high']);
  });

  test('that lacks a model says so, and ola which command fetches it', async () => {
    const { status, text: said } = await chat(await shared, 'missing');
    expect(status).toBe(404);
    expect(said).toContain('ollama pull missing');
  });

  test('that crashes in the middle of a stream, or breaks off, is told as an error event, and never as an end', async () => {
    const ola = await shared;
    for (const model of ['crashes', 'cut']) {
      const { text: said } = await chat(ola, model, { stream: true });
      expect([model, said.includes('"error"'), said.includes('[DONE]')]).toEqual([model, true, false]);
    }
  });

  test('makes embeddings for clients of OpenAI', async () => {
    const ola = await shared;
    const openai = new OpenAI({ apiKey: adminToken, baseURL: `${ola.address}/v1`, maxRetries: 0, logLevel: 'off' });
    const { data, usage: used } = await openai.embeddings.create({ model: 'box/embeddinggemma', input: ['a', 'b'] });
    expect(data.map(({ embedding }) => embedding)).toEqual([
      [0, 0.5],
      [1, 0.5],
    ]);
    expect(used.prompt_tokens).toBe(4);
    expect(asked.at(-1)).toMatchObject({ path: '/api/embed', body: { truncate: false } });
  });
});

describe('a client of Ollama', () => {
  test('sees the models, one of them, the version, and no model in memory', async () => {
    const client = clientOf(await shared);
    const { models } = await client.list();
    expect(models.map(({ name }) => name)).toContain('box/qwen3:latest');
    expect((await client.show({ model: 'box/qwen3:latest' })).capabilities).toContain('completion');
    expect(await client.version()).toMatchObject({ version: expect.stringMatching(/^\d+\.\d+\.\d+$/) });
    expect((await client.ps()).models).toEqual([]);
  });

  test('may put `:latest` behind a name: it is cut off unless a model is listed so', async () => {
    const ola = await shared;
    const body = {
      api: 'ollama',
      baseUrl: `http://127.0.0.1:${server.port}`,
      allowLocal: true,
      models: [{ id: 'a' }, { id: 'b:latest' }],
    };
    expect((await ola.ask('PUT', '/config/providers/tagged', { ...body, apiKey: 'key-0123456789' })).status).toBe(200);
    const client = clientOf(ola);
    const sent: unknown[] = [];
    for (const model of ['tagged/a:latest', 'tagged/b:latest', 'tagged/c:latest']) {
      await client.chat({ model, messages: [{ role: 'user', content: 'Hello' }] });
      sent.push(asked.at(-1)?.body['model']);
    }
    expect(sent).toEqual(['a', 'b:latest', 'c:latest']);
  });

  test('asks for one prompt, whole and as a stream, and for embeddings in both ways', async () => {
    const client = clientOf(await shared);
    const prompt = 'please say it';
    expect((await client.generate({ model: 'mock-openai/m', prompt })).response).toBe(text);
    let said = '';
    for await (const { response } of await client.generate({ model: 'mock-anthropic/m', prompt, stream: true }))
      said += response ?? '';
    expect(said).toBe(text);
    expect((await client.embed({ model: 'box/e', input: ['a', 'b'] })).embeddings).toHaveLength(2);
    expect((await client.embed({ model: 'vectors/e', input: 'a' })).embeddings).toEqual([[0.25]]);
    expect(await client.embeddings({ model: 'vectors/e', prompt: 'a' })).toEqual({ embedding: [0.25] });
  });

  test('is told of errors in its own form, of a stream in its last line', async () => {
    const ola = await shared;
    const client = clientOf(ola);
    const thrown = await client.chat({ model: 'nobody/m', messages: [] }).catch((error: unknown) => error);
    expect(thrown).toMatchObject({ status_code: 404, error: expect.stringContaining('nobody') });
    const stranger = new Ollama({ host: ola.address });
    expect(await stranger.list().catch((error: unknown) => error)).toMatchObject({ status_code: 401 });
    const stream = await client.chat({ model: 'box/crashes', messages: [{ role: 'user', content: 'Hello' }], stream: true });
    const parts: string[] = [];
    const failure = await (async () => {
      for await (const { message } of stream) parts.push(message.content);
      return null;
    })().catch((error: unknown) => error);
    expect(parts).toEqual(['Hi']);
    expect(failure).toBeInstanceOf(Error);
    expect(await client.pull({ model: 'llama3.2' }).catch((error: unknown) => error)).toMatchObject({ status_code: 501 });
  });
});
