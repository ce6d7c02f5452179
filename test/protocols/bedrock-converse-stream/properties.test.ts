/** Any history, however broken, becomes a request that keeps Converse's rules, and the same one each time. */
import { expect, test } from 'bun:test';
import fc from 'fast-check';
import type { Conversation, Part, ToolChoice, Turn } from '../../../src/core/conversation.ts';
import { OlaError } from '../../../src/core/errors.ts';
import { tool } from '../anthropic-messages/conversations.ts';
import { claude, sent } from './conversations.ts';
import { brokenRules, type ConverseBody } from './rules.ts';

const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', ' ', '\n\t', 'word ', '\ud800'));
const id = fc.constantFrom('a', 'b', 'c.d', 'c:d', '', 'x'.repeat(90));
const cache = fc.constantFrom<object>({}, {}, { cache: { ttl: null } }, { cache: { ttl: '1h' } });
const textPart = fc.tuple(text, cache).map(([said, mark]) => ({ type: 'text', text: said, ...mark }) as Part);
const media = fc.constantFrom<Part>(
  { type: 'media', kind: 'image', source: { mime: 'image/png', detail: null, data: 'AAAA' }, name: null },
  { type: 'media', kind: 'document', source: { mime: null, detail: null, data: 'AAAA' }, name: 'a_b.pdf' },
  { type: 'media', kind: 'document', source: { mime: null, detail: null, text: 'x' }, name: null },
);
const result = fc
  .tuple(id, fc.array(fc.oneof(textPart, media), { maxLength: 3 }), fc.boolean(), cache)
  .map(([callId, parts, isError, mark]) => ({ type: 'toolResult', callId, parts, isError, ...mark }) as Part);
const call = fc
  .tuple(id, fc.constantFrom('f', 'g', ''), fc.constantFrom('{}', '', '{"x":1}', '{"half', '[]', 'null', '{"":1}'), cache)
  .map(
    ([callId, name, args, mark]) => ({ type: 'toolCall', id: callId, name, kind: 'function', arguments: args, ...mark }) as Part,
  );
const reasoning = fc.constantFrom<Part>(
  { type: 'reasoning', text: 'r' },
  { type: 'reasoning', text: '', signature: 's' },
  { type: 'reasoning', text: '', redacted: 'AAAA' },
);
const turn: fc.Arbitrary<Turn> = fc.oneof(
  fc.record({ role: fc.constant('user' as const), parts: fc.array(fc.oneof(textPart, media, result), { maxLength: 4 }) }),
  fc.record({ role: fc.constant('assistant' as const), parts: fc.array(fc.oneof(textPart, call, reasoning), { maxLength: 4 }) }),
  fc.record({ role: fc.constant('system' as const), parts: fc.array(textPart, { maxLength: 2 }) }),
);
const choice = fc.constantFrom<ToolChoice | null>(
  null,
  'auto',
  'none',
  'required',
  { name: 'f' },
  { allowed: ['g'], mode: 'auto' },
);
const conversation: fc.Arbitrary<Partial<Conversation>> = fc.record({
  system: fc.array(textPart, { maxLength: 3 }),
  turns: fc.array(turn, { maxLength: 8 }),
  tools: fc.constantFrom([], [tool('f'), tool('g', { cache: { ttl: null } })]),
  toolChoice: choice,
});

test('any conversation keeps the rules of Converse, or has nothing to say', () => {
  let told = 0;
  fc.assert(
    fc.property(conversation, fc.boolean(), (said, isClaude) => {
      const facts = isClaude ? claude : null;
      let request: ReturnType<typeof sent>;
      try {
        request = sent(said, facts);
      } catch (error) {
        if (!(error instanceof OlaError)) throw error;
        expect(error.facts.param).toBe('messages');
        return;
      }
      told++;
      const body = request.body as unknown as ConverseBody;
      expect([brokenRules(body), request.text]).toEqual([[], request.text]);
      if (said.toolChoice === 'none') expect(body.toolConfig).toBeUndefined();
      expect(request.text.isWellFormed()).toBe(true);
      expect(sent(said, facts).text).toBe(request.text);
    }),
    { seed: 20_261_129, numRuns: 600 },
  );
  expect(told).toBeGreaterThan(400);
});

test('the rules refuse what Bedrock refuses', () => {
  const user = (...content: object[]) => ({ role: 'user', content });
  const assistant = (...content: object[]) => ({ role: 'assistant', content });
  const use = { toolUse: { toolUseId: 'a', name: 'f', input: {} } };
  const bad: readonly object[][] = [
    [],
    [assistant({ text: 'a' })],
    [user({ text: 'a' }), user({ text: 'b' })],
    [user({ text: ' ' })],
    [user()],
    [user({ text: 'a' }), assistant(use)],
    [user({ text: 'a' }), assistant(use), user({ text: 'b' })],
    [user({ document: { name: 'a' } })],
    [user({ text: 'x' }, { document: { name: 'a_b' } })],
    [user({ cachePoint: {} }, { text: 'x' })],
  ];
  for (const messages of bad) expect(brokenRules({ messages } as unknown as ConverseBody)).not.toEqual([]);
  expect(brokenRules({ messages: [user({ text: 'a' })] } as unknown as ConverseBody)).toEqual([]);
});
