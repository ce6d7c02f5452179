import { expect, test } from 'bun:test';
import { readMessage } from '../../../src/protocols/anthropic-messages/answer.ts';
import { withModelNamed } from '../../../src/protocols/anthropic-messages/named-model.ts';
import { createMessageTap } from '../../../src/protocols/anthropic-messages/stream.ts';

const renaming = { asked: 'claude-x', named: 'acme/claude-x' };
const message = (model: string, text: string) =>
  JSON.stringify({ id: 'm', type: 'message', role: 'assistant', content: [{ type: 'text', text }], model, usage: {} });
/** The text names a model too: it is the answer's, and stays. */
const streamOf = (model: string, lineEnd = '\n') =>
  [
    'event: ping\ndata: {"type":"ping"}\n\n',
    `event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model" : "${model}","content":[],"usage":{"input_tokens":1}}}\n\n`,
    'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"f","input":{"model":"claude-x"}}}\n\n',
    'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n',
    'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":1}}\n\n',
    'event: message_stop\ndata: {"type":"message_stop"}\n\n',
  ]
    .join('')
    .replaceAll('\n', lineEnd);

function passed(text: string, cut: number, pipe = withModelNamed(createMessageTap(), renaming)): string {
  const bytes = new TextEncoder().encode(text);
  const out: Uint8Array[] = [];
  for (const piece of [bytes.slice(0, cut), bytes.slice(cut)]) pipe.push(piece, (each) => out.push(each.slice()));
  expect([pipe.done, pipe.fault]).toEqual([true, null]);
  pipe.close();
  return Buffer.concat(out).toString();
}

for (const [name, lineEnd] of [
  ['line feeds', '\n'],
  ['carriage returns', '\r\n'],
  ['the usual spelling', '\n'],
] as const) {
  test(`a stream names the model as the client does, wherever it is cut, and nothing else changes: ${name}`, () => {
    const spelled = streamOf('claude-x', lineEnd);
    const text = name === 'the usual spelling' ? spelled.replace('"model" : ', '"model":') : spelled;
    for (let cut = 0; cut <= text.length; cut++) {
      const expected = passed(text, cut, createMessageTap()).replace(/"model"( : |:)"claude-x"/, '"model":"acme/claude-x"');
      expect(expected).toContain('acme/');
      expect(passed(text, cut)).toBe(expected);
    }
  });
}

test('a stream of another model than the one that was asked stays as it came', () => {
  const text = streamOf('claude-x-20270101');
  expect(passed(text, 100)).toBe(text);
});

test('a whole message names the model as the client does, and the text in it stays', () => {
  const said = 'the "model":"claude-x" it is';
  expect(readMessage(message('claude-x', said), renaming)).toMatchObject({ body: message('acme/claude-x', said) });
  for (const [model, names] of [
    ['claude-x-20270101', renaming],
    ['claude-x', null],
  ] as const)
    expect(readMessage(message(model, said), names)).toMatchObject({ body: message(model, said) });
});
