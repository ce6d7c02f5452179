/** Streams of Anthropic and of hosts that resemble it. */
import { describe, expect, test } from 'bun:test';
import { fold } from '../../../src/core/answers.ts';
import type { Step } from '../../../src/core/conversation.ts';
import { text } from './conversations.ts';
import { begin, blockStart, blockStop, decoded, delta, ending, event, type Fields } from './fixtures.ts';

const textStart = blockStart(0, { type: 'text', text: '' });
const said = (words: string, index = 0) => delta(index, { type: 'text_delta', text: words });
const callStart = (index: number, rest: Fields = {}) =>
  blockStart(index, { type: 'tool_use', id: `t${index}`, name: 'f', input: {}, ...rest });
const piece = (json: string, index = 0) => delta(index, { type: 'input_json_delta', partial_json: json });

const partsOf = (...stream: readonly string[]) => fold(decoded(...stream).steps).parts;
const ended = ({ steps }: { steps: readonly Step[] }) => steps.some(({ type }) => type === 'end');

describe('tool calls', () => {
  const argumentsIn = (...stream: readonly string[]) =>
    partsOf(begin, ...stream).map((part) => (part.type === 'toolCall' ? part.arguments : part.type));

  test('litellm#29491: arguments that come with the begin of the call count where no pieces follow', () => {
    const start = callStart(0, { input: { x: 1 } });
    expect(argumentsIn(start, blockStop(0), ending('tool_use'))).toEqual(['{"x":1}']);
    expect(argumentsIn(start, piece(''), blockStop(0), ending('tool_use'))).toEqual(['{"x":1}']);
    expect(argumentsIn(start, piece('{"x":'), piece('1}'), blockStop(0), ending('tool_use'))).toEqual(['{"x":1}']);
  });

  test('a call without arguments has {}, also in front of another block', () => {
    expect(argumentsIn(callStart(0), piece(''), blockStop(0), ending('tool_use'))).toEqual(['{}']);
    expect(argumentsIn(callStart(0), blockStop(0), callStart(1), piece('{"a":2}', 1), blockStop(1), ending('tool_use'))).toEqual([
      '{}',
      '{"a":2}',
    ]);
    expect(argumentsIn(callStart(0), blockStop(0), callStart(1), blockStop(1), ending('max_tokens'))).toEqual(['{}', '']);
  });

  test('D10: the pieces of a call that the length limit cut pass as they came, and no {} is made up', () => {
    const cut = '{"file":"a","content":"half';
    const { steps } = decoded(
      begin,
      callStart(0),
      piece(cut.slice(0, 9)),
      piece(cut.slice(9)),
      blockStop(0),
      ending('max_tokens'),
    );
    expect(fold(steps)).toMatchObject({ parts: [{ arguments: cut }], end: { reason: 'length' } });
    expect(argumentsIn(callStart(0), blockStop(0), ending('max_tokens'))).toEqual(['']);
    expect(argumentsIn(callStart(0), ending('max_tokens'))).toEqual(['']);
  });

  test('big numbers keep their digits', () => {
    expect(argumentsIn(callStart(0), piece('{"n":12345678901234567890}'), blockStop(0), ending('tool_use'))).toEqual([
      '{"n":12345678901234567890}',
    ]);
  });
});

test('CLIProxyAPI#425: thinking, text and calls of one stream all come, in their order', () => {
  const thinking =
    blockStart(0, { type: 'thinking', thinking: '', signature: '' }) + delta(0, { type: 'thinking_delta', thinking: 'a' });
  const calls = callStart(2) + piece('{"x":1}', 2) + blockStop(2) + callStart(3) + piece('{}', 3) + blockStop(3);
  const words = blockStart(1, { type: 'text', text: '' }) + said('b', 1) + blockStop(1);
  const { steps } = decoded(begin, thinking, blockStop(0), words, calls, ending('tool_use'));
  expect(fold(steps)).toMatchObject({
    parts: [{ type: 'reasoning', text: 'a' }, text('b'), { id: 't2', arguments: '{"x":1}' }, { id: 't3', arguments: '{}' }],
    end: { reason: 'toolCalls' },
  });
});

