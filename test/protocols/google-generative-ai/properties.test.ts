/** What must hold for any answer and any history. */
import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { fold, unfold } from '../../../src/core/answers.ts';
import type { Answer, Part, Step, Turn } from '../../../src/core/conversation.ts';
import { decodeAnswer } from '../../../src/protocols/google-generative-ai/decode-answer.ts';
import { decodeRequest } from '../../../src/protocols/google-generative-ai/decode-request.ts';
import { encodeAnswer } from '../../../src/protocols/google-generative-ai/encode-answer.ts';
import { sent } from './conversations.ts';
import { decoded, encoded, type Fields, making } from './fixtures.ts';

const words = fc.string({ unit: 'grapheme', maxLength: 12 });
const said = words.filter((each) => each !== '');
const id = fc.constantFrom('toolu_1', 'call_2', 'a.b', 'a:b', 'functions.Bash:0', 'x'.repeat(90));
const args = fc
  .dictionary(fc.string({ maxLength: 5 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 })
  .map((value) => JSON.stringify(value));
const signature = fc.constantFrom('YWJj', 'ZGVm', 'text.YWJj');

const textPart: fc.Arbitrary<Part> = words.map((text) => ({ type: 'text', text }));
const signed: fc.Arbitrary<Part> = fc
  .tuple(words, signature)
  .map(([text, each]) => ({ type: 'reasoning', text, signature: each }));
const unsigned: fc.Arbitrary<Part> = words.map((text) => ({ type: 'reasoning', text }));
const callPart: fc.Arbitrary<Part> = fc
  .tuple(id, said, args)
  .map(([callId, name, json]) => ({ type: 'toolCall', id: callId, name, kind: 'function', arguments: json }));

const count = fc.nat({ max: 1_000_000 });
const answer: fc.Arbitrary<Answer> = fc.record({
  id: said,
  model: said,
  parts: fc.array(fc.oneof(textPart, unsigned, callPart), { maxLength: 5 }),
  tokens: fc.tuple(count, count, fc.option(count), fc.option(count)).map(([prompt, rest, cacheRead, reasoning]) => ({
    prompt,
    completion: rest + (reasoning ?? 0),
    cacheRead,
    cacheWrite: null,
    reasoning,
  })),
  end: fc.constantFrom('stop', 'length', 'contentFilter').map((reason) => ({ reason, sequence: null, unknown: null })),
});

/** Google's form has no borders between texts, and no empty ones; a call that comes twice is one, two of one id have two. */
function asGoogle({ parts, end, ...rest }: Answer): Answer {
  const kept: Part[] = [];
  const calls = new Set<string>();
  const ids = new Map<string, number>();
  for (const part of parts) {
    const before = kept.at(-1);
    const isText = part.type === 'text' || part.type === 'reasoning';
    if (part.type === 'toolCall') {
      const key = JSON.stringify([part.id, part.name, part.arguments]);
      if (calls.has(key)) continue;
      calls.add(key);
      const times = (ids.get(part.id) ?? 0) + 1;
      ids.set(part.id, times);
      kept.push(times === 1 ? part : { ...part, id: `${part.id}_${times}` });
    } else if (isText && before?.type === part.type) kept.splice(-1, 1, { ...before, text: before.text + part.text } as Part);
    else if (isText && part.text !== '') kept.push(part);
  }
  const isCalled = end.reason === 'stop' && kept.some(({ type }) => type === 'toolCall');
  return { ...rest, parts: kept, end: { ...end, reason: isCalled ? 'toolCalls' : end.reason } };
}

test('a whole answer comes back from a client’s form as it was', () => {
  fc.assert(fc.property(answer, (whole) => expect(decodeAnswer(encodeAnswer(whole, making))).toEqual(asGoogle(whole))));
});

/** The steps of an answer, its texts in pieces. */
function* inPieces(whole: Answer, cut: number): Generator<Step> {
  for (const step of unfold(whole)) {
    if (step.type !== 'partBegin') yield step;
    else {
      const { part, index } = step;
      const text = part.type === 'toolCall' ? part.arguments : part.type === 'text' || part.type === 'reasoning' ? part.text : '';
      yield { ...step, part: (part.type === 'toolCall' ? { ...part, arguments: '' } : { ...part, text: '' }) as Part };
      for (const piece of [text.slice(0, cut), text.slice(cut)]) yield { type: 'partDelta', index, text: piece };
    }
  }
}

test('a stream folds to the same answer on the other side, in whatever pieces', () => {
  fc.assert(
    fc.property(answer, fc.nat({ max: 6 }), (whole, cut) => {
      const { steps: back, fault } = decoded(encoded(inPieces(whole, cut)));
      expect(fault).toBeNull();
      expect(fold(back)).toEqual(asGoogle(whole));
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
  fc.record({
    role: fc.constant('assistant' as const),
    parts: fc.array(fc.oneof(textPart, signed, unsigned, callPart), { maxLength: 4 }),
  }),
  fc.record({ role: fc.constant('system' as const), parts: fc.array(textPart, { maxLength: 2 }) }),
);
const history = fc
  .array(turn, { maxLength: 8 })
  .map((turns): Turn[] => [{ role: 'user', parts: [{ type: 'text', text: 'Start.' }] }, ...turns]);

/** The rules of Google's API for contents. @param plain those of Gemini before 3 */
function checkRules(contents: readonly { role: string; parts: readonly Fields[] }[], plain: boolean): void {
  expect(contents[0]!.role).toBe('user');
  for (const [at, { role, parts }] of contents.entries()) {
    expect(parts.length).toBeGreaterThan(0);
    if (role === 'model') expect(contents[at - 1]!.role).toBe('user');
    const calls = parts.flatMap((part) => (part['functionCall'] ? [part] : []));
    const results = parts.filter((part) => part['functionResponse']);
    // Results stand alone in their content, as many as there are calls, in their order.
    if (results.length > 0) expect(results.length).toBe(parts.length);
    const namesOf = (list: readonly Fields[], name: string) =>
      list.map((part) => {
        const { id: own, name: called } = part[name] as Fields;
        return [own, called];
      });
    if (role === 'model') {
      const next = contents[at + 1];
      const answered = next?.parts.filter((part) => part['functionResponse']) ?? [];
      expect(namesOf(answered, 'functionResponse')).toEqual(namesOf(calls, 'functionCall'));
      if (calls.length > 0 && !plain) expect(calls[0]!['thoughtSignature']).toBeString();
      for (const part of calls) expect((part['functionCall'] as Fields)['id'] === undefined).toBe(plain);
    } else expect(calls).toEqual([]);
  }
}

test('any history obeys the rules of Google’s API, and is sent the same in the next turn', () => {
  fc.assert(
    fc.property(history, fc.boolean(), (turns, plain) => {
      const facts = plain ? ({ plainCalls: true } as const) : {};
      const { contents, text } = sent({ turns }, facts);
      checkRules(contents, plain);
      expect(sent({ turns }, facts).text).toBe(text);
    }),
  );
});

test('any history of a client is read, or refused by a field', () => {
  const odd = fc.jsonValue({ maxDepth: 4 });
  const part = fc.oneof(
    fc.dictionary(
      fc.constantFrom(
        'text',
        'thought',
        'thoughtSignature',
        'functionCall',
        'function_call',
        'functionResponse',
        'inlineData',
        'fileData',
      ),
      odd,
    ),
    odd,
  );
  const content = fc.oneof(
    fc.record({ role: fc.constantFrom('user', 'model', 'function'), parts: fc.array(part, { maxLength: 3 }) }),
    odd,
  );
  fc.assert(
    fc.property(fc.array(content, { maxLength: 4 }), odd, odd, odd, (contents, tools, generationConfig, systemInstruction) => {
      try {
        expect(decodeRequest({ contents, tools, generationConfig, systemInstruction }).turns).toBeArray();
      } catch (error) {
        expect(error).toMatchObject({ code: 'invalid_request', facts: { param: expect.any(String) } });
      }
    }),
  );
});
