/** Requests to Google's API besides their turns: tools, limits, formats, thinking, paths. */
import { describe, expect, test } from 'bun:test';
import { type Conversation, noSampling } from '../../../src/core/conversation.ts';
import type { CatalogModel } from '../../../src/core/providers.ts';
import { encodeTools } from '../../../src/protocols/google-generative-ai/encode-tools.ts';
import { conversation, refusalOf, sent, text, tool, user } from './conversations.ts';

describe('the path', () => {
  test('has the model and the verb; a stream is asked for as events', () => {
    expect(sent({}).path).toBe('/models/m:generateContent');
    expect(sent({ stream: true }).path).toBe('/models/m:streamGenerateContent?alt=sse');
    expect(sent({ stream: true }).body).not.toHaveProperty('stream');
  });

  test('keeps a collection that the id names, and nothing else of it as a path', () => {
    expect(sent({}, {}, { id: 'tunedModels/t-1' }).path).toBe('/tunedModels/t-1:generateContent');
    expect(sent({}, {}, { id: 'models/x' }).path).toBe('/models/x:generateContent');
    expect(sent({}, {}, { id: '../a?b' }).path).toBe('/models/..%2Fa%3Fb:generateContent');
  });

  test('is that of a publisher for Vertex AI', () => {
    expect(sent({}, {}, { quirks: { publisherPath: true } }).path).toBe('/publishers/google/models/m:generateContent');
  });
});

describe('tools', () => {
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    properties: {
      n: { type: 'integer', exclusiveMinimum: 0, multipleOf: 2 },
      list: { type: 'array', uniqueItems: true, items: { $ref: '#/$defs/node' } },
      kind: { const: 'a' },
      level: { enum: [1, 2] },
      maybe: { type: ['string', 'null'], format: 'uuid' },
    },
    patternProperties: { '^x-': {} },
    propertyNames: { pattern: '^[a-z]' },
    $defs: { node: { type: 'object', properties: { next: { $ref: '#/$defs/node' } } } },
  };

  test('D06: a schema goes whole where Google takes JSON Schema, and the client’s own is not changed', () => {
    const before = JSON.stringify(schema);
    const { body } = sent({ tools: [tool('f', { parameters: schema, description: 'does it' })] });
    expect(body['tools']).toEqual([
      { functionDeclarations: [{ name: 'f', description: 'does it', parametersJsonSchema: JSON.parse(before) as object }] },
    ]);
    expect(JSON.stringify(schema)).toBe(before);
  });

  test('without arguments have no schema', () => {
    const { body } = sent({ tools: [tool('f', { parameters: null })] });
    expect(body['tools']).toEqual([{ functionDeclarations: [{ name: 'f' }] }]);
  });

  test('that are free-form are refused: the translation makes functions of them before', () => {
    expect(refusalOf(() => sent({ tools: [tool('f', { kind: 'custom', parameters: null })] })).facts.param).toBe('tools');
  });

  const choices: readonly (readonly [Conversation['toolChoice'], object | undefined])[] = [
    [null, undefined],
    ['auto', { mode: 'AUTO' }],
    ['none', { mode: 'NONE' }],
    ['required', { mode: 'ANY' }],
    [{ name: 'g' }, { mode: 'ANY', allowedFunctionNames: ['g'] }],
    [{ allowed: ['g'], mode: 'required' }, { mode: 'ANY' }],
    [{ allowed: ['g'], mode: 'auto' }, { mode: 'AUTO' }],
  ];
  for (const [toolChoice, expected] of choices) {
    for (const parallelTools of [null, true, false]) {
      test(`D07: the choice ${JSON.stringify(toolChoice)} with parallel ${parallelTools}`, () => {
        const { body, dropped } = sent({ tools: [tool('f'), tool('g')], toolChoice, parallelTools });
        expect(body['toolConfig']).toEqual(expected === undefined ? undefined : { functionCallingConfig: expected });
        expect(dropped).toEqual(parallelTools === false ? ['parallelTools'] : []);
        const names = JSON.stringify(body['tools']).match(/"name":"\w"/g);
        expect(names?.length).toBe(typeof toolChoice === 'object' && toolChoice !== null && 'allowed' in toolChoice ? 1 : 2);
      });
    }
  }

  test('D07: without tools there is no choice and no parallel flag', () => {
    const { body, dropped } = sent({ tools: [], toolChoice: 'required', parallelTools: false });
    expect([body['tools'], body['toolConfig'], dropped]).toEqual([undefined, undefined, []]);
  });

  test('D07: a choice that allows none of them and asks for a call is refused', () => {
    const toolChoice = { allowed: ['x'], mode: 'required' } as const;
    expect(refusalOf(() => encodeTools(conversation({ tools: [tool('f')], toolChoice }), [])).facts.param).toBe('tool_choice');
  });
});

describe('limits, sampling and formats', () => {
  test('stand in generationConfig', () => {
    const sampling = { temperature: 0.5, topP: 0.9, topK: 40, seed: 7, frequencyPenalty: 0.1, presencePenalty: 0.2 };
    expect(sent({ maxTokens: 9, sampling, stop: ['a'] }).config).toEqual({
      maxOutputTokens: 9,
      ...sampling,
      stopSequences: ['a'],
    });
    expect(sent({ sampling: { ...noSampling, temperature: 0 } }).config).toEqual({ temperature: 0 });
    expect(sent({}).body).not.toHaveProperty('generationConfig');
  });

  test('take five stop sequences, and say when there were more', () => {
    const { config, dropped } = sent({ stop: ['1', '', '2', '3', '4', '5', '6'] });
    expect([config['stopSequences'], dropped]).toEqual([['1', '2', '3', '4', '5'], ['stop']]);
  });

  test('ask for JSON, with a schema where there is one', () => {
    expect(sent({ format: { kind: 'json' } }).config).toEqual({ responseMimeType: 'application/json' });
    const schema = { type: 'object', properties: {} };
    const format = { kind: 'schema', name: 'n', description: 'D', schema, strict: true } as const;
    expect(sent({ format }).config).toEqual({
      responseMimeType: 'application/json',
      responseJsonSchema: { description: 'D', ...schema },
    });
    expect(sent({ format: { kind: 'text' } }).body).not.toHaveProperty('generationConfig');
  });
});

