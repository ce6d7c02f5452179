/** Rules of Converse on the body of a request, each by the failure that it prevents. */
import { describe, expect, test } from 'bun:test';
import type { Conversation, Part } from '../../../src/core/conversation.ts';
import { noSampling } from '../../../src/core/conversation.ts';
import {
  assistant,
  call,
  failed,
  image,
  refusalOf,
  result,
  system,
  text,
  thought,
  tool,
  user,
} from '../anthropic-messages/conversations.ts';
import { claude, sent } from './conversations.ts';

const document = (name: string | null, field?: string): Part => ({
  type: 'media',
  kind: 'document',
  source: { mime: 'application/pdf', detail: null, data: 'JVBERg==' },
  name,
  ...(field === undefined ? {} : { field }),
});
const media = (kind: 'image' | 'document' | 'audio' | 'video', source: object): Part =>
  ({
    type: 'media',
    kind,
    source: { mime: null, detail: null, ...source },
    name: null,
    field: 'messages.0.content.1',
  }) as Part;
const history = [user('a'), assistant('b', call('c1', '{"x":1}', 'f')), user(result('c1', 'r'), 'and now?')];
const toolConfig = ({ body }: ReturnType<typeof sent>) => body['toolConfig'];
const roles = ({ messages }: ReturnType<typeof sent>) => messages.map(({ role }) => role).join(' ');

describe('where it goes', () => {
  test.each([
    ['anthropic.claude-sonnet-4-5-v1:0', '/model/anthropic.claude-sonnet-4-5-v1%3A0/converse'],
    [
      'arn:aws:bedrock:eu-west-1:1:application-inference-profile/ab',
      '/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Aapplication-inference-profile%2Fab/converse',
    ],
  ])('the id %s is percent-encoded once', (id, path) => {
    expect(sent({}, null, id)).toMatchObject({ path, headers: { accept: 'application/json' } });
    const stream = sent({ stream: true }, null, id);
    expect(stream).toMatchObject({ path: `${path}-stream`, headers: { accept: 'application/vnd.amazon.eventstream' } });
  });

  test('neither the model nor the wish for a stream stands in the body', () => {
    expect(sent({ stream: true }).body).toEqual({ messages: [{ role: 'user', content: [{ text: 'Hello' }] }] });
  });
});

describe('pydantic-ai#1966: a history of calls has a toolConfig', () => {
  test('without tools the names of the history are declared, and not to be called', () => {
    expect(toolConfig(sent({ turns: history }))).toEqual({
      tools: [
        {
          toolSpec: {
            name: 'f',
            description: expect.stringContaining('do not call it') as unknown,
            inputSchema: { json: { type: 'object', properties: {} } },
          },
        },
      ],
    } as never);
  });

  test('tools of the request are sent as they are declared', () => {
    const parameters = { $schema: 'http://json-schema.org/draft-07/schema#', type: 'object', properties: { x: {} } };
    const { tools } = toolConfig(sent({ turns: history, tools: [tool('g', { parameters, description: '' })] })) as Conversation;
    expect(tools).toEqual([
      { toolSpec: { name: 'g', inputSchema: { json: { type: 'object', properties: { x: {} } } } } },
    ] as never);
  });

  test('D07: none sends no tools at all, and the history of calls as texts', () => {
    const seen = sent({ turns: history, tools: [tool('f')], toolChoice: 'none' });
    expect(toolConfig(seen)).toBeUndefined();
    expect(seen.text).not.toMatch(/toolUse|toolResult/);
    expect(seen.messages).toEqual([
      { role: 'user', content: [{ text: 'a' }] },
      { role: 'assistant', content: [{ text: 'b' }, { text: '[Called f with {"x":1}]' }] },
      { role: 'user', content: [{ text: '[Result of f]' }, { text: 'r' }, { text: 'and now?' }] },
    ]);
  });

  test.each([
    [null, undefined],
    ['auto', { auto: {} }],
    ['required', { any: {} }],
    [{ name: 'f' }, { tool: { name: 'f' } }],
    [{ allowed: ['f'], mode: 'auto' }, { auto: {} }],
    [{ allowed: ['f'], mode: 'required' }, { any: {} }],
  ] as const)('D07: the choice %j is %j, with tools alone', (toolChoice, choice) => {
    const seen = toolConfig(sent({ toolChoice, tools: [tool('f'), tool('g')] })) as { readonly toolChoice?: unknown };
    expect(seen.toolChoice).toEqual(choice);
    expect(toolConfig(sent({ toolChoice, tools: [] }))).toBeUndefined();
  });

  test('D07: one call at a time is said to be left out, and never forces one', () => {
    expect(sent({ parallelTools: false, tools: [tool('f')] }).dropped).toEqual(['parallelTools']);
    expect(sent({ parallelTools: false }).dropped).toEqual([]);
  });
});

