/** OpenAI's and Anthropic's official packages over upstreams of every other protocol, each a double that refuses what its vendor refuses. */
import { describe, expect, test } from 'bun:test';
import { look, type Scene, type Scenes, says, scenesOn, sides, tools, type Up, user } from './doubles/scene.ts';
import { type Fields, fieldsOf, type Script, spent } from './doubles/script.ts';
import type { Turn } from './sdks.ts';
import { stage } from './stage.ts';

const ups = ['google', 'ollama', 'converse', 'responses', 'codex'] as const satisfies readonly Up[];
const models = Array.from({ length: 40 }, (_, at) => ({
  id: `thinker${at}`,
  reasoning: true,
  input: ['text', 'image'],
  maxTokens: 8192,
}));
const shared = scenesOn(stage(), models, ups);
const scene = async (...of: Parameters<Scenes['scene']>): Promise<Scene> => (await shared).scene(...of);
let thinkers = 0;
/** A model that ola knows to reason. On Bedrock that is one of the catalog: the field that asks for it is the maker's own. */
const aThinker = (up: Up) => ({
  model: up === 'converse' ? 'anthropic.claude-haiku-4-5-20251001-v1:0' : `thinker${thinkers++}`,
});

const picture = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const text = 'Grüße — “two” words, a tab\t, 🙂 and the end.';
const schema = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'], additionalProperties: false };

/** Where each protocol has the schema of an answer. */
const schemaIn: Readonly<Record<(typeof ups)[number], (body: Fields) => unknown>> = {
  google: (body) => fieldsOf(body['generationConfig'])['responseJsonSchema'],
  ollama: (body) => body['format'],
  converse: (body) => fieldsOf(fieldsOf(fieldsOf(body['additionalModelRequestFields'])['output_config'])['format'])['schema'],
  responses: (body) => fieldsOf(fieldsOf(body['text'])['format'])['schema'],
  codex: (body) => fieldsOf(fieldsOf(body['text'])['format'])['schema'],
};

/** Texts of reasoning that a client gets. */
function thoughts(raw: unknown): string {
  if (!Array.isArray(raw)) return String(fieldsOf(raw)['reasoning_content'] ?? '');
  return (raw as Fields[]).map(({ thinking }) => thinking ?? '').join('');
}

for (const client of sides) {
  for (const up of ups) {
    for (const stream of [false, true]) {
      describe(`${client}'s client over ${up}'s upstream, ${stream ? 'streamed' : 'whole'}`, () => {
        test('text, byte for byte, with its end and its tokens', async () => {
          const { ask, last } = await scene(client, up, says({ text }));
          const heard = await ask({ turns: [user], system: 'Be “brief”.', stream });
          expect([heard.text, heard.end, heard.calls]).toEqual([text, 'stop', []]);
          const cacheRead = up === 'ollama' ? 0 : spent.cacheRead;
          expect(heard.tokens).toEqual({ prompt: spent.prompt, completion: spent.completion, cacheRead });
          expect(JSON.stringify(last())).toContain('Be “brief”.');
        });

        test('an answer cut by the limit says so', async () => {
          const { ask } = await scene(client, up, says({ text: 'half', end: 'length' }));
          expect(await ask({ turns: [user], stream })).toMatchObject({ text: 'half', end: 'length' });
        });

        test('a tool, parallel tools, and their results in another order', async () => {
          const seen: (readonly string[])[] = [];
          const script: Script = ({ answers, results }) => {
            seen.push(results.map((result) => result.text));
            if (answers === 0) return { calls: [look('one')] };
            return answers === 1 ? { text: 'I look.', calls: [look('Bern'), look('Zürich')] } : { text: 'Both are warm.' };
          };
          const { ask, last } = await scene(client, up, script);
          const first = await ask({ turns: [user], tools, stream });
          expect([first.end, first.calls.map(({ name, input }) => [name, input])]).toEqual([
            'tool_calls',
            [['look', { at: 'one' }]],
          ]);
          expect(JSON.stringify(last())).toContain('"look"');
          const turns: Turn[] = [user, { heard: first }, { results: first.calls.map(({ id }) => ({ id, text: 'one' })) }];
          const second = await ask({ turns, tools, stream });
          expect([second.text, second.end, second.calls.map(({ input }) => input)]).toEqual([
            'I look.',
            'tool_calls',
            [{ at: 'Bern' }, { at: 'Zürich' }],
          ]);
          const ids = [...first.calls, ...second.calls].map(({ id }) => id);
          expect(new Set(ids).size).toBe(3);
          const results = ['of Bern', 'of Zürich'].map((said, at) => ({ id: ids[at + 1] ?? '', text: said })).toReversed();
          expect((await ask({ turns: [...turns, { heard: second }, { results }], tools, stream })).text).toBe('Both are warm.');
          expect(seen).toEqual([[], ['one'], ['of Bern', 'of Zürich']]);
        });

        test('an image of the user arrives as an image, once', async () => {
          let images: readonly string[] = [];
          const script: Script = (asked) => {
            images = asked.images;
            return { text: 'a dot' };
          };
          const { ask, received } = await scene(client, up, script, aThinker(up));
          expect((await ask({ turns: [{ user: 'what is it?', image: picture }], stream })).text).toBe('a dot');
          expect(images).toEqual([picture]);
          expect((received().at(-1)?.body ?? '').split(picture)).toHaveLength(2);
        });

        test('a JSON Schema for the answer arrives', async () => {
          const { ask, last } = await scene(client, up, says({ text: '{"a":"b"}' }), aThinker(up));
          expect((await ask({ turns: [user], schema, stream })).text).toBe('{"a":"b"}');
          expect(schemaIn[up](last())).toEqual(schema);
        });

        test('reasoning is told, and five turns of it with tools come to their end', async () => {
          const script: Script = ({ answers }) =>
            answers < 4
              ? { reasoning: `thought ${answers}`, calls: [look(`place ${answers}`)] }
              : { reasoning: 'at last', text: 'done' };
          const { ask } = await scene(client, up, script, aThinker(up));
          const turns: Turn[] = [user];
          const told: string[] = [];
          for (;;) {
            const heard = await ask({ turns, tools, thinks: true, stream });
            expect(heard.headers.get('x-ola-reasoning')).toBeNull();
            told.push(thoughts(heard.raw));
            if (heard.end !== 'tool_calls') break;
            turns.push({ heard }, { results: heard.calls.map(({ id }) => ({ id, text: `seen ${id}` })) });
          }
          expect(told).toEqual(['thought 0', 'thought 1', 'thought 2', 'thought 3', 'at last']);
        });
      });
    }

    test(`${client}'s client over ${up}'s upstream: a stream that breaks off is an error, and no end`, async () => {
      const { ask } = await scene(client, up, says({ text: 'half of the answer', breaksOff: true }));
      await expect(ask({ turns: [user], stream: true })).rejects.toThrow('before it was complete');
    });
  }
}