describe('litellm#25517: counts', () => {
  test('the counts of message_delta replace those of the start, null ones do not, and none is added', () => {
    const start = event({
      type: 'message_start',
      message: { id: 'msg_1', model: 'm', usage: { input_tokens: 25, cache_read_input_tokens: 100, output_tokens: 1 } },
    });
    const change = (usage: Fields) => event({ type: 'message_delta', delta: { stop_reason: null }, usage });
    const { steps } = decoded(
      start,
      change({ output_tokens: 8, input_tokens: null }),
      change({ output_tokens: 15, cache_creation_input_tokens: 7 }),
      event({ type: 'message_stop' }),
    );
    const counts = steps.flatMap((step) => (step.type === 'usage' ? [step.tokens] : []));
    expect(counts.map(({ prompt, completion }) => [prompt, completion])).toEqual([
      [125, 1],
      [125, 8],
      [132, 15],
    ]);
    expect(counts.at(-1)).toMatchObject({ cacheRead: 100, cacheWrite: 7, reasoning: null });
  });
});

describe('events', () => {
  test('pings, unknown events and deltas, comments and JSON that is no object carry nothing', () => {
    const noise = [
      event({ type: 'ping' }),
      event({ type: 'content_block_news', index: 0 }),
      ': alive\n\n',
      'data: null\n\n',
      'data: [DONE]\n\n',
      delta(0, { type: 'fancy_delta', fancy: 1 }),
    ].join('');
    const { steps, fault } = decoded(
      noise,
      begin,
      noise,
      textStart,
      noise,
      said('Hi'),
      noise,
      blockStop(0),
      noise,
      ending('end_turn'),
    );
    expect(fault).toBeNull();
    expect(fold(steps).parts).toEqual([text('Hi')]);
  });

  test('the type may stand in the name of the event alone, lines may end in CR LF', () => {
    const bare = `event: content_block_delta\r\ndata: {"index":0,"delta":{"type":"text_delta","text":"Hi"}}\r\n\r\n`;
    expect(partsOf(begin, textStart, bare, blockStop(0), ending('end_turn'))).toEqual([text('Hi')]);
  });

  test('blocks are counted anew: indexes with gaps, repeated, or out of order', () => {
    const stream = [
      ...[blockStart(4, { type: 'text' }), said('a', 4), blockStop(4)],
      ...[blockStart(4, { type: 'text', text: 'b' }), said('c', 4)],
      ...[blockStart(1, { type: 'thinking' }), delta(1, { type: 'thinking_delta', thinking: 'd' })],
      ...[delta(1, { type: 'signature_delta', signature: 's1' }), delta(1, { type: 'signature_delta', signature: 's2' })],
      ...[said('!', 4), blockStop(1), blockStop(4), blockStop(9)],
    ];
    const { steps } = decoded(begin, ...stream, ending('end_turn'));
    expect(steps.flatMap((step) => (step.type === 'partBegin' ? [step.index] : []))).toEqual([0, 1, 2]);
    expect(fold(steps).parts).toEqual([text('a'), text('bc!'), { type: 'reasoning', text: 'd', signature: 's1s2' }]);
  });

  test('a block whose type is a member of every object is one of an unknown type', () => {
    for (const type of ['constructor', 'toString', '__proto__'])
      expect(partsOf(begin, blockStart(0, { type }), blockStop(0), ending('end_turn'))).toMatchObject([
        { type: 'opaque', name: type },
      ]);
  });

  test('text and thinking without a begin of their block open one', () => {
    expect(partsOf(begin, delta(0, { type: 'thinking_delta', thinking: 'a' }), said('b', 1), ending('end_turn'))).toEqual([
      { type: 'reasoning', text: 'a' },
      text('b'),
    ]);
  });

  test('a begin of an open index ends the block before', () => {
    const { steps } = decoded(begin, textStart, said('a'), textStart, said('b'), blockStop(0), ending('end_turn'));
    expect(steps.map(({ type }) => type)).toEqual([
      ...['begin', 'usage', 'partBegin', 'partDelta', 'partEnd', 'partBegin', 'partDelta', 'partEnd', 'usage', 'end'],
    ] as Step['type'][]);
  });

  test('blocks that only Anthropic knows come whole, their input too', () => {
    const start = blockStart(0, { type: 'server_tool_use', id: 's', name: 'web_search', input: {} });
    expect(partsOf(begin, start, piece('{"query":'), piece('"x"}'), blockStop(0), ending('end_turn'))).toEqual([
      {
        type: 'opaque',
        protocol: 'anthropic-messages',
        name: 'server_tool_use',
        value: { type: 'server_tool_use', id: 's', name: 'web_search', input: { query: 'x' } },
      },
    ]);
  });
});

