import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import OpenAI from 'openai';
import { demoProvider, demoUpstream } from '../../src/serve/demo.ts';

const key = 'demo-key-for-tests';
const upstream = demoUpstream(key, () => 1_790_000_000_500);
const created = 1_790_000_000;

function call(path: string, init: RequestInit = {}, authorization = `Bearer ${key}`): Promise<Response> {
  return upstream(
    new Request(`http://demo.test${path}`, { ...init, headers: { authorization, 'content-type': 'application/json' } }),
  );
}

const chat = (body: unknown) =>
  call('/v1/chat/completions', { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) });
const say = (content: unknown, more: object = {}) => chat({ model: 'echo', messages: [{ role: 'user', content }], ...more });

interface Completion {
  readonly id: string;
  readonly created: number;
  readonly choices: readonly [{ readonly message: { readonly content: string }; readonly finish_reason: string }];
  readonly usage: object;
}
const completion = async (answer: Promise<Response>) => (await (await answer).json()) as Completion;
const textOf = async (answer: Promise<Response>) => (await completion(answer)).choices[0].message.content;

interface Chunk {
  readonly id: string;
  readonly choices: readonly {
    readonly delta: { readonly role?: string; readonly content?: string };
    readonly finish_reason: string | null;
  }[];
  readonly usage?: object | null;
}

/** The events of a stream, `[DONE]` checked and taken off. */
async function chunks(answer: Promise<Response>): Promise<Chunk[]> {
  const events = (await (await answer).text()).split('\n\n');
  expect(events.slice(-2)).toEqual(['data: [DONE]', '']);
  return events.slice(0, -2).map((event) => JSON.parse(event.replace(/^data: /, '')) as Chunk);
}

describe('the answer', () => {
  test('says back the last user message, whole', async () => {
    const response = await chat({
      model: 'echo',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'first' },
        { role: 'assistant', content: 'You said: first' },
        { role: 'user', content: 'hello  there' },
      ],
    });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      id: expect.stringMatching(/^chatcmpl-demo-[0-9a-f]{8}$/),
      object: 'chat.completion',
      created,
      model: 'echo',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'You said: hello  there', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: { prompt_tokens: 8, completion_tokens: 4, total_tokens: 12 },
    });
  });

  test('joins the text parts of a content array and passes over others', async () => {
    const parts = [
      { type: 'text', text: 'a ' },
      { type: 'image_url', image_url: { url: 'data:' } },
      { type: 'refusal', text: 'no ' },
      { type: 'text', text: 'b' },
    ];
    expect(await textOf(say(parts))).toBe('You said: a b');
  });

  test('is a friendly sentence when nothing was said', async () => {
    const friendly = 'Hello from the demo model. Say something, and I will repeat it.';
    for (const content of ['', '  \n', [], null, undefined]) expect(await textOf(say(content))).toBe(friendly);
    expect(await textOf(chat({ model: 'echo', messages: [{ role: 'system', content: 'x' }] }))).toBe(friendly);
  });

  test('is the same for the same request and has another id for another one', async () => {
    const [one, same, other] = await Promise.all([completion(say('x')), completion(say('x')), completion(say('y'))]);
    expect(same).toEqual(one);
    expect(other.id).not.toBe(one.id);
  });

  test.each(['max_tokens', 'max_completion_tokens'])('ends at %s with finish reason length', async (field) => {
    const short = await completion(say('a b c', { [field]: 3 }));
    expect(short.choices[0].message.content).toBe('You said: a');
    expect(short.choices[0].finish_reason).toBe('length');
    expect(short.usage).toEqual({ prompt_tokens: 3, completion_tokens: 3, total_tokens: 6 });
    const exact = await completion(say('a b c', { [field]: 5 }));
    expect(exact.choices[0].finish_reason).toBe('stop');
  });

  test('ends before the first stop sequence', async () => {
    expect(await textOf(say('one two three', { stop: ['three', 'two'] }))).toBe('You said: one');
    expect(await textOf(say('one two', { stop: 'You' }))).toBe('');
  });

  test('takes no notice of tools', async () => {
    expect(await textOf(say('x', { tools: [{ type: 'function', function: { name: 'f' } }], tool_choice: 'auto' }))).toBe(
      'You said: x',
    );
  });
});

