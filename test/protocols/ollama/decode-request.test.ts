import { describe, expect, test } from 'bun:test';
import { OlaError } from '../../../src/core/errors.ts';
import { decodeRequest } from '../../../src/protocols/ollama/decode-request.ts';

type Fields = Readonly<Record<string, unknown>>;

const chat = (messages: readonly Fields[], more: Fields = {}) => decodeRequest({ model: 'm', messages, ...more });
const hello = { role: 'user', content: 'Hello' };
const call = (name: string, more: Fields = {}) => ({ function: { name, arguments: { city: 'Rome' } }, ...more });

function paramOf(body: Fields): string | undefined {
  try {
    decodeRequest(body);
  } catch (thrown) {
    if (thrown instanceof OlaError) return thrown.facts.param;
    throw thrown;
  }
  return undefined;
}

test('a chat streams unless it says that it does not', () => {
  expect(chat([hello]).stream).toBe(true);
  expect(chat([hello], { stream: null }).stream).toBe(true);
  expect(chat([hello], { stream: false }).stream).toBe(false);
});

test('a prompt of /api/generate is a conversation of one question', () => {
  const told = decodeRequest({ model: 'm', prompt: 'Hello', system: 'Be brief.', images: ['/9j/4AAQ'], stream: false });
  expect(told.system).toMatchObject([{ text: 'Be brief.' }]);
  expect(told.turns).toMatchObject([
    { role: 'user', parts: [{ kind: 'image', source: { mime: 'image/jpeg', data: '/9j/4AAQ' } }, { text: 'Hello' }] },
  ]);
});

describe('results of tools', () => {
  const pairs = (messages: readonly Fields[]) =>
    chat(messages).turns.flatMap(({ parts }) =>
      parts.flatMap((part) =>
        part.type === 'toolCall'
          ? [['call', part.id]]
          : part.type === 'toolResult'
            ? [['result', part.callId, JSON.stringify(part.parts)]]
            : [],
      ),
    );

  test('go to the call with their id', () => {
    const told = pairs([
      hello,
      { role: 'assistant', content: '', tool_calls: [call('weather', { id: 'x' }), call('weather', { id: 'y' })] },
      { role: 'tool', content: 'of y', tool_call_id: 'y' },
      { role: 'tool', content: 'of x', tool_call_id: 'x' },
    ]);
    expect(told.map(([kind, id]) => [kind, id])).toEqual([
      ['call', 'x'],
      ['call', 'y'],
      ['result', 'y'],
      ['result', 'x'],
    ]);
  });

  test('without ids go to the calls of their tool in turn, else to the next call that waits', () => {
    const told = pairs([
      hello,
      { role: 'assistant', content: '', tool_calls: [call('weather'), call('time'), call('weather')] },
      { role: 'tool', content: 'the time', tool_name: 'time' },
      { role: 'tool', content: 'first', tool_name: 'weather' },
      { role: 'tool', content: 'second' },
    ]);
    expect(told.slice(3)).toEqual([
      ['result', 'call_1_1', expect.stringContaining('the time')],
      ['result', 'call_1_0', expect.stringContaining('first')],
      ['result', 'call_1_2', expect.stringContaining('second')],
    ]);
  });

  test('of two turns stay apart, and the ids of calls are the same in each turn', () => {
    const first = [
      hello,
      { role: 'assistant', content: '', tool_calls: [call('weather')] },
      { role: 'tool', content: 'one', tool_name: 'weather' },
    ];
    const second = [
      ...first,
      { role: 'assistant', tool_calls: [call('weather')] },
      { role: 'tool', content: 'two', tool_name: 'weather' },
    ];
    expect(pairs(second).slice(0, 2)).toEqual(pairs(first));
    expect(new Set(pairs(second).map(([, id]) => id)).size).toBe(2);
  });

  test('that no call waits for belong to none', () => {
    const [, result] =
      pairs([hello, { role: 'assistant', content: 'Hi' }, { role: 'tool', content: 'lost', tool_name: 'weather' }]) ?? [];
    expect(result).toBeUndefined();
    const lost = pairs([hello, { role: 'tool', content: 'lost' }]);
    expect(lost).toEqual([['result', 'call_of_a_tool', expect.stringContaining('lost')]]);
  });
});

