/** Requests of Google's clients on their way into the hub. */
import { describe, expect, test } from 'bun:test';
import { decodeRequest } from '../../../src/protocols/google-generative-ai/decode-request.ts';
import { packReasoning } from '../../../src/protocols/google-generative-ai/wrapped-thoughts.ts';
import { refusalOf } from './conversations.ts';
import type { Fields } from './fixtures.ts';

const contents = [{ role: 'user', parts: [{ text: 'a' }] }];
const ask = (rest: Fields) => decodeRequest({ contents, ...rest });
const turnsOf = (...list: readonly Fields[]) => decodeRequest({ contents: list }).turns;
const partsOf = (...parts: readonly unknown[]) => turnsOf({ role: 'model', parts: [...parts] })[0]!.parts;

describe('contents', () => {
  test('are turns; an absent role is the user’s, a part may stand in the place of a list, a content too', () => {
    expect(turnsOf({ parts: { text: 'a' } }, { role: 'model', parts: [{ text: 'b' }] }, { role: 'function', parts: [] })).toEqual(
      [
        { role: 'user', parts: [{ type: 'text', text: 'a', field: 'contents.0.parts.0' }] },
        { role: 'assistant', parts: [{ type: 'text', text: 'b', field: 'contents.1.parts.0' }] },
        { role: 'user', parts: [] },
      ],
    );
    expect(decodeRequest({ contents: contents[0] }).turns.length).toBe(1);
  });

  test('that cannot be are refused by the field', () => {
    const rows: readonly (readonly [Fields, string])[] = [
      [{}, 'contents'],
      [{ contents: [] }, 'contents'],
      [{ contents: 'x' }, 'contents'],
      [{ contents: [7] }, 'contents.0'],
      [{ contents: [{ role: 'system', parts: [] }] }, 'contents.0.role'],
      [{ contents: [{ parts: [7] }] }, 'contents.0.parts.0'],
      [{ contents: [{ parts: [{ functionCall: { args: {} } }] }] }, 'contents.0.parts.0.functionCall.name'],
      [{ contents: [{ parts: [{ functionCall: { name: 'f', args: [] } }] }] }, 'contents.0.parts.0.functionCall.args'],
      [{ contents: [{ parts: [{ functionResponse: {} }] }] }, 'contents.0.parts.0.functionResponse.name'],
      [{ contents: [{ parts: [{ fileData: {} }] }] }, 'contents.0.parts.0.fileData.fileUri'],
      [
        { contents, systemInstruction: { parts: [{ inlineData: { mimeType: 'image/png', data: '' } }] } },
        'systemInstruction.parts.0',
      ],
      [{ contents, systemInstruction: 7 }, 'systemInstruction'],
      [{ contents, tools: {} }, 'tools'],
      [{ contents, tools: [7] }, 'tools.0'],
      [{ contents, tools: [{ functionDeclarations: {} }] }, 'tools.0.functionDeclarations'],
      [{ contents, tools: [{ functionDeclarations: [{}] }] }, 'tools.0.functionDeclarations.0.name'],
      [{ contents, generationConfig: [] }, 'generationConfig'],
      [{ contents, generationConfig: { temperature: 'x' } }, 'generationConfig.temperature'],
      [{ contents, generationConfig: { stopSequences: 'x' } }, 'generationConfig.stopSequences'],
      [{ contents, generationConfig: { responseMimeType: 'text/x.enum' } }, 'generationConfig.responseMimeType'],
    ];
    for (const [body, param] of rows) {
      const { code, facts } = refusalOf(() => decodeRequest(body));
      expect([JSON.stringify(body), code, facts.param]).toEqual([JSON.stringify(body), 'invalid_request', param]);
    }
  });

  test('have media as bytes or by address; what lies at Google only Google has', () => {
    expect(
      partsOf(
        { inlineData: { mimeType: 'image/png', data: 'AA' } },
        { inlineData: { mimeType: 'application/pdf', data: 'AA' } },
        { fileData: { mimeType: 'image/png', fileUri: 'https://e.com/x' } },
        { fileData: { fileUri: 'gs://b/x' } },
        { fileData: { fileUri: 'https://generativelanguage.googleapis.com/v1beta/files/abc' } },
        { executableCode: { code: '1' } },
      ).map((part) => [part.type, 'kind' in part ? part.kind : 'name' in part ? part.name : '']),
    ).toEqual([
      ['media', 'image'],
      ['media', 'document'],
      ['media', 'image'],
      ['opaque', 'fileData'],
      ['opaque', 'fileData'],
      ['opaque', 'executableCode'],
    ]);
  });

  test('of a streamed answer, a chunk each, are one turn: its thought is one, with the signature that came behind it', () => {
    const packed = packReasoning({ value: 'ola-r1.m.s', redacted: false });
    const chunk = (...parts: readonly Fields[]) => ({ role: 'model', parts });
    const turns = turnsOf(
      { parts: [{ text: 'q' }] },
      chunk({ text: 'I ', thought: true }),
      chunk({ text: 'think.', thought: true }),
      chunk({ text: '', thought: true, thoughtSignature: packed }),
      chunk({ text: 'Hel' }),
      chunk({ text: 'lo' }),
    );
    expect(turns.map(({ role, parts }) => [role, parts.length])).toEqual([
      ['user', 1],
      ['assistant', 2],
    ]);
    expect(turns[1]?.parts[0]).toMatchObject({ type: 'reasoning', text: 'I think.', signature: 'ola-r1.m.s' });
  });

  test('have Google’s own signatures as reasoning beside the part, and those that ola packed as they were', () => {
    const packed = packReasoning({ value: 'ola-r1.m.s', redacted: false });
    const redacted = packReasoning({ value: 'ola-r1.m.e', redacted: true });
    const made = partsOf(
      { text: 'I think.', thought: true },
      { functionCall: { name: 'f', args: {} }, thoughtSignature: 'UQ==' },
      { text: 'w', thoughtSignature: 'UQ==' },
      { text: 'T', thought: true, thoughtSignature: packed },
      { text: '', thought: true, thoughtSignature: redacted },
    );
    expect(made).toMatchObject([
      { type: 'reasoning', text: 'I think.', signature: 'UQ==' },
      { type: 'toolCall', name: 'f' },
      { type: 'reasoning', signature: 'text.UQ==' },
      { type: 'text', text: 'w' },
      { type: 'reasoning', text: 'T', signature: 'ola-r1.m.s' },
      { type: 'reasoning', text: '', redacted: 'ola-r1.m.e' },
    ]);
  });
});

