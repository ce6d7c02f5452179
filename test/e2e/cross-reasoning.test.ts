/** Signed reasoning between clients and upstreams of two protocols: the double refuses a turn without it, as its vendor does. */
import { describe, expect, test } from 'bun:test';
import { look, type Scene, type Scenes, scenesOn, tools, user } from './doubles/scene.ts';
import { type Fields, fieldsOf, listOf, type Script, textOf } from './doubles/script.ts';
import type { Heard, Turn } from './sdks.ts';
import { stage } from './stage.ts';

/** Models that ola knows to reason. */
const models = Array.from({ length: 20 }, (_, at) => ({ id: `thinker${at}`, reasoning: true, maxTokens: 8192 }));
const shared = scenesOn(stage(), models);
const scene = async (...of: Parameters<Scenes['scene']>): Promise<Scene> => (await shared).scene(...of);

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
    const { ola, addProvider } = await shared;
    await addProvider('moving', 'anthropic', { models });
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
