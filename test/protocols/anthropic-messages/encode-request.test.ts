/** What Anthropic is told besides the messages. */
import { describe, expect, test } from 'bun:test';
import { type Conversation, noSampling, type ToolChoice } from '../../../src/core/conversation.ts';
import { assistant, call, refusalOf, result, sent, text, thought, tool, user } from './conversations.ts';
import type { Fields } from './fixtures.ts';

describe('D07: tool choices', () => {
  const choices: readonly (ToolChoice | null)[] = [
    null,
    'none',
    'auto',
    'required',
    { name: 'f' },
    { allowed: ['f'], mode: 'auto' },
    { allowed: ['f'], mode: 'required' },
  ];
  const types: readonly (string | null)[] = [null, 'none', 'auto', 'any', 'tool', 'auto', 'any'];
  for (const [at, toolChoice] of choices.entries()) {
    for (const parallelTools of [null, true, false]) {
      test(`D07: ${JSON.stringify(toolChoice)}, parallel ${parallelTools}`, () => {
        const { body } = sent({ toolChoice, parallelTools, tools: [tool('f'), tool('g')] });
        const type = types[at] ?? (parallelTools === false ? 'auto' : null);
        const single = parallelTools === false && type !== 'none' ? { disable_parallel_tool_use: true } : {};
        const name = type === 'tool' ? { name: 'f' } : {};
        expect(body['tool_choice']).toEqual(type === null ? undefined : { type, ...name, ...single });
        const isFiltered = typeof toolChoice === 'object' && toolChoice !== null && 'allowed' in toolChoice;
        expect((body['tools'] as Fields[]).map(({ name: each }) => each)).toEqual(isFiltered ? ['f'] : ['f', 'g']);
        if (toolChoice === 'none') expect(body['tool_choice']).toEqual({ type: 'none' });
      });
      test(`D07: ${JSON.stringify(toolChoice)}, parallel ${parallelTools}, without tools`, () => {
        const { body } = sent({ toolChoice, parallelTools });
        expect([body['tools'], body['tool_choice']]).toEqual([undefined, undefined]);
      });
    }
  }

  test('a call that must be of a tool which is not there is refused', () => {
    const toolChoice = { allowed: ['x'], mode: 'required' } as const;
    expect(refusalOf(() => sent({ toolChoice, tools: [tool('f')] })).facts.param).toBe('tool_choice');
  });
});

describe('tools', () => {
  const schemaOf = (parameters: Fields | null) =>
    (sent({ tools: [tool('f', { parameters })] }).body['tools'] as Fields[])[0]!['input_schema'];

  test('the root of a schema is an object', () => {
    expect(schemaOf(null)).toEqual({ type: 'object', properties: {} });
    expect(schemaOf({ properties: { a: {} } })).toEqual({ type: 'object', properties: { a: {} } });
    expect(schemaOf({ type: ['object', 'null'] })).toEqual({ type: 'object' });
  });

  test('combinations at the root become one object', () => {
    const a = { type: 'object', properties: { kind: { const: 'a' }, x: {} }, required: ['kind', 'x'] };
    const b = { type: 'object', properties: { kind: { const: 'b' }, y: {} }, required: ['kind', 'y'] };
    for (const name of ['anyOf', 'oneOf']) {
      expect(schemaOf({ [name]: [a, b], $defs: { d: {} } })).toEqual({
        type: 'object',
        $defs: { d: {} },
        properties: { kind: { anyOf: [{ const: 'a' }, { const: 'b' }] }, x: {}, y: {} },
        required: ['kind'],
      });
    }
    expect(schemaOf({ allOf: [a, { properties: { z: {} }, required: ['z'] }] })).toEqual({
      type: 'object',
      properties: { kind: { const: 'a' }, x: {}, z: {} },
      required: ['kind', 'x', 'z'],
    });
  });

  // A comparison of each name with each other takes a minute.
  test('a choice of schemas with very many required properties takes no more than its share of time', () => {
    const required = Array.from({ length: 20_000 }, (_, at) => `p${at}`);
    const anyOf = Array.from({ length: 40 }, (_, at) => ({ properties: {}, required: required.slice(at) }));
    expect(schemaOf({ anyOf })).toMatchObject({ required: required.slice(39) });
  }, 20_000);

  test('a property of the name __proto__ is kept', () => {
    const schema = JSON.parse('{"anyOf":[{"properties":{"__proto__":{"type":"string"}}}]}') as Fields;
    const { text: body } = sent({ tools: [tool('f', { parameters: schema })] });
    expect(body).toContain('"__proto__":{"type":"string"}');
    const format = {
      kind: 'schema',
      name: null,
      description: null,
      schema: (schema['anyOf'] as unknown[])[0],
      strict: true,
    } as const;
    expect(sent({ format }).text).toContain('"__proto__":{"type":"string"}');
  });

  test('strict is sent to models that take it', () => {
    const tools = [tool('f', { strict: true, description: 'D' })];
    expect(sent({ tools }).body['tools']).toEqual([
      { name: 'f', description: 'D', input_schema: { type: 'object', properties: {} } },
    ]);
    expect((sent({ tools }, { strictTools: true }).body['tools'] as Fields[])[0]!['strict']).toBe(true);
  });

  test('a free-form tool is refused by name', () => {
    const error = refusalOf(() => sent({ tools: [tool('apply_patch', { kind: 'custom', parameters: null })] }));
    expect(error.facts.param).toBe('tools');
    expect(error.message).toContain("'apply_patch'");
  });
});

