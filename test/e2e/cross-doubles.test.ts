/**
 * What aimock cannot show of clients over upstreams of another protocol: raw doubles refuse what the vendors refuse, break off,
 * and keep each body as it came.
 */
import { describe, expect, test } from 'bun:test';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { anthropic } from './doubles/anthropic.ts';
import { openai } from './doubles/openai.ts';
import { type Fields, fieldsOf, listOf, type Reply, type Script, spent, textOf } from './doubles/script.ts';
import { type Heard, type Question, type Sdk, sdksOf, type Turn } from './sdks.ts';
import { adminToken, stage, until } from './stage.ts';
import { answer, type Received, streamHead } from './upstream.ts';

const { start, upstream } = stage();
const doubles = { openai, anthropic };
type Side = keyof typeof doubles;
const sides: readonly Side[] = ['openai', 'anthropic'];
const pairs = sides.flatMap((client) => sides.map((up) => [client, up] as const));
const crossed = pairs.filter(([client, up]) => client !== up);

const shared = (async () => {
  const [ola, up] = await Promise.all([start(), upstream()]);
  const add = async (id: string, side: Side, more: Fields = {}) => {
    const at = { openai: ['openai-completions', '/v1'], anthropic: ['anthropic-messages', ''] }[side];
    const body = {
      api: at[0],
      baseUrl: `http://127.0.0.1:${up.port}${at[1]}`,
      apiKey: `key-of-${id}-0123456789`,
      allowLocal: true,
      ...more,
    };
    const { status, text } = await ola.ask('PUT', `/config/providers/${id}`, body);
    expect(`${status} ${text}`).toStartWith('200 ');
  };
  const thinkers = Array.from({ length: 20 }, (_, at) => ({ id: `thinker${at}`, reasoning: true, maxTokens: 8192 }));
  await add('chat', 'openai', { models: thinkers });
  await add('messages', 'anthropic', { models: thinkers });
  return { ola, up, add, thinkers, sdks: sdksOf(ola.address, adminToken) };
})();

/** A model of a double, asked by one of the packages. */
interface Scene {
  ask(question: Omit<Question, 'model' | 'stream'> & { readonly stream?: boolean }): Promise<Heard>;
  readonly received: () => readonly Received[];
  /** The body of the last request. */
  readonly last: () => Fields;
}

let count = 0;
/** @param at an id of provider or model, when it is not the common provider of the upstream's side, or a model of its own */
async function scene(client: Side, up: Side, script: Script, at: { provider?: string; model?: string } = {}): Promise<Scene> {
  const { sdks, up: server } = await shared;
  const { model = `m${count++}`, provider } = at;
  server.modes.set(model, doubles[up](script));
  const sdk = sdks.find(({ name }) => name === client) as Sdk;
  const id = provider ?? (up === 'openai' ? 'chat' : 'messages');
  return {
    ask: ({ stream = false, ...question }) => sdk.ask({ model: `${id}/${model}`, stream, ...question }),
    received: () => server.for(model),
    last: () => fieldsOf(JSON.parse(server.for(model).at(-1)?.body ?? '{}')),
  };
}

const user = { user: 'hello' };
const says =
  (reply: Reply): Script =>
  () =>
    reply;
const picture = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const tools = [{ name: 'look', parameters: { type: 'object', properties: { at: { type: 'string' } } } }];
const look = (at: string) => ({ name: 'look', input: { at } });
const occurrences = (body: string, part: string): number => body.split(part).length - 1;

