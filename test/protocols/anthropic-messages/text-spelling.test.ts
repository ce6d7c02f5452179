/** Increments of text in Anthropic's own spelling are read without a parser: every other spelling must mean the same. */
import { expect, test } from 'bun:test';
import type { Step } from '../../../src/core/conversation.ts';
import { streamDecoder } from '../../../src/protocols/anthropic-messages/decode-stream.ts';

const event = (type: string, json: string) => `event: ${type}\ndata: ${json}\n\n`;
const begin =
  event('message_start', '{"type":"message_start","message":{"id":"m","model":"c","content":[],"usage":{"input_tokens":1}}}') +
  event('content_block_start', '{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}');
const end =
  event('content_block_stop', '{"type":"content_block_stop","index":0}') +
  event('message_delta', '{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":1}}') +
  event('message_stop', '{"type":"message_stop"}');
const usual = (json: string, index = 0) =>
  event('content_block_delta', `{"type":"content_block_delta","index":${index},"delta":{"type":"text_delta","text":${json}}}`);
const unusual = (json: string) =>
  event('content_block_delta', `{"delta": {"text": ${json}, "type": "text_delta"}, "index": 0, "type": "content_block_delta"}`);

function stepsOf(text: string): { steps: Step[]; fault: string | null } {
  const decoder = streamDecoder();
  const steps: Step[] = [];
  decoder.push(new TextEncoder().encode(text), (step) => steps.push(step));
  decoder.close();
  return { steps, fault: decoder.fault };
}

test('each text means the same in the usual spelling and in another one', () => {
  for (const text of [
    'word',
    '',
    ' ',
    '"quoted"',
    'back\\slash',
    'tab\t',
    'new\nline',
    'ü “é” 🙂',
    '\u2028',
    '\u0000',
    '"}}',
    '{}',
  ]) {
    const json = JSON.stringify(text);
    const { steps } = stepsOf(begin + usual(json) + end);
    expect(steps).toEqual(stepsOf(begin + unusual(json) + end).steps);
    const deltas = steps.filter(({ type }) => type === 'partDelta');
    expect(deltas).toEqual(text === '' ? [] : [{ type: 'partDelta', index: 0, text }]);
  }
});

test('text that is no JSON is a fault, and one for a block that has ended begins another', () => {
  expect(stepsOf(`${begin}${usual('"tab\t"')}`).fault).toBe('malformed_event');
  expect(stepsOf(`${begin}${usual('"a\\"')}`).fault).toBe('malformed_event');
  const stop = event('content_block_stop', '{"type":"content_block_stop","index":0}');
  const { steps } = stepsOf(begin + usual('"one"') + stop + usual('"two"') + end);
  expect(steps.filter(({ type }) => type === 'partDelta')).toEqual([
    { type: 'partDelta', index: 0, text: 'one' },
    { type: 'partDelta', index: 1, text: 'two' },
  ]);
});

test('text goes to the block that its index names', () => {
  const second = event(
    'content_block_start',
    '{"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}',
  );
  const { steps } = stepsOf(begin + second + usual('"a"', 0) + usual('"b"', 1) + end);
  expect(steps.filter(({ type }) => type === 'partDelta')).toEqual([
    { type: 'partDelta', index: 0, text: 'a' },
    { type: 'partDelta', index: 1, text: 'b' },
  ]);
});
