import { describe, expect, test } from 'bun:test';
import { noSampling, type Part, type Turn } from '../../../src/core/conversation.ts';
import { OlaError } from '../../../src/core/errors.ts';
import type { UpstreamModel } from '../../../src/core/protocol.ts';
import { decodeRequest } from '../../../src/protocols/openai-responses/decode-request.ts';
import { encodeRequest } from '../../../src/protocols/openai-responses/encode-request.ts';
import { conversation, digest, textPart, toolCall, toolResult, weather } from '../../contract/hub/scene.ts';
import { upstreamModel } from '../upstream-model.ts';
import { type Fields, samples } from './fixtures.ts';

const reasons = { facts: { id: 'up', reasoning: true } };
const asked = (rest: Parameters<typeof conversation>[0], to: Partial<UpstreamModel> = {}) => {
  const request = encodeRequest(conversation({ maxTokens: null, ...rest }), upstreamModel('up', to), digest);
  return { ...request, fields: JSON.parse(request.body) as Fields };
};
const user = (...parts: readonly Part[]): Turn => ({ role: 'user', parts });
const assistant = (...parts: readonly Part[]): Turn => ({ role: 'assistant', parts });
const inputOf = (...turns: readonly Turn[]) =>
  asked({ turns: [user(textPart('Hello')), ...turns] }).fields['input'] as readonly Fields[];
const paramOf = (fields: Fields): unknown => {
  try {
    decodeRequest({ model: 'm', input: 'Hello', ...fields });
    return null;
  } catch (error) {
    if (error instanceof OlaError) return error.facts.param;
    throw error;
  }
};

describe('a request of a client is the same for an upstream of the same form', () => {
  for (const [name, text] of samples('request')) {
    test(name, () => {
      const request = JSON.parse(text) as Fields;
      const { body } = encodeRequest(decodeRequest(request), upstreamModel('gpt-6-sol', reasons), digest);
      const expected = { include: ['reasoning.encrypted_content'], ...request };
      expect(JSON.parse(body)).toEqual(expected as never);
    });
  }
});