for (const [client, up] of pairs) {
  describe(`${client}'s client over ${up}'s upstream`, () => {
    test('an image of the user arrives as an image, once', async () => {
      let images: readonly string[] = [];
      const { ask, received } = await scene(client, up, (asked) => {
        images = asked.images;
        return { text: 'a dot' };
      });
      expect((await ask({ turns: [{ user: 'what is it?', image: picture }] })).text).toBe('a dot');
      expect(images).toEqual([picture]);
      expect(occurrences(received()[0]?.body ?? '', picture)).toBe(1);
    });

    test('a JSON Schema for the answer arrives', async () => {
      const { ask, last } = await scene(client, up, says({ text: '{}' }));
      const schema = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'], additionalProperties: false };
      await ask({ turns: [user], schema });
      const body = last();
      const format =
        up === 'openai'
          ? fieldsOf(fieldsOf(body['response_format'])['json_schema'])
          : fieldsOf(fieldsOf(body['output_config'])['format']);
      expect(format['schema']).toEqual(schema);
    });

    for (const stream of [false, true]) {
      test(`tokens are those of the upstream, ${stream ? 'streamed' : 'whole'}`, async () => {
        const { ask } = await scene(client, up, says({ text: 'hi' }));
        const { tokens } = await ask({ turns: [user], stream });
        expect(tokens).toEqual({ prompt: spent.prompt, completion: spent.completion, cacheRead: spent.cacheRead });
      });
    }

    test('a cut stream is an error behind its text, and no end', async () => {
      const heard: string[] = [];
      const { ask } = await scene(client, up, says({ text: 'half of the answer', breaksOff: true }));
      const asked = ask({ turns: [user], stream: true, onText: (text) => heard.push(text) });
      const failure = await asked.then(
        () => null,
        (thrown: unknown) => thrown,
      );
      expect(failure).toBeInstanceOf(client === 'openai' ? OpenAI.APIError : Anthropic.APIError);
      expect(String(failure)).toContain('ended its answer before it was complete');
      expect('half of the answer').toStartWith(heard.join(''));
    });

    test('a client that leaves closes the connection to the upstream', async () => {
      const { sdks, up: server } = await shared;
      const model = `m${count++}`;
      const begin = {
        openai: `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"first"},"finish_reason":null}]}\n\n`,
        anthropic: `event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}}\n\nevent: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\nevent: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"first"}}\n\n`,
      }[up];
      const head = streamHead.replace('transfer-encoding: chunked\r\n', '');
      server.modes.set(model, ({ socket }) => void socket.write(head + begin));
      const leaving = new AbortController();
      const sdk = sdks.find(({ name }) => name === client) as Sdk;
      const question = { model: `${up === 'openai' ? 'chat' : 'messages'}/${model}`, turns: [user], stream: true };
      const asked = sdk.ask({ ...question, signal: leaving.signal, onText: () => leaving.abort() });
      // OpenAI's package ends an aborted stream without an error.
      await asked.catch((thrown: unknown) => expect(String(thrown)).toContain('abort'));
      await until('the upstream is left', () => server.for(model)[0]?.closedAt() !== null);
    });
  });
}

describe('images in results of tools', () => {
  const asked: Turn[] = [user];
  const results = (ids: readonly string[]) => [
    { id: ids[1] ?? '', text: 'no picture' },
    { id: ids[0] ?? '', text: 'a picture', image: picture },
  ];
  const script: Script = ({ answers }) => (answers === 0 ? { calls: [look('a'), look('b')] } : { text: 'seen' });

  test('D02: to a chat they come as one user message behind all results', async () => {
    const { ask, received, last } = await scene('anthropic', 'openai', script);
    const first = await ask({ turns: asked, tools });
    const turns = [...asked, { heard: first }, { results: results(first.calls.map(({ id }) => id)), user: 'and?' }];
    expect((await ask({ turns, tools })).text).toBe('seen');
    const messages = listOf(last()['messages']);
    expect(messages.map(({ role }) => role).slice(0, 5)).toEqual(['user', 'assistant', 'tool', 'tool', 'user']);
    const parts = listOf(messages[4]?.['content']);
    expect(parts.filter(({ type }) => type === 'image_url')).toHaveLength(1);
    expect(occurrences(received().at(-1)?.body ?? '', picture)).toBe(1);
  });

  test('to an upstream of the same protocol they stay in their result', async () => {
    const { ask, last } = await scene('anthropic', 'anthropic', script);
    const first = await ask({ turns: asked, tools });
    const turns = [...asked, { heard: first }, { results: results(first.calls.map(({ id }) => id)) }];
    await ask({ turns, tools });
    const [, second] = listOf(listOf(listOf(last()['messages'])[2]?.['content'])[1]?.['content']);
    expect(second?.['type']).toBe('image');
  });
});