test('the arguments of calls keep the digits of their numbers, where the text of the request is there', () => {
  const text =
    '{"model":"m","messages":[{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{"id":12345678901234567890}}}]}]}';
  const told = decodeRequest(JSON.parse(text) as Fields, text);
  expect(told.turns[0]?.parts[0]).toMatchObject({ arguments: '{"id":12345678901234567890}' });
});

test('instructions in front are the system’s, later ones stay in their place', () => {
  const note = { role: 'system', content: 'Later' };
  const told = chat([{ role: 'system', content: 'First' }, hello, note, { role: 'user', content: 'More' }]);
  expect(told.system).toMatchObject([{ text: 'First' }]);
  expect(told.turns.map(({ role }) => role)).toEqual(['user', 'system', 'user']);
});

test('images are told by their first bytes, with or without the head of a data URL', () => {
  const images = ['iVBORw0KGgoA', 'R0lGODlh', 'UklGRgAA', 'AAAA', 'data:image/png;base64,iVBORw0KGgoA'];
  const [turn] = chat([{ ...hello, images }]).turns;
  const told = turn?.parts.flatMap((part) =>
    part.type === 'media' ? [[part.source.mime, 'data' in part.source && part.source.data]] : [],
  );
  expect(told).toEqual([
    ['image/png', 'iVBORw0KGgoA'],
    ['image/gif', 'R0lGODlh'],
    ['image/webp', 'UklGRgAA'],
    [null, 'AAAA'],
    ['image/png', 'iVBORw0KGgoA'],
  ]);
});

test.each([
  [undefined, null],
  ['', null],
  [true, 'medium'],
  [false, 'none'],
  ['low', 'low'],
  ['max', 'max'],
])('`think` %p is the effort %p', (think, effort) => {
  expect(chat([hello], think === undefined ? {} : { think }).reasoning?.effort ?? null).toBe(effort);
});

test('a negative limit is none, one text of `stop` is a list, an empty format asks for nothing', () => {
  const told = chat([hello], { options: { num_predict: -1, stop: 'END' }, format: '' });
  expect([told.maxTokens, told.stop, told.format]).toEqual([null, ['END'], null]);
});

test('orders to the server are named, those that change the answer are only Ollama’s', () => {
  const told = chat([hello], { keep_alive: -1, options: { num_ctx: 4096, min_p: 0.1 }, truncate: false, shift: true });
  expect(told.unknown).toEqual(['keep_alive', 'shift', 'options.num_ctx', 'options.min_p']);
  expect(decodeRequest({ prompt: 'a', raw: true, suffix: 'b', context: [], template: '' }).opaque).toEqual([
    { protocol: 'ollama', name: 'suffix', field: 'suffix' },
    { protocol: 'ollama', name: 'raw', field: 'raw' },
  ]);
});

test.each<[string, Fields]>([
  ['messages.0.role', { messages: [{ role: 'robot', content: 'x' }] }],
  ['messages.0', { messages: ['Hello'] }],
  ['messages.0.content', { messages: [{ role: 'user', content: [{ type: 'text', text: 'x' }] }] }],
  ['messages.0.images', { messages: [{ role: 'user', images: 'AAAA' }] }],
  ['messages.0.images.1', { messages: [{ role: 'user', images: ['AAAA', 7] }] }],
  ['messages.0.tool_calls.0.function', { messages: [{ role: 'assistant', tool_calls: [{}] }] }],
  ['messages.0.tool_calls.0.function.name', { messages: [{ role: 'assistant', tool_calls: [{ function: {} }] }] }],
  ['tools.0.function', { messages: [], tools: [{ type: 'function' }] }],
  ['tools.0.function.name', { messages: [], tools: [{ function: {} }] }],
  ['format', { messages: [], format: 'xml' }],
  ['think', { messages: [], think: 'hard' }],
  ['options', { messages: [], options: [] }],
  ['options.temperature', { messages: [], options: { temperature: 'hot' } }],
  ['options.stop.0', { messages: [], options: { stop: [1] } }],
  ['system', { prompt: 'x', system: 7 }],
])('what is wrong at `%s` is refused by its name', (param, body) => {
  expect(paramOf(body)).toBe(param);
});
