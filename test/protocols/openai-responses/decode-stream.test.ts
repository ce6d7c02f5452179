import { describe, expect, test } from 'bun:test';
import type { Part } from '../../../src/core/conversation.ts';
import { decodeAnswer } from '../../../src/protocols/openai-responses/decode-answer.ts';
import { decoded, eventsOf, type Fields, samples } from './fixtures.ts';
import { event, responseEvents } from './samples.ts';

const begin = event('response.created', { response: { id: 'resp_1', model: 'm', status: 'in_progress', output: [] } });
const end = (more: object = {}) =>
  event('response.completed', { response: { id: 'resp_1', status: 'completed', output: [], ...more } });
const added = (index: number, item: object) => event('response.output_item.added', { output_index: index, item });
const done = (index: number, item: object) => event('response.output_item.done', { output_index: index, item });
const call = (id: string, text = '', name = 'f') => ({
  type: 'function_call',
  id: `fc_${id}`,
  call_id: id,
  name,
  arguments: text,
});
const piece = (index: number, delta: string) => event('response.function_call_arguments.delta', { output_index: index, delta });
const text = (index: number, delta: string, at = 0) =>
  event('response.output_text.delta', { output_index: index, content_index: at, delta });
const callsIn = (parts: readonly Part[]) =>
  parts.flatMap((part) => (part.type === 'toolCall' ? [[part.id, part.arguments]] : []));

describe('each sample tells in its events what its last one tells as a whole', () => {
  for (const [name, stream] of samples('stream')) {
    test(name, () => {
      const last = eventsOf(stream).at(-1) as { readonly response: Fields };
      const { answer, ended, fault } = decoded(stream);
      expect([ended, fault]).toEqual([true, null]);
      const whole = decodeAnswer(JSON.stringify(last.response));
      if ('kind' in whole) throw new Error('the sample is read as a failure');
      expect(answer).toEqual(whole);
    });
  }
});