/** Every answer thinks, four of them call a tool, the last one ends. */
const thinker: Script = ({ answers }) =>
  answers < 4
    ? { reasoning: `thought ${answers}`, text: answers === 1 ? 'a word' : '', calls: [look(`place ${answers}`)] }
    : { text: 'done' };

/** Plays until the model ends. @returns the last answer, and the header on lost reasoning of each */
async function playOut(
  ask: Scene['ask'],
  stream: boolean,
  turns: Turn[] = [user],
): Promise<{ last: Heard; lost: (string | null)[] }> {
  const lost: (string | null)[] = [];
  for (;;) {
    const heard = await ask({ turns, tools, thinks: true, stream });
    lost.push(heard.headers.get('x-ola-reasoning'));
    if (heard.end !== 'tool_calls') return { last: heard, lost };
    turns.push({ heard }, { results: heard.calls.map(({ id }) => ({ id, text: `seen ${id}` })) });
  }
}

let thinkers = 0;
/** A model of its own that ola knows to reason. */
const aThinker = () => ({ model: `thinker${thinkers++}` });

const thinkingOf = (body: Fields): readonly string[] =>
  listOf(body['messages'])
    .flatMap(({ content }) => listOf(content))
    .filter(({ type }) => type === 'thinking')
    .map(({ thinking }) => textOf(thinking));

describe('signed reasoning, over an upstream that refuses a turn without it', () => {
  for (const stream of [false, true]) {
    const how = stream ? 'streamed' : 'whole';
    test(`comes back for a client that drops it, five turns, ${how}`, async () => {
      const { ask, last } = await scene('openai', 'anthropic', thinker, aThinker());
      const { last: heard, lost } = await playOut(ask, stream);
      expect([heard.text, heard.end, lost]).toEqual(['done', 'stop', [null, null, null, null, null]]);
      expect(fieldsOf(last()['thinking'])['type']).toBe('enabled');
      expect(thinkingOf(last())).toEqual(['thought 0', 'thought 1', 'thought 2', 'thought 3']);
    });

    test(`goes through for a client of its own protocol, ${how}`, async () => {
      const { ask, last } = await scene('anthropic', 'anthropic', thinker, aThinker());
      const { last: heard } = await playOut(ask, stream);
      expect([heard.text, heard.end]).toEqual(['done', 'stop']);
      expect(thinkingOf(last())).toHaveLength(4);
    });

    test(`of a chat upstream goes to Anthropic's clients and back, ${how}`, async () => {
      const { ask, received } = await scene('anthropic', 'openai', thinker, aThinker());
      const { last: heard } = await playOut(ask, stream);
      expect([heard.text, heard.end, received().length]).toEqual(['done', 'stop', 5]);
    });
  }

  test('is lost with another credential, and that is said', async () => {
    const { ola, add, thinkers: models } = await shared;
    await add('moving', 'anthropic', { models });
    for (const [id, key] of [
      ['moving:one', 'key-of-one-0123456789'],
      ['moving:two', 'key-of-two-0123456789'],
    ] as const) {
      const { status } = await ola.ask('PUT', `/config/auth-profiles/${id}`, { provider: 'moving', type: 'api_key', key });
      expect(status).toBe(200);
    }
    const { ask, last } = await scene('openai', 'anthropic', thinker, { provider: 'moving', ...aThinker() });
    const as = (profile: string) => ({ tools, thinks: true, headers: { 'x-auth-profile': profile } });
    const heard = await ask({ turns: [user], ...as('one') });
    const turns: Turn[] = [user, { heard }, { results: heard.calls.map(({ id }) => ({ id, text: 'seen' })) }];
    const next = await ask({ turns, ...as('two') });
    expect([next.end, next.headers.get('x-ola-reasoning')]).toEqual(['tool_calls', 'lost']);
    expect(thinkingOf(last())).toEqual([]);
    const again = await ask({ turns, ...as('one') });
    expect([again.headers.get('x-ola-reasoning'), thinkingOf(last())]).toEqual([null, ['thought 0']]);
  });

  test('is lost with another model, and that is said', async () => {
    const first = await scene('openai', 'anthropic', thinker, aThinker());
    const second = await scene('openai', 'anthropic', thinker, aThinker());
    const heard = await first.ask({ turns: [user], tools, thinks: true });
    const turns: Turn[] = [user, { heard }, { results: heard.calls.map(({ id }) => ({ id, text: 'seen' })) }];
    const next = await second.ask({ turns, tools, thinks: true });
    expect([next.end, next.headers.get('x-ola-reasoning')]).toEqual(['tool_calls', 'lost']);
  });

  test('of another upstream is cut out for an upstream of the client’s own protocol', async () => {
    const first = await scene('anthropic', 'openai', thinker, aThinker());
    const heard = await first.ask({ turns: [user], tools, thinks: true });
    expect(JSON.stringify(heard.raw)).toContain('thought 0');
    const second = await scene('anthropic', 'anthropic', ({ answers }) => ({ text: `after ${answers}` }));
    const turns: Turn[] = [user, { heard }, { results: heard.calls.map(({ id }) => ({ id, text: 'seen' })) }];
    const next = await second.ask({ turns, tools });
    expect(next.text).toBe('after 1');
    expect(thinkingOf(second.last())).toEqual([]);
  });
});

