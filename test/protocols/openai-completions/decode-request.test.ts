import { describe, expect, test } from 'bun:test';
import type { Conversation } from '../../../src/core/conversation.ts';
import { chat } from '../../../src/protocols/openai-completions/chat.ts';
import { type Fields, refusedField } from './chat-parts.ts';

const user = { role: 'user', content: 'x' };
const decode = (request: Fields): Conversation => chat.decodeRequest({ model: 'm', messages: [user], ...request });
const messages = (...all: Fields[]): Conversation => decode({ messages: all });
const refused = (request: Fields) => refusedField(() => decode(request));
const refusedPart = (part: Fields) => refused({ messages: [{ role: 'user', content: [part] }] });
const types = ({ turns }: Conversation) => turns.map(({ role, parts }) => [role, ...parts.map(({ type }) => type)].join(' '));
const text = (value: string) => ({ type: 'text', text: value });

describe('messages', () => {
  test('D08: only the leading run of instructions is the system’s; later ones stay in place', () => {
    const { system, turns } = messages(
      { role: 'system', content: 'S' },
      { role: 'developer', content: 'T' },
      user,
      { role: 'assistant', content: null, tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }] },
      { role: 'tool', tool_call_id: 'a', content: 'r' },
      { role: 'system', content: [{ type: 'text', text: 'N', cache_control: { type: 'ephemeral' } }] },
      user,
    );
    expect(system).toMatchObject([text('S'), text('T')]);
    expect(turns.map(({ role }) => role)).toEqual(['user', 'assistant', 'user', 'system', 'user']);
    expect(turns[3]?.parts).toMatchObject([{ ...text('N'), cache: { ttl: null }, field: 'messages.5.content.0' }]);
  });

  test('results of tools are one turn of the user, in front of the user’s own words', () => {
    const tool = (id: string) => ({ role: 'tool', tool_call_id: id, content: id });
    const seen = messages(user, { role: 'assistant', content: 'y' }, tool('a'), tool('b'), user, user);
    expect(types(seen)).toEqual(['user text', 'assistant text', 'user toolResult toolResult text', 'user text']);
    expect(seen.turns[2]?.parts[1]).toMatchObject({ callId: 'b', parts: [text('b')], isError: false, field: 'messages.3' });
  });

  test('the legacy function call and its result find each other', () => {
    const seen = messages(
      user,
      { role: 'assistant', content: null, function_call: { name: 'f', arguments: '{"x":1}' } },
      { role: 'function', name: 'f', content: 'r' },
    );
    const id = 'function_call_1';
    expect(seen.turns[1]?.parts).toMatchObject([{ type: 'toolCall', id, name: 'f', kind: 'function', arguments: '{"x":1}' }]);
    expect(seen.turns[2]?.parts).toMatchObject([{ type: 'toolResult', callId: id, parts: [text('r')] }]);
  });

  test('reasoning stands before text and calls, and is not doubled', () => {
    const assistant = (fields: Fields) => messages(user, { role: 'assistant', content: 'a', ...fields }).turns[1]?.parts;
    expect(assistant({ reasoning_content: 'h' })).toMatchObject([{ type: 'reasoning', text: 'h' }, text('a')]);
    expect(assistant({ reasoning: 'h' })).toMatchObject([{ type: 'reasoning', text: 'h' }, text('a')]);
    const details = [
      { type: 'reasoning.text', text: 'h', format: 'unknown', index: 0 },
      { type: 'reasoning.text', text: 'm', signature: 'ola-r1.x.s', index: 0 },
      { type: 'reasoning.encrypted', data: 'd', id: 'rs_1', index: 1 },
      { type: 'reasoning.summary', summary: 'so', index: 1 },
      { type: 'reasoning.odd', index: 3 },
    ];
    expect(assistant({ reasoning_content: 'hmso', reasoning_details: details })).toEqual([
      { type: 'reasoning', text: 'hm', signature: 'ola-r1.x.s', field: 'messages.1' },
      { type: 'reasoning', text: 'so', redacted: 'd', id: 'rs_1', field: 'messages.1' },
      { type: 'text', text: 'a', field: 'messages.1.content' },
    ]);
    const signature = [{ type: 'reasoning.text', signature: 's', index: 0 }];
    expect(assistant({ reasoning_content: 'h', reasoning_details: signature })).toMatchObject([
      { text: 'h', signature: 's' },
      {},
    ]);
  });

  test('contents: media by their data or address, each with its place', () => {
    const { turns } = messages({
      role: 'user',
      content: [
        { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA', detail: 'high' } },
        { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
        { type: 'input_audio', input_audio: { data: 'BBBB', format: 'mp3' } },
        { type: 'file', file: { file_data: 'data:application/pdf;base64,CCCC', filename: 'a.pdf' } },
        { type: 'file', file: { file_data: 'DDDD' } },
        { type: 'video_url', video_url: { url: 'https://example.com/v.mp4' } },
        { type: 'x_block', x: 1 },
      ],
    });
    expect(turns[0]?.parts).toMatchObject([
      { kind: 'image', source: { data: 'AAAA', mime: 'image/png', detail: 'high' }, field: 'messages.0.content.0' },
      { kind: 'image', source: { url: 'https://example.com/a.png', mime: null } },
      { kind: 'audio', source: { data: 'BBBB', mime: 'audio/mpeg' } },
      { kind: 'document', source: { data: 'CCCC', mime: 'application/pdf' }, name: 'a.pdf' },
      { kind: 'document', source: { data: 'DDDD', mime: null } },
      { kind: 'video', source: { url: 'https://example.com/v.mp4' } },
      {
        type: 'opaque',
        protocol: 'openai-completions',
        name: 'x_block',
        value: { type: 'x_block', x: 1 },
        field: 'messages.0.content.6',
      },
    ]);
  });

  test('cache hints on messages, parts and tools', () => {
    const hint = { type: 'ephemeral', ttl: '1h' };
    const seen = decode({
      messages: [
        { role: 'system', content: 'S', cache_control: hint },
        { role: 'user', content: [{ ...text('x'), cache_control: hint }] },
      ],
      tools: [{ type: 'function', function: { name: 'f' }, cache_control: { type: 'ephemeral' } }],
    });
    expect(seen.system[0]?.cache).toEqual({ ttl: '1h' });
    expect(seen.turns[0]?.parts[0]?.cache).toEqual({ ttl: '1h' });
    expect(seen.tools[0]?.cache).toEqual({ ttl: null });
  });
});

