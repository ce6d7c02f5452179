import { expect, test } from 'bun:test';
import type { Step } from '../../src/core/conversation.ts';
import { createCallIds } from '../../src/protocols/call-ids.ts';

const begin = (id: string): Step => ({
  type: 'partBegin',
  index: 0,
  part: { type: 'toolCall', id, name: 'f', kind: 'function', arguments: '' },
});
const idsOf = (answer: string, ...ids: readonly string[]) => {
  const made = createCallIds(answer);
  return ids.map((id) => {
    const step = made.take(begin(id));
    return step.type === 'partBegin' && step.part.type === 'toolCall' ? step.part.id : null;
  });
};

test('a call keeps its id; one without, or with that of another call, gets one of the answer and its place', () => {
  expect(idsOf('r1', 'a', '', 'a', 'b', '')).toEqual(['a', 'call_r1_1', 'call_r1_2', 'b', 'call_r1_4']);
});

test('calls without ids of two answers differ', () => {
  expect(idsOf('r1', '')).not.toEqual(idsOf('r2', ''));
});

test('other steps go through', () => {
  const step: Step = { type: 'partBegin', index: 0, part: { type: 'text', text: '' } };
  expect(createCallIds('r').take(step)).toBe(step);
});