describe('cache marks', () => {
  const hinted = (words: string, ttl: string | null = null) => ({ ...text(words), cache: { ttl } });

  test('none is added', () => {
    expect(sent({ system: [text('S')], tools: [tool('f')] }).text).not.toContain('cache_control');
  });

  test('the last four of tools, system and messages count, with their time to live', () => {
    const { text: body } = sent({
      tools: [tool('f', { cache: { ttl: null } })],
      system: [hinted('s1', '1h'), hinted('s2', '1h')],
      turns: [user(hinted('u1'), hinted('u2', '5m')), assistant(call('a')), user({ ...result('a', hinted('r')) })],
    });
    expect(body.split('"cache_control"').length - 1).toBe(4);
    const fields = JSON.parse(body) as { system: Fields[]; messages: { content: Fields[] }[] };
    expect(fields.system.map(({ cache_control: mark }) => mark)).toEqual([undefined, { type: 'ephemeral', ttl: '1h' }]);
    expect(fields.messages[0]!.content.map(({ cache_control: mark }) => mark)).toEqual([
      { type: 'ephemeral' },
      { type: 'ephemeral', ttl: '5m' },
    ]);
  });
});

describe('answers', () => {
  test('the longest answer is the client’s, else the model’s, else 32,000 tokens', () => {
    expect(sent({ maxTokens: 7 }, { maxTokens: 64_000 }).body['max_tokens']).toBe(7);
    expect(sent({}, { maxTokens: 64_000 }).body['max_tokens']).toBe(64_000);
    expect(sent({}, {}, { facts: null }).body['max_tokens']).toBe(32_000);
  });

  test('a schema becomes closed, and limits that Anthropic refuses stand in descriptions', () => {
    const schema = {
      type: 'object',
      properties: {
        minimum: { type: 'integer', minimum: 1, description: 'Least.' },
        list: { type: 'array', items: { type: 'object', properties: {} } },
      },
      $defs: { d: { type: 'string', maxLength: 3 } },
    };
    const format = { kind: 'schema', name: 'n', description: 'D', schema, strict: true } as const;
    expect(sent({ format }).body['output_config']).toEqual({
      format: {
        type: 'json_schema',
        schema: {
          description: 'D',
          type: 'object',
          properties: {
            minimum: { type: 'integer', description: 'Least.\n\n{minimum: 1}' },
            list: { type: 'array', items: { type: 'object', properties: {}, additionalProperties: false } },
          },
          $defs: { d: { type: 'string', description: '{maxLength: 3}' } },
          additionalProperties: false,
        },
      },
    });
  });

  test('JSON without a schema is asked for in words, behind the system prompt', () => {
    const { body } = sent({ system: [text('S')], format: { kind: 'json' } });
    expect((body['system'] as Fields[]).map(({ text: said }) => said)).toEqual(['S', expect.stringContaining('one JSON object')]);
  });

  test('blank stop sequences are left out and said', () => {
    const { body, dropped } = sent({ stop: ['END', '\n'] });
    expect([body['stop_sequences'], dropped]).toEqual([['END'], ['stop']]);
  });

  test('the name of a user is opaque: a digest where it is long or an address', () => {
    const idOf = (name: string) => (sent({ user: name }).body['metadata'] as Fields)['user_id'];
    expect(idOf('u-1')).toBe('u-1');
    for (const name of ['ann@example.com', 'x'.repeat(150)]) {
      expect(idOf(name)).toMatch(/^[\w-]{43}$/);
      expect(idOf(name)).toBe(idOf(name));
    }
  });

  test('fields that Anthropic does not have are left out and said', () => {
    const sampling = { ...noSampling, seed: 1, frequencyPenalty: 0.5, presencePenalty: 0 };
    expect(sent({ sampling, cacheKey: 'k' }).dropped).toEqual(['seed', 'frequencyPenalty', 'cacheKey']);
  });
});

