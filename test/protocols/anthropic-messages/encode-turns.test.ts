/** The order and the repair of a history on its way to Anthropic. */
import { describe, expect, test } from 'bun:test';
import type { Part, ToolCallPart, ToolResultPart } from '../../../src/core/conversation.ts';
import { encodeResults } from '../../../src/protocols/anthropic-messages/encode-results.ts';
import { assistant, call, failed, image, refusalOf, result, sent, system, text, thought, user } from './conversations.ts';
import type { Fields } from './fixtures.ts';

const png = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } };
const words = (said: string): Fields => ({ type: 'text', text: said });

describe('D01: ids of tool calls', () => {
  const long = `call_${'x'.repeat(81)}`;
  const ids = ['functions.Bash:0', 'functions_Bash_0', 'a.b', 'a:b', long, 'toolu_01', ''];
  const turns = [
    user('go'),
    assistant(...ids.map((id) => call(id, `{"of":"${id}"}`))),
    user(...ids.map((id) => result(id, `r ${id}`))),
  ];
  const sentIds = (from: typeof turns) => {
    const { messages } = sent({ turns: from });
    return { calls: messages[1]!.content.map(({ id }) => String(id)), results: messages[2]!.content };
  };

  test('D01: fit into Anthropic’s form, stay apart, and pair with their results', () => {
    const { calls, results } = sentIds(turns);
    for (const id of calls) expect(id).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
    expect(new Set(calls).size).toBe(ids.length);
    expect(calls[1]).toBe('functions_Bash_0');
    expect(calls[5]).toBe('toolu_01');
    expect(results.map(({ tool_use_id: id }) => id)).toEqual(calls);
    expect(results.map(({ content }) => (content as Fields[])[0]!['text'])).toEqual(ids.map((id) => `r ${id}`));
  });

  test('D01: are the same in the next turn', () => {
    expect(sentIds([...turns, assistant('done'), user('more')]).calls).toEqual(sentIds(turns).calls);
  });

  test('an id that comes again in a later answer gets another one, with its own result', () => {
    const { messages } = sent({
      turns: [
        user('go'),
        assistant(call('call_0')),
        user(result('call_0', 'one')),
        assistant(call('call_0')),
        user(result('call_0', 'two')),
      ],
    });
    const first = messages[1]!.content[0]!['id'];
    const second = messages[3]!.content[0]!['id'];
    expect(first).toBe('call_0');
    expect(second).not.toBe(first);
    expect(messages[4]!.content).toEqual([{ type: 'tool_result', tool_use_id: second, content: [words('two')] }]);
  });
});

describe('D02: images inside tool results', () => {
  test('D02: an image stands inside its result, once, and never as text', () => {
    const turns = [user('look'), assistant(call('a'), call('b')), user(result('a', 'shot', image), result('b', 'none'))];
    const { messages, text: body } = sent({ turns });
    expect(messages[2]!.content).toEqual([
      { type: 'tool_result', tool_use_id: 'a', content: [words('shot'), png] },
      { type: 'tool_result', tool_use_id: 'b', content: [words('none')] },
    ]);
    expect(body.split('iVBORw0KGgo=').length).toBe(2);
  });

  test('the image of a failed result follows behind all results, because Anthropic takes text alone in one', () => {
    const turns = [user('look'), assistant(call('a'), call('b')), user(failed('a', 'broke', image), result('b', 'none'), 'and?')];
    expect(sent({ turns }).messages[2]!.content).toEqual([
      { type: 'tool_result', tool_use_id: 'a', is_error: true, content: [words('broke')] },
      { type: 'tool_result', tool_use_id: 'b', content: [words('none')] },
      words('Of the failed call of f:'),
      png,
      words('and?'),
    ]);
  });
});