describe('calls and results', () => {
  const call = (name: string, id?: string): Fields => ({ functionCall: { name, args: { a: 1 }, ...(id && { id }) } });
  const response = (name: string, value: unknown, id?: string): Fields => ({
    functionResponse: { name, response: value, ...(id && { id }) },
  });
  const idsOf = (...list: readonly Fields[]) =>
    turnsOf(...list).flatMap(({ parts }) =>
      parts.map((part) => (part.type === 'toolCall' ? part.id : part.type === 'toolResult' ? `=${part.callId}` : '')),
    );

  test('without ids are paired by name and place, and the same in each turn', () => {
    const list = [
      { role: 'model', parts: [call('f'), call('g'), call('f')] },
      { role: 'user', parts: [response('g', {}), response('f', {}), response('f', {})] },
    ];
    expect(idsOf(...list)).toEqual(['call_1', 'call_2', 'call_3', '=call_2', '=call_1', '=call_3']);
    expect(idsOf(...list, { role: 'model', parts: [call('f')] }).slice(0, 6)).toEqual(idsOf(...list));
  });

  test('with ids keep them', () => {
    expect(
      idsOf(
        { role: 'model', parts: [call('f', 'x'), call('f', 'y')] },
        { parts: [response('f', {}, 'y'), response('f', {}, 'x')] },
      ),
    ).toEqual(['x', 'y', '=y', '=x']);
  });

  test('have a value, a failure, or an object of the client’s own', () => {
    const made = [{ output: 'o' }, { result: { a: 1 } }, { error: 'e' }, { a: 1, b: 2 }, {}].map(
      (value) => partsOf(response('f', value))[0],
    );
    expect(
      made.map(
        (part) => part?.type === 'toolResult' && [part.isError, part.parts.map((each) => each.type === 'text' && each.text)],
      ),
    ).toEqual([
      [false, ['o']],
      [false, ['{"a":1}']],
      [true, ['e']],
      [false, ['{"a":1,"b":2}']],
      [false, ['{}']],
    ]);
  });

  test('may have media inside', () => {
    const part = {
      functionResponse: { name: 'f', response: {}, parts: [{ inlineData: { mimeType: 'image/png', data: 'AA' } }] },
    };
    expect(partsOf(part)[0]).toMatchObject({ parts: [{ type: 'text' }, { type: 'media', kind: 'image' }] });
  });
});

