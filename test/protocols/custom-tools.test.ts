import { describe, expect, test } from 'bun:test';
import { fold, unfold } from '../../src/core/answers.ts';
import { type Conversation, noSampling, type Part, type Step, type Tool } from '../../src/core/conversation.ts';
import { noTokenCounts } from '../../src/core/usage.ts';
import { asFunctions, CustomCalls, withCustomCalls } from '../../src/protocols/custom-tools.ts';

const patch = '*** Begin Patch\n*** Update File: "a"\n';
const grammar = { syntax: 'lark', definition: 'start: /.+/' };
const tool: Tool = { kind: 'custom', name: 'apply_patch', description: 'Edit files.', parameters: null, strict: null, grammar };
const plain: Tool = { kind: 'function', name: 'look', description: null, parameters: { type: 'object' }, strict: null };
const call = (kind: 'function' | 'custom', text: string): Part => ({
  ...{ type: 'toolCall', id: 'c1', name: 'apply_patch' },
  kind,
  arguments: text,
});

const conversation = (tools: readonly Tool[], ...parts: readonly Part[]): Conversation => ({
  ...{ system: [], toolChoice: null, parallelTools: null, maxTokens: null, sampling: noSampling, stop: [] },
  ...{ format: null, reasoning: null, cacheKey: null, user: null, stream: false, extras: {}, unknown: [] },
  tools,
  turns: [{ role: 'assistant', parts }],
});

describe('D04: a free-form tool', () => {
  test('goes up as a function with one text, the grammar in its description; a function beside it stays one', () => {
    const { conversation: sent, names } = asFunctions(conversation([tool, plain], call('custom', patch)));
    expect([...names]).toEqual(['apply_patch']);
    expect(sent.tools[1]).toBe(plain);
    expect(sent.tools[0]).toMatchObject({
      kind: 'function',
      parameters: { type: 'object', properties: { input: { type: 'string' } }, required: ['input'] },
    });
    expect(sent.tools[0]?.description).toBe(`Edit files.\n\nThe input follows this grammar (lark):\n${grammar.definition}`);
    expect(sent.turns[0]?.parts).toEqual([call('function', JSON.stringify({ input: patch }))]);
  });

  test('costs a conversation without one nothing', () => {
    const without = conversation([plain], { type: 'text', text: 'so' });
    expect(asFunctions(without).conversation).toBe(without);
  });

  test('is called with its text as it was written, in an answer and in pieces', () => {
    const names = new Set(['apply_patch']);
    const told = call('function', JSON.stringify({ input: patch }));
    expect(withCustomCalls([told], names)).toEqual([call('custom', patch)]);
    const end = { reason: 'toolCalls', sequence: null, unknown: null } as const;
    const steps: Step[] = [];
    const calls = new CustomCalls(names);
    for (const step of unfold({ id: null, model: null, parts: [told], tokens: noTokenCounts, end })) {
      if (step.type !== 'partBegin' || step.part.type !== 'toolCall') calls.take(step, (each) => void steps.push(each));
      else {
        calls.take({ ...step, part: { ...step.part, arguments: '' } }, (each) => void steps.push(each));
        for (const text of step.part.arguments.match(/[\s\S]{1,3}/g) ?? [])
          calls.take({ type: 'partDelta', index: step.index, text }, (each) => void steps.push(each));
      }
    }
    expect(fold(steps).parts).toEqual([call('custom', patch)]);
  });

  test('keeps arguments that do not hold its text as they came, and leaves other calls alone', () => {
    const names = new Set(['apply_patch']);
    for (const text of ['{"input": 7}', '{"inp', '"x"'])
      expect(withCustomCalls([call('function', text)], names)).toEqual([call('custom', text)]);
    const other: Part = { type: 'toolCall', id: 'c2', name: 'look', kind: 'function', arguments: '{"input":"x"}' };
    expect(withCustomCalls([other], names)).toEqual([other]);
  });
});