describe('a stream', () => {
  test('may bring an item whole, without its pieces, or without its beginning', () => {
    expect(callsIn(decoded(begin, done(0, call('a', '{"x":1}')), end()).answer.parts)).toEqual([['a', '{"x":1}']]);
    expect(callsIn(decoded(begin, added(0, call('a')), done(0, call('a', '{"x":1}')), end()).answer.parts)).toEqual([
      ['a', '{"x":1}'],
    ]);
    const message = { type: 'message', content: [{ type: 'output_text', text: 'Hi' }] };
    expect(decoded(begin, text(0, 'Hi'), done(0, message), end()).answer.parts).toMatchObject([{ type: 'text', text: 'Hi' }]);
    expect(decoded(begin, done(0, message), end()).answer.parts).toMatchObject([{ type: 'text', text: 'Hi' }]);
  });

  test('may bring nothing but the response as a whole', () => {
    const output = [{ type: 'message', content: [{ type: 'output_text', text: 'Hi' }] }, call('a', '{}')];
    const { answer, ended } = decoded(end({ output }));
    expect([ended, answer.parts.map(({ type }) => type), answer.end.reason]).toEqual([true, ['text', 'toolCall'], 'toolCalls']);
  });

  test('litellm#29491: arguments may come with the name, once', () => {
    const all = call('a', '{"x":1}');
    expect(callsIn(decoded(begin, added(0, all), done(0, all), end()).answer.parts)).toEqual([['a', '{"x":1}']]);
  });

  test('agno#3826: pieces go to their calls by their places, in whatever order they come', () => {
    const mixed = [
      added(1, call('b')),
      added(0, call('a')),
      piece(1, '{"b"'),
      piece(0, '{"a"'),
      piece(1, ':2}'),
      piece(0, ':1}'),
    ];
    expect(callsIn(decoded(begin, ...mixed, end()).answer.parts)).toEqual([
      ['b', '{"b":2}'],
      ['a', '{"a":1}'],
    ]);
  });

  test('of a host whose ids differ in each event is put together by places', () => {
    let count = 0;
    const odd = (type: string, more: object) => event(type, { output_index: 0, item_id: `msg_${count++}`, ...more });
    const { answer } = decoded(
      begin,
      odd('response.output_text.delta', { content_index: 0, delta: 'He' }),
      odd('response.output_text.delta', { content_index: 0, delta: 'llo' }),
      odd('response.output_text.done', { content_index: 0, text: 'Hello' }),
      end(),
    );
    expect(answer.parts).toMatchObject([{ type: 'text', text: 'Hello' }]);
  });

  test('gives two calls of the same id two ids, and one without an id its own', () => {
    const ids = callsIn(
      decoded(begin, done(0, call('a', '{}')), done(1, call('a', '{}')), done(2, { type: 'function_call', name: 'f' }), end())
        .answer.parts,
    ).map(([id]) => id);
    expect(new Set(ids).size).toBe(3);
    expect(ids).not.toContain('');
  });

  test('takes each item once, whatever is said twice', () => {
    const twice = (one: string) => one + one;
    const stream = [begin, twice(added(0, call('a'))), piece(0, '{}'), twice(done(0, call('a', '{}'))), end()];
    expect(callsIn(decoded(...stream).answer.parts)).toEqual([['a', '{}']]);
  });

  test('keeps arguments that are no JSON as they came', () => {
    expect(callsIn(decoded(begin, added(0, call('a')), piece(0, '{"x": half'), end()).answer.parts)).toEqual([
      ['a', '{"x": half'],
    ]);
  });

  test('has several texts of one message, and reasoning that is shown whole', () => {
    const raw = event('response.reasoning_text.delta', { output_index: 0, content_index: 0, delta: 'Hm.' });
    const { answer } = decoded(
      begin,
      added(0, { type: 'reasoning', summary: [] }),
      raw,
      done(0, { type: 'reasoning', content: [{ type: 'reasoning_text', text: 'Hm.' }] }),
      text(1, 'a'),
      text(1, 'b', 1),
      end(),
    );
    expect(answer.parts).toMatchObject([
      { type: 'reasoning', text: 'Hm.' },
      { type: 'text', text: 'a' },
      { type: 'text', text: 'b' },
    ]);
  });

  test('ignores items, events and texts that mean nothing', () => {
    const odd = [
      event('response.mood', { mood: 'sunny' }),
      event('response.output_item.added', { output_index: 9, item: 'x' }),
      event('response.output_item.done', { output_index: 9 }),
      event('codex.rate_limits', { plan_type: 'plus' }),
      event('keepalive', {}),
      text(0, ''),
      'data: [DONE]\n\n',
      'data: 7\n\n',
      ': ping\n\n',
    ];
    const { answer, fault, ended } = decoded(begin, ...odd, text(1, 'Hi'), end());
    expect([fault, ended]).toEqual([null, true]);
    expect(answer.parts.flatMap((part) => (part.type === 'text' ? part.text || [] : part.type))).toEqual(['Hi']);
  });

  test.each([
    [
      'a response that failed',
      event('response.failed', { response: { status: 'failed', error: { code: 'rate_limit_exceeded', message: 'no' } } }),
      'rate_limit',
      429,
    ],
    ['one that says no more', event('response.failed', { response: {} }), 'server_error', 500],
    [
      'one that was cancelled',
      event('response.completed', { response: { status: 'cancelled', output: [] } }),
      'server_error',
      500,
    ],
    ['an event of an error', event('error', { code: 'server_error', message: 'no', param: null }), 'server_error', 500],
    [
      'an event with the error inside',
      event('error', { error: { type: 'invalid_request_error', code: 'context_length_exceeded', message: 'no' } }),
      'context_overflow',
      400,
    ],
    [
      'an error without a type',
      'event: error\ndata: {"message":"overloaded","code":"server_is_overloaded"}\n\n',
      'overloaded',
      503,
    ],
    ['an error in words', 'event: error\ndata: upstream gone\n\n', 'server_error', 502],
  ])('CPA#2712: fails by %s, at its beginning and in the middle', (_, failing, kind, status) => {
    for (const before of [[], [begin], [begin, text(0, 'Hi')]]) {
      const { fault, failure, ended } = decoded(...before, failing, end());
      expect([fault, failure?.kind, failure?.status, ended]).toEqual(['upstream_error', kind as never, status, false]);
    }
  });

  test('is not complete without its last event, nor when an event is no JSON', () => {
    for (let count = 0; count < responseEvents.length; count++)
      expect(decoded(...responseEvents.slice(0, count)).ended).toBe(false);
    expect(decoded(begin, 'data: {"type":"response.out\n\n', end())).toMatchObject({ fault: 'malformed_event', ended: false });
    expect(decoded('data: [DONE]\n\n').ended).toBe(false);
    expect(decoded(event('response.completed', {}))).toMatchObject({ fault: 'empty_answer', ended: false });
  });

  test('of another protocol is none', () => {
    const chat =
      'data: {"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\n';
    expect(decoded(chat, 'data: [DONE]\n\n')).toMatchObject({ ended: false, steps: [] });
  });
});

describe('a whole answer', () => {
  test('that is not complete, or of another protocol, is a failure', () => {
    for (const answer of [
      { status: 'queued', output: [] },
      { status: 'in_progress', output: [] },
      { output: ['x'] },
      { output: {} },
      { choices: [{ message: { content: 'Hi' } }] },
      { type: 'message', content: [{ type: 'text', text: 'Hi' }] },
    ])
      expect(decodeAnswer(JSON.stringify(answer))).toMatchObject({ kind: 'malformed', status: 502 });
  });

  test('that failed is that failure, and no body for the client', () => {
    const error = { code: 'server_error', message: 'no' };
    expect(decodeAnswer(JSON.stringify({ status: 'failed', output: [], error }))).toMatchObject({
      kind: 'server_error',
      status: 500,
    });
    expect(decodeAnswer(JSON.stringify({ error: { message: 'no', type: 'invalid_request_error' } }))).toMatchObject({
      status: 400,
    });
  });

  test('may be incomplete, for a reason that is known or not', () => {
    const of = (reason: string) =>
      decodeAnswer(JSON.stringify({ status: 'incomplete', incomplete_details: { reason }, output: [] }));
    expect(of('max_output_tokens')).toMatchObject({ end: { reason: 'length', unknown: null } });
    expect(of('content_filter')).toMatchObject({ end: { reason: 'contentFilter', unknown: null } });
    expect(decodeAnswer('{"status":"incomplete","output":[]}')).toMatchObject({ end: { reason: 'length', unknown: null } });
    expect(of('weather')).toMatchObject({ end: { reason: 'stop', unknown: 'weather' } });
  });
});