describe('ends', () => {
  test('without message_stop a stream does not end, and that is no fault: it was cut', () => {
    for (const stream of [begin, begin + textStart + said('a') + blockStop(0), '', ': x\n\n'])
      expect({ ...decoded(stream), steps: ended(decoded(stream)) }).toEqual({ steps: false, fault: null, failure: null });
  });

  test('an answer without blocks is complete', () => {
    expect(fold(decoded(begin, ending('end_turn')).steps)).toMatchObject({ parts: [], end: { reason: 'stop' } });
  });

  test('message_stop without a message is an empty answer', () => {
    expect(decoded(event({ type: 'message_stop' }))).toMatchObject({ fault: 'empty_answer', steps: [] });
  });

  test('blocks that are open end with the answer, and what follows the end means nothing', () => {
    const { steps, fault } = decoded(begin, textStart, said('a'), ending('end_turn'), 'data: {bad\n\n', textStart);
    expect(fault).toBeNull();
    expect(steps.at(-1)?.type).toBe('end');
    expect(steps.filter(({ type }) => type === 'partEnd').length).toBe(1);
  });

  test('the last event counts without its blank line', () => {
    expect(ended(decoded(begin, ending('end_turn').trimEnd()))).toBe(true);
  });
});

describe('faults', () => {
  test('an error event is the upstream’s failure, as the first event too', () => {
    const error = event({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } });
    for (const before of ['', begin, begin + textStart + said('a')]) {
      const { fault, failure, steps } = decoded(before, error, said('more'), ending('end_turn'));
      expect([fault, failure?.kind, failure?.status, failure?.message]).toEqual([
        'upstream_error',
        'overloaded',
        529,
        'Overloaded',
      ]);
      expect(ended({ steps })).toBe(false);
    }
    expect(decoded('data: {"error":{"message":"no"}}\n\n')).toMatchObject({
      fault: 'upstream_error',
      failure: { message: 'no' },
    });
    expect(decoded('event: error\ndata: gone\n\n')).toMatchObject({
      fault: 'upstream_error',
      failure: { message: 'gone', body: null },
    });
  });

  test('data that is no JSON, and increments that belong nowhere, are malformed', () => {
    const rows = [
      'data: {bad\n\n',
      'data: words\n\n',
      piece('{"a":1}', 3),
      delta(3, { type: 'signature_delta', signature: 's' }),
      textStart + piece('{}'),
      callStart(0) + said('a'),
      blockStart(0, { type: 'tool_use', id: 'a' }),
      textStart + delta(0, { type: 'text_delta', text: 7 }),
      event({ type: 'content_block_start', index: 0 }),
    ];
    for (const row of rows)
      expect(decoded(begin, row, ending('end_turn'))).toMatchObject({ fault: 'malformed_event', failure: null });
  });
});

test('a byte order mark in front of the stream is none of its words, however it comes in pieces', () => {
  const bytes = new TextEncoder().encode(`\ufeff${begin}${textStart}${said('hi')}${blockStop(0)}${ending('end_turn')}`);
  const whole = decoded(bytes);
  expect(whole.fault).toBeNull();
  expect(fold(whole.steps).parts).toEqual([text('hi')]);
  for (const cut of [1, 2, 3, 4]) expect(decoded(bytes.slice(0, cut), bytes.slice(cut))).toEqual(whole);
  expect(decoded(bytes.slice(0, 1), bytes.slice(1, 2), bytes.slice(2))).toEqual(whole);
});
