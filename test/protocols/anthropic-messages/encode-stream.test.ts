/** Streams for Anthropic's clients. */
import { describe, expect, test } from 'bun:test';
import { unfold } from '../../../src/core/answers.ts';
import type { EndReason, Part, Step } from '../../../src/core/conversation.ts';
import { noTokenCounts } from '../../../src/core/usage.ts';
import { streamEncoder } from '../../../src/protocols/anthropic-messages/encode-stream.ts';
import { call, image, text, thought } from './conversations.ts';
import { encoded, eventsOf, type Fields, making } from './fixtures.ts';

const begin: Step = { type: 'begin', id: 'x-1', model: 'm' };
const partBegin = (index: number, part: Part): Step => ({ type: 'partBegin', index, part });
const more = (index: number, words: string): Step => ({ type: 'partDelta', index, text: words });
const partEnd = (index: number, rest: object = {}): Step => ({ type: 'partEnd', index, ...rest });
const end = (reason: EndReason = 'stop'): Step => ({ type: 'end', end: { reason, sequence: null, unknown: null } });

/** The events between the head of the message and its end. */
const blocksOf = (...steps: readonly Step[]) => eventsOf(encoded([begin, ...steps, end()])).slice(1, -2);
/** Type, index, and the text that came. */
const short = (event: Fields) => {
  const delta = event['delta'] as Fields | undefined;
  const block = event['content_block'] as Fields | undefined;
  return [String(event['type']).replace('content_block_', ''), event['index'], block?.['type'] ?? Object.values(delta ?? {})[1]];
};

test('the head has the counts that are known by then, the end all of them', () => {
  const tokens = { ...noTokenCounts, prompt: 30, cacheRead: 10 };
  const steps: Step[] = [
    begin,
    { type: 'usage', tokens },
    partBegin(0, text('')),
    partEnd(0),
    { type: 'usage', tokens: { ...tokens, completion: 7 } },
    { type: 'end', end: { reason: 'stop', sequence: 'END', unknown: null } },
  ];
  const events = eventsOf(encoded(steps));
  expect(events[0]).toEqual({
    type: 'message_start',
    message: {
      id: 'x-1',
      type: 'message',
      role: 'assistant',
      model: 'm',
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { input_tokens: 20, cache_read_input_tokens: 10, output_tokens: 0 },
    },
  });
  expect(events.slice(-2)).toEqual([
    {
      type: 'message_delta',
      delta: { stop_reason: 'stop_sequence', stop_sequence: 'END' },
      usage: { input_tokens: 20, cache_read_input_tokens: 10, output_tokens: 7 },
    },
    { type: 'message_stop' },
  ]);
});

test('without counts the head has zeros; id and model are made where there are none', () => {
  const [head] = eventsOf(encoded([{ type: 'begin', id: null, model: null }, end()]));
  expect(head!['message']).toMatchObject({ id: 'msg_req-1', model: 'asked/model', usage: { input_tokens: 0, output_tokens: 0 } });
});

test('blocks come one behind the other; what belongs to another one waits', () => {
  const steps = [
    ...[
      partBegin(0, text('a')),
      partBegin(1, call('t', '')),
      more(1, '{"x":'),
      more(0, 'b'),
      partBegin(2, text('c')),
      more(2, 'd'),
    ],
    ...[more(1, '1}'), partEnd(1), partEnd(0), more(2, 'e'), partEnd(2)],
  ];
  expect(blocksOf(...steps).map(short)).toEqual([
    ['start', 0, 'text'],
    ['delta', 0, 'a'],
    ['delta', 0, 'b'],
    ['stop', 0, undefined],
    ['start', 1, 'tool_use'],
    ['delta', 1, '{"x":1}'],
    ['stop', 1, undefined],
    ['start', 2, 'text'],
    ['delta', 2, 'c'],
    ['delta', 2, 'd'],
    ['delta', 2, 'e'],
    ['stop', 2, undefined],
  ]);
});

test('parts that never end are ended with the answer, those that wait too', () => {
  expect(blocksOf(partBegin(0, text('a')), partBegin(1, text('b')), more(1, 'c')).map(short)).toEqual([
    ['start', 0, 'text'],
    ['delta', 0, 'a'],
    ['stop', 0, undefined],
    ['start', 1, 'text'],
    ['delta', 1, 'b'],
    ['delta', 1, 'c'],
    ['stop', 1, undefined],
  ]);
});

test('what waits is bounded', () => {
  const encoder = streamEncoder(making);
  const piece = 'x'.repeat(8 * 1024 * 1024);
  for (const step of [begin, partBegin(0, text('')), partBegin(1, text(''))]) encoder.encode(step);
  for (let at = 0; at < 8; at++) encoder.encode(more(1, piece));
  expect(() => encoder.encode(more(1, 'x'))).toThrow(RangeError);
});

