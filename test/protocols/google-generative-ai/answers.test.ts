/** Answers for Google's clients, whole and as streams, and whole answers of upstreams. */
import { describe, expect, test } from 'bun:test';
import { unfold } from '../../../src/core/answers.ts';
import type { Answer, Part } from '../../../src/core/conversation.ts';
import { noTokenCounts } from '../../../src/core/usage.ts';
import { decodeAnswer } from '../../../src/protocols/google-generative-ai/decode-answer.ts';
import { encodeAnswer } from '../../../src/protocols/google-generative-ai/encode-answer.ts';
import { encoded, eventsOf, type Fields, making } from './fixtures.ts';

const call = (id: string, args: string, kind: 'function' | 'custom' = 'function'): Part => ({
  type: 'toolCall',
  id,
  name: 'f',
  kind,
  arguments: args,
});
const answer = (parts: readonly Part[], rest: Partial<Answer> = {}): Answer => ({
  id: 'a1',
  model: 'm1',
  parts,
  tokens: { ...noTokenCounts, prompt: 10, completion: 7, reasoning: 3, cacheRead: 4 },
  end: { reason: 'stop', sequence: null, unknown: null },
  ...rest,
});
const whole = (made: Answer) => JSON.parse(encodeAnswer(made, making)) as Fields;
const partsIn = (fields: Fields) => (fields['candidates'] as { content: { parts: Fields[] } }[])[0]!.content.parts;
const streamed = (made: Answer) => eventsOf(encoded(unfold(made)));

describe('an answer for a client', () => {
  const full = answer([
    { type: 'reasoning', text: 'T', signature: 'ola-r1.m.s' },
    { type: 'text', text: 'w “x” \u2028' },
    call('c1', '{"id":12345678901234567890}'),
    call('c2', 'raw', 'custom'),
  ]);

  test('has its parts, its end and its counts', () => {
    expect(whole(full)).toMatchObject({
      candidates: [{ content: { role: 'model' }, finishReason: 'STOP', index: 0 }],
      usageMetadata: {
        promptTokenCount: 10,
        candidatesTokenCount: 4,
        thoughtsTokenCount: 3,
        cachedContentTokenCount: 4,
        totalTokenCount: 17,
      },
      modelVersion: 'm1',
      responseId: 'a1',
    });
    expect(partsIn(whole(full))).toMatchObject([
      { text: 'T', thought: true, thoughtSignature: btoa('ola-r1.m.s') },
      { text: 'w “x” \u2028' },
      { functionCall: { id: 'c1', name: 'f' } },
      { functionCall: { id: 'c2', name: 'f', args: { input: 'raw' } } },
    ]);
    expect(encodeAnswer(full, making)).toContain('"args":{"id":12345678901234567890}');
  });

  test('as a stream has the same parts, the signature behind its thought, and the end in the last chunk alone', () => {
    const events = streamed(full);
    expect(events.flatMap(partsIn)).toEqual([
      { text: 'T', thought: true },
      { text: '', thought: true, thoughtSignature: btoa('ola-r1.m.s') },
      ...partsIn(whole(full)).slice(1),
      { text: '' },
    ]);
    const reasons = events.map((event) => (event['candidates'] as Fields[])[0]!['finishReason']);
    expect(reasons).toEqual([...Array<undefined>(events.length - 1).fill(undefined), 'STOP']);
    expect(events.at(-1)).toMatchObject({ usageMetadata: { totalTokenCount: 17 }, responseId: 'a1' });
    expect(events.slice(0, -1).some((event) => 'usageMetadata' in event)).toBe(false);
  });

  test('of an upstream that names neither itself nor its model has the client’s words', () => {
    expect(whole(answer([], { id: null, model: null }))).toMatchObject({ responseId: 'req-1', modelVersion: 'asked/model' });
    expect(streamed(answer([], { id: null, model: null }))[0]).toMatchObject({
      responseId: 'req-1',
      modelVersion: 'asked/model',
    });
  });

  test('D10: a call that the length limit cut is left out, the reason stays', () => {
    const cut = answer([{ type: 'text', text: 'a' }, call('c1', '{"file":"a')], {
      end: { reason: 'length', sequence: null, unknown: null },
    });
    expect(partsIn(whole(cut))).toEqual([{ text: 'a' }]);
    expect(whole(cut)).toMatchObject({ candidates: [{ finishReason: 'MAX_TOKENS' }] });
    const open = [...unfold(cut)].filter((step) => step.type !== 'partEnd' || step.index !== 1);
    const events = eventsOf(encoded(open));
    expect(events.flatMap(partsIn)).toEqual([{ text: 'a' }, { text: '' }]);
    expect(events.at(-1)).toMatchObject({ candidates: [{ finishReason: 'MAX_TOKENS' }] });
  });

  test('has encrypted reasoning on an empty thought, which comes back as what it was', () => {
    const [part] = partsIn(whole(answer([{ type: 'reasoning', text: '', redacted: 'ola-r1.m.e' }])));
    expect(part).toEqual({ text: '', thought: true, thoughtSignature: btoa('ola-redacted.ola-r1.m.e') });
  });

  test('that was filtered ends as SAFETY', () => {
    expect(whole(answer([], { end: { reason: 'contentFilter', sequence: null, unknown: null } }))).toMatchObject({
      candidates: [{ content: { parts: [] }, finishReason: 'SAFETY' }],
    });
  });

  test('in interleaved steps has the arguments of each call whole', () => {
    const events = eventsOf(
      encoded([
        { type: 'begin', id: null, model: null },
        { type: 'partBegin', index: 0, part: call('1', '') },
        { type: 'partBegin', index: 1, part: call('2', '') },
        { type: 'partDelta', index: 0, text: '{"a"' },
        { type: 'partDelta', index: 1, text: '{"b":2}' },
        { type: 'partDelta', index: 0, text: ':1}' },
        { type: 'partEnd', index: 1 },
        { type: 'partEnd', index: 0 },
        { type: 'end', end: { reason: 'toolCalls', sequence: null, unknown: null } },
      ]),
    );
    expect(events.flatMap(partsIn).slice(0, 2)).toMatchObject([
      { functionCall: { id: '2', args: { b: 2 } } },
      { functionCall: { id: '1', args: { a: 1 } } },
    ]);
  });
});