describe('errors, in the class and with the status of each package', () => {
  interface Kind {
    readonly status: number;
    readonly type: string;
    readonly code?: string;
    readonly message: string;
    /** The status that the client gets. */
    readonly told: number;
    readonly class: string;
    /** Where Anthropic's package has a class of its own for it. */
    readonly anthropic?: string;
    /** Words of the upstream that reach the client; null: none may. */
    readonly words: string | null;
  }
  const kinds: readonly Kind[] = [
    { status: 400, type: 'invalid_request_error', message: 'odd field', told: 400, class: 'BadRequestError', words: 'odd field' },
    {
      status: 400,
      type: 'invalid_request_error',
      code: 'context_length_exceeded',
      message: 'prompt is too long: 9 tokens > 8 maximum',
      told: 400,
      class: 'BadRequestError',
      words: 'prompt is too long',
    },
    { status: 404, type: 'not_found_error', message: 'no such model', told: 404, class: 'NotFoundError', words: 'no such model' },
    {
      status: 413,
      type: 'request_too_large',
      message: 'too large',
      told: 413,
      class: 'APIError',
      anthropic: 'ContentTooLargeError',
      words: 'too large',
    },
    { status: 429, type: 'rate_limit_error', message: 'slow down', told: 429, class: 'RateLimitError', words: null },
    { status: 401, type: 'authentication_error', message: 'bad secret', told: 502, class: 'InternalServerError', words: null },
    { status: 403, type: 'permission_error', message: 'forbidden', told: 502, class: 'InternalServerError', words: null },
    { status: 500, type: 'api_error', message: 'inner words', told: 502, class: 'InternalServerError', words: null },
    {
      status: 503,
      type: 'overloaded_error',
      message: 'busy now',
      told: 503,
      class: 'InternalServerError',
      anthropic: 'ServiceUnavailableError',
      words: null,
    },
    {
      status: 529,
      type: 'overloaded_error',
      message: 'busy now',
      told: 529,
      class: 'InternalServerError',
      anthropic: 'OverloadedError',
      words: null,
    },
  ];
  for (const [client, up] of crossed) {
    for (const kind of kinds) {
      test(`${kind.status} ${kind.code ?? kind.type} of ${up}'s upstream, to ${client}'s client`, async () => {
        const { add } = await shared;
        // Its own provider: a refused key must not cool the one of the others.
        const provider = `e${kind.status}${kind.code === undefined ? '' : 'o'}-${up}`;
        await add(provider, up);
        const headers = kind.status === 429 ? { 'retry-after': '3' } : {};
        const { ask } = await scene(client, up, says({ ...kind, headers }), { provider });
        for (const stream of [false, true]) {
          const failure = (await ask({ turns: [user], stream }).then(
            () => null,
            (thrown: unknown) => thrown,
          )) as (InstanceType<typeof OpenAI.APIError> & { readonly headers: Headers }) | null;
          const expected = client === 'anthropic' ? (kind.anthropic ?? kind.class) : kind.class;
          expect([stream, failure?.constructor.name, failure?.status]).toEqual([stream, expected, kind.told]);
          if (kind.words !== null) expect(failure?.message).toContain(kind.words);
          else expect(failure?.message).not.toContain(kind.message);
          if (kind.status === 429) expect(Number(failure?.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
        }
      });
    }
  }

  test('an answer of another kind under 200 is no answer', async () => {
    const { up, sdks } = await shared;
    up.modes.set('html', answer(200, '<html>sign in</html>', { 'content-type': 'text/html' }));
    for (const { ask } of sdks) {
      for (const provider of ['chat', 'messages']) {
        const failure = await ask({ model: `${provider}/html`, turns: [user], stream: true }).catch((thrown: unknown) => thrown);
        expect(failure).toMatchObject({ status: 502 });
      }
    }
  });
});

describe('fields that the other protocol does not have', () => {
  const droppedBy = async (client: Side, up: Side, more: Fields) => {
    const { ask, last } = await scene(client, up, says({ text: 'hi' }));
    const { headers } = await ask({ turns: [user], more });
    return { dropped: (headers.get('x-ola-dropped') ?? '').split(', '), body: last() };
  };

  test('are left out and named, where they do no harm', async () => {
    const chat = await droppedBy('openai', 'anthropic', { seed: 7, logit_bias: { '50256': -100 }, frequency_penalty: 0.5 });
    expect(chat.dropped).toEqual(expect.arrayContaining(['seed', 'logit_bias', 'frequency_penalty']));
    for (const name of ['seed', 'logit_bias', 'frequency_penalty']) expect(chat.body).not.toHaveProperty(name);
    const messages = await droppedBy('anthropic', 'openai', { top_k: 40, context_management: { edits: [] } });
    expect(messages.dropped).toEqual(expect.arrayContaining(['top_k', 'context_management']));
  });

  test('are not named where nothing was left out', async () => {
    for (const [client, up] of pairs) {
      const { ask } = await scene(client, up, says({ text: 'hi' }));
      expect((await ask({ turns: [user], system: 'x' })).headers.get('x-ola-dropped')).toBeNull();
    }
  });

  const refused: readonly (readonly [Side, Side, Fields, string])[] = [
    ['openai', 'anthropic', { n: 2 }, 'n'],
    ['openai', 'anthropic', { logprobs: true }, 'logprobs'],
    ['openai', 'anthropic', { modalities: ['text', 'audio'], audio: { voice: 'alloy', format: 'wav' } }, 'modalities'],
    ['anthropic', 'openai', { mcp_servers: [{ type: 'url', url: 'https://a.example', name: 'a' }] }, 'mcp_servers'],
    ['anthropic', 'openai', { tools: [{ type: 'web_search_20250305', name: 'web_search' }] }, 'tools.0'],
  ];
  for (const [client, up, more, param] of refused) {
    test(`${param} is refused by name for ${up}'s upstream, and nothing is sent`, async () => {
      const { ask, received } = await scene(client, up, says({ text: 'hi' }));
      const failure = await ask({ turns: [user], more }).catch((thrown: unknown) => thrown);
      expect(failure).toMatchObject({ status: 400 });
      const { error } = failure as { error: Fields };
      // Anthropic's package keeps the whole body, OpenAI's the object in it.
      expect((fieldsOf(error['error'])['param'] ?? error['param']) as string).toBe(param);
      expect(received()).toEqual([]);
    });
  }
});