describe('fields of the request', () => {
  test('null means absent, and the newer limit wins', () => {
    const names = ['tools', 'tool_choice', 'max_tokens', 'stop', 'n', 'logprobs', 'audio', 'reasoning_effort', 'user', 'x'];
    const absent = decode(Object.fromEntries(names.map((name) => [name, null])));
    expect(absent).toMatchObject({
      tools: [],
      toolChoice: null,
      maxTokens: null,
      stop: [],
      reasoning: null,
      user: null,
      unknown: [],
    });
    expect(decode({ max_tokens: 5, max_completion_tokens: 9 }).maxTokens).toBe(9);
    expect(decode({ max_tokens: 5 }).maxTokens).toBe(5);
  });

  test('harmless fields of one vendor are named, not refused', () => {
    const harmless = ['store', 'metadata', 'service_tier', 'logit_bias', 'prediction', 'verbosity', 'x_vendor'];
    const seen = decode({
      ...Object.fromEntries(harmless.map((name) => [name, {}])),
      n: 1,
      logprobs: false,
      modalities: ['text'],
    });
    expect([...seen.unknown].sort()).toEqual([...harmless].sort());
  });

  test('fields that change the meaning of the answer are refused by name', () => {
    const refusals: readonly [string, unknown][] = [
      ['n', 2],
      ['logprobs', true],
      ['top_logprobs', 3],
      ['modalities', ['text', 'audio']],
      ['audio', { voice: 'alloy', format: 'mp3' }],
      ['web_search_options', {}],
    ];
    for (const [field, value] of refusals) expect(refused({ [field]: value })).toBe(field);
  });

  test('a wrong type is refused by the path of its field', () => {
    const table: readonly [Fields, string][] = [
      [{ messages: 'x' }, 'messages'],
      [{ messages: undefined }, 'messages'],
      [{ messages: [user, 7] }, 'messages.1'],
      [{ messages: [{ role: 'narrator', content: 'x' }] }, 'messages.0.role'],
      [{ messages: [{ role: 'constructor', content: 'x' }] }, 'messages.0.role'],
      [{ messages: [{ role: 'user', content: 7 }] }, 'messages.0.content'],
      [{ messages: [{ role: 'tool', content: 'x' }] }, 'messages.0.tool_call_id'],
      [{ messages: [{ role: 'system', content: [{ type: 'image_url', image_url: { url: 'u' } }] }] }, 'messages.0.content.0'],
      [
        { messages: [user, { role: 'assistant', tool_calls: [{ id: 'a', type: 'function' }] }] },
        'messages.1.tool_calls.0.function',
      ],
      [{ temperature: '1' }, 'temperature'],
      [{ stop: [1] }, 'stop.0'],
      [{ response_format: { type: 'xml' } }, 'response_format.type'],
      [{ reasoning_effort: 'wild' }, 'reasoning_effort'],
      [{ reasoning: { effort: 'wild' } }, 'reasoning.effort'],
      [{ tools: [{ type: 'function', function: {} }] }, 'tools.0.function.name'],
      [{ tools: [{ type: 'web_search' }] }, 'tools.0.type'],
      [{ tools: [{ type: 'function', function: { name: 'f' } }], tool_choice: 'any' }, 'tool_choice'],
    ];
    for (const [request, field] of table) expect([request, refused(request)]).toEqual([request, field]);
    expect(refusedPart({ type: 'image_url' })).toBe('messages.0.content.0.image_url');
    expect(refusedPart({ type: 'image_url', image_url: { url: 7 } })).toBe('messages.0.content.0.image_url.url');
    expect(refusedPart({ type: 'file', file: { file_id: 'file-1' } })).toBe('messages.0.content.0.file.file_id');
    expect(refusedPart({ text: 'x' })).toBe('messages.0.content.0.type');
  });

  test('the wish to reason in the fields of several vendors', () => {
    const wish = (request: Fields) => {
      const { reasoning } = decode(request);
      return reasoning === null ? null : [reasoning.effort, reasoning.budget, reasoning.summary];
    };
    expect(wish({ reasoning_effort: 'minimal' })).toEqual(['minimal', null, null]);
    expect(wish({ reasoning: { effort: 'high', exclude: true } })).toEqual(['high', null, 'none']);
    expect(wish({ reasoning: { max_tokens: 2000 } })).toEqual([null, 2000, null]);
    expect(wish({ reasoning: { enabled: true } })).toEqual(['medium', null, null]);
    expect(wish({ reasoning: { exclude: true } })).toEqual([null, null, 'none']);
    expect(wish({ thinking: { type: 'enabled', budget_tokens: 9 } })).toEqual([null, 9, null]);
    expect(wish({ thinking: { type: 'disabled' }, reasoning_effort: 'high' })).toEqual(['none', null, null]);
    expect(wish({ enable_thinking: false })).toEqual(['none', null, null]);
    expect(wish({})).toBeNull();
  });

  test('formats, sampling and the rest', () => {
    const schema = { type: 'object' };
    const json_schema = { name: 'out', schema, strict: true };
    expect(decode({ response_format: { type: 'json_schema', json_schema } }).format).toEqual({
      kind: 'schema',
      name: 'out',
      description: null,
      schema,
      strict: true,
    });
    expect(decode({ response_format: { type: 'json_object' } }).format).toEqual({ kind: 'json' });
    expect(
      decode({ temperature: 0, top_p: 0.1, top_k: 5, seed: 3, stop: 'a', safety_identifier: 'u', prompt_cache_key: 'k' }),
    ).toMatchObject({
      sampling: { temperature: 0, topP: 0.1, topK: 5, seed: 3, frequencyPenalty: null, presencePenalty: null },
      stop: ['a'],
      user: 'u',
      cacheKey: 'k',
      stream: false,
    });
  });
});

