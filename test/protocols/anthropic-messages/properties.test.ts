/** What must hold for any answer and any history. */
import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { fold } from '../../../src/core/answers.ts';
import type { Answer, Part, Step, Turn } from '../../../src/core/conversation.ts';
import { decodeAnswer } from '../../../src/protocols/anthropic-messages/decode-answer.ts';
import { decodeRequest } from '../../../src/protocols/anthropic-messages/decode-request.ts';
import { encodeAnswer } from '../../../src/protocols/anthropic-messages/encode-answer.ts';
import { sent } from './conversations.ts';
import { decoded, encoded, type Fields, making } from './fixtures.ts';

const words = fc.string({ unit: 'grapheme', maxLength: 12 });
const said = words.filter((each) => each.trim() !== '');
const id = fc.constantFrom('toolu_1', 'call_2', 'a.b', 'a:b', 'functions.Bash:0', 'x'.repeat(90));
const args = fc
  .dictionary(fc.string({ maxLength: 5 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 })
  .map((value) => JSON.stringify(value));

const textPart: fc.Arbitrary<Part> = words.map((text) => ({ type: 'text', text }));
const signed: fc.Arbitrary<Part> = fc.tuple(words, said).map(([text, signature]) => ({ type: 'reasoning', text, signature }));
const unsigned: fc.Arbitrary<Part> = words.map((text) => ({ type: 'reasoning', text }));
const redacted: fc.Arbitrary<Part> = said.map((data) => ({ type: 'reasoning', text: '', redacted: data }));
const callPart: fc.Arbitrary<Part> = fc
  .tuple(id, said, args)
  .map(([callId, name, json]) => ({ type: 'toolCall', id: callId, name, kind: 'function', arguments: json }));
const answerPart = fc.oneof(textPart, signed, unsigned, redacted, callPart);

const count = fc.nat({ max: 1_000_000 });
const answer: fc.Arbitrary<Answer> = fc.record({
  id: said,
  model: said,
  // The second of two calls with one id gets another one.
  parts: fc.uniqueArray(answerPart, { maxLength: 5, selector: (part) => (part.type === 'toolCall' ? part.id : {}) }),
  tokens: fc
    .tuple(count, fc.option(count), fc.option(count), count, fc.option(count), fc.boolean())
    .map(([input, cacheRead, cacheWrite, completion, reasoning, hour]) => ({
      prompt: input + (cacheRead ?? 0) + (cacheWrite ?? 0),
      completion,
      cacheRead,
      cacheWrite,
      ...(hour && cacheWrite !== null ? { cacheWriteHour: cacheWrite } : {}),
      reasoning,
    })),
  end: fc
    .tuple(fc.constantFrom('stop', 'length', 'toolCalls', 'refusal', 'pause'), fc.option(said))
    .map(([reason, sequence]) => ({ reason, sequence: reason === 'stop' ? sequence : null, unknown: null })),
});

/** A call that the length limit may have left without arguments is one without any: D10. */
function isBare({ parts, end }: Answer): boolean {
  const last = parts.at(-1);
  return end.reason === 'length' && last?.type === 'toolCall' && last.arguments === '{}';
}

test('a whole answer comes back from a client’s form as it was', () => {
  const sound = answer.filter((each) => !isBare(each));
  fc.assert(fc.property(sound, (whole) => expect(decodeAnswer(encodeAnswer(whole, making))).toEqual(whole)));
});

/** The steps of an answer, its texts in pieces, its parts one in the other. */
function steps({ id: answerId, model, parts, tokens, end }: Answer, cut: number, interleaved: boolean): Step[] {
  const begins: Step[] = [];
  const rest: Step[] = [];
  for (const [index, part] of parts.entries()) {
    const whole = part.type === 'toolCall' ? part.arguments : part.type === 'text' || part.type === 'reasoning' ? part.text : '';
    const at = Math.min(cut, whole.length);
    const bare: Part = part.type === 'toolCall' ? { ...part, arguments: '' } : ({ ...part, text: '' } as Part);
    (interleaved ? begins : rest).push({ type: 'partBegin', index, part: bare });
    for (const text of [whole.slice(0, at), whole.slice(at)]) rest.push({ type: 'partDelta', index, text });
    rest.push({ type: 'partEnd', index });
  }
  return [{ type: 'begin', id: answerId, model }, ...begins, ...rest, { type: 'usage', tokens }, { type: 'end', end }];
}

test('a stream folds to the same answer on the other side, in pieces and one part in the other', () => {
  fc.assert(
    fc.property(answer, fc.nat({ max: 6 }), fc.boolean(), (whole, cut, interleaved) => {
      const { steps: back, fault } = decoded(encoded(steps(whole, cut, interleaved)));
      expect(fault).toBeNull();
      expect(fold(back)).toEqual(whole);
    }),
  );
});

const image: Part = { type: 'media', kind: 'image', source: { mime: 'image/png', detail: null, data: 'iVBORw0K' }, name: null };
const resultPart: fc.Arbitrary<Part> = fc
  .tuple(id, fc.array(fc.oneof(textPart, fc.constant(image)), { maxLength: 2 }), fc.boolean())
  .map(([callId, parts, isError]) => ({ type: 'toolResult', callId, parts, isError }));
const turn: fc.Arbitrary<Turn> = fc.oneof(
  fc.record({
    role: fc.constant('user' as const),
    parts: fc.array(fc.oneof(textPart, resultPart, fc.constant(image)), { maxLength: 4 }),
  }),
  fc.record({ role: fc.constant('assistant' as const), parts: fc.array(answerPart, { maxLength: 4 }) }),
  fc.record({ role: fc.constant('system' as const), parts: fc.array(textPart, { maxLength: 2 }) }),
);
const history = fc
  .array(turn, { maxLength: 8 })
  .map((turns): Turn[] => [{ role: 'user', parts: [{ type: 'text', text: 'Start.' }] }, ...turns]);

/** The rules of Anthropic's API for messages. */
function checkRules(messages: readonly { role: string; content: readonly Fields[] }[]): void {
  const ids = new Set<unknown>();
  for (const [at, { role, content }] of messages.entries()) {
    expect(content.length).toBeGreaterThan(0);
    expect(role).not.toBe(messages[at - 1]?.role);
    if (role === 'system') expect(messages[at - 1]?.role).toBe('user');
    for (const { type, text } of content) if (type === 'text') expect(String(text).trim()).not.toBe('');
    const calls = content.filter(({ type }) => type === 'tool_use').map((block) => block['id']);
    for (const each of calls) {
      expect(ids.has(each)).toBe(false);
      ids.add(each);
      expect(each).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
    }
    const next = messages[at + 1]?.content ?? [];
    expect(next.slice(0, calls.length).map((block) => block['tool_use_id'])).toEqual(calls);
    expect(next.slice(calls.length).filter(({ type }) => type === 'tool_result')).toEqual([]);
  }
  expect(messages[0]!.role).toBe('user');
}

test('any history obeys the rules of Anthropic’s API, and read back it is sent the same again', () => {
  fc.assert(
    fc.property(history, fc.boolean(), (turns, mid) => {
      const facts = mid ? ({ midSystem: true } as const) : {};
      const { messages, body } = sent({ turns }, facts);
      checkRules(messages);
      const again = decodeRequest(body);
      expect(sent({ turns: again.turns }, facts).messages).toEqual(messages);
    }),
  );
});
