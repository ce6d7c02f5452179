import { describe, expect, test } from 'bun:test';
import type { ToolCallPart } from '../../../src/core/conversation.ts';
import { digestOf } from '../../../src/gateway/access/tokens.ts';
import { createReasoningMemories } from '../../../src/gateway/inference/reasoning-memory.ts';

const call: ToolCallPart = { type: 'toolCall', id: 'c1', name: 'look', kind: 'function', arguments: '{"at": 1}' };
const reasoning = { beforeText: [{ type: 'reasoning', text: 'hm', signature: 's' }], behindText: [] } as const;

function memories() {
  const clock = { now: 0 };
  return { clock, of: createReasoningMemories(digestOf, () => clock.now).of };
}

describe('the reasoning in front of a tool call', () => {
  test('is remembered for the caller and the maker it was made for, and for no other', () => {
    const { of } = memories();
    of('tok_1', 'm1').keep(call, reasoning);
    expect(of('tok_1', 'm1').recall(call)).toEqual(reasoning);
    expect(of('tok_2', 'm1').recall(call)).toBeNull();
    expect(of('tok_1', 'm2').recall(call)).toBeNull();
  });

  test('is found by id, name and arguments, however these are spaced; any other call is a miss', () => {
    const { of } = memories();
    const memory = of('tok_1', 'm1');
    memory.keep(call, reasoning);
    expect(memory.recall({ ...call, arguments: '{"at":1}' })).toEqual(reasoning);
    for (const other of [{ id: 'c2' }, { name: 'seek' }, { arguments: '{"at":2}' }, { arguments: '{"at' }])
      expect(memory.recall({ ...call, ...other })).toBeNull();
  });

  test('takes a call without arguments for one with an empty object', () => {
    const memory = memories().of('tok_1', 'm1');
    memory.keep({ ...call, arguments: '' }, reasoning);
    expect(memory.recall({ ...call, arguments: '{}' })).toEqual(reasoning);
  });

  test('is forgotten two hours after it was made', () => {
    const { clock, of } = memories();
    const memory = of('tok_1', 'm1');
    memory.keep(call, reasoning);
    clock.now = 2 * 60 * 60 * 1000 - 1;
    expect(memory.recall(call)).not.toBeNull();
    clock.now += 1;
    expect(memory.recall(call)).toBeNull();
  });

  test('takes 16 MiB at most: what was not asked for longest goes first, and too much of one call is not kept', () => {
    const { of } = memories();
    const memory = of('tok_1', 'm1');
    const long = (characters: number) =>
      ({ beforeText: [{ type: 'reasoning', text: 'x'.repeat(characters) }], behindText: [] }) as const;
    memory.keep({ ...call, id: 'huge' }, long(1024 * 1024));
    expect(memory.recall({ ...call, id: 'huge' })).toBeNull();
    const each = 900 * 1024;
    for (let n = 0; n < 9; n++) memory.keep({ ...call, id: `c${n}` }, long(each));
    expect(memory.recall({ ...call, id: 'c0' })).not.toBeNull();
    memory.keep({ ...call, id: 'c9' }, long(each));
    expect(memory.recall({ ...call, id: 'c1' })).toBeNull();
    expect(memory.recall({ ...call, id: 'c0' })).not.toBeNull();
    expect(memory.recall({ ...call, id: 'c9' })).not.toBeNull();
  });
});