describe('an upstream', () => {
  test('is asked to store nothing, and for the reasoning of models that reason', () => {
    expect(asked({}, reasons).fields).toMatchObject({ store: false, include: ['reasoning.encrypted_content'] });
    expect(asked({}, { facts: { id: 'up', reasoning: false } }).fields).not.toHaveProperty('include');
    expect(asked({}).fields).not.toHaveProperty('include');
    expect(asked({ reasoning: { effort: 'high', budget: null, summary: null } }).fields).toHaveProperty('include');
    expect(asked({}, { quirks: { noStore: true } }).fields).not.toHaveProperty('store');
  });

  test('is asked for a summary in ola’s own interest, once it does not refuse it', () => {
    const reasoning = { effort: 'high', budget: null, summary: null };
    const { fields, added } = asked({ reasoning });
    expect([fields['reasoning'], added]).toEqual([{ effort: 'high', summary: 'auto' }, ['reasoning.summary']]);
    const without = asked({ reasoning }, { quirks: { noReasoningSummary: true } });
    expect([without.fields['reasoning'], without.added]).toEqual([{ effort: 'high' }, []]);
    const wished = asked({ reasoning: { ...reasoning, summary: 'detailed' } }, { quirks: { noReasoningSummary: true } });
    expect([wished.fields['reasoning'], wished.dropped]).toEqual([{ effort: 'high' }, ['reasoningSummary']]);
    expect(asked({ reasoning: { ...reasoning, summary: 'none' } }).fields['reasoning']).toEqual({ effort: 'high' });
    expect(asked({ reasoning: { ...reasoning, effort: 'none' } }).fields['reasoning']).toEqual({ effort: 'none' });
  });

  test.each([
    [0, 'none'],
    [1024, 'minimal'],
    [2048, 'low'],
    [8192, 'medium'],
    [16_384, 'high'],
    [100_000, 'high'],
  ])('is asked for the effort that %d tokens stand for', (budget, effort) => {
    expect(asked({ reasoning: { effort: null, budget, summary: null } }).fields['reasoning']).toMatchObject({ effort });
  });

  test('is asked for the levels that its model has', () => {
    const of = (effort: string, efforts: Readonly<Record<string, string | null>>) =>
      asked({ reasoning: { effort, budget: null, summary: 'none' } }, { facts: { id: 'up', reasoning: true, efforts } });
    expect(of('max', {}).fields['reasoning']).toEqual({ effort: 'xhigh' });
    expect(of('xhigh', { xhigh: null, high: 'high' }).fields['reasoning']).toEqual({ effort: 'high' });
    expect(of('minimal', { minimal: null, low: 'low' }).fields['reasoning']).toEqual({ effort: 'low' });
    expect(of('none', { off: 'none' }).fields['reasoning']).toEqual({ effort: 'none' });
    expect(of('none', { off: null })).toMatchObject({ dropped: ['effort'] });
    const plain = asked(
      { reasoning: { effort: 'high', budget: null, summary: null } },
      { facts: { id: 'up', reasoning: false } },
    );
    expect([plain.fields['reasoning'], plain.dropped]).toEqual([undefined, ['effort']]);
  });

  test('is asked for 16 tokens at least, and for none where it takes no limit', () => {
    expect(asked({ maxTokens: 1 }).fields['max_output_tokens']).toBe(16);
    const refused = asked({ maxTokens: 99 }, { quirks: { noMaxTokens: true } });
    expect([refused.fields['max_output_tokens'], refused.dropped]).toEqual([undefined, ['maxTokens']]);
  });

  test('gets no sampling where its model takes none, and the client is told', () => {
    const sampling = { ...noSampling, temperature: 0.5, topP: 0.5 };
    const { fields, dropped } = asked({ sampling }, { facts: { id: 'up', noSampling: true } });
    expect([fields['temperature'], fields['top_p'], dropped]).toEqual([undefined, undefined, ['temperature', 'topP']]);
  });

  test('gets a function as one that is not strict, unless it is', () => {
    const tools = asked({
      tools: [weather, { ...weather, name: 'b', strict: true }, { ...weather, name: 'c', parameters: null }],
    });
    expect(tools.fields['tools']).toMatchObject([
      { type: 'function', name: 'weather', strict: false },
      { name: 'b', strict: true },
      { name: 'c', parameters: { type: 'object' } },
    ]);
  });

  test('CPA#5735: gets a result without its call as words of the user', () => {
    const [, lonely] = inputOf(user(toolResult('call_9', textPart('ORPHAN'))));
    expect(lonely).toMatchObject({ type: 'message', role: 'user' });
    expect(JSON.stringify(lonely)).toContain('ORPHAN');
  });

  test('gets reasoning in front of the item that it led to, and none without one', () => {
    const thought: Part = { type: 'reasoning', text: 'Hm.', signature: 'sig' };
    const types = (...parts: readonly Part[]) => inputOf(assistant(...parts), user(textPart('More'))).map(({ type }) => type);
    expect(types(thought, textPart('Hi'))).toEqual(['message', 'reasoning', 'message', 'message']);
    expect(types(textPart('Hi'), thought)).toEqual(['message', 'message', 'message']);
    const unsigned = asked({ turns: [user(textPart('a')), assistant({ type: 'reasoning', text: 'Hm.' }, textPart('Hi'))] });
    expect(unsigned.dropped).toEqual(['reasoning']);
    expect(unsigned.body).not.toContain('Hm.');
  });

  test('says of a failed result that it failed', () => {
    const results = (...parts: readonly Part[]) =>
      inputOf(assistant(toolCall('call_1')), user({ ...toolResult('call_1', ...parts), isError: true })).at(-1)?.['output'];
    expect(results(textPart('No such city'))).toBe('Error: No such city');
    expect(results()).toMatch(/^Error: \S/);
    const image: Part = { type: 'media', kind: 'image', source: { mime: 'image/png', detail: null, data: 'AAAA' }, name: null };
    expect(results(image)).toMatchObject([{ type: 'input_text' }, { type: 'input_image' }]);
  });

  test('gets no image that its model does not take', () => {
    const image: Part = {
      type: 'media',
      kind: 'image',
      source: { mime: null, detail: null, url: 'https://x.example/a' },
      name: null,
      field: 'f',
    };
    expect(() => asked({ turns: [user(image)] }, { facts: { id: 'up', input: ['text'] } })).toThrow(OlaError);
  });

  test('gets `system` in the place of `developer` where it does not know that role', () => {
    const turns: Turn[] = [user(textPart('a')), { role: 'system', parts: [textPart('N')] }];
    expect((asked({ turns }).fields['input'] as Fields[])[1]).toMatchObject({ role: 'developer' });
    expect((asked({ turns }, { quirks: { noDeveloperRole: true } }).fields['input'] as Fields[])[1]).toMatchObject({
      role: 'system',
    });
  });
});