describe('a whole answer of an upstream', () => {
  const candidate = { content: { parts: [{ text: 'a' }], role: 'model' }, finishReason: 'STOP', index: 0 };

  test('is one, or the list of chunks of a stream without events', () => {
    const list = [{ candidates: [{ ...candidate, finishReason: undefined }] }, { candidates: [candidate], responseId: 'r' }];
    expect(decodeAnswer(JSON.stringify({ candidates: [candidate] }))).toMatchObject({
      parts: [{ text: 'a' }],
      end: { reason: 'stop' },
    });
    expect(decodeAnswer(JSON.stringify(list))).toMatchObject({ parts: [{ type: 'text', text: 'aa' }] });
  });

  test('keeps integers above 2^53', () => {
    const text =
      '{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"id":12345678901234567890}}}]},"finishReason":"STOP"}]}';
    for (const each of [text, `[${text}]`])
      expect(decodeAnswer(each)).toMatchObject({ parts: [{ arguments: '{"id":12345678901234567890}' }] });
  });

  test('that is none is a failure, without repeating it', () => {
    const none = [
      '',
      'null',
      '[]',
      '7',
      '"x"',
      '<html>CANARY',
      '{}',
      '{"candidates":[]}',
      '{"candidates":"x"}',
      '[7]',
      '{'.repeat(2000),
      '{"candidates":[{}]}',
    ];
    for (const text of none) {
      const answered = decodeAnswer(text);
      expect([text.slice(0, 30), answered]).toMatchObject([text.slice(0, 30), { kind: 'malformed' }]);
      expect(JSON.stringify(answered)).not.toContain('CANARY');
    }
  });

  test('that tells an error is a failure, alone or in a list', () => {
    const error = { error: { code: 503, message: 'overloaded', status: 'UNAVAILABLE' } };
    for (const each of [error, [error]])
      expect(decodeAnswer(JSON.stringify(each))).toMatchObject({ kind: 'overloaded', status: 503 });
  });

  test('of a prompt that was blocked is a content filter', () => {
    expect(decodeAnswer('{"promptFeedback":{"blockReason":"OTHER"}}')).toMatchObject({
      parts: [],
      end: { reason: 'contentFilter' },
    });
  });
});
