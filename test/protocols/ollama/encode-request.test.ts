import { describe, expect, test } from 'bun:test';
import type { Conversation, Part, Turn } from '../../../src/core/conversation.ts';
import { OlaError } from '../../../src/core/errors.ts';
import type { UpstreamModel } from '../../../src/core/protocol.ts';
import { encodeRequest } from '../../../src/protocols/ollama/encode-request.ts';
import { conversation, digest, textPart, toolCall, toolResult, weather } from '../../contract/hub/scene.ts';
import { upstreamModel } from '../upstream-model.ts';

type Body = Readonly<Record<string, unknown>> & { readonly messages: readonly Readonly<Record<string, unknown>>[] };

const encode = (said: Partial<Conversation>, to: Partial<UpstreamModel> = {}) =>
  encodeRequest(conversation({ maxTokens: null, ...said }), upstreamModel('llama3.2', to), digest);
const bodyOf = (said: Partial<Conversation>, to: Partial<UpstreamModel> = {}) => JSON.parse(encode(said, to).body) as Body;
const user = (...parts: readonly Part[]): Turn => ({ role: 'user', parts });
const assistant = (...parts: readonly Part[]): Turn => ({ role: 'assistant', parts });
const hello = user(textPart('Hello'));
const image = (more: object = { data: 'iVBORw0KGgoAAAA' }): Part =>
  ({
    type: 'media',
    kind: 'image',
    source: { mime: 'image/png', detail: null, ...more },
    name: null,
    field: 'messages.0.content.1',
  }) as Part;

function refusalOf(said: Partial<Conversation>, to: Partial<UpstreamModel> = {}): OlaError {
  try {
    encode(said, to);
  } catch (thrown) {
    if (thrown instanceof OlaError) return thrown;
    throw thrown;
  }
  throw new Error('Nothing was refused.');
}

test('ollama#18107: a chat asks for one object unless a stream is wanted, and for an error in the place of a prompt that is cut', () => {
  expect(encode({}).path).toBe('/api/chat');
  expect(bodyOf({})).toEqual({
    model: 'llama3.2',
    stream: false,
    truncate: false,
    shift: false,
    messages: [{ role: 'user', content: 'Hello' }],
  });
  expect(bodyOf({ stream: true })).toMatchObject({ stream: true });
});

test('limits and sampling stand among the options, and no length of the context: that is the server’s to set', () => {
  const sampling = { temperature: 0.5, topP: 0.9, topK: 40, seed: 7, frequencyPenalty: 0.1, presencePenalty: 0.2 };
  expect(bodyOf({ maxTokens: 100, sampling, stop: ['END'] })['options']).toEqual({
    num_predict: 100,
    temperature: 0.5,
    top_p: 0.9,
    top_k: 40,
    seed: 7,
    frequency_penalty: 0.1,
    presence_penalty: 0.2,
    stop: ['END'],
  });
});

test('what only Ollama’s own clients say is written back', () => {
  const extras = { ollama: { fields: { keep_alive: '1h', truncate: true }, options: { num_ctx: 8192 } } };
  const body = bodyOf({ extras, maxTokens: 5 });
  expect(body).toMatchObject({ keep_alive: '1h', truncate: true, shift: false, options: { num_ctx: 8192, num_predict: 5 } });
});

describe('thinking', () => {
  const thinkOf = (effort: string | null, budget: number | null = null) =>
    encode({ reasoning: { effort, budget, summary: null } });

  test.each([
    ['none', false],
    ['minimal', 'low'],
    ['low', 'low'],
    ['medium', 'medium'],
    ['high', 'high'],
    ['xhigh', 'high'],
    ['max', 'high'],
  ])('of the effort %p is %p', (effort, think) => {
    expect(JSON.parse(thinkOf(effort).body)).toMatchObject({ think });
  });

  test.each([
    [0, false],
    [1024, 'low'],
    [2048, 'low'],
    [8192, 'medium'],
    [16_384, 'high'],
  ])('of %p tokens is %p', (budget, think) => {
    expect(JSON.parse(thinkOf(null, budget).body)).toMatchObject({ think });
  });

  test('that was asked for is ola’s to answer for; a model that refused it is not asked again, and the client is told', () => {
    expect(thinkOf('high').added).toEqual(['think']);
    expect(thinkOf('none').added).toEqual([]);
    const { body, added, dropped } = encode(
      { reasoning: { effort: 'high', budget: null, summary: null } },
      { quirks: { noThink: true } },
    );
    expect([JSON.parse(body)['think'], added, dropped]).toEqual([undefined, [], ['effort']]);
  });

  test('that nobody asked for is left to the server', () => {
    expect(bodyOf({})).not.toHaveProperty('think');
    expect(bodyOf({ reasoning: { effort: null, budget: null, summary: 'auto' } })).not.toHaveProperty('think');
  });
});

