import { describe, expect, test } from 'bun:test';
import { fold, unfold } from '../../src/core/answers.ts';
import type { Answer, Step } from '../../src/core/conversation.ts';
import { noTokenCounts } from '../../src/core/usage.ts';

const end = { reason: 'toolCalls', sequence: null, unknown: null } as const;
const call = { type: 'toolCall', id: 'c1', name: 'look', kind: 'function' } as const;

const answer: Answer = {
  id: 'a1',
  model: 'm',
  parts: [
    { type: 'reasoning', text: 'first', signature: 'sig' },
    { type: 'text', text: 'Let me look.' },
    { ...call, arguments: '{"at":1}' },
  ],
  tokens: { ...noTokenCounts, prompt: 3, completion: 5 },
  end,
};

describe('the steps of an answer', () => {
  test('fold to the answer that they were taken from', () => {
    expect(fold(unfold(answer))).toEqual(answer);
  });

  test('may come in pieces: texts are joined, a signature comes behind its text, the last counts win', () => {
    const steps: Step[] = [
      { type: 'begin', id: 'a1', model: 'm' },
      { type: 'usage', tokens: { ...noTokenCounts, prompt: 3 } },
      { type: 'partBegin', index: 0, part: { type: 'reasoning', text: 'fi' } },
      { type: 'partDelta', index: 0, text: 'rst' },
      { type: 'partEnd', index: 0, signature: 'sig' },
      { type: 'partBegin', index: 1, part: { type: 'text', text: '' } },
      { type: 'partBegin', index: 2, part: { ...call, arguments: '' } },
      { type: 'partDelta', index: 2, text: '{"at"' },
      { type: 'partDelta', index: 1, text: 'Let me look.' },
      { type: 'partDelta', index: 2, text: ':1}' },
      { type: 'partEnd', index: 1 },
      { type: 'partEnd', index: 2 },
      { type: 'usage', tokens: answer.tokens },
      { type: 'end', end },
    ];
    expect(fold(steps)).toEqual(answer);
  });

  test('of an index that has not begun are left out', () => {
    const stray: Step[] = [
      { type: 'partDelta', index: 7, text: 'x' },
      { type: 'partEnd', index: 7, signature: 's' },
      { type: 'partBegin', index: 2, part: { type: 'refusal', text: 'no' } },
    ];
    expect(fold(stray).parts).toEqual([{ type: 'refusal', text: 'no' }]);
  });
});