describe('turns', () => {
  test('roles alternate and begin with the user', () => {
    expect(roles(sent({ turns: [assistant('a'), assistant('b'), user('c'), user('d'), assistant(''), user('e')] }))).toBe(
      'user assistant user',
    );
    const repeated = [user('a'), assistant(call('c')), user(result('c', 'r')), assistant(call('', '{}', '')), user('b')];
    expect(roles(sent({ turns: repeated }))).toBe('user assistant user');
  });

  test('langchain-aws#141: results stand first, texts behind them', () => {
    const turns = [user('a'), assistant(call('c'), call('d')), user('text', result('d', 'second'), result('c', 'first'))];
    const [, , last] = sent({ turns }).messages;
    expect(last?.content).toEqual([
      { toolResult: { toolUseId: 'c', content: [{ text: 'first' }] } },
      { toolResult: { toolUseId: 'd', content: [{ text: 'second' }] } },
      { text: 'text' },
    ]);
  });

  test('CLIProxyAPI#5735: a result without a call becomes a text, a call without a result gets one that says so', () => {
    const head = { text: '[Result of a tool call that is not in the conversation, id nobody]' };
    const lone = sent({ turns: [user('a', result('nobody', 'r'))] }).messages;
    expect(lone).toEqual([{ role: 'user', content: [head, { text: 'r' }, { text: 'a' }] }]);
    const [, , last] = sent({ turns: [user('a'), assistant(call('c')), user('go on')] }).messages;
    expect(last?.content).toMatchObject([{ toolResult: { toolUseId: 'c', status: 'error' } }, { text: 'go on' }]);
  });

  test('blank texts are left out, and a message of blanks alone is none', () => {
    const seen = sent({ system: [text(' \n')], turns: [user('a', ' '), assistant('\t'), user('\n')] });
    expect(seen.body).toEqual({ messages: [{ role: 'user', content: [{ text: 'a' }] }] });
    expect(refusalOf(() => sent({ turns: [user(' ')] })).facts.param).toBe('messages');
  });

  test('an empty result is (empty)', () => {
    for (const parts of [[], ['']]) {
      const [, , last] = sent({ turns: [user('a'), assistant(call('c')), user(result('c', ...parts))] }).messages;
      expect(last?.content).toEqual([{ toolResult: { toolUseId: 'c', content: [{ text: '(empty)' }] } }]);
    }
  });

  test('D02: an image stays in its result, and follows behind the results where the call failed', () => {
    const turns = [user('a'), assistant(call('c'), call('d')), user(result('c', 'r', image), failed('d', 'no', image))];
    const [, , last] = sent({ turns }).messages;
    const block = { image: { format: 'png', source: { bytes: 'iVBORw0KGgo=' } } };
    expect(last?.content).toEqual([
      { toolResult: { toolUseId: 'c', content: [{ text: 'r' }, block] } },
      { toolResult: { toolUseId: 'd', content: [{ text: 'no' }], status: 'error' } },
      { text: 'Of the failed call of f:' },
      block,
    ]);
  });

  test('D08: late instructions stay in their place', () => {
    const turns = [user('a'), assistant(call('c')), user(result('c', 'r')), system('N1')];
    const first = sent({ system: [text('S')], turns });
    expect(first.body['system']).toEqual([{ text: 'S' }]);
    expect(first.messages.at(-1)?.content.at(-1)).toEqual({ text: '<system>\nN1\n</system>' });
    const next = sent({ system: [text('S')], turns: [...turns, assistant('b'), user('c'), system('N2')] });
    const head = first.text.slice(0, first.text.lastIndexOf(']}]'));
    expect(next.text.startsWith(head)).toBe(true);
  });

  test('D01: ids are fitted to the form of Bedrock, apart from each other, and call and result agree', () => {
    const ids = ['functions.Bash:0', 'functions_Bash_0', 'a.b', 'a:b', 'x'.repeat(86)];
    const turns = ids.flatMap((id) => [user('q'), assistant(call(id)), user(result(id, 'r'))]);
    const { text: body, messages } = sent({ turns });
    const used = [...body.matchAll(/"toolUseId":"([^"]*)"/g)].map(([, id]) => id ?? '');
    expect(used.every((id) => /^[a-zA-Z0-9_-]{1,64}$/.test(id))).toBe(true);
    expect(new Set(used).size).toBe(ids.length);
    expect(used.filter((id) => id === 'functions_Bash_0')).toHaveLength(2);
    expect(used.every((id) => used.filter((other) => other === id).length === 2)).toBe(true);
    expect(sent({ turns }).messages).toEqual(messages);
  });

  test('CLIProxyAPI#1579: a call that is told twice, and one without a name, is sent once and not at all', () => {
    const turns = [user('a'), assistant(call('c'), call('c'), call('d', '{}', '')), user(result('c', 'r'))];
    expect(sent({ turns }).text.match(/toolUseId/g)).toHaveLength(2);
  });
});

