import { expect, test } from 'bun:test';
import type { Step } from '../../src/core/conversation.ts';
import { withCallId } from '../../src/protocols/call-ids.ts';
import { textPart, toolCall } from '../contract/hub/scene.ts';

const begin = (index: number, part: Extract<Step, { type: 'partBegin' }>['part']): Step => ({ type: 'partBegin', index, part });

test('a call without an id gets one of its answer and its place; no other step is changed', () => {
  expect(withCallId(begin(2, toolCall('')), 'req-1')).toMatchObject({ part: { id: 'call_req-1_2' } });
  for (const step of [begin(0, toolCall('x')), begin(0, textPart('')), { type: 'partEnd', index: 0 } as Step])
    expect(withCallId(step, 'req-1')).toBe(step);
});
