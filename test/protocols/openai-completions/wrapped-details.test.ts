/** No vendor is sent reasoning that another maker signed. */
import { expect, test } from 'bun:test';
import type { Exchange } from '../../../src/core/protocol.ts';
import { wrapReasoning } from '../../../src/core/signed-reasoning.ts';
import { direct } from '../../../src/protocols/openai-completions/direct.ts';
import { clientRoutes } from '../../../src/protocols/openai-completions/routes.ts';
import { upstreamModel } from '../upstream-model.ts';

const route = clientRoutes[0]!;
function exchange(message: string, quirks = {}): Exchange | null {
  const text = `{"model":"m","messages":[{"role":"developer","content":"x"},${message}],"x":1.0}`;
  const body = { text, fields: JSON.parse(text) as Record<string, unknown> };
  const call = { route, body, params: {}, peek: route.peek(body, {}), query: '', headers: null };
  return direct(call, upstreamModel('m', Object.keys(quirks).length === 0 ? {} : { quirks }));
}
const sent = (message: string, quirks = {}): unknown => exchange(message, quirks)?.body;
const whole = (message: string, role = 'developer') =>
  `{"model":"m","messages":[{"role":"${role}","content":"x"},${message}],"x":1.0}`;

const mine = JSON.stringify(wrapReasoning('c2ln', 'maker'));
const foreign = JSON.stringify(wrapReasoning('c2ln', 'other'));
const summary = '{"type":"reasoning.summary","summary":"s"}';
const turn = (...details: string[]) => `{"role":"assistant", "reasoning_details": [${details.join(', ')}],"content":"a"}`;

test.each([
  [
    'a signature of the same maker is unwrapped',
    turn(`{"text":"t","signature": ${mine}}`),
    turn('{"text":"t","signature": "c2ln"}'),
  ],
  ['encrypted data of the same maker too', turn(`{"data":${mine}}`), turn('{"data":"c2ln"}')],
  ['an entry of another maker is cut out', turn(summary, `{"text":"t","signature":${foreign}}`), turn(summary)],
  ['a list with nothing else goes with it', turn(`{"data":${foreign}}`), '{"role":"assistant","content":"a"}'],
  [
    'the signature of a tool call too',
    `{"role":"assistant","tool_calls":[{"id":"a","extra_content":{"google":{"thought_signature":${foreign}}}}]}`,
    '{"role":"assistant","tool_calls":[{"id":"a"}]}',
  ],
  [
    'unless it is of the same maker',
    `{"role":"assistant","tool_calls":[{"id":"a","extra_content":{"google":{"thought_signature":${mine}}}}]}`,
    '{"role":"assistant","tool_calls":[{"id":"a","extra_content":{"google":{"thought_signature":"c2ln"}}}]}',
  ],
  ['words of a text stay', `{"role":"user","content":${foreign}}`, `{"role":"user","content":${foreign}}`],
])('%s', (_, given, wanted) => {
  expect(sent(given)).toBe(whole(wanted));
});

test('not even where a quirk has the messages written anew', () => {
  const text = String(sent(turn(`{"data":${foreign}}`), { noDeveloperRole: true }));
  expect(JSON.parse(text)).toEqual(JSON.parse(whole('{"role":"assistant","content":"a"}', 'system')));
});

test('reasoning that is cut out is said beside the answer, and nothing else is', () => {
  const call = (value: string) =>
    `{"role":"assistant","tool_calls":[{"extra_content":{"google":{"thought_signature":${value}}}}]}`;
  for (const message of [turn(`{"data":${foreign}}`), call(foreign)])
    expect(exchange(message)?.notes).toEqual({ 'x-ola-dropped': 'reasoning' });
  for (const message of [turn(`{"data":${mine}}`), call(mine), turn(summary), `{"role":"user","content":${foreign}}`])
    expect(exchange(message)?.notes).toBeNull();
});