describe('arguments', () => {
  test.each([
    ['{"n":12345678901234567890}', '{"n":12345678901234567890}'],
    ['', '{}'],
    ['{"file":"half', '{"unparsed_arguments":"{\\"file\\":\\"half"}'],
    ['[1]', '{"unparsed_arguments":"[1]"}'],
    ['{"":1}', '{"unparsed_arguments":"{\\"\\":1}"}'],
    ['{"a":"\\"\\": x"}', '{"a":"\\"\\": x"}'],
  ])('%s stand as %s', (given, written) => {
    const { text: body } = sent({ turns: [user('a'), assistant(call('c', given)), user(result('c', 'r'))] });
    expect(body).toContain(`"input":${written}}`);
  });

  test('a lone surrogate becomes U+FFFD wherever it stands', () => {
    const { text: body } = sent({
      turns: [user('a\ud800'), assistant(call('c', '{"x":"\\ud800"}')), user(result('c', '\udc00'))],
    });
    expect(body).not.toMatch(/[\ud800-\udfff]|\\ud8|\\udc/);
    expect(JSON.parse(body)).toMatchObject({ messages: [{ content: [{ text: 'a\ufffd' }] }, {}, {}] });
  });
});

describe('media', () => {
  test('names of documents have the letters that Bedrock takes, and differ', () => {
    const names = ['Bericht_2024.pdf', 'Bericht 2024 pdf', '   ', null, 'a/b:c (1) [x]-y', 'x'.repeat(300)];
    const { messages } = sent({ turns: [user('a', ...names.map((name) => document(name)))] });
    const written = messages[0]?.content.slice(1).map((block) => (block['document'] as { readonly name: string }).name) ?? [];
    expect(written).toEqual([
      'Bericht 2024 pdf',
      'Bericht 2024 pdf (2)',
      'document',
      'document (2)',
      'a b c (1) [x]-y',
      'x'.repeat(200),
    ]);
  });

  test('a document has a text beside it', () => {
    expect(sent({ turns: [user(document('d'))] }).messages[0]?.content).toMatchObject([{}, { text: 'See the document.' }]);
    expect(sent({ turns: [user('read', document('d'))] }).messages[0]?.content).toMatchObject([{ text: 'read' }, {}]);
  });

  test('the text of a document is its bytes', () => {
    const words = 'Grüße '.repeat(5000);
    const [block] = sent({ turns: [user('a', media('document', { text: words }))] }).messages[0]?.content.slice(1) ?? [];
    expect(block).toMatchObject({ document: { format: 'txt', source: { bytes: Buffer.from(words).toString('base64') } } });
  });

  test.each([
    ['image', { url: 'https://example.com/i.png' }],
    ['document', { url: 'https://example.com/d.pdf' }],
    ['image', { data: 'PHN2Zz4=', mime: 'image/svg+xml' }],
    ['document', { data: 'UEs=', mime: 'application/zip' }],
    ['audio', { data: 'UklGRg==' }],
  ] as const)('a %s of the source %j is refused with its place', (kind, source) => {
    const refusal = refusalOf(() => sent({ turns: [user('a', media(kind, source))] }));
    expect(refusal).toMatchObject({ code: 'invalid_request', facts: { param: 'messages.0.content.1' } });
  });

  test('an object of S3 goes by its address', () => {
    const { messages } = sent({ turns: [user('a', media('video', { url: 's3://bucket/v.mp4', mime: 'video/mp4' }))] });
    expect(messages[0]?.content[1]).toEqual({ video: { format: 'mp4', source: { s3Location: { uri: 's3://bucket/v.mp4' } } } });
  });
});