describe('tools', () => {
  const one = [{ type: 'function', function: { name: 'f', description: 'd', parameters: { type: 'object' }, strict: true } }];

  test('CLIProxyAPI#601: a tool in the form of Anthropic, or flat, is a function', () => {
    const schema = { type: 'object', properties: {} };
    const forms = [
      { name: 'f', description: 'd', input_schema: schema },
      { type: 'function', name: 'f', description: 'd', parameters: schema },
      { type: 'function', function: { name: 'f', description: 'd', parameters: schema } },
    ];
    for (const tool of forms)
      expect(decode({ tools: [tool] }).tools).toMatchObject([
        { kind: 'function', name: 'f', description: 'd', parameters: schema },
      ]);
  });

  test('custom tools, and the legacy functions, which allow one call', () => {
    expect(decode({ tools: [{ type: 'custom', custom: { name: 'sh', description: 'd' } }] }).tools).toMatchObject([
      { kind: 'custom', name: 'sh', description: 'd', parameters: null },
    ]);
    const legacy = decode({ functions: [{ name: 'f' }], function_call: { name: 'f' } });
    expect(legacy).toMatchObject({ tools: [{ kind: 'function', name: 'f' }], toolChoice: { name: 'f' }, parallelTools: false });
  });

  test('D07: every choice with and without tools and the parallel flag', () => {
    const named = { type: 'function', function: { name: 'f' } };
    const choices = [
      { wire: undefined, hub: null },
      { wire: 'auto', hub: 'auto' },
      { wire: 'none', hub: 'none' },
      { wire: 'required', hub: 'required' },
      { wire: named, hub: { name: 'f' } },
      { wire: { type: 'custom', custom: { name: 'f' } }, hub: { name: 'f' } },
      { wire: { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [named] } }, hub: { allowed: ['f'], mode: 'auto' } },
    ];
    for (const { wire, hub } of choices)
      for (const parallel of [undefined, true, false]) {
        const fields = { tool_choice: wire, parallel_tool_calls: parallel };
        const seen = decode({ ...fields, tools: one });
        expect([seen.toolChoice, seen.parallelTools, seen.tools.length]).toEqual([hub as never, parallel ?? null, 1]);
        const emptied = decode({ ...fields, tools: [] });
        expect([emptied.toolChoice, emptied.parallelTools, emptied.tools]).toEqual([null, null, []]);
        const demands = hub !== null && hub !== 'auto' && hub !== 'none';
        if (demands) expect(refused(fields)).toBe('tool_choice');
        else expect(decode(fields)).toMatchObject({ toolChoice: null, parallelTools: null });
      }
  });
});
