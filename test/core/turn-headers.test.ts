import { expect, test } from 'bun:test';
import { turnHeaders } from '../../src/core/turn-headers.ts';

const names = { initiator: 'x-initiator', images: 'x-images' };
const of = (body: object) => turnHeaders(names, JSON.stringify(body));
const user = { role: 'user', content: 'Hello' };

test.each<[string, object]>([
  ['a question of a chat', { messages: [{ role: 'system', content: 'x' }, user] }],
  ['a question of Anthropic’s form', { messages: [{ role: 'user', content: [{ type: 'text', text: 'x' }] }] }],
  [
    'a question behind results',
    { messages: [{ role: 'user', content: [{ type: 'tool_result' }, { type: 'text', text: 'x' }] }] },
  ],
  ['a question of OpenAI’s responses', { input: [{ type: 'message', role: 'user', content: [] }] }],
  ['a text', { input: 'Hello' }],
  ['no turn at all', {}],
])('%s is a person’s', (_, body) => {
  expect(of(body)).toEqual({ 'x-initiator': 'user' });
});

test.each<[string, object]>([
  ['of a chat', { messages: [user, { role: 'assistant' }, { role: 'tool', content: 'x' }] }],
  ['of Anthropic’s form', { messages: [user, { role: 'user', content: [{ type: 'tool_result', content: 'x' }] }] }],
  ['of OpenAI’s responses', { input: [user, { type: 'function_call_output', output: 'x' }] }],
])('a result of a tool %s is an agent’s', (_, body) => {
  expect(of(body)).toEqual({ 'x-initiator': 'agent' });
});

test('an image is said, wherever it stands, and no text that speaks of one', () => {
  const shown = (block: object) => of({ messages: [{ role: 'user', content: [block] }] })['x-images'];
  expect(shown({ type: 'image_url', image_url: { url: 'https://example.com/a.png' } })).toBe('true');
  expect(shown({ type: 'image', source: {} })).toBe('true');
  expect(shown({ type: 'tool_result', content: [{ type: 'image' }] })).toBe('true');
  expect(of({ input: [{ role: 'user', content: [{ type: 'input_image' }] }] })['x-images']).toBe('true');
  expect(shown({ type: 'text', text: '{"type":"image"}' })).toBeUndefined();
});

test('a body that is no JSON is nobody’s in particular', () => {
  expect(turnHeaders(names, 'half {')).toEqual({ 'x-initiator': 'user' });
  expect(turnHeaders(names, new Uint8Array(3))).toEqual({});
});
