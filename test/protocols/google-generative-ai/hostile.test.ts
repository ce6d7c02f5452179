/** Requests and answers of very many parts: each part costs the same, whatever stands before it. */
import { expect, test } from 'bun:test';
import type { Part } from '../../../src/core/conversation.ts';
import { decodeAnswer } from '../../../src/protocols/google-generative-ai/decode-answer.ts';
import { decodeRequest } from '../../../src/protocols/google-generative-ai/decode-request.ts';
import { assistant, call, result, sent, user } from './conversations.ts';
import { decoded, parts, stop } from './fixtures.ts';

const many = 60_000;
const list = <Item>(make: (at: number) => Item): Item[] => Array.from({ length: many }, (_, at) => make(at));

test('calls and results without ids', () => {
  const contents = [
    { role: 'model', parts: list(() => ({ functionCall: { name: 'f', args: {} } })) },
    { role: 'user', parts: list(() => ({ functionResponse: { name: 'f', response: {} } })) },
  ];
  const [, results] = decodeRequest({ contents }).turns;
  expect(results?.parts.at(-1)).toMatchObject({ callId: `call_${many}` });
});

test('chunks of one streamed answer as contents of their own', () => {
  const contents = list((at) => ({ role: 'model', parts: [{ text: String(at), thought: at % 2 === 0 }] }));
  expect(decodeRequest({ contents }).turns).toHaveLength(1);
});

test('calls of one answer and their results in the opposite order', () => {
  const calls = list((at) => call(`c${at}`));
  const turns = [user('a'), assistant(...calls), user(...list((at) => result(`c${many - 1 - at}`, 'r')))];
  expect(sent({ turns }).contents[2]?.parts).toHaveLength(many);
});

test('turns of alternating roles', () => {
  const turns = list((at) => (at % 2 === 0 ? user('a') : assistant('b')));
  expect(sent({ turns }).contents).toHaveLength(many);
});

test('signatures that stand on nothing', () => {
  const signed: Part = { type: 'reasoning', text: '', signature: 'text.YQ' };
  expect(sent({ turns: [user('a'), assistant(...list(() => signed))] }).contents[1]?.parts).toHaveLength(many);
});

test('parts of an answer, whole and in chunks', () => {
  const one = { functionCall: { name: 'f', args: { id: 12345678 } } };
  const answer = { candidates: [{ content: { parts: list(() => one) }, finishReason: 'STOP' }] };
  expect(decodeAnswer(JSON.stringify(answer))).toMatchObject({ end: { reason: 'toolCalls' } });
  const { steps } = decoded(list(() => parts([{ text: 'a' }])).join('') + stop);
  expect(steps.at(-1)?.type).toBe('end');
});

test('parts of an answer with a number that no double holds', () => {
  const one = '{"functionCall":{"name":"f","args":{"id":12345678901234567890}}}';
  const text = `{"candidates":[{"content":{"parts":[${list(() => one).join(',')}]},"finishReason":"STOP"}]}`;
  const answer = decodeAnswer(text);
  expect('parts' in answer && answer.parts.at(-1)).toMatchObject({ arguments: '{"id":12345678901234567890}' });
});
