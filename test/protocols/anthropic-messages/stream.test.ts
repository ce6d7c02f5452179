/** Anthropic's events through the tap, however their bytes come in pieces. */
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { createMessageTap } from '../../../src/protocols/anthropic-messages/stream.ts';
import { event, messageEvents } from './samples.ts';

const encoder = new TextEncoder();

function run(text: string, cuts: readonly number[] = []) {
  const tap = createMessageTap();
  const emitted: Uint8Array[] = [];
  const emit = (bytes: Uint8Array) => void emitted.push(bytes.slice());
  const bytes = encoder.encode(text);
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  for (const [index, from] of places.slice(0, -1).entries()) tap.push(bytes.slice(from, places[index + 1]), emit);
  const begunBeforeEnd = tap.begun;
  tap.finish(emit);
  const { done, fault, failure, tokens } = tap;
  return { out: Buffer.concat(emitted).toString(), done, fault, failure, tokens, begun: begunBeforeEnd };
}

const delta = (text: string) => event('content_block_delta', { index: 0, delta: { type: 'text_delta', text } });
const whole = messageEvents.join('');

test('any text goes through unchanged, cut anywhere, complete by message_stop alone', () => {
  const texts = fc.array(
    fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('message_stop', '"error"', 'usage', 'event: error\n', '\r\n')),
    {
      maxLength: 8,
    },
  );
  fc.assert(
    fc.property(texts, fc.array(fc.nat(), { maxLength: 6 }), (said, cuts) => {
      const stream = [...messageEvents.slice(0, 4), ...said.map(delta), ...messageEvents.slice(4)].join('');
      expect(run(stream, cuts)).toMatchObject({ out: stream, done: true, fault: null, tokens: { prompt: 19, completion: 10 } });
      const cut = stream.slice(0, stream.indexOf('event: message_stop'));
      expect(run(cut, cuts)).toMatchObject({ out: cut, done: false, fault: null });
    }),
    { numRuns: 60 },
  );
});

test('what only begins does not begin the stream: message_start, pings, an empty block, unknown events', () => {
  const [start = '', block = '', ping = ''] = messageEvents;
  expect(run(start + block + ping + event('future_event')).begun).toBe(false);
  for (const content of [
    delta('x'),
    event('content_block_start', { index: 0, content_block: { type: 'tool_use', id: 't', name: 'n', input: {} } }),
    event('content_block_start', { index: 0, content_block: { type: 'text', text: 'x' } }),
    event('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 1 } }),
  ])
    expect(run(start + content).begun).toBe(true);
});

describe('an end', () => {
  test('without message_stop is none, also where the last blank line is missing', () => {
    expect(run(messageEvents.slice(0, -1).join(''))).toMatchObject({ done: false, fault: null });
    expect(run(whole.slice(0, -1))).toMatchObject({ out: whole, done: true });
    expect(run(whole.slice(0, -2))).toMatchObject({ out: whole, done: true });
    expect(run(whole.slice(0, -3))).toMatchObject({ done: false, fault: null });
  });

  test('of nothing is an empty answer, and what follows message_stop is not passed', () => {
    expect(run(event('message_stop'))).toMatchObject({ done: false, fault: 'empty_answer' });
    expect(run(`${whole}data: [DONE]\n\n${delta('x')}`)).toMatchObject({ out: whole, done: true });
  });
});

describe('a failure', () => {
  const overloaded = { error: { type: 'overloaded_error', message: 'Overloaded' } };
  test.each([
    ['an event named error', event('error', overloaded)],
    ['an event of the type error without a name', `data: ${JSON.stringify({ type: 'error', ...overloaded })}\n\n`],
    ['an event named error without a type', `event: error\ndata: ${JSON.stringify(overloaded)}\n\n`],
    ['an error inside another event', event('message_delta', overloaded)],
  ])('%s ends the stream with its words, and is not passed', (_, told) => {
    for (const before of ['', messageEvents.slice(0, 4).join('')]) {
      const seen = run(before + told + whole);
      expect(seen).toMatchObject({ out: before, done: false, fault: 'upstream_error' });
      expect(seen.failure).toMatchObject({ kind: 'overloaded', status: 529, message: 'Overloaded' });
    }
  });

  test('is data that is no JSON', () => {
    expect(run(`${messageEvents.slice(0, 4).join('')}event: x\ndata: words\n\n`)).toMatchObject({ fault: 'malformed_event' });
  });
});

test('an event whose data is no object means nothing, and an event without data is a sign of life alone', () => {
  const odd = `event: ping\ndata: null\n\nevent: ping\n\n: comment\n\n`;
  expect(run(messageEvents[0] + odd + messageEvents.slice(1).join('')).out).toBe(
    `${messageEvents[0]}: comment\n${messageEvents.slice(1).join('')}`,
  );
});

test('counts of message_delta replace those of message_start, and are never added', () => {
  const usage = {
    input_tokens: 20,
    cache_read_input_tokens: null,
    output_tokens: 9,
    output_tokens_details: { thinking_tokens: 3 },
  };
  const stream = [...messageEvents.slice(0, 6), event('message_delta', { delta: {}, usage }), event('message_stop')].join('');
  expect(run(stream).tokens).toEqual({ prompt: 27, completion: 9, cacheRead: 4, cacheWrite: 3, reasoning: 3 });
});