describe('cache points', () => {
  const marked = (words: string, ttl: string | null = null): Part => ({ type: 'text', text: words, cache: { ttl } });
  const request: Partial<Conversation> = {
    tools: [tool('f', { cache: { ttl: null } })],
    system: [marked('S', '1h')],
    turns: [user(marked('a'), 'b'), assistant(marked('c'), call('x')), user(marked('d'), result('x', marked('r')))],
  };

  test('they stand behind their part, and the last four are sent', () => {
    const seen = sent(request, claude);
    expect(seen.text.match(/cachePoint/g)).toHaveLength(4);
    expect(seen.body['system']).toEqual([{ text: 'S' }]);
    expect(seen.messages[0]?.content).toEqual([{ text: 'a' }, { cachePoint: { type: 'default' } }, { text: 'b' }]);
    expect(sent({ system: [marked('S', '1h')] }, claude).body['system']).toEqual([
      { text: 'S' },
      { cachePoint: { type: 'default', ttl: '1h' } },
    ]);
  });

  test('one inside of a result stands behind it', () => {
    const [, , last] = sent(request, claude).messages;
    expect(last?.content[0]).toEqual({ toolResult: { toolUseId: 'x', content: [{ text: 'r' }] } });
    expect(last?.content[1]).toEqual({ cachePoint: { type: 'default' } });
  });

  test('a model that is not known to have them gets none, which is said', () => {
    const seen = sent(request);
    expect(seen.text).not.toContain('cachePoint');
    expect(seen.dropped).toEqual(['cacheHint']);
  });
});

describe('litellm#15601: thinking', () => {
  const wish = (effort: string | null, budget: number | null = null) => ({ reasoning: { effort, budget, summary: null } });
  const more = (seen: ReturnType<typeof sent>) => seen.body['additionalModelRequestFields'];

  test('Claude is given a number of tokens, and the length of its answer', () => {
    const seen = sent(wish('low'), claude);
    expect(more(seen)).toEqual({ thinking: { type: 'enabled', budget_tokens: 2048 } });
    expect(seen.body['inferenceConfig']).toEqual({ maxTokens: 64_000 });
  });

  test('an adaptive model of Claude gets an effort', () => {
    expect(more(sent(wish('high'), { ...claude, thinking: 'adaptive' }))).toEqual({
      thinking: { type: 'adaptive', display: 'summarized' },
      output_config: { effort: 'high' },
    });
  });

  test.each([
    ['reasoning_effort', 'high', { reasoning_effort: 'high' }],
    ['reasoning', 'high', { reasoning: { effort: 'high' } }],
    ['reasoning', 'minimal', { reasoning: { effort: 'low' } }],
    ['reasoning', 'xhigh', { reasoning: { effort: 'xhigh' } }],
    ['reasoning', 'max', { reasoning: { effort: 'xhigh' } }],
    ['reasoning', 'none', { reasoning: { effort: 'none' } }],
  ] as const)('models of OpenAI are told by %s that %s is wanted', (effortField, effort, fields) => {
    expect(more(sent(wish(effort), { reasoning: true, effortField, efforts: { minimal: 'low', max: null } }))).toEqual(fields);
  });

  test('a model of OpenAI that always reasons is not told to stop, which is said', () => {
    const facts = { reasoning: true, effortField: 'reasoning_effort', efforts: { off: null } } as const;
    expect(more(sent(wish('none'), facts))).toBeUndefined();
    expect(sent(wish('none'), facts).dropped).toEqual(['effort']);
    expect(more(sent(wish(null, 3000), facts))).toEqual({ reasoning_effort: 'medium' });
  });

  test('other models are not told, which is said', () => {
    const seen = sent(wish('high'), { reasoning: true });
    expect(more(seen)).toBeUndefined();
    expect(sent(wish('high')).dropped).toEqual(['effort']);
  });

  test('signed and encrypted reasoning goes back, a text that nobody signed does not', () => {
    const turns = [
      user('a'),
      assistant(thought('sig'), { type: 'reasoning', text: '', redacted: 'ZW5j' }, thought(), call('c')),
      user(result('c', 'r')),
    ];
    const seen = sent({ turns, ...wish('low') }, claude);
    expect(seen.messages[1]?.content.slice(0, -1)).toEqual([
      { reasoningContent: { reasoningText: { text: 'I think.', signature: 'sig' } } },
      { reasoningContent: { redactedContent: 'ZW5j' } },
    ]);
    expect(seen).toMatchObject({ dropped: ['reasoning'], reasoningLost: false });
  });

  test('a call without its reasoning turns thinking off, which is said', () => {
    const turns = [user('a'), assistant(call('c')), user(result('c', 'r'))];
    const seen = sent({ turns, ...wish('low') }, claude);
    expect(more(seen)).toBeUndefined();
    expect(seen.reasoningLost).toBe(true);
  });

  test('a forced call turns thinking off', () => {
    const seen = sent({ ...wish('low'), tools: [tool('f')], toolChoice: 'required' }, claude);
    expect(more(seen)).toBeUndefined();
    expect(seen.dropped).toEqual(['effort']);
  });
});