describe('sampling', () => {
  const sampling = (rest: Partial<Conversation['sampling']>) => ({ sampling: { ...noSampling, ...rest } });

  test('a temperature above 1 is 1; beside a temperature top_p is left out', () => {
    const { body, dropped } = sent(sampling({ temperature: 1.8, topP: 0.9, topK: 5 }));
    expect([body['temperature'], body['top_p'], body['top_k'], dropped]).toEqual([1, undefined, 5, ['topP']]);
  });

  test('a model that takes none gets none', () => {
    const { body, dropped } = sent(sampling({ temperature: 1, topP: 0.9, topK: 5 }), { noSampling: true });
    expect([body['temperature'], body['top_p'], body['top_k']]).toEqual([undefined, undefined, undefined]);
    expect(dropped).toEqual(['temperature', 'topP', 'topK']);
  });

  test('with thinking only a temperature of 1 and a high top_p go', () => {
    const reasoning = { effort: 'low', budget: null, summary: null };
    const facts = { thinking: 'adaptive' } as const;
    const low = sent({ reasoning, ...sampling({ temperature: 0.2, topP: 0.5, topK: 5 }) }, facts);
    expect([low.body['temperature'], low.body['top_p'], low.body['top_k']]).toEqual([undefined, undefined, undefined]);
    expect(low.dropped).toEqual(['temperature', 'topP', 'topK']);
    const high = sent({ reasoning, ...sampling({ topP: 0.97 }) }, facts);
    expect([high.body['top_p'], high.dropped]).toEqual([0.97, []]);
    expect(sent({ reasoning, ...sampling({ temperature: 1 }) }, facts).body['temperature']).toBe(1);
  });
});

