import { describe, expect, test } from 'bun:test';
import type { Part } from '../../../src/core/conversation.ts';
import { assistant, call, conversation, messagesSent, result, sent, user } from './chat-parts.ts';

describe('reasoning', () => {
  const wish = (effort: string | null, budget: number | null = null, summary: string | null = null) => ({
    effort,
    budget,
    summary,
  });
  const fields = (reasoning: ReturnType<typeof wish>, to: Parameters<typeof sent>[1] = {}) => {
    const { body, encoded } = sent(conversation([user('x')], { reasoning }), to);
    const { model: _, messages: __, ...rest } = body;
    return [rest, encoded.dropped];
  };

  test('the level in the field of the vendor', () => {
    expect(fields(wish('low'))).toEqual([{ reasoning_effort: 'low' }, []]);
    expect(fields(wish('none'))).toEqual([{ reasoning_effort: 'none' }, []]);
    expect(fields(wish('max'))).toEqual([{ reasoning_effort: 'xhigh' }, []]);
    expect(fields(wish('high'), { quirks: { noReasoningEffort: true } })).toEqual([{}, ['effort']]);
    const thinking = { thinkingSwitch: 'thinking' } as const;
    expect(fields(wish('high'), { quirks: thinking })).toEqual([{ thinking: { type: 'enabled' }, reasoning_effort: 'high' }, []]);
    expect(fields(wish('high'), { quirks: { ...thinking, noReasoningEffort: true } })).toEqual([
      { thinking: { type: 'enabled' } },
      [],
    ]);
    expect(fields(wish('none'), { quirks: thinking })).toEqual([{ thinking: { type: 'disabled' } }, []]);
    const reasoning = { thinkingSwitch: 'reasoning' } as const;
    expect(fields(wish('low', null, 'none'), { quirks: reasoning })).toEqual([
      { reasoning: { effort: 'low', exclude: true } },
      [],
    ]);
    expect(fields(wish(null, 3000), { quirks: reasoning })).toEqual([{ reasoning: { max_tokens: 3000 } }, []]);
    expect(fields(wish('none'), { quirks: { thinkingSwitch: 'enable_thinking' } })).toEqual([{ enable_thinking: false }, []]);
    expect(fields(wish('low', null, 'auto'))).toEqual([{ reasoning_effort: 'low' }, ['reasoningSummary']]);
  });

  test('a budget is the nearest level', () => {
    const levels: readonly [number, string][] = [
      [0, 'none'],
      [1, 'minimal'],
      [1024, 'minimal'],
      [2048, 'low'],
      [4096, 'low'],
      [8192, 'medium'],
      [31_999, 'high'],
    ];
    for (const [budget, level] of levels) expect(fields(wish(null, budget))).toEqual([{ reasoning_effort: level }, []]);
  });

  test('the levels that the model has', () => {
    const facts = { id: 'm', efforts: { minimal: null, low: 'lite', xhigh: null, none: null } };
    expect(fields(wish('low'), { facts })).toEqual([{ reasoning_effort: 'lite' }, []]);
    expect(fields(wish('minimal'), { facts })).toEqual([{ reasoning_effort: 'lite' }, []]);
    expect(fields(wish('none'), { facts })).toEqual([{}, ['effort']]);
    expect(fields(wish('max'), { facts })).toEqual([{ reasoning_effort: 'lite' }, []]);
    expect(fields(wish('low'), { facts: { id: 'm', reasoning: false } })).toEqual([{}, ['effort']]);
    expect(fields(wish('none'), { facts: { id: 'm', reasoning: false } })).toEqual([{}, []]);
  });

  test('litellm#15601: a vendor that wants its reasoning back gets it with calls, and a field without it', () => {
    const hm: Part = { type: 'reasoning', text: 'hm', signature: 's' };
    const turns = [
      user('x'),
      assistant(hm, call('a')),
      user(result('a', 'r')),
      assistant(call('b')),
      user(result('b', 'r')),
      assistant(hm, 'z'),
    ];
    const wanting = messagesSent(conversation(turns), { quirks: { wantsReasoning: true } });
    expect(wanting.flatMap(({ role, reasoning_content: text }) => (role === 'assistant' ? [text] : []))).toEqual([
      'hm',
      '',
      undefined,
    ]);
    expect(JSON.stringify(messagesSent(conversation(turns)))).not.toContain('hm');
  });
});
