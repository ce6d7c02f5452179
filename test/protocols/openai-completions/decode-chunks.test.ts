import { describe, expect, test } from 'bun:test';
import { noTokenCounts } from '../../../src/core/usage.ts';
import { answered, chunk, decodeText, done, outline, stop } from './chat-parts.ts';

describe('reasoning, text and choices', () => {
  const parts = (stream: string) => answered(stream + stop).answer.parts;

  test('litellm#20246: reasoning in each of its fields, once where two have the same text', () => {
    for (const name of ['reasoning_content', 'reasoning', 'reasoning_text'])
      expect(parts(chunk({ [name]: 'h' }) + chunk({ [name]: 'm', content: '' }) + chunk({ content: 'a' }))).toEqual([
        { type: 'reasoning', text: 'hm' },
        { type: 'text', text: 'a' },
      ]);
    expect(parts(chunk({ reasoning_content: 'x', reasoning: 'x' }))).toEqual([{ type: 'reasoning', text: 'x' }]);
    const both = { reasoning: 'x', reasoning_details: [{ type: 'reasoning.text', text: 'x', index: 0 }] };
    expect(parts(chunk(both))).toEqual([{ type: 'reasoning', text: 'x' }]);
  });

  test('details: a signature behind its text, encrypted reasoning, several parts', () => {
    const detail = (entry: object) => chunk({ reasoning_details: [entry] });
    expect(
      parts(
        detail({ type: 'reasoning.text', text: 'h', index: 0 }) +
          detail({ type: 'reasoning.text', text: 'm', index: 0 }) +
          detail({ type: 'reasoning.text', signature: 's', index: 0 }) +
          detail({ type: 'reasoning.summary', summary: 'so', index: 1 }) +
          detail({ type: 'reasoning.encrypted', data: 'd', id: 'rs_1', index: 2 }) +
          chunk({ content: 'a' }),
      ),
    ).toEqual([
      { type: 'reasoning', text: 'hm', signature: 's' },
      { type: 'reasoning', text: 'so' },
      { type: 'reasoning', text: '', redacted: 'd', id: 'rs_1' },
      { type: 'text', text: 'a' },
    ]);
  });

  test('parts keep their order, and a refusal is one', () => {
    const seen = answered(
      chunk({ content: 'a' }) + chunk({ reasoning: 'r' }) + chunk({ content: 'b' }) + chunk({ refusal: 'no' }) + stop,
    );
    expect(seen.answer.parts.map(({ type }) => type)).toEqual(['text', 'reasoning', 'text', 'refusal']);
    expect(seen.answer.end.reason).toBe('refusal');
    expect(outline(seen.steps).join()).toBe([0, 1, 2, 3].map((at) => `partBegin ${at},partEnd ${at}`).join());
  });

  test('content as a list of parts, and the legacy text', () => {
    const list = [
      { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] },
      { type: 'text', text: 'a' },
    ];
    expect(parts(chunk({ content: list }))).toEqual([
      { type: 'reasoning', text: 'hm' },
      { type: 'text', text: 'a' },
    ]);
    const legacy = (text: string, finish: string | null) =>
      `data: ${JSON.stringify({ id: 'cmpl', choices: [{ index: 0, text, finish_reason: finish }] })}\n\n`;
    expect(answered(legacy('a', null) + legacy('b', 'length') + done).answer).toMatchObject({
      parts: [{ text: 'ab' }],
      end: { reason: 'length' },
    });
  });

  test('a complete message behind its deltas is not a second one', () => {
    const whole = { choices: [{ index: 0, message: { content: 'a' }, finish_reason: 'stop' }] };
    expect(answered(chunk({ content: 'a' }) + chunk({}, null, whole) + done).answer.parts).toEqual([{ type: 'text', text: 'a' }]);
    expect(answered(chunk({}, null, whole) + done).answer.parts).toEqual([{ type: 'text', text: 'a' }]);
  });

  test('choices that one answer was cut into are merged; another answer beside it is not read', () => {
    const of = (index: number, delta: object, finish: string | null = null) =>
      `data: ${JSON.stringify({ id: 'x', choices: [{ index, delta, finish_reason: finish }] })}\n\n`;
    const made = { tool_calls: [{ index: 0, id: 'c', function: { name: 'f', arguments: '{}' } }] };
    const split = of(0, { content: 'a' }) + of(1, made) + of(0, {}, 'stop') + of(1, {}, 'tool_calls');
    expect(answered(split).answer).toMatchObject({ parts: [{ text: 'a' }, { id: 'c' }], end: { reason: 'toolCalls' } });
    const second = of(0, { content: 'a' }) + of(1, { content: 'b' }) + of(0, {}, 'stop') + of(1, {}, 'stop');
    expect(answered(second).answer.parts).toEqual([{ type: 'text', text: 'a' }]);
    expect(decodeText(of(0, { content: 'a' }, 'stop') + of(1, { content: 'b' })).ended).toBe(false);
  });

  test('langchain-litellm#20: usage in its places; unknown stays unknown', () => {
    const usage = { prompt_tokens: 3, completion_tokens: 2, prompt_cache_hit_tokens: 1 };
    const counted = { ...noTokenCounts, prompt: 3, completion: 2, cacheRead: 1 };
    const text = chunk({ content: 'a' });
    expect(answered(text + chunk({}, 'stop', { usage }) + done).answer.tokens).toEqual(counted);
    expect(answered(text + chunk({}, 'stop') + chunk({}, null, { choices: [], usage }) + done).answer.tokens).toEqual(counted);
    const inChoice = { choices: [{ index: 0, delta: {}, finish_reason: 'stop', usage }] };
    expect(answered(text + chunk({}, null, inChoice) + done).answer.tokens).toEqual(counted);
    expect(answered(chunk({ content: 'a' }, null, { usage: null }) + stop).answer.tokens).toEqual(noTokenCounts);
    const running = chunk({ content: 'b' }, null, { usage: { prompt_tokens: 3, completion_tokens: 1 } });
    expect(answered(text + running + chunk({}, 'stop', { usage }) + done).answer.tokens).toEqual(counted);
  });
});