describe('the stream', () => {
  test('is role, a chunk a word, finish reason, without usage unless asked', async () => {
    const got = await chunks(say('two words', { stream: true }));
    expect(got).toHaveLength(6);
    expect(got.map((chunk) => chunk.choices[0]?.delta)).toEqual([
      { role: 'assistant', content: '' },
      { content: 'You' },
      { content: ' said:' },
      { content: ' two' },
      { content: ' words' },
      {},
    ]);
    expect(got.map((chunk) => chunk.choices[0]?.finish_reason)).toEqual([null, null, null, null, null, 'stop']);
    expect(got.filter((chunk) => 'usage' in chunk)).toEqual([]);
    expect(new Set(got.map((chunk) => chunk.id)).size).toBe(1);
  });

  test('ends with a usage chunk without choices when asked, usage being null before', async () => {
    const got = await chunks(say('two words', { stream: true, stream_options: { include_usage: true } }));
    const last = got.pop();
    expect(last).toMatchObject({ choices: [], usage: { prompt_tokens: 2, completion_tokens: 4, total_tokens: 6 } });
    expect(got.map((chunk) => chunk.usage)).toEqual(got.map(() => null));
  });

  test('holds the same text as the JSON answer, any script', async () => {
    const text = '  zażółć 👩‍👩‍👧 漢字\n\n\tline two ';
    const streamed = (await chunks(say(text, { stream: true }))).map((chunk) => chunk.choices[0]?.delta.content ?? '').join('');
    expect(streamed).toBe(await textOf(say(text)));
    expect(streamed).toBe(`You said: ${text.trim()}`);
  });

  test('is made as it is read: a reader that leaves stops it', async () => {
    const response = await say('word '.repeat(100_000), { stream: true });
    const reader = response.body?.getReader();
    expect((await reader?.read())?.done).toBe(false);
    await reader?.cancel();
    expect((await reader?.read())?.done).toBe(true);
  });
});

describe('what is refused, in OpenAI’s envelope', () => {
  const refusal = async (answer: Promise<Response>) => {
    const response = await answer;
    const { error } = (await response.json()) as { error: { type: string; code: string; param: string | null; message: string } };
    expect(error.message).not.toBe('');
    return [response.status, error.type, error.code, error.param];
  };

  test.each([`Bearer ${key}x`, `Bearer ${key.slice(0, -1)}`, `Bearer ${key.toUpperCase()}`, key, 'Bearer ', ''])(
    'authorization %p is not the key',
    async (authorization) => {
      expect(await refusal(call('/v1/models', {}, authorization))).toEqual([
        401,
        'authentication_error',
        'invalid_api_key',
        null,
      ]);
    },
  );

  test('a stranger learns nothing of the routes', async () => {
    expect((await call('/nowhere', {}, 'Bearer no')).status).toBe(401);
  });

  const messages = [{ role: 'user', content: 'x' }];
  test.each<[string, unknown, string | null]>([
    ['a body that is not JSON', '{', null],
    ['a body that is not an object', [], null],
    ['no model', { messages }, 'model'],
    ['no messages', { model: 'echo' }, 'messages'],
    ['empty messages', { model: 'echo', messages: [] }, 'messages'],
    ['a message without a role', { model: 'echo', messages: [...messages, { content: 'x' }] }, 'messages.1'],
    ['a message that is no object', { model: 'echo', messages: ['x'] }, 'messages.0'],
    ['stream as text', { model: 'echo', messages, stream: 'true' }, 'stream'],
    ['stream_options without stream', { model: 'echo', messages, stream_options: {} }, 'stream_options'],
    ['no tokens at all', { model: 'echo', messages, max_tokens: 0 }, 'max_tokens'],
    ['half a token', { model: 'echo', messages, max_completion_tokens: 1.5 }, 'max_completion_tokens'],
    ['an empty stop', { model: 'echo', messages, stop: [''] }, 'stop'],
  ])('400 for %s', async (_what, body, param) => {
    const [status, type, , field] = await refusal(chat(body));
    expect([status, type, field]).toEqual([400, 'invalid_request_error', param]);
  });

  test('null stands for an absent field', async () => {
    const answer = say('x', { stream: null, stream_options: null, max_tokens: null, max_completion_tokens: null, stop: null });
    expect(await textOf(answer)).toBe('You said: x');
  });

  test('404 for another model and for an unknown path, 405 for a wrong method', async () => {
    expect(await refusal(chat({ model: 'gpt-4o', messages }))).toEqual([
      404,
      'invalid_request_error',
      'model_not_found',
      'model',
    ]);
    expect((await refusal(call('/v1/completions')))[2]).toBe('route_not_found');
    const wrong = await call('/v1/chat/completions');
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST']);
  });
});