describe('thinking', () => {
  const wish = (effort: string | null, budget: number | null = null, summary: string | null = null) => ({
    effort,
    budget,
    summary,
  });
  const thinking = (reasoning: Conversation['reasoning'], facts: Partial<CatalogModel>) =>
    sent({ reasoning }, facts).config['thinkingConfig'];
  const flash3 = { reasoning: true, thinking: 'adaptive', efforts: { off: null, xhigh: null, max: null } } as const;
  const pro3 = { reasoning: true, thinking: 'adaptive', efforts: { off: null, minimal: null, xhigh: null, max: null } } as const;
  const gemma = {
    reasoning: true,
    thinking: 'adaptive',
    efforts: { off: null, minimal: 'MINIMAL', low: null, medium: null },
  } as const;
  const flash = { reasoning: true, thinking: 'budget', thinkingBudget: { least: 1, most: 24_576 } } as const;
  const pro = {
    reasoning: true,
    thinking: 'budget',
    thinkingBudget: { least: 128, most: 32_768 },
    efforts: { off: null },
  } as const;
  const lite = { reasoning: true, thinking: 'budget', thinkingBudget: { least: 512, most: 24_576 } } as const;

  const levels: readonly (readonly [string, string, string, string])[] = [
    ['none', 'MINIMAL', 'LOW', 'MINIMAL'],
    ['minimal', 'MINIMAL', 'LOW', 'MINIMAL'],
    ['low', 'LOW', 'LOW', 'MINIMAL'],
    ['medium', 'MEDIUM', 'MEDIUM', 'HIGH'],
    ['high', 'HIGH', 'HIGH', 'HIGH'],
    ['xhigh', 'HIGH', 'HIGH', 'HIGH'],
    ['max', 'HIGH', 'HIGH', 'HIGH'],
  ];
  for (const [effort, ...expected] of levels) {
    test(`of the effort ${effort} is a level that the model has`, () => {
      const made = [flash3, pro3, gemma].map((facts) => thinking(wish(effort), facts));
      const shown = effort === 'none' ? {} : { includeThoughts: true };
      expect(made).toEqual(expected.map((thinkingLevel) => ({ thinkingLevel, ...shown })));
    });
  }

  const amounts: readonly (readonly [string, number, number, number])[] = [
    ['none', 0, 128, 0],
    ['minimal', 128, 128, 512],
    ['low', 2048, 2048, 2048],
    ['medium', 8192, 8192, 8192],
    ['high', 24_576, 32_768, 24_576],
    ['max', 24_576, 32_768, 24_576],
  ];
  for (const [effort, ...expected] of amounts) {
    test(`of the effort ${effort} is a number of tokens for Gemini before 3`, () => {
      const made = [flash, pro, lite].map(
        (facts) => (thinking(wish(effort), facts) as { thinkingBudget: number }).thinkingBudget,
      );
      expect(made).toEqual(expected);
    });
  }

  test('of a number of tokens is what the model takes of it, or the nearest level; never both', () => {
    expect(thinking(wish(null, 99_999), flash)).toEqual({ thinkingBudget: 24_576, includeThoughts: true });
    expect(thinking(wish(null, 2000), pro3)).toEqual({ thinkingLevel: 'LOW', includeThoughts: true });
    expect(thinking(wish('high', 5), pro3)).toEqual({ thinkingLevel: 'HIGH', includeThoughts: true });
    expect(thinking(wish('high', 200), pro)).toEqual({ thinkingBudget: 200, includeThoughts: true });
  });

  test('is shown unless it is not to be', () => {
    expect(thinking(wish('low', null, 'none'), pro3)).toEqual({ thinkingLevel: 'LOW' });
    expect(thinking(wish(null, null, 'auto'), pro3)).toEqual({ includeThoughts: true });
    expect(thinking(wish(null, null, 'none'), pro3)).toBeUndefined();
  });

  test('of a model of which nothing is known has a level that every newer one takes', () => {
    expect(thinking(wish('minimal'), {})).toEqual({ thinkingLevel: 'LOW', includeThoughts: true });
    expect(thinking(wish('medium'), {})).toEqual({ thinkingLevel: 'MEDIUM', includeThoughts: true });
  });

  test('is not asked of a model that does not think, and that is said', () => {
    const { config, dropped } = sent({ reasoning: wish('high') }, { reasoning: false });
    expect([config, dropped]).toEqual([{}, ['effort']]);
    expect(sent({ reasoning: wish('none') }, { reasoning: false }).dropped).toEqual([]);
  });
});

test('fields that only another protocol knows are refused by name', () => {
  const opaque = [{ protocol: 'x', name: 'web_search', field: 'tools.2' }];
  expect(refusalOf(() => sent({ opaque })).facts.param).toBe('tools.2');
});

test('fields that Google has no place for are named', () => {
  const cached = { ...text('a'), cache: { ttl: null } };
  const { dropped } = sent({ user: 'u', cacheKey: 'k', turns: [user(cached)], tools: [tool('f', { strict: true })] });
  expect([...dropped].sort()).toEqual(['cacheHint', 'cacheKey', 'strictTool', 'user']);
});
