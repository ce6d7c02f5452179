import { describe, expect, test } from 'bun:test';
import { unfold } from '../../src/core/answers.ts';
import { type Conversation, noSampling, type Part, type Step, type ToolCallPart } from '../../src/core/conversation.ts';
import type { CallReasoning, ReasoningMemory } from '../../src/core/protocol.ts';
import { wrapReasoning } from '../../src/core/signed-reasoning.ts';
import { noTokenCounts } from '../../src/core/usage.ts';
import { createAnswerReasoning } from '../../src/protocols/answer-reasoning.ts';
import { reasoningFor } from '../../src/protocols/reasoning.ts';

const text = (words: string): Part => ({ type: 'text', text: words });
const thought = (words: string, signature?: string): Part => ({
  type: 'reasoning',
  text: words,
  ...(signature === undefined ? {} : { signature }),
});
const call = (id: string): ToolCallPart => ({ type: 'toolCall', id, name: 'look', kind: 'function', arguments: '{}' });

function conversation(...parts: readonly Part[]): Conversation {
  return {
    ...{ system: [], tools: [], toolChoice: null, parallelTools: null, maxTokens: null, sampling: noSampling, stop: [] },
    ...{ format: null, reasoning: null, cacheKey: null, user: null, stream: false, extras: {}, unknown: [] },
    turns: [
      { role: 'user', parts: [text('hello')] },
      { role: 'assistant', parts },
    ],
  };
}

const assistantParts = (parts: readonly Part[], memory: ReasoningMemory | null = null, maker = 'm1') => {
  const own = reasoningFor(conversation(...parts), maker, memory);
  return { parts: own.conversation.turns[1]?.parts, cut: own.cut };
};

/** A memory over a map, by id. */
function memory(): ReasoningMemory & { readonly kept: Map<string, CallReasoning> } {
  const kept = new Map<string, CallReasoning>();
  return { kept, recall: ({ id }) => kept.get(id) ?? null, keep: ({ id }, reasoning) => void kept.set(id, reasoning) };
}

describe('reasoning of an earlier turn', () => {
  test('goes back to its maker as it was made', () => {
    const parts = [thought('hm', wrapReasoning('sig', 'm1')), text('so'), call('c1')];
    expect(assistantParts(parts)).toEqual({ parts: [thought('hm', 'sig'), text('so'), call('c1')], cut: false });
  });

  test('is cut out, and said, for another maker and for a signature of the client’s own protocol', () => {
    for (const foreign of [wrapReasoning('sig', 'm2'), 'EqQBnative'])
      expect(assistantParts([thought('hm', foreign), call('c1')])).toEqual({ parts: [call('c1')], cut: true });
    const redacted: Part = { type: 'reasoning', text: '', redacted: wrapReasoning('data', 'm2') };
    expect(assistantParts([redacted, call('c1')])).toEqual({ parts: [call('c1')], cut: true });
  });

  test('that is encrypted is unwrapped for its maker', () => {
    const redacted: Part = { type: 'reasoning', text: '', redacted: wrapReasoning('data', 'm1') };
    expect(assistantParts([redacted]).parts).toEqual([{ type: 'reasoning', text: '', redacted: 'data' }]);
  });

  test('that nobody signed stays', () => {
    expect(assistantParts([thought('hm'), text('so')])).toEqual({ parts: [thought('hm'), text('so')], cut: false });
    expect(assistantParts([thought('hm', wrapReasoning('', 'm1'))]).parts).toEqual([thought('hm')]);
  });

  test('leaves a conversation without any as it is', () => {
    const plain = conversation(text('so'));
    expect(reasoningFor(plain, 'm1', memory()).conversation).toBe(plain);
  });

  test('that the client dropped is put back in its place, in front of the text or behind it', () => {
    const remembered = memory();
    remembered.keep(call('c1'), { beforeText: [{ type: 'reasoning', text: 'one', signature: 's1' }], behindText: [] });
    remembered.keep(call('c2'), { beforeText: [], behindText: [{ type: 'reasoning', text: 'two', signature: 's2' }] });
    const { parts } = assistantParts([text('so'), call('c1'), call('c2')], remembered);
    expect(parts).toEqual([thought('one', 's1'), text('so'), call('c1'), thought('two', 's2'), call('c2')]);
  });

  test('that the client sent back without its signature is not there twice', () => {
    const remembered = memory();
    remembered.keep(call('c1'), { beforeText: [{ type: 'reasoning', text: 'one', signature: 's1' }], behindText: [] });
    expect(assistantParts([thought('one'), call('c1')], remembered).parts).toEqual([thought('one', 's1'), call('c1')]);
  });

  test('that the client sent back signed is not asked for', () => {
    const remembered = memory();
    remembered.keep(call('c1'), { beforeText: [{ type: 'reasoning', text: 'other', signature: 's9' }], behindText: [] });
    const own = thought('one', wrapReasoning('s1', 'm1'));
    expect(assistantParts([own, call('c1')], remembered).parts).toEqual([thought('one', 's1'), call('c1')]);
  });

  test('that the client gathered in front of the turn goes to the places where it was made, once', () => {
    const remembered = memory();
    remembered.keep(call('c1'), { beforeText: [thought('one', 's1') as never], behindText: [thought('two', 's2') as never] });
    remembered.keep(call('c2'), { beforeText: [], behindText: [thought('three', 's3') as never] });
    const own = ['one', 'two', 'three'].map((words, at) => thought(words, wrapReasoning(`s${at + 1}`, 'm1')));
    const expected = [
      ...[thought('one', 's1'), text('so'), thought('two', 's2'), call('c1')],
      ...[thought('three', 's3'), call('c2')],
    ];
    expect(assistantParts([...own, text('so'), call('c1'), call('c2')], remembered).parts).toEqual(expected);
    const inPlace = [own[0], text('so'), own[1], call('c1'), own[2], call('c2')].filter((part) => part !== undefined);
    expect(assistantParts(inPlace, remembered).parts).toEqual(expected);
  });
});

describe('reasoning of an answer', () => {
  const told = (parts: readonly Part[], kept: ReasoningMemory | null): Step[] => {
    const end = { reason: 'stop', sequence: null, unknown: null } as const;
    const reasoning = createAnswerReasoning({ maker: 'm1', memory: kept });
    return Array.from(unfold({ id: null, model: null, parts, tokens: noTokenCounts, end }), (step) => reasoning.take(step));
  };

  test('reaches the client with its maker around its signature, or in place of one', () => {
    const signatures = told([thought('a', 'sig'), thought('b')], null).flatMap((step) =>
      step.type === 'partEnd' ? [step.signature] : [],
    );
    expect(signatures).toEqual([wrapReasoning('sig', 'm1'), wrapReasoning('', 'm1')]);
  });

  test('that is encrypted is wrapped, too', () => {
    const [, begun] = told([{ type: 'reasoning', text: '', redacted: 'data' }], null);
    expect(begun).toMatchObject({ part: { redacted: wrapReasoning('data', 'm1') } });
  });

  test('is remembered as it was made with the call that follows it, and with no other', () => {
    const kept = memory();
    told([thought('one', 's1'), text('so'), thought('two', 's2'), call('c1'), call('c2')], kept);
    expect([...kept.kept]).toEqual([
      ['c1', { beforeText: [thought('one', 's1')], behindText: [thought('two', 's2')] } as unknown as CallReasoning],
    ]);
  });
});