describe('tools and their choice', () => {
  test('have JSON Schema, or Google’s own kind of schema, which becomes one', () => {
    const parameters = {
      type: 'OBJECT',
      properties: {
        type: { type: 'STRING', nullable: true, enum: ['a'] },
        list: { type: 'ARRAY', items: { type: 'INTEGER' }, minItems: '2' },
      },
      required: ['type'],
      propertyOrdering: ['type', 'list'],
    };
    const tools = [
      {
        functionDeclarations: [{ name: 'f', parameters }, { name: 'g', parametersJsonSchema: { type: 'object' } }, { name: 'h' }],
      },
    ];
    expect(ask({ tools }).tools.map((each) => each.parameters)).toEqual([
      {
        type: 'object',
        properties: {
          type: { type: ['string', 'null'], enum: ['a'] },
          list: { type: 'array', items: { type: 'integer' }, minItems: 2 },
        },
        required: ['type'],
      },
      { type: 'object' },
      null,
    ]);
  });

  test('that run at Google are named, each by its kind', () => {
    const { opaque, tools } = ask({
      tools: [{ google_search: {} }, { functionDeclarations: [{ name: 'f' }], codeExecution: {} }],
    });
    expect(opaque).toEqual([
      { protocol: 'google-generative-ai', name: 'googleSearch', field: 'tools.0.google_search' },
      { protocol: 'google-generative-ai', name: 'codeExecution', field: 'tools.1.codeExecution' },
    ]);
    expect(tools.length).toBe(1);
  });

  test('D07: each mode has its meaning; a choice without tools has none', () => {
    const tools = [{ functionDeclarations: [{ name: 'f' }, { name: 'g' }] }];
    const choiceOf = (choice: Fields, rest: Fields = { tools }) =>
      ask({ ...rest, toolConfig: { functionCallingConfig: choice } }).toolChoice;
    expect(choiceOf({ mode: 'AUTO' })).toBe('auto');
    expect(choiceOf({ mode: 'NONE' })).toBe('none');
    expect(choiceOf({ mode: 'ANY' })).toBe('required');
    expect(choiceOf({ mode: 'any', allowed_function_names: ['f'] })).toEqual({ name: 'f' });
    expect(choiceOf({ mode: 'ANY', allowedFunctionNames: ['f', 'g'] })).toEqual({ allowed: ['f', 'g'], mode: 'required' });
    expect(choiceOf({ mode: 'VALIDATED', allowedFunctionNames: ['f'] })).toEqual({ allowed: ['f'], mode: 'auto' });
    expect(choiceOf({ mode: 'ANY' }, {})).toBeNull();
    expect(ask({ tools }).toolChoice).toBeNull();
  });
});

describe('the configuration', () => {
  const config = (generationConfig: Fields) => ask({ generationConfig });

  test('is carried, in both spellings', () => {
    expect(config({ maxOutputTokens: 5, topK: 3, stop_sequences: ['x'], response_mime_type: 'application/json' })).toMatchObject({
      maxTokens: 5,
      sampling: { topK: 3 },
      stop: ['x'],
      format: { kind: 'json' },
    });
    expect(config({ responseMimeType: 'application/json', responseSchema: { type: 'STRING' } }).format).toMatchObject({
      kind: 'schema',
      schema: { type: 'string' },
    });
  });

  test('wishes to think, or not, and to see it, or not', () => {
    const wish = (thinkingConfig: Fields) => config({ thinkingConfig }).reasoning;
    expect(wish({ thinkingBudget: 0 })).toEqual({ effort: 'none', budget: null, summary: 'none' });
    expect(wish({ thinkingBudget: -1, includeThoughts: true })).toEqual({ effort: null, budget: null, summary: 'auto' });
    expect(wish({ thinkingBudget: 500 })).toEqual({ effort: null, budget: 500, summary: 'none' });
    expect(wish({ thinkingLevel: 'HIGH', include_thoughts: true })).toEqual({ effort: 'high', budget: null, summary: 'auto' });
    expect(config({}).reasoning).toBeNull();
  });

  test('that asks for one answer in words asks for nothing else', () => {
    const plain = { candidateCount: 1, responseModalities: ['TEXT'], responseLogprobs: false };
    expect(config(plain).opaque).toBeUndefined();
  });
});