test('bytes that have gone on no longer count as waiting', () => {
  const encoder = streamEncoder(making);
  const piece = 'x'.repeat(40 * 1024 * 1024);
  encoder.encode(begin);
  for (let index = 0; index < 4; index += 2) {
    for (const step of [partBegin(index, text('')), partBegin(index + 1, text('')), more(index + 1, piece), partEnd(index + 1)])
      encoder.encode(step);
    expect(encoder.encode(partEnd(index)).length).toBeGreaterThan(piece.length);
  }
});

describe('reasoning', () => {
  test('a signature comes in front of the stop, whether it came with the begin or the end', () => {
    for (const steps of [
      [partBegin(0, thought('sig')), partEnd(0)],
      [partBegin(0, thought()), partEnd(0, { signature: 'sig' })],
    ]) {
      expect(blocksOf(...steps).map(({ content_block: block, delta }) => block ?? delta)).toEqual([
        { type: 'thinking', thinking: '', signature: '' },
        { type: 'thinking_delta', thinking: 'I think.' },
        { type: 'signature_delta', signature: 'sig' },
        undefined,
      ]);
    }
  });

  test('encrypted reasoning is a block of its own, behind its summary where it has one', () => {
    const redacted: Part = { type: 'reasoning', text: '', redacted: 'enc' };
    expect(blocksOf(partBegin(0, redacted), partEnd(0), partBegin(1, text('a')), partEnd(1)).map(short)).toEqual([
      ['start', 0, 'redacted_thinking'],
      ['stop', 0, undefined],
      ['start', 1, 'text'],
      ['delta', 1, 'a'],
      ['stop', 1, undefined],
    ]);
    expect(blocksOf(partBegin(0, redacted), more(0, 'S'), partEnd(0)).map(short)).toEqual([
      ['start', 0, 'thinking'],
      ['delta', 0, 'S'],
      ['stop', 0, undefined],
      ['start', 1, 'redacted_thinking'],
      ['stop', 1, undefined],
    ]);
  });
});

test('a call without arguments ends with input {}', () => {
  expect(blocksOf(partBegin(0, call('t', '')), partEnd(0))).toEqual([
    { type: 'content_block_start', index: 0, content_block: { type: 'tool_use', id: 't', name: 'f', input: {} } },
    { type: 'content_block_stop', index: 0 },
  ]);
});

test('D10: the pieces of a call that was cut pass as they came, with the stop reason of the limit', () => {
  const events = eventsOf(encoded([begin, partBegin(0, call('t', '')), more(0, '{"a":"half'), end('length')]));
  expect(events.map(short)).toContainEqual(['delta', 0, '{"a":"half']);
  expect(events.at(-2)!['delta']).toEqual({ stop_reason: 'max_tokens', stop_sequence: null });
});

test('the text of a free-form call is one JSON object, whatever is in it', () => {
  const custom = { ...call('t', '*** "a'), kind: 'custom' } as Part;
  const pieces = blocksOf(partBegin(0, custom), more(0, '\\\n'), more(0, '\ud83d'), more(0, '\ude00'), partEnd(0)).map(short);
  const json = pieces.flatMap(([type, , piece]) => (type === 'delta' ? [String(piece)] : [])).join('');
  expect(JSON.parse(json)).toEqual({ input: '*** "a\\\n😀' });
});

test('a refusal is a text, and the stop reason says so', () => {
  const events = eventsOf(encoded([begin, partBegin(0, { type: 'refusal', text: 'No' }), more(0, '.'), partEnd(0), end()]));
  expect(events.at(-2)!['delta']).toEqual({ stop_reason: 'refusal', stop_sequence: null });
  expect(events.slice(1, 4).map(short)).toEqual([
    ['start', 0, 'text'],
    ['delta', 0, 'No'],
    ['delta', 0, '.'],
  ]);
});

test('parts that Anthropic’s answers do not have leave no gap in the indexes', () => {
  const foreign: Part = { type: 'opaque', protocol: 'x', name: 'y', value: {} };
  const steps = [image, foreign, text('a')].flatMap((part, index) => [partBegin(index, part), more(index, ''), partEnd(index)]);
  expect(blocksOf(...steps).map(short)).toEqual([
    ['start', 0, 'text'],
    ['delta', 0, 'a'],
    ['stop', 0, undefined],
  ]);
});

test('an answer that came whole is a stream', () => {
  const answer = { id: null, model: null, parts: [text('a'), call('t', '{"x":1}')], tokens: noTokenCounts } as const;
  const steps = unfold({ ...answer, end: { reason: 'toolCalls', sequence: null, unknown: null } });
  expect(eventsOf(encoded(steps)).map(({ type }) => type)).toEqual([
    ...['message_start', 'content_block_start', 'content_block_delta', 'content_block_stop'],
    ...['content_block_start', 'content_block_delta', 'content_block_stop', 'message_delta', 'message_stop'],
  ]);
});