describe('the form of an answer, and sampling', () => {
  const format = {
    kind: 'schema',
    name: 'n',
    description: 'D',
    schema: { type: 'object', properties: {} },
    strict: true,
  } as const;

  test('a schema goes to Claude where it takes one', () => {
    const seen = sent({ format }, { ...claude, strictTools: true });
    expect(seen.body['additionalModelRequestFields']).toEqual({
      output_config: {
        format: {
          type: 'json_schema',
          schema: { description: 'D', type: 'object', properties: {}, additionalProperties: false },
        },
      },
    });
    expect(seen.body['system']).toBeUndefined();
  });

  test('another model is told the schema in words', () => {
    const seen = sent({ format, system: [text('S')] });
    expect(seen.body['additionalModelRequestFields']).toBeUndefined();
    const [first, second] = seen.body['system'] as readonly { readonly text: string }[];
    expect(first).toEqual({ text: 'S' });
    expect(second?.text).toContain('"properties":{}');
    expect(JSON.stringify(sent({ format: { kind: 'json' } }).body['system'])).toContain('one JSON object');
  });

  const sampling = { ...noSampling, temperature: 1.6, topP: 0.5, topK: 9, seed: 1 };

  test('temperatures end at 1, except for models of OpenAI', () => {
    expect(sent({ sampling }).body['inferenceConfig']).toEqual({ temperature: 1, topP: 0.5 });
    expect(sent({ sampling }).dropped.toSorted()).toEqual(['seed', 'topK']);
    const openai = sent({ sampling }, { effortField: 'reasoning' });
    expect(openai.body['inferenceConfig']).toEqual({ temperature: 1.6, topP: 0.5 });
    const seen = sent({ sampling }, claude);
    expect(seen.body['inferenceConfig']).toEqual({ temperature: 1 });
    expect(seen.body['additionalModelRequestFields']).toEqual({ top_k: 9 });
    expect(seen.dropped.toSorted()).toEqual(['seed', 'topP']);
  });

  test('stop sequences and the length of the answer are sent, blank sequences are not', () => {
    const seen = sent({ stop: ['END', ' '], maxTokens: 7 });
    expect(seen.body['inferenceConfig']).toEqual({ maxTokens: 7, stopSequences: ['END'] });
    expect(seen.dropped).toEqual(['stop']);
  });

  test('fields and blocks of other protocols are refused by name', () => {
    const opaque = [{ protocol: 'x', name: 'web_search', field: 'tools.0' }];
    expect(refusalOf(() => sent({ opaque })).facts.param).toBe('tools.0');
    const block: Part = { type: 'opaque', protocol: 'x', name: 'n', value: {}, field: 'messages.0.content.0' };
    expect(refusalOf(() => sent({ turns: [user(block)] })).facts.param).toBe('messages.0.content.0');
    expect(refusalOf(() => sent({ tools: [tool('f', { kind: 'custom' })] })).facts.param).toBe('tools');
  });
});