describe('D08: instructions in the middle', () => {
  const first = [user('hi'), assistant(call('a')), user(result('a', 'r')), system('N1')];
  const second = [...first, assistant('ok'), user('more'), system('N2')];
  const system0 = [text('S')];

  test('D08: stand in their place, marked, behind the results, and are not hoisted', () => {
    const { messages, body } = sent({
      system: system0,
      turns: [user('hi'), assistant(call('a')), system('N1'), user(result('a', 'r'), 'go')],
    });
    expect(body['system']).toEqual([words('S')]);
    expect(messages[2]).toEqual({
      role: 'user',
      content: [{ type: 'tool_result', tool_use_id: 'a', content: [words('r')] }, words('<system>\nN1\n</system>'), words('go')],
    });
  });

  test('D08: have the role system where the model takes it', () => {
    const { messages } = sent({ system: system0, turns: second }, { midSystem: true });
    expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user', 'system', 'assistant', 'user', 'system']);
    expect(messages[3]!.content).toEqual([words('N1')]);
  });

  test('the role system needs a message of the user in front of it, and nothing of the user behind it', () => {
    const behind = sent({ turns: [user('hi'), assistant('ok'), system('N1'), user('go')] }, { midSystem: true });
    expect(behind.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
    const alone = sent({ turns: [user('hi'), assistant('ok'), system('N1')] }, { midSystem: true });
    expect(alone.messages[2]).toEqual({ role: 'user', content: [words('<system>\nN1\n</system>')] });
  });

  for (const midSystem of [undefined, true] as const) {
    test(`D08: the body of the next turn begins with the bytes of this one (role system: ${midSystem ?? false})`, () => {
      const facts = midSystem === undefined ? {} : { midSystem };
      const rest = { system: [{ ...text('S'), cache: { ttl: '1h' } }], maxTokens: 100 };
      const before = sent({ ...rest, turns: first }, facts).text;
      const after = sent({ ...rest, turns: second }, facts).text;
      expect(before.endsWith(']}')).toBe(true);
      expect(after.startsWith(before.slice(0, -']}'.length))).toBe(true);
    });
  }
});

describe('the order of results', () => {
  test('results stand in the order of their calls, first and together, whatever order they came in', () => {
    const turns = [
      user('go'),
      assistant('I call.', call('a'), call('b'), call('c')),
      user(result('c', '3')),
      user('by the way'),
      user(result('a', '1'), result('b', '2')),
    ];
    const { messages } = sent({ turns });
    expect(messages.length).toBe(3);
    expect(messages[2]!.content.map(({ tool_use_id: id, text: said }) => id ?? said)).toEqual(['a', 'b', 'c', 'by the way']);
  });

  test('a call without a result gets one that says so, at the end of the conversation too', () => {
    for (const turns of [
      [user('go'), assistant(call('a')), user('never mind')],
      [user('go'), assistant(call('a'))],
    ]) {
      const [first] = sent({ turns }).messages[2]!.content;
      expect(first).toEqual({
        type: 'tool_result',
        tool_use_id: 'a',
        content: 'The conversation has no result of this call.',
        is_error: true,
      });
    }
  });

  test('a result without a call becomes text of the user', () => {
    const { messages, text: body } = sent({ turns: [user(result('gone', 'r')), user('go on')] });
    expect(messages).toEqual([
      {
        role: 'user',
        content: [words('[Result of a tool call that is not in the conversation, id gone]'), words('r'), words('go on')],
      },
    ]);
    expect(body).not.toContain('tool_result');
  });

  test('CLIProxyAPI#1579: a call that is said twice and a call without a name are no calls', () => {
    const turns = [
      user('go'),
      assistant(call('a', '{"x":1}'), call('a', '{"x":1}'), call('b', '{}', '')),
      user(result('a', 'r')),
    ];
    const { messages } = sent({ turns });
    expect(messages[1]!.content).toEqual([{ type: 'tool_use', id: 'a', name: 'f', input: { x: 1 } }]);
    expect(messages[2]!.content).toEqual([{ type: 'tool_result', tool_use_id: 'a', content: [words('r')] }]);
  });
});

describe('turns', () => {
  test('turns of one role that follow each other are one message', () => {
    const { messages } = sent({ turns: [user('a'), user('b'), assistant('c'), assistant('d'), user('e')] });
    expect(messages.map(({ role, content }) => [role, content.map(({ text: said }) => said)])).toEqual([
      ['user', ['a', 'b']],
      ['assistant', ['c', 'd']],
      ['user', ['e']],
    ]);
  });

  test('blank texts are left out, and messages without anything with them', () => {
    const { messages } = sent({ turns: [user('a', ' \n'), assistant(''), user('', 'b')] });
    expect(messages).toEqual([{ role: 'user', content: [words('a'), words('b')] }]);
  });

  test('a conversation with nothing of the user is refused by name', () => {
    expect(refusalOf(() => sent({ system: [text('S')], turns: [user('  ')] })).facts.param).toBe('messages');
  });

  test('a conversation that the assistant begins gets a message of the user in front', () => {
    const { messages } = sent({ turns: [assistant('Welcome.'), user('Hi')] });
    expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
  });

  test('the last words of the assistant are kept without blanks behind them', () => {
    expect(sent({ turns: [user('a'), assistant('The answer is \n')] }).messages[1]!.content).toEqual([words('The answer is')]);
  });

  test('lone surrogates become U+FFFD in every text, pairs and escaped backslashes stay', () => {
    const turns = [
      user('a\ud83d😀', { type: 'text', text: '\udc00' }),
      assistant(call('i', '{"p":"\\ud83d\\ude00","l":"\\ud83d","r":"\udc00","b":"\\\\ud83d"}')),
      user(result('i', 'x\ud800')),
    ];
    const { messages } = sent({ system: [text('s\ud800')], turns });
    expect(messages[0]!.content).toEqual([words('a\ufffd😀'), words('\ufffd')]);
    expect(messages[1]!.content[0]!['input']).toEqual({ p: '😀', l: '\ufffd', r: '\ufffd', b: '\\ud83d' });
    expect(messages[2]!.content[0]!['content']).toEqual([words('x\ufffd')]);
  });
});

describe('arguments', () => {
  const inputOf = (args: string, rest: Partial<Part> = {}) =>
    sent({ turns: [user('go'), assistant({ ...call('a', args), ...rest } as Part)] });

  test('big numbers keep their digits', () => {
    expect(inputOf('{"id": 12345678901234567890, "f": 1.50}').text).toContain('"input":{"id": 12345678901234567890, "f": 1.50}');
  });

  test('blank arguments are an empty object', () => {
    expect(inputOf(' ').messages[1]!.content[0]!['input']).toEqual({});
  });

  test('D10: arguments that were cut stand as a text, never as {}', () => {
    const cut = '{"file":"a","content":"half';
    for (const args of [cut, '[1]', 'null', '7'])
      expect(inputOf(args).messages[1]!.content[0]!['input']).toEqual({ unparsed_arguments: args });
  });

  test('the text of a free-form call stands in an object', () => {
    const { messages } = inputOf('*** Begin Patch\n"x"', { kind: 'custom' } as Partial<Part>);
    expect(messages[1]!.content[0]!['input']).toEqual({ input: '*** Begin Patch\n"x"' });
  });
});

describe('parts', () => {
  const media = (kind: 'audio' | 'video' | 'document' | 'image', source: Fields): Part =>
    ({ type: 'media', kind, source: { mime: null, detail: null, ...source }, name: 'N', field: 'messages.0.content.1' }) as Part;

  test('documents go as PDF, by URL, or as text', () => {
    const parts = [
      media('document', { mime: 'application/pdf', data: 'JVBERg==' }),
      media('document', { url: 'https://example.com/a.pdf' }),
      media('document', { text: 'words' }),
      media('document', { mime: 'text/csv', data: 'w6ksMQ==' }),
    ];
    expect(sent({ turns: [user(...parts)] }).messages[0]!.content.map(({ source }) => source)).toEqual([
      { type: 'base64', media_type: 'application/pdf', data: 'JVBERg==' },
      { type: 'url', url: 'https://example.com/a.pdf' },
      { type: 'text', media_type: 'text/plain', data: 'words' },
      { type: 'text', media_type: 'text/plain', data: 'é,1' },
    ]);
  });

  for (const part of [
    media('audio', { data: 'UklGRg==' }),
    media('video', { url: 'https://example.com/a.mp4' }),
    media('document', { mime: 'application/msword', data: '0M8=' }),
    {
      type: 'opaque',
      protocol: 'google-generative-ai',
      name: 'executableCode',
      value: {},
      field: 'messages.0.content.1',
    } as Part,
  ]) {
    test(`a part that Anthropic does not take is refused by its place: ${part.type === 'media' ? part.kind : part.type}`, () => {
      const error = refusalOf(() => sent({ turns: [user('a', part)] }));
      expect({ code: error.code, param: error.facts.param }).toEqual({ code: 'invalid_request', param: 'messages.0.content.1' });
      expect(error.message).toContain('messages.0.content.1');
    });
  }

  test('an image in an answer of the assistant is refused', () => {
    expect(
      refusalOf(() => sent({ turns: [user('a'), assistant({ ...image, field: 'messages.1.content.0' })] })).facts.param,
    ).toBe('messages.1.content.0');
  });

  test('a refusal is a text of the assistant', () => {
    expect(sent({ turns: [user('a'), assistant({ type: 'refusal', text: 'No.' }), user('b')] }).messages[1]!.content).toEqual([
      words('No.'),
    ]);
  });

  test('signed and encrypted reasoning stands where it was, unsigned reasoning is left out and said', () => {
    const { messages, dropped } = sent({
      turns: [
        user('a'),
        assistant(thought('sig'), { type: 'reasoning', text: '', redacted: 'enc' }, 'b', thought(), 'c'),
        user('d'),
      ],
    });
    expect(messages[1]!.content).toEqual([
      { type: 'thinking', thinking: 'I think.', signature: 'sig' },
      { type: 'redacted_thinking', data: 'enc' },
      words('b'),
      words('c'),
    ]);
    expect(dropped).toEqual(['reasoning']);
  });

  test('a field that only another protocol knows is refused by name', () => {
    const opaque = [{ protocol: 'openai-responses', name: 'web_search', field: 'tools.0' }];
    expect(refusalOf(() => sent({ opaque })).facts.param).toBe('tools.0');
  });
});

test('very many results in another order than their calls are each looked at a few times', () => {
  const many = 2_000;
  let looks = 0;
  const results = Array.from({ length: many }, (_, at): ToolResultPart => {
    const made = result(`t${many - 1 - at}`, 'r') as ToolResultPart;
    const { callId, ...rest } = made;
    return Object.defineProperty(rest as ToolResultPart, 'callId', {
      enumerable: true,
      get: () => {
        looks++;
        return callId;
      },
    });
  });
  const calls = Array.from({ length: many }, (_, at) => ({ part: call(`t${at}`) as ToolCallPart, id: `t${at}` }));
  const blocks = encodeResults(calls, results);
  expect(blocks.map(({ fields }) => fields['tool_use_id'])).toEqual(calls.map(({ id }) => id));
  expect(looks).toBeLessThan(4 * many);
});

test('results that share an id belong to the calls of that id in the order in which they came', () => {
  const calls = [call('a'), call('a', '{"n":2}')].map((part, at) => ({ part: part as ToolCallPart, id: `a${at}` }));
  const results = ['one', 'two', 'three'].map((words) => result('a', words) as ToolResultPart);
  const said = encodeResults(calls, results).map(({ fields, inner }) => inner?.[0]?.fields['text'] ?? fields['text']);
  expect(said).toEqual(['one', 'two', '[Result of a tool call that is not in the conversation, id a]', 'three']);
});
