/**
 * What aimock cannot show of clients over upstreams of another protocol: raw doubles refuse what the vendors refuse, break off,
 * and keep each body as it came.
 */
import { describe, expect, test } from 'bun:test';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { look, pairs, providerOf, type Scene, type Scenes, type Side, says, scenesOn, tools, user } from './doubles/scene.ts';
import { type Fields, fieldsOf, listOf, type Script, spent } from './doubles/script.ts';
import type { Sdk, Turn } from './sdks.ts';
import { stage, until } from './stage.ts';
import { streamHead } from './upstream.ts';

const shared = scenesOn(stage());
const scene = async (...of: Parameters<Scenes['scene']>): Promise<Scene> => (await shared).scene(...of);
const picture = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
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

    test('an answer names the model as the client does', async () => {
      const { ask, model } = await scene(client, up, says({ text: 'hi' }));
      for (const stream of [false, true]) {
        const { model: named, headers } = await ask({ turns: [user], stream });
        // A chat that goes to its own protocol comes back byte for byte.
        const expected = client === 'openai' && up === 'openai' ? model : `${providerOf[up]}/${model}`;
        expect([named, headers.get('x-ola-model')]).toEqual([expected, model]);
      }
    });

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
      const model = `left-by-${client}-${up}`;
      const begin = {
        openai: `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"first"},"finish_reason":null}]}\n\n`,
        anthropic: `event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}}\n\nevent: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\nevent: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"first"}}\n\n`,
      }[up];
      const head = streamHead.replace('transfer-encoding: chunked\r\n', '');
      server.modes.set(model, ({ socket }) => void socket.write(head + begin));
      const leaving = new AbortController();
      const sdk = sdks.find(({ name }) => name === client) as Sdk;
      const question = { model: `${providerOf[up]}/${model}`, turns: [user], stream: true };
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
