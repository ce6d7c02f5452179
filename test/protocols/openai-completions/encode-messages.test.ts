import { describe, expect, test } from 'bun:test';
import type { Part, Tool, ToolChoice } from '../../../src/core/conversation.ts';
import {
  assistant,
  call,
  conversation,
  digest,
  type Fields,
  image,
  messagesSent,
  refusedField,
  result,
  sent,
  system,
  user,
} from './chat-parts.ts';

const text = (value: string, rest: object = {}): Part => ({ type: 'text', text: value, ...rest });
const document = (source: object, name: string | null = null): Part => ({
  type: 'media',
  kind: 'document',
  source: { mime: null, detail: null, ...source } as never,
  name,
  field: 'messages.0.content.1',
});
const tool: Tool = { kind: 'function', name: 'f', description: null, parameters: { type: 'object' }, strict: null };
const roles = (messages: readonly Fields[]) =>
  messages.map(({ role, tool_call_id: id }) => (id === undefined ? role : `${role} ${id}`));

describe('tool calls and results', () => {
  test('D01: ids that fit stay; others are rewritten the same way for call and result, and stay apart', () => {
    const long = 'x'.repeat(86);
    const ids = ['functions.Bash:0', 'functions_Bash_0', 'a.b', 'a:b', long, `${long}y`, 'ü', ''];
    const asked = conversation([user('x'), assistant(...ids.map((id) => call(id))), user(...ids.map((id) => result(id, id)))]);
    const messages = messagesSent(asked);
    const called = ((messages[1]?.['tool_calls'] ?? []) as Fields[]).map(({ id }) => id as string);
    expect(messages.slice(2).map(({ tool_call_id: id }) => id)).toEqual(called);
    expect(called.slice(0, 4)).toEqual(ids.slice(0, 4));
    expect(new Set(called).size).toBe(ids.length);
    for (const id of called) expect(id).toMatch(/^[\x20-\x7e]{1,64}$/);
    expect(messagesSent(asked)).toEqual(messages);
  });

  test('D01: the name of a user has 64 characters at most', () => {
    const name = 'u'.repeat(150);
    expect(sent(conversation([user('x')], { user: name })).body['user']).toBe(digest(name));
    expect(digest(name).length).toBeLessThanOrEqual(64);
    expect(sent(conversation([user('x')], { user: 'u'.repeat(64) })).body['user']).toBe('u'.repeat(64));
  });

  test('D02: images and documents of results follow all of them in one message of the user', () => {
    const pdf = document({ data: 'JVBE', mime: 'application/pdf' }, 'a.pdf');
    const asked = conversation([
      user('x'),
      assistant(call('a', 'shot'), call('b', 'read')),
      user(result('b', pdf), result('a', 'seen', image('QUJD')), 'and now?'),
    ]);
    const messages = messagesSent(asked);
    expect(roles(messages)).toEqual(['user', 'assistant', 'tool a', 'tool b', 'user', 'user']);
    expect(messages[2]?.['content']).toBe('seen');
    expect(messages[3]?.['content']).toMatch(/next message/);
    expect(messages[4]?.['content']).toMatchObject([
      { type: 'text', text: expect.stringContaining('a (shot)') },
      { type: 'image_url', image_url: { url: 'data:image/png;base64,QUJD' } },
      { type: 'text', text: expect.stringContaining('b (read)') },
      { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBE' } },
    ]);
    expect(messages[5]?.['content']).toBe('and now?');
    expect(sent(asked).encoded.body.split('QUJD')).toHaveLength(2);
  });

  test('D02: an image for a model that takes none is refused by its field', () => {
    const asked = conversation([user(image('QUJD'))]);
    const facts = { id: 'm', input: ['text'] };
    expect(refusedField(() => sent(asked, { facts }))).toBe('messages.1.content.0');
    expect(messagesSent(asked, { facts: { id: 'm', input: ['text', 'image'] } })).toHaveLength(1);
  });

  test('each call is followed by its result, whatever stood between, and D08: instructions stay in place behind it', () => {
    const turns = [user('x'), assistant(call('a'), call('b')), system('N1'), user(result('b', 'B'), result('a', 'A'), 'more')];
    const first = messagesSent(conversation(turns, { system: [text('S')] }));
    expect(roles(first)).toEqual(['system', 'user', 'assistant', 'tool a', 'tool b', 'system', 'user']);
    const second = conversation([...turns, assistant('ok'), system('N2'), user('y')], { system: [text('S')] });
    const before = sent(conversation(turns, { system: [text('S')] })).encoded.body;
    const messages = before.slice(0, before.lastIndexOf(']'));
    expect(sent(second).encoded.body.startsWith(messages)).toBe(true);
    expect(roles(messagesSent(second)).slice(-3)).toEqual(['assistant', 'system', 'user']);
  });

  test('CLIProxyAPI#5735: a result without a call is the user’s text, and a call without a result gets one', () => {
    const lone = messagesSent(conversation([user(result('z', 'Z'), 'hi'), assistant(call('a')), user('x')]));
    expect(roles(lone)).toEqual(['user', 'assistant', 'tool a', 'user']);
    expect(lone[0]?.['content']).toMatch(/^Result of the tool call z:\n\nZ\n\nhi$/);
    expect(lone[2]?.['content']).toMatch(/no result/);
    expect(roles(messagesSent(conversation([user('x'), assistant(call('a'))])))).toEqual(['user', 'assistant', 'tool a']);
  });

  test('an id that comes again in a later turn is paired within its own', () => {
    const twice = [user('x'), assistant(call('a')), user(result('a', '1')), assistant(call('a')), user(result('a', '2'))];
    expect(messagesSent(conversation(twice)).flatMap(({ role, content }) => (role === 'tool' ? [content] : []))).toEqual([
      '1',
      '2',
    ]);
  });

  test('a failed result says so in its text', () => {
    const failed = (...parts: Part[]) => {
      const turn = { type: 'toolResult', callId: 'a', parts, isError: true } as const;
      return messagesSent(conversation([user('x'), assistant(call('a')), user(turn)]))[2]?.['content'];
    };
    expect(failed(text('no disk'))).toBe('Error: no disk');
    expect(failed()).toBe('Error: the tool failed and said nothing.');
  });

  test('text and calls of one turn are one message; empty arguments are an empty object', () => {
    const custom: Part = { type: 'toolCall', id: 'b', name: 'sh', kind: 'custom', arguments: '' };
    const parts = [{ type: 'reasoning', text: 'hm' } as const, text('a'), call('a', 'f', ' '), text('b'), custom];
    expect(messagesSent(conversation([user('x'), assistant(...parts)]))[1]).toEqual({
      role: 'assistant',
      content: 'ab',
      tool_calls: [
        { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } },
        { id: 'b', type: 'custom', custom: { name: 'sh', input: '' } },
      ],
    });
  });

  test('D07: the choice, the parallel flag and the tools go together', () => {
    const choices: readonly [ToolChoice | null, unknown][] = [
      [null, undefined],
      ['auto', 'auto'],
      ['none', 'none'],
      ['required', 'required'],
      [{ name: 'f' }, { type: 'function', function: { name: 'f' } }],
      [{ name: 'sh' }, { type: 'custom', custom: { name: 'sh' } }],
      [
        { allowed: ['f'], mode: 'required' },
        { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [{ type: 'function', function: { name: 'f' } }] } },
      ],
    ];
    const tools: Tool[] = [tool, { kind: 'custom', name: 'sh', description: null, parameters: null, strict: null }];
    for (const [toolChoice, wire] of choices)
      for (const parallelTools of [null, true, false]) {
        const { body } = sent(conversation([user('x')], { tools, toolChoice, parallelTools }));
        expect(body['tool_choice']).toEqual(wire);
        expect(body['parallel_tool_calls']).toBe(parallelTools ?? undefined);
        expect(body['tools']).toHaveLength(2);
        const without = sent(conversation([user('x')], { toolChoice, parallelTools })).body;
        expect(Object.keys(without)).toEqual(['model', 'messages']);
      }
  });
});

