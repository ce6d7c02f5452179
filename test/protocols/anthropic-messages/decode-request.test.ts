/** What Anthropic's clients ask, as a conversation. */
import { describe, expect, test } from 'bun:test';
import { count } from '../../../src/protocols/anthropic-messages/count.ts';
import { decodeRequest } from '../../../src/protocols/anthropic-messages/decode-request.ts';
import { refusalOf } from './conversations.ts';
import { type Fields, samples } from './fixtures.ts';

const decode = (rest: Fields) =>
  decodeRequest({ model: 'm', max_tokens: 10, messages: [{ role: 'user', content: 'Hi' }], ...rest });
const sample = (name: string) => decodeRequest(JSON.parse(new Map(samples('request')).get(`request-${name}.json`)!) as Fields);

test('an agent’s request is carried; what only Anthropic has is named, and nothing is refused', () => {
  const agent = sample('agent');
  expect(agent.unknown).toEqual([
    ...['context_management', 'service_tier', 'tools.eager_input_streaming', 'tools.defer_loading', 'system.0'],
  ]);
  expect(agent.opaque).toBeUndefined();
  expect(agent.system).toMatchObject([{ text: 'You help with code.', cache: { ttl: '1h' }, field: 'system.1' }]);
  expect(agent.turns[0]!.parts.map(({ cache, field }) => [cache, field])).toEqual([
    [undefined, 'messages.0.content.0'],
    [{ ttl: null }, 'messages.0.content.1'],
  ]);
  expect(agent.tools.map(({ name, kind }) => [name, kind])).toEqual([
    ['Bash', 'function'],
    ['Deploy', 'function'],
  ]);
  expect(agent.reasoning).toEqual({ effort: 'medium', budget: null, summary: 'auto' });
  expect(agent.format).toMatchObject({ kind: 'schema', strict: true });
  expect([agent.stream, agent.maxTokens]).toEqual([true, 32_000]);
  expect(agent.user).toStartWith('user_0123');
});

test('the attribution block is one only in front, and only where it is said so', () => {
  const block = { type: 'text', text: 'x-anthropic-billing-header: cch=1;' };
  const system = [{ type: 'text', text: 'S' }, block];
  expect(decode({ system }).system.length).toBe(2);
  expect(decode({ system: block.text })).toMatchObject({ system: [{ text: block.text }], unknown: [] });
});

test('calls, results, reasoning and instructions keep their places', () => {
  const tools = sample('tools');
  expect(tools.turns[1]!.parts[1]).toEqual({
    type: 'toolCall',
    id: 'toolu_01A',
    name: 'get_weather',
    kind: 'function',
    arguments: '{"town":"Bergen"}',
    field: 'messages.1.content.1',
  });
  expect(tools.turns[2]!.parts.map((part) => part.type)).toEqual(['toolResult', 'toolResult', 'text']);
  expect(tools.turns[2]!.parts[1]).toMatchObject({ isError: true, parts: [{ type: 'text', text: 'no station' }] });
  expect([tools.toolChoice, tools.parallelTools]).toEqual(['auto', false]);
  const thinking = sample('thinking');
  expect(thinking.turns[1]!.parts.slice(0, 2)).toMatchObject([
    { type: 'reasoning', text: 'I multiply step by step.', signature: 'EqQBCgIYAhIM1gbc' },
    { type: 'reasoning', text: '', redacted: 'EmwKAhgBEgy3va3pzix' },
  ]);
  expect(thinking.reasoning).toEqual({ effort: null, budget: 10_000, summary: null });
  expect(sample('middle').turns.map(({ role }) => role)).toEqual(['user', 'system', 'assistant', 'user', 'system']);
});

test('images and documents are media; a file, and blocks of Anthropic’s own, are named in their place', () => {
  const [turn] = sample('media').turns;
  expect(turn!.parts.map((part) => (part.type === 'opaque' ? part.name : part.type === 'media' ? part.kind : part.type))).toEqual(
    [...['image', 'image', 'image file', 'document', 'document', 'document', 'document', 'search_result', 'text']],
  );
  expect(turn!.parts[2]).toMatchObject({ type: 'opaque', protocol: 'anthropic-messages', field: 'messages.0.content.2' });
  expect(turn!.parts[5]).toMatchObject({ source: { text: 'The grass is green.' }, name: 'Notes', cache: { ttl: '1h' } });
  expect(turn!.parts[6]).toMatchObject({ source: { text: 'First.\n\nSecond.' } });
});