describe('D07: the choice of tools', () => {
  const choices = ['auto', 'none', 'required', { name: 'weather' }, { allowed: ['weather'], mode: 'required' }] as const;
  for (const toolChoice of [null, ...choices])
    for (const parallelTools of [null, true, false])
      test(`${JSON.stringify(toolChoice)}, parallel ${parallelTools}`, () => {
        const { fields } = asked({ tools: [weather], toolChoice, parallelTools });
        expect(decodeRequest(fields)).toMatchObject({ toolChoice, parallelTools });
        expect(asked({ tools: [], toolChoice, parallelTools }).body).not.toMatch(/tool/);
      });

  test('of a client without tools means nothing', () => {
    for (const tools of [undefined, null, []])
      expect(decodeRequest({ input: 'a', tools, tool_choice: 'none', parallel_tool_calls: false })).toMatchObject({
        toolChoice: null,
        parallelTools: null,
      });
  });
});

describe('a request that a client sends wrong is refused by its field', () => {
  test.each<[Fields, string]>([
    [{ input: 7 }, 'input'],
    [{ input: ['a'] }, 'input.0'],
    [{ input: [{ content: 'a' }] }, 'input.0.type'],
    [{ input: [{ role: 'tool', content: 'a' }] }, 'input.0.role'],
    [{ input: [{ role: 'user', content: 7 }] }, 'input.0.content'],
    [{ input: [{ role: 'user', content: [{ type: 'input_text' }] }] }, 'input.0.content.0.text'],
    [{ input: [{ role: 'developer', content: [{ type: 'input_image', image_url: 'https://x' }] }] }, 'input.0.content.0'],
    [{ input: [{ role: 'user', content: [{ type: 'input_image', file_id: 'f' }] }] }, 'input.0.content.0.file_id'],
    [{ input: [{ type: 'function_call', name: 'f', arguments: '{}' }] }, 'input.0.call_id'],
    [{ input: [{ type: 'function_call_output', output: 'a' }] }, 'input.0.call_id'],
    [{ input: [{ type: 'item_reference', id: 'msg_1' }] }, 'input.0'],
    [{ tools: {} }, 'tools'],
    [{ tools: [{ name: 'f' }] }, 'tools.0.type'],
    [{ tools: [{ type: 'function' }] }, 'tools.0.name'],
    [{ tools: [{ type: 'function', name: 'f' }], tool_choice: 'some' }, 'tool_choice'],
    [{ text: { format: { type: 'xml' } } }, 'text.format.type'],
    [{ temperature: '1' }, 'temperature'],
    [{ previous_response_id: 'resp_0' }, 'previous_response_id'],
    [{ conversation: { id: 'c' } }, 'conversation'],
    [{ background: true }, 'background'],
    [{ top_logprobs: 2 }, 'top_logprobs'],
  ])('%j', (fields, param) => {
    expect(paramOf(fields)).toBe(param);
  });

  test('members that are null or say nothing are none', () => {
    expect(
      paramOf({
        previous_response_id: null,
        conversation: null,
        background: false,
        top_logprobs: 0,
        tools: null,
        text: null,
        reasoning: null,
      }),
    ).toBeNull();
    expect(decodeRequest({ input: 'a', store: false }).unknown).toEqual([]);
  });

  test('blocks that only this protocol knows are named, and so are tools that run at the provider', () => {
    const items = [
      { type: 'web_search_call', id: 'ws_1' },
      { type: 'shell_call_output', call_id: 'c' },
    ];
    const { turns } = decodeRequest({ input: items });
    expect(turns.map(({ role, parts }) => [role, parts[0]])).toMatchObject([
      ['assistant', { type: 'opaque', protocol: 'openai-responses', name: 'web_search_call', field: 'input.0' }],
      ['user', { type: 'opaque', name: 'shell_call_output', field: 'input.1' }],
    ]);
    expect(decodeRequest({ input: 'a', tools: [{ type: 'web_search' }], tool_choice: { type: 'web_search' } }).opaque).toEqual([
      { protocol: 'openai-responses', name: 'web_search', field: 'tools.0' },
      { protocol: 'openai-responses', name: 'web_search', field: 'tool_choice' },
    ]);
  });
});
