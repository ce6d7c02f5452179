/**
 * Clients of three protocols over upstreams of three protocols, all of them written by other people: the official packages before the
 * binary, aimock behind it. aimock reads each request by a parser of its own; its journal is the witness for what arrived.
 */
import { afterAll, describe, expect, test } from 'bun:test';
import { LLMock } from '@copilotkit/aimock';
import { responsesSdk } from './responses-client.ts';
import { type Heard, type Question, type Sdk, sdksOf, type ToolOf } from './sdks.ts';
import { adminToken, stage } from './stage.ts';

const { start } = stage();
const text = 'Grüße — “two” words, a tab\t, 🙂 and \u2028 the end.';
const weather = (city: string) => ({ name: 'get_weather', arguments: { city, days: 2 } });
/** In the words of both vendors, as aimock's answers have those of their own protocol. */
const usage = { prompt_tokens: 19, completion_tokens: 7, input_tokens: 19, output_tokens: 7 };

const mock = new LLMock({ port: 0, host: '127.0.0.1', strict: true, logLevel: 'silent', chunkSize: 5 });
mock.on({ userMessage: 'say it' }, { content: text, usage });
mock.on({ userMessage: 'as json' }, { content: '{"city":"Bern"}', usage });
mock.on({ userMessage: 'both cities', hasToolResult: true }, { content: 'Both are warm.', usage });
mock.on({ userMessage: 'both cities' }, { content: 'I look.', toolCalls: [weather('Bern'), weather('Zürich')], usage });
mock.on({ userMessage: 'cut' }, { content: 'half of', finishReason: 'length', usage });

const upstreams = ['openai', 'anthropic', 'responses'] as const;
const shared = (async () => {
  const [ola, url] = await Promise.all([start(), mock.start()]);
  const add = async (id: string, api: string, baseUrl: string) => {
    const body = { api, baseUrl, apiKey: 'key-of-the-mock-0123456789', allowLocal: true };
    const { status, text: said } = await ola.ask('PUT', `/config/providers/mock-${id}`, body);
    expect(`${status} ${said}`).toStartWith('200 ');
  };
  await add('openai', 'openai-completions', `${url}/v1`);
  await add('anthropic', 'anthropic-messages', url);
  await add('responses', 'openai-responses', `${url}/v1`);
  return [...sdksOf(ola.address, adminToken), responsesSdk(ola.address, adminToken)];
})();
afterAll(() => mock.stop());

interface Seen {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: {
    readonly messages: readonly { role: string; content: unknown; tool_calls?: { id: string }[]; tool_call_id?: string }[];
    readonly tools?: readonly { function: { name: string; parameters: unknown } }[];
  };
}

/** The requests for one model, in their order. */
function journal(model: string): readonly Seen[] {
  return (mock.getRequests() as unknown as (Seen & { body: { model?: string } | null })[]).filter(
    ({ body }) => body?.model === model,
  );
}

const tools: readonly ToolOf[] = [
  {
    name: 'get_weather',
    parameters: { type: 'object', properties: { city: { type: 'string' }, days: { type: 'integer' } }, required: ['city'] },
  },
  { name: 'get_time', parameters: { type: 'object', properties: {} } },
];
const tokens = { prompt: 19, completion: 7, cacheRead: 0 };
const paths = { openai: '/v1/chat/completions', anthropic: '/v1/messages', responses: '/v1/responses' };

for (const clientName of upstreams) {
  for (const upstream of upstreams) {
    for (const stream of [false, true]) {
      describe(`${clientName}'s client over ${upstream}'s upstream, ${stream ? 'streamed' : 'whole'}`, () => {
        const modelFor = (what: string) => `${clientName}-${what}-${stream}`;
        const ask = async (what: string, question: Omit<Question, 'model' | 'stream'>): Promise<Heard> => {
          const client = (await shared).find(({ name }) => name === clientName) as Sdk;
          return client.ask({ model: `mock-${upstream}/${modelFor(what)}`, stream, ...question });
        };
        const seen = (what: string): Seen =>
          journal(modelFor(what))
            .filter(({ path }) => path === paths[upstream])
            .at(-1) as Seen;

        test('text, byte for byte, with its end and its tokens', async () => {
          const heard = await ask('text', { system: 'Be “brief”.', turns: [{ user: 'please say it' }] });
          expect([heard.text, heard.end, heard.calls]).toEqual([text, 'stop', []]);
          expect(heard.tokens).toEqual(tokens);
          expect(seen('text').body.messages).toEqual([
            { role: 'system', content: 'Be “brief”.' },
            { role: 'user', content: 'please say it' },
          ]);
        });

        test('an answer cut by the limit says so', async () => {
          const heard = await ask('cut', { turns: [{ user: 'cut' }] });
          expect([heard.text, heard.end]).toEqual(['half of', 'length']);
        });

        test('parallel tools, and their results in another order', async () => {
          const user = { user: 'both cities' };
          const first = await ask('tools', { turns: [user], tools });
          expect([first.text, first.end]).toEqual(['I look.', 'tool_calls']);
          expect(first.calls.map(({ name, input }) => [name, input])).toEqual([
            ['get_weather', { city: 'Bern', days: 2 }],
            ['get_weather', { city: 'Zürich', days: 2 }],
          ]);
          const [bern, zurich] = first.calls.map(({ id }) => id) as [string, string];
          expect(bern).not.toBe(zurich);
          expect(seen('tools').body.tools?.map(({ function: { name } }) => name)).toEqual(['get_weather', 'get_time']);
          expect(seen('tools').body.tools?.[0]?.function.parameters).toMatchObject(tools[0]?.parameters ?? {});

          const results = [
            { id: zurich, text: '21 °C' },
            { id: bern, text: '19 °C' },
          ];
          const second = await ask('tools', { turns: [user, { heard: first }, { results }], tools });
          expect([second.text, second.end]).toEqual(['Both are warm.', 'stop']);
          const { messages } = seen('tools').body;
          // aimock makes a message of each item of the assistant.
          const roles = messages.map(({ role }) => role).filter((role, at, all) => role !== 'assistant' || all[at - 1] !== role);
          expect(roles).toEqual(['user', 'assistant', 'tool', 'tool']);
          const ids = messages.flatMap(({ tool_calls: called = [] }) => called.map(({ id }) => id));
          const given = new Map(messages.map(({ tool_call_id: id, content }) => [id, content]));
          expect(ids?.map((id) => given.get(id))).toEqual(['19 °C', '21 °C']);
        });

        test('an answer by a JSON Schema', async () => {
          const schema = {
            type: 'object',
            properties: { city: { type: 'string' } },
            required: ['city'],
            additionalProperties: false,
          };
          const heard = await ask('schema', { turns: [{ user: 'as json' }], schema });
          expect(JSON.parse(heard.text)).toEqual({ city: 'Bern' });
        });
      });
    }
  }
}

test('every request that arrived had the key of the provider in its own header, and none of the caller', async () => {
  const entries = mock.getRequests();
  expect(entries.length).toBeGreaterThan(30);
  for (const { path, headers } of entries) {
    const key = path.startsWith(paths.anthropic) ? headers['x-api-key'] : headers['authorization'];
    // aimock takes the secrets of headers out of its journal.
    expect([path, key !== undefined]).toEqual([path, true]);
    expect(JSON.stringify(headers)).not.toContain(adminToken);
  }
});