describe('tools', () => {
  test('without arguments have an empty object of them', () => {
    const tools = [{ ...weather, parameters: null, description: null }];
    expect(bodyOf({ tools })['tools']).toEqual([
      { type: 'function', function: { name: 'weather', parameters: { type: 'object', properties: {} } } },
    ]);
  });

  test('D07: a choice of none sends no tool, and keeps the calls and results of earlier turns', () => {
    const turns = [hello, assistant(toolCall('call_1')), user(toolResult('call_1', textPart('Sun')))];
    const body = bodyOf({ tools: [weather], toolChoice: 'none', turns });
    expect(body).not.toHaveProperty('tools');
    expect(body.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool']);
  });

  test('D07: a call that Ollama cannot be made to make is refused by the name of the field', () => {
    for (const toolChoice of ['required', { name: 'weather' }, { allowed: ['weather'], mode: 'required' }] as const)
      expect(refusalOf({ tools: [weather], toolChoice }).facts.param).toBe('tool_choice');
    const other = { ...weather, name: 'other' };
    const free = bodyOf({ tools: [weather, other], toolChoice: { allowed: ['other'], mode: 'auto' } });
    expect(free['tools']).toMatchObject([{ function: { name: 'other' } }]);
    // Without tools a choice means nothing.
    expect(bodyOf({ toolChoice: 'required' })).not.toHaveProperty('tools');
  });

  test('are called with an object, whose numbers keep their digits, and answered by the name of the tool', () => {
    const turns = [
      hello,
      assistant(toolCall('a', '{"id":12345678901234567890}'), toolCall('b', '{"cut":', 'other'), toolCall('c', ' ')),
      user(toolResult('c', textPart('three')), { ...toolResult('b', textPart('two')), isError: true }),
    ];
    const { body } = encode({ turns, tools: [weather] });
    expect(body).toContain('"arguments":{"id":12345678901234567890}');
    const { messages } = JSON.parse(body) as Body;
    expect(messages[1]?.['tool_calls']).toMatchObject([
      { id: 'a', function: { name: 'weather' } },
      { id: 'b', function: { name: 'other', arguments: { unparsed_arguments: '{"cut":' } } },
      { id: 'c', function: { name: 'weather', arguments: {} } },
    ]);
    expect(messages.slice(2)).toEqual([
      { role: 'tool', content: 'Error: there is no result of this tool call.', tool_name: 'weather', tool_call_id: 'a' },
      { role: 'tool', content: 'Error: two', tool_name: 'other', tool_call_id: 'b' },
      { role: 'tool', content: 'three', tool_name: 'weather', tool_call_id: 'c' },
    ]);
  });
});

describe('images', () => {
  test('stand beside the text, without the head of a data URL', () => {
    expect(bodyOf({ turns: [user(textPart('Look'), image(), image({ data: 'AAAA' }))] }).messages).toEqual([
      { role: 'user', content: 'Look', images: ['iVBORw0KGgoAAAA', 'AAAA'] },
    ]);
  });

  test('D02: of a tool’s result follow in a message of the user behind all results', () => {
    const turns = [
      hello,
      assistant(toolCall('a'), toolCall('b')),
      user(toolResult('a', image()), toolResult('b', textPart('Sun')), textPart('Go on')),
    ];
    const { messages } = bodyOf({ turns, tools: [weather] });
    expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'tool', 'user', 'user']);
    expect(messages[2]).toMatchObject({ content: 'The result is in the next message of the user.' });
    expect(messages[4]).toEqual({
      role: 'user',
      content: 'From the result of the tool call a (weather):',
      images: ['iVBORw0KGgoAAAA'],
    });
  });

  test('by their address are refused by name, as is whatever else Ollama does not take', () => {
    const byUrl = refusalOf({ turns: [user(image({ url: 'https://example.com/a.png' }))] });
    expect([byUrl.facts.param, byUrl.message]).toEqual(['messages.0.content.1', expect.stringContaining('Ollama fetches none')]);
    expect(refusalOf({ turns: [user(image())] }, { facts: { id: 'm', input: ['text'] } }).message).toContain('takes no images');
    for (const kind of ['audio', 'video', 'document'] as const)
      expect(refusalOf({ turns: [user({ ...image(), kind } as Part)] }).facts.param).toBe('messages.0.content.1');
  });

  test('a document of text goes as text, whatever its form', () => {
    const document = (source: object): Part =>
      ({ type: 'media', kind: 'document', name: 'a.txt', source: { mime: 'text/plain', detail: null, ...source } }) as Part;
    const parts = [document({ text: 'Words' }), document({ data: btoa('More') })];
    expect(bodyOf({ turns: [user(...parts)] }).messages).toEqual([{ role: 'user', content: 'a.txt\n\nWords\n\na.txt\n\nMore' }]);
    expect(refusalOf({ turns: [user(document({ data: '%%%' }))] }).message).toContain('not base64');
  });
});

describe('an answer in JSON', () => {
  const json = { kind: 'json' } as const;

  test('is asked for in words too, unless the beginning of the prompt says JSON', () => {
    expect(bodyOf({ format: json }).messages[0]).toMatchObject({ role: 'system', content: expect.stringContaining('JSON') });
    expect(bodyOf({ format: json, system: [textPart('Answer in json.')] }).messages[0]).toEqual({
      role: 'system',
      content: 'Answer in json.',
    });
  });

  test('does not change the beginning of the prompt when a later turn says it', () => {
    const turns = [hello, assistant(textPart('Hi')), user(textPart('Now JSON'))];
    expect(bodyOf({ format: json, turns }).messages[0]).toEqual(bodyOf({ format: json }).messages[0] ?? {});
  });

  test('by a schema is asked for by the schema', () => {
    const schema = { type: 'object' };
    expect(bodyOf({ format: { kind: 'schema', name: null, description: null, schema, strict: null } })).toMatchObject({
      format: schema,
    });
  });
});

test('the reasoning of earlier turns goes back as thinking, without a signature', () => {
  const turns = [hello, assistant({ type: 'reasoning', text: 'Hm', signature: 'S' }, textPart('Hi')), user(textPart('More'))];
  const { body } = encode({ turns });
  expect(JSON.parse(body)).toMatchObject({ messages: [{}, { content: 'Hi', thinking: 'Hm' }, {}] });
  expect(body).not.toContain('"S"');
});

test('a conversation in which nothing is said is refused', () => {
  expect(refusalOf({ turns: [user(textPart(''))] }).facts.param).toBe('messages');
  expect(refusalOf({ turns: [] }).facts.param).toBe('messages');
});