describe('contents', () => {
  test('empty texts are left out, with messages that have nothing else; a request of nothing is refused', () => {
    const asked = conversation([user('', 'a', ''), assistant(''), user('')], { system: [text('')] });
    expect(messagesSent(asked)).toEqual([{ role: 'user', content: 'a' }]);
    const nothing = conversation([user(''), assistant({ type: 'reasoning', text: 'hm' })]);
    expect(refusedField(() => sent(nothing))).toBe('messages');
  });

  test('halves of surrogate pairs are replaced everywhere, and whole ones are not', () => {
    const half = 'a\ud800b';
    const asked = conversation([user(half), assistant(call('a', 'f', '{"x":"\\ud800 😀"}')), user(result('a', half))], {
      system: [text(half)],
      tools: [{ ...tool, description: half }],
      stop: [half],
    });
    const { body } = sent(asked).encoded;
    expect(body).not.toMatch(/(?<!\\)(?:\\\\)*\\ud800/);
    expect(body.split('a\ufffdb')).toHaveLength(6);
    expect(body).toContain('{\\"x\\":\\"\\\\ud800 😀\\"}');
  });

  test('documents: bytes as a file, text under its title, an address refused', () => {
    const messages = messagesSent(conversation([user('read', document({ text: 'words' }, 'a.txt'), document({ data: 'JVBE' }))]));
    expect(messages[0]?.['content']).toEqual([
      { type: 'text', text: 'read' },
      { type: 'text', text: 'a.txt\n\nwords' },
      { type: 'file', file: { filename: 'document.pdf', file_data: 'data:application/pdf;base64,JVBE' } },
    ]);
    const address = conversation([user(document({ url: 'https://example.com/a.pdf' }))]);
    expect(refusedField(() => sent(address))).toBe('messages.0.content.1');
  });

  test('audio as mp3 or wav; other audio, videos and foreign blocks are refused by their field', () => {
    const media = (kind: 'audio' | 'video', source: object): Part => ({
      type: 'media',
      kind,
      source: { detail: null, mime: null, ...source } as never,
      name: null,
      field: 'messages.0.content.0',
    });
    const content = messagesSent(conversation([user(media('audio', { data: 'AA', mime: 'audio/x-wav' }))]))[0]?.['content'];
    expect(content).toEqual([{ type: 'input_audio', input_audio: { data: 'AA', format: 'wav' } }]);
    const block: Part = {
      type: 'opaque',
      protocol: 'anthropic-messages',
      name: 'web_search',
      value: {},
      field: 'messages.0.content.0',
    };
    const refused = [
      media('audio', { data: 'AA', mime: 'audio/ogg' }),
      media('audio', { url: 'u', mime: 'audio/wav' }),
      media('video', { url: 'u' }),
      block,
    ];
    for (const part of refused)
      for (const turns of [[user(part)], [user('x'), assistant(call('a')), user(result('a', part))]])
        expect(refusedField(() => sent(conversation(turns)))).toBe('messages.0.content.0');
    expect(refusedField(() => sent(conversation([user('x'), assistant('a', block)])))).toBe('messages.0.content.0');
  });

  test('an image that a model made follows its answer in a message of the user', () => {
    const turns = [user('draw'), assistant('here', image('QUJD'), call('a')), user(result('a', 'r'), 'next')];
    const messages = messagesSent(conversation(turns));
    expect(roles(messages)).toEqual(['user', 'assistant', 'tool a', 'user', 'user']);
    expect(messages[1]?.['content']).toBe('here');
    expect(messages[3]?.['content']).toMatchObject([{ type: 'text' }, { type: 'image_url' }]);
  });

  test('cache hints: the last four, where the upstream knows them', () => {
    const cache = { ttl: null };
    const parts = ['1', '2', '3', '4'].map((value) => text(value, { cache }));
    const asked = conversation([user(...parts)], { system: [text('S', { cache: { ttl: '1h' } })], tools: [{ ...tool, cache }] });
    const { body, encoded } = sent(asked, { quirks: { cacheControl: true } });
    expect(encoded.dropped).toEqual([]);
    expect(JSON.stringify(body).match(/cache_control/g)).toHaveLength(4);
    expect(JSON.stringify(body['tools'])).not.toContain('cache_control');
    const two = conversation([user(text('x', { cache }))], { system: [text('S', { cache: { ttl: '1h' } })] });
    expect(messagesSent(two, { quirks: { cacheControl: true } })[0]?.['content']).toEqual([
      { type: 'text', text: 'S', cache_control: { type: 'ephemeral', ttl: '1h' } },
    ]);
    expect(sent(asked).encoded).toMatchObject({ dropped: ['cacheHint'], body: expect.not.stringContaining('cache_control') });
  });
});
