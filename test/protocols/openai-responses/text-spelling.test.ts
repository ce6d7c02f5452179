/** Pieces of text that are spelled alike are read without a parser: every other spelling must mean the same. */
import { describe, expect, test } from 'bun:test';
import type { Step } from '../../../src/core/conversation.ts';
import { decoded } from './fixtures.ts';
import { event } from './samples.ts';

const begin = event('response.created', { response: { id: 'resp_1', model: 'm' } });
const end = event('response.completed', { response: { status: 'completed', output: [] } });
const name = 'response.output_text.delta';
const texts = [
  'word',
  ' ',
  '"quoted"',
  'back\\slash',
  'tab\t',
  'new\nline',
  'ü “é” 🙂',
  '\u2028',
  '\u0000',
  '"}',
  '{}',
  '"delta":"x',
  'last',
];

/** The members of an event, in the orders of hosts. */
const spellings: Readonly<Record<string, (json: string, number: number) => string>> = {
  'OpenAI’s': (json, number) =>
    `{"type":"${name}","sequence_number":${number},"item_id":"msg_1","output_index":0,"content_index":0,"delta":${json},"logprobs":[],"obfuscation":"x8Kd${number}"}`,
  'by the alphabet': (json, number) =>
    `{"type":"${name}","content_index":0,"delta":${json},"item_id":"msg_1","logprobs":[],"output_index":0,"sequence_number":${number}}`,
  'with blanks': (json, number) =>
    `{"type": "${name}", "sequence_number": ${number}, "output_index": 0, "content_index": 0, "delta": ${json}}`,
  'without a number': (json) => `{"type":"${name}","output_index":0,"content_index":0,"delta":${json}}`,
  'with more members': (json, number) =>
    `{"type":"${name}","sequence_number":${number},"output_index":0,"content_index":0,"delta":${json},"logprobs":[{"token":"x"}],"more":{"delta":"y"}}`,
  'with a text in front that looks like one': (json, number) =>
    `{"note":"\\"delta\\":\\"z","type":"${name}","sequence_number":${number},"output_index":0,"content_index":0,"delta":${json}}`,
};
const deltas = (steps: readonly Step[]) => steps.flatMap((step) => (step.type === 'partDelta' ? [[step.index, step.text]] : []));

describe('each text comes as it is, however its host spells events', () => {
  for (const [host, spell] of Object.entries(spellings)) {
    for (const named of [true, false]) {
      test(`${host}, ${named ? 'named' : 'without names'}`, () => {
        const events = texts.map(
          (text, at) => `${named ? `event: ${name}\n` : ''}data: ${spell(JSON.stringify(text), at + 3)}\n\n`,
        );
        const { steps, fault, ended } = decoded(begin, events.join(''), end);
        expect([fault, ended]).toEqual([null, true]);
        expect(deltas(steps)).toEqual(texts.map((text) => [0, text]));
        expect(deltas(decoded(begin, ...events, end).steps)).toEqual(deltas(steps));
      });
    }
  }
});

const piece = (json: string, index = 0, at = 0) =>
  `event: ${name}\ndata: {"type":"${name}","sequence_number":7,"item_id":"m","output_index":${index},"content_index":${at},"delta":${json},"logprobs":[]}\n\n`;

test('a piece goes to the text that its place names', () => {
  const stream = [piece('"a"'), piece('"b"', 1), piece('"c"'), piece('"d"', 1), piece('"e"', 1, 1), piece('"f"')];
  expect(deltas(decoded(begin, stream.join(''), end).steps)).toEqual([
    [0, 'a'],
    [1, 'b'],
    [0, 'c'],
    [1, 'd'],
    [2, 'e'],
    [0, 'f'],
  ]);
});

test('what is no JSON is a fault, and what comes behind the end of a text is none of it', () => {
  expect(decoded(begin, piece('"a"') + piece('"tab\t"')).fault).toBe('malformed_event');
  expect(decoded(begin, piece('"a"') + piece('"a\\"')).fault).toBe('malformed_event');
  const done = event('response.output_item.done', {
    output_index: 0,
    item: { type: 'message', content: [{ type: 'output_text', text: 'a' }] },
  });
  expect(deltas(decoded(begin, piece('"a"') + done + piece('"b"'), end).steps)).toEqual([[0, 'a']]);
});