test('tools that run at Anthropic, a container and MCP servers are named for other protocols to refuse', () => {
  const { opaque, tools, unknown } = sample('server-tools');
  expect(opaque!.map(({ name, field }) => [name, field])).toEqual([
    ['web_search_20250305', 'tools.0'],
    ['bash_20250124', 'tools.2'],
    ['mcp_servers', 'mcp_servers'],
    ['container', 'container'],
  ]);
  expect(tools.map(({ name }) => name)).toEqual(['get_weather']);
  expect(unknown).toEqual(['text.citations']);
  expect(decode({ mcp_servers: [] })).toMatchObject({ unknown: ['mcp_servers'] });
  expect(decode({ mcp_servers: [] }).opaque).toBeUndefined();
});

test('null is absent, and a choice without tools means nothing', () => {
  const { sampling, toolChoice, parallelTools, extras } = decode({
    temperature: null,
    system: null,
    thinking: null,
    tool_choice: { type: 'any', disable_parallel_tool_use: true },
  });
  expect([sampling.temperature, toolChoice, parallelTools]).toEqual([null, null, null]);
  expect(extras['anthropic-messages']).toEqual({ fields: { tool_choice: { type: 'any', disable_parallel_tool_use: true } } });
});

describe('D07: choices of tools', () => {
  const tools = [{ name: 'f', input_schema: { type: 'object' } }];
  for (const [choice, toolChoice, parallelTools] of [
    [{ type: 'auto' }, 'auto', null],
    [{ type: 'any', disable_parallel_tool_use: true }, 'required', false],
    [{ type: 'tool', name: 'f', disable_parallel_tool_use: false }, { name: 'f' }, true],
    [{ type: 'none' }, 'none', null],
  ] as const) {
    test(`D07: ${JSON.stringify(choice)}`, () =>
      expect(decode({ tools, tool_choice: choice })).toMatchObject({ toolChoice, parallelTools }));
  }
});

test('thinking in all its forms', () => {
  expect(decode({ thinking: { type: 'disabled' } }).reasoning).toEqual({ effort: 'none', budget: null, summary: null });
  expect(decode({ thinking: { type: 'adaptive', display: 'omitted' } }).reasoning).toEqual({
    effort: null,
    budget: null,
    summary: 'none',
  });
  expect(decode({ output_config: { effort: 'max' } }).reasoning).toEqual({ effort: 'max', budget: null, summary: null });
  expect(decode({}).reasoning).toBeNull();
});

test('the older place of the format is read', () => {
  const output_format = { type: 'json_schema', schema: { type: 'object' } };
  expect(decode({ output_format }).format).toMatchObject({ kind: 'schema', schema: { type: 'object' } });
});

describe('a wrong type in a known field is refused by its place', () => {
  const message = (block: unknown) => ({ messages: [{ role: 'user', content: [block] }] });
  const rows: readonly [Fields, string][] = [
    [{ messages: 'x' }, 'messages'],
    [{ messages: [7] }, 'messages.0'],
    [{ messages: [{ role: 'tool', content: 'x' }] }, 'messages.0.role'],
    [{ messages: [{ role: 'user', content: 7 }] }, 'messages.0.content'],
    [message('x'), 'messages.0.content.0'],
    [message({ type: 'text', text: 7 }), 'messages.0.content.0.text'],
    [message({ type: 'tool_result', content: 'x' }), 'messages.0.content.0.tool_use_id'],
    [message({ type: 'tool_result', tool_use_id: 'a', content: [{ type: 'text' }] }), 'messages.0.content.0.content.0.text'],
    [{ system: [{ type: 'image' }] }, 'system.0'],
    [{ system: 7 }, 'system'],
    [{ tools: {} }, 'tools'],
    [{ tools: [{ input_schema: {} }] }, 'tools.0.name'],
    [{ tools: [{ name: 'f', input_schema: 'x' }] }, 'tools.0.input_schema'],
    [{ tools: [{ name: 'f' }], tool_choice: { type: 'tool' } }, 'tool_choice'],
    [{ max_tokens: '7' }, 'max_tokens'],
    [{ temperature: 'hot' }, 'temperature'],
    [{ stop_sequences: 'END' }, 'stop_sequences'],
    [{ output_config: { format: { type: 'text' } } }, 'output_config.format.type'],
  ];
  for (const [rest, param] of rows) {
    test(param, () => {
      const error = refusalOf(() => decode(rest));
      expect([error.code, error.facts.param]).toEqual(['invalid_request', param]);
      expect(error.message).toContain(param.split('.')[0]!);
    });
  }
});

test('a count needs no longest answer, and is told as Anthropic tells it', () => {
  expect(count.decodeRequest({ model: 'm', messages: [{ role: 'user', content: 'Hi' }] }).maxTokens).toBeNull();
  expect(JSON.parse(count.encodeAnswer(2095))).toEqual({ input_tokens: 2095 });
});