describe('thinking', () => {
  const wish = (effort: string | null, budget: number | null = null, summary: string | null = null) => ({
    reasoning: { effort, budget, summary },
  });
  const thinkingOf = ({ body }: { body: Fields }) => [body['thinking'], body['output_config']];

  test('a model that decides itself is told an effort in its own words', () => {
    const facts = { thinking: 'adaptive', efforts: { minimal: null, xhigh: 'xhigh', max: 'max' } } as const;
    const shown = { type: 'adaptive', display: 'summarized' };
    const rows = { minimal: 'low', low: 'low', medium: 'medium', high: 'high', xhigh: 'xhigh', max: 'max' };
    for (const [effort, word] of Object.entries(rows))
      expect(thinkingOf(sent(wish(effort), facts))).toEqual([shown, { effort: word }]);
    expect(thinkingOf(sent(wish('xhigh'), { thinking: 'adaptive', efforts: { xhigh: null } }))).toEqual([
      shown,
      { effort: 'max' },
    ]);
    expect(thinkingOf(sent(wish('xhigh'), { thinking: 'adaptive', efforts: { minimal: 'low' } }))).toEqual([
      shown,
      { effort: 'xhigh' },
    ]);
    expect(thinkingOf(sent(wish('xhigh'), { thinking: 'adaptive' }))).toEqual([shown, { effort: 'high' }]);
    expect(thinkingOf(sent(wish(null, 8000), facts))).toEqual([shown, { effort: 'medium' }]);
    expect(thinkingOf(sent(wish('low', null, 'none'), facts))).toEqual([
      { type: 'adaptive', display: 'omitted' },
      { effort: 'low' },
    ]);
    expect(sent(wish('odd'), facts).dropped).toEqual(['effort']);
  });

  test('another model gets a budget by the level, with room for the answer', () => {
    const facts = { reasoning: true, maxTokens: 64_000 };
    const rows = { minimal: 1024, low: 2048, medium: 8192, high: 16_384, xhigh: 62_976 };
    for (const [effort, budget] of Object.entries(rows))
      expect(thinkingOf(sent(wish(effort), facts))).toEqual([{ type: 'enabled', budget_tokens: budget }, undefined]);
    expect(thinkingOf(sent(wish(null, 5000), { thinking: 'budget' }))[0]).toEqual({ type: 'enabled', budget_tokens: 5000 });
    expect(thinkingOf(sent({ ...wish('high'), maxTokens: 4096 }, facts))[0]).toEqual({ type: 'enabled', budget_tokens: 3072 });
  });

  test('without room for a budget the model does not think, which is said', () => {
    const { body, dropped } = sent({ ...wish('high', 4000), maxTokens: 2000 }, { thinking: 'budget' });
    expect([body['thinking'], dropped]).toEqual([undefined, ['effort', 'reasoningBudget']]);
  });

  test('a model of which nothing is known is not asked to think, which is said', () => {
    const { body, dropped } = sent(wish('high'), {}, { facts: null });
    expect([body['thinking'], dropped]).toEqual([undefined, ['effort']]);
  });

  test('no reasoning is said where a model can do without, else left out and said', () => {
    expect(sent(wish('none'), { thinking: 'adaptive' }).body['thinking']).toEqual({ type: 'disabled' });
    const never = sent(wish('none'), { thinking: 'adaptive', efforts: { off: null } });
    expect([never.body['thinking'], never.dropped]).toEqual([undefined, ['effort']]);
    expect(sent(wish('none'), {}, { facts: null }).body['thinking']).toBeUndefined();
  });

  test('a forced call and thinking by a budget exclude each other; a model that decides itself takes both', () => {
    const forced = { ...wish('low'), toolChoice: 'required', tools: [tool('f')] } as const;
    const budget = sent(forced, { thinking: 'budget' });
    expect([budget.body['thinking'], budget.dropped]).toEqual([undefined, ['effort']]);
    expect(budget.body['tool_choice']).toEqual({ type: 'any' });
    expect(sent(forced, { thinking: 'adaptive' }).body['thinking']).toEqual({ type: 'adaptive', display: 'summarized' });
  });

  test('litellm#15601: a call whose thinking is gone turns a budget off and says so', () => {
    const turns = (...before: readonly ReturnType<typeof thought>[]) => [
      user('go'),
      assistant(...before, 'I call.', call('a')),
      user(result('a', 'r')),
    ];
    for (const lost of [turns(), turns(thought())]) {
      const { body, reasoningLost } = sent({ ...wish('low'), turns: lost }, { thinking: 'budget' });
      expect([body['thinking'], reasoningLost]).toEqual([undefined, true]);
    }
    const kept = sent({ ...wish('low'), turns: turns(thought('sig')) }, { thinking: 'budget' });
    expect([kept.body['thinking'], kept.reasoningLost]).toEqual([{ type: 'enabled', budget_tokens: 2048 }, false]);
    expect(kept.messages[1]!.content[0]).toEqual({ type: 'thinking', thinking: 'I think.', signature: 'sig' });
  });

  test('a call of an earlier answer does not matter', () => {
    const turns = [user('go'), assistant(call('a')), user(result('a', 'r')), assistant('done'), user('more')];
    expect(sent({ ...wish('low'), turns }, { thinking: 'budget' }).body['thinking']).toEqual({
      type: 'enabled',
      budget_tokens: 2048,
    });
  });
});
