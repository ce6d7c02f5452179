import { expect, test } from 'bun:test';
import { type Conversation, noSampling, type Part } from '../../src/core/conversation.ts';
import { estimateTokens } from '../../src/protocols/estimate.ts';

const of = (...parts: readonly Part[]): Conversation => ({
  ...{ system: [], tools: [], toolChoice: null, parallelTools: null, maxTokens: null, sampling: noSampling, stop: [] },
  ...{ format: null, reasoning: null, cacheKey: null, user: null, stream: false, extras: {}, unknown: [] },
  turns: [{ role: 'user', parts }],
});
const text = (words: string): Part => ({ type: 'text', text: words });
const image = (data: string): Part => ({
  type: 'media',
  kind: 'image',
  name: null,
  source: { mime: 'image/png', detail: null, data },
});

test('four Latin letters are about a token, and a character of another script is one', () => {
  const rest = estimateTokens(of());
  expect(estimateTokens(of(text('x'.repeat(4000)))) - rest).toBe(1000);
  expect(estimateTokens(of(text('語'.repeat(1000)))) - rest).toBe(1000);
});

test('an image counts the same however many bytes it has, inside a tool result too', () => {
  expect(estimateTokens(of(image('AAAA')))).toBe(estimateTokens(of(image('A'.repeat(1_000_000)))));
  const result: Part = { type: 'toolResult', callId: 'c1', isError: false, parts: [image('AAAA')] };
  expect(estimateTokens(of(result))).toBeGreaterThan(1600);
});

test('tools count with their schemas, and nothing at all is one token', () => {
  const tool = {
    kind: 'function',
    name: 'look',
    description: 'x'.repeat(400),
    parameters: { type: 'object' },
    strict: null,
  } as const;
  expect(estimateTokens({ ...of(), tools: [tool] }) - estimateTokens(of())).toBeGreaterThan(100);
  expect(estimateTokens({ ...of(), turns: [] })).toBe(1);
});