describe('over a real connection, as the openai package sees it', () => {
  let server: ReturnType<typeof Bun.serve>;
  let client: OpenAI;
  beforeAll(() => {
    server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: upstream });
    client = new OpenAI({ apiKey: key, baseURL: `http://127.0.0.1:${server.port}/v1`, maxRetries: 0 });
  });
  afterAll(() => server.stop(true));

  test('chat', async () => {
    const answer = await client.chat.completions.create({ model: 'echo', messages: [{ role: 'user', content: 'hello' }] });
    expect(answer.choices[0]?.message.content).toBe('You said: hello');
    expect(answer.usage?.total_tokens).toBe(4);
  });

  test('stream', async () => {
    const stream = await client.chat.completions.create({
      model: 'echo',
      messages: [{ role: 'user', content: 'hello there' }],
      stream: true,
      stream_options: { include_usage: true },
    });
    const deltas: string[] = [];
    let total: number | undefined;
    for await (const chunk of stream) {
      deltas.push(chunk.choices[0]?.delta.content ?? '');
      total = chunk.usage?.total_tokens ?? total;
    }
    expect(deltas.filter((delta) => delta !== '')).toEqual(['You', ' said:', ' hello', ' there']);
    expect(total).toBe(6);
  });

  test('models', async () => {
    const { data } = await client.models.list();
    expect(data).toEqual([{ id: demoProvider.models[0].id, object: 'model', created, owned_by: 'demo' }]);
  });

  test('a wrong key', async () => {
    const stranger = new OpenAI({ apiKey: 'wrong', baseURL: `http://127.0.0.1:${server.port}/v1`, maxRetries: 0 });
    const failure = await stranger.models.list().then(
      () => null,
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(OpenAI.AuthenticationError);
    expect(failure).toMatchObject({ status: 401, code: 'invalid_api_key' });
  });
});

describe('embeddings', () => {
  const embed = (body: object) => call('/v1/embeddings', { method: 'POST', body: JSON.stringify({ model: 'echo', ...body }) });
  const vectors = async (body: object) => {
    const { data, usage } = (await (await embed(body)).json()) as { data: { embedding: number[] }[]; usage: object };
    return { usage, list: data.map(({ embedding }) => embedding) };
  };

  test('are the same for the same text, of length one, as many numbers as were asked for', async () => {
    const { list, usage } = await vectors({ input: ['a b', 'c', 'a b'] });
    expect(list[0]).toEqual(list[2] ?? []);
    expect(list[0]).not.toEqual(list[1] ?? []);
    expect(list.map(({ length }) => length)).toEqual([8, 8, 8]);
    for (const each of list) expect(Math.hypot(...each)).toBeCloseTo(1, 5);
    expect(usage).toEqual({ prompt_tokens: 5, total_tokens: 5 });
    expect((await vectors({ input: 'x', dimensions: 3 })).list[0]).toHaveLength(3);
  });

  test('are made of tokens too: one list is one text', async () => {
    expect((await vectors({ input: [1, 2, 3] })).list).toHaveLength(1);
    const { list, usage } = await vectors({ input: [[1, 2], [3]] });
    expect([list.length, usage]).toEqual([2, { prompt_tokens: 3, total_tokens: 3 }]);
  });

  test('in base64 they are the same numbers', async () => {
    const plain = (await vectors({ input: 'x' })).list[0] ?? [];
    const { data } = (await (await embed({ input: 'x', encoding_format: 'base64' })).json()) as { data: { embedding: string }[] };
    const bytes = Buffer.from(data[0]?.embedding ?? '', 'base64');
    expect(plain.map((_, index) => bytes.readFloatLE(index * 4))).toEqual(plain);
  });

  test.each([
    ['input', {}],
    ['input', { input: '' }],
    ['input', { input: [] }],
    ['input', { input: ['x', 1] }],
    ['dimensions', { input: 'x', dimensions: 0 }],
    ['dimensions', { input: 'x', dimensions: 5000 }],
    ['encoding_format', { input: 'x', encoding_format: 'int8' }],
    ['model', { input: 'x', model: 'other' }],
  ])('%s is named when it does not fit: %j', async (param, body) => {
    const response = await embed(body);
    const { error } = (await response.json()) as { error: { param: string } };
    expect([response.status, error.param]).toEqual([param === 'model' ? 404 : 400, param]);
  });
});
