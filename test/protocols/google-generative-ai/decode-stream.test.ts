/** Streams of Google's API on their way into the hub. */
import { describe, expect, test } from 'bun:test';
import { fold } from '../../../src/core/answers.ts';
import { chunk, type Decoded, decoded, type Fields, parts, samples, stop } from './fixtures.ts';

const answerOf = ({ steps, fault, failure }: Decoded) => {
  expect({ fault, failure }).toEqual({ fault: null, failure: null });
  expect(steps.at(-1)?.type).toBe('end');
  return fold(steps);
};
const isComplete = ({ steps }: Decoded) => steps.some(({ type }) => type === 'end');
const call = (name: string, rest: Fields = {}, more: Fields = {}) => ({ functionCall: { name, ...rest }, ...more });

for (const [name, text] of samples('stream')) {
  const bytes = new TextEncoder().encode(text);

  test(`${name}: gives the same steps wherever its bytes are cut`, () => {
    const { steps } = decoded(bytes);
    for (let at = 1; at < bytes.length; at++) expect(decoded(bytes.slice(0, at), bytes.slice(at)).steps).toEqual([...steps]);
  });

  test(`${name}: cut before its last chunk it does not end`, () => {
    const last = text.trimEnd().lastIndexOf('data:');
    const whole = new TextEncoder().encode(text.slice(0, last)).length;
    for (let at = 0; at <= whole; at++) {
      const cut = decoded(bytes.slice(0, at));
      expect([at, cut.fault, isComplete(cut)]).toEqual([at, null, false]);
    }
  });
}

describe('parts', () => {
  test('thoughts, texts and calls are apart; a thought has the signature of the call that it led to', () => {
    const [, text] = samples('stream').find(([name]) => name === 'stream-calls.sse')!;
    expect(answerOf(decoded(text))).toEqual({
      id: 'resp-calls',
      model: 'gemini-3.5-flash',
      parts: [
        { type: 'reasoning', text: 'Both beds, then.', signature: 'Y2FsbA==' },
        { type: 'toolCall', id: 'f1', name: 'read_bed', kind: 'function', arguments: '{"bed":"north"}' },
        { type: 'toolCall', id: 'f2', name: 'read_bed', kind: 'function', arguments: '{"bed":"south"}' },
      ],
      tokens: { prompt: 20, completion: 16, cacheRead: null, cacheWrite: null, reasoning: 7 },
      end: { reason: 'toolCalls', sequence: null, unknown: null },
    });
  });

  test('litellm#16893: a signature of a text, and of a call without a shown thought, is reasoning of its own', () => {
    const signed = decoded(
      parts([{ text: 'a' }]),
      parts([{ text: 'b', thoughtSignature: 'UQ' }]),
      parts([call('f', {}, { thoughtSignature: 'Ug' })]),
      stop,
    );
    expect(answerOf(signed).parts).toMatchObject([
      { type: 'text', text: 'ab' },
      { type: 'reasoning', text: '', signature: 'text.UQ' },
      { type: 'reasoning', text: '', signature: 'Ug' },
      { type: 'toolCall', name: 'f' },
    ]);
  });

  test('a signature of a thought alone stays with the thought', () => {
    const signed = decoded(
      parts([{ text: 'I', thought: true }]),
      parts([{ text: '', thought: true, thoughtSignature: 'UQ' }]),
      stop,
    );
    expect(answerOf(signed).parts).toEqual([{ type: 'reasoning', text: 'I', signature: 'UQ' }]);
  });

  test('arguments keep integers above 2^53, whatever stands in front of them', () => {
    const event = parts([{ text: '{"args":1}' }, call('f', {}), call('g', { args: { id: 1 } })]).replace(
      '"id":1}',
      '"id":12345678901234567890}',
    );
    expect(answerOf(decoded(event, stop)).parts.map((part) => (part.type === 'toolCall' ? part.arguments : ''))).toEqual([
      '',
      '{}',
      '{"id":12345678901234567890}',
    ]);
  });

  test('a call that comes twice with its id is one; two calls of the same name without ids are two', () => {
    const same = parts([call('f', { id: '1', args: { a: 1 } })]);
    expect(answerOf(decoded(same, same, stop)).parts.length).toBe(1);
    const plain = parts([call('f', { args: { a: 1 } })]);
    expect(answerOf(decoded(plain, plain, stop)).parts.length).toBe(2);
  });

  test('a call without a name is none', () => {
    const { parts: made, end } = answerOf(decoded(parts([{ functionCall: { args: {} } }]), stop));
    expect([made, end.reason]).toEqual([[], 'stop']);
  });

  test('media that the model made, and parts that only Google knows, are kept', () => {
    const code = { executableCode: { language: 'PYTHON', code: '1' } };
    const image = { inlineData: { mimeType: 'image/png', data: 'AAAA' } };
    expect(answerOf(decoded(parts([image, code]), stop)).parts).toMatchObject([
      { type: 'media', kind: 'image', source: { mime: 'image/png', data: 'AAAA' } },
      { type: 'opaque', protocol: 'google-generative-ai', name: 'executableCode', value: code },
    ]);
  });

  test('snake case is read like camel case', () => {
    const event = chunk({
      candidates: [
        { content: { parts: [{ function_call: { name: 'f', args: {} }, thought_signature: 'UQ' }] }, finish_reason: 'STOP' },
      ],
      usage_metadata: { prompt_token_count: 3, candidates_token_count: 4 },
    });
    const answer = answerOf(decoded(event));
    expect(answer.parts).toMatchObject([
      { type: 'reasoning', signature: 'UQ' },
      { type: 'toolCall', name: 'f' },
    ]);
    expect(answer.tokens).toMatchObject({ prompt: 3, completion: 4 });
  });
});

describe('the end', () => {
  const ending = (finishReason: string) => decoded(parts([{ text: 'a' }]), parts([{ text: '' }], { finishReason }));

  test('tells its reason; an unknown one is a stop and is said', () => {
    const rows = [
      ['STOP', 'stop', null],
      ['MAX_TOKENS', 'length', null],
      ['SAFETY', 'contentFilter', null],
      ['RECITATION', 'contentFilter', null],
      ['PROHIBITED_CONTENT', 'contentFilter', null],
      ['SPII', 'contentFilter', null],
      ['BLOCKLIST', 'contentFilter', null],
      ['IMAGE_SAFETY', 'contentFilter', null],
      ['BRAND_NEW', 'stop', 'BRAND_NEW'],
      ['toString', 'stop', 'toString'],
    ] as const;
    for (const [word, reason, unknown] of rows)
      expect([word, answerOf(ending(word)).end]).toEqual([word, { reason, sequence: null, unknown }]);
  });

  test('is that of calls where there are any, but for a cut', () => {
    const withCall = (finishReason: string) => answerOf(decoded(parts([call('f')]), parts([], { finishReason }))).end.reason;
    expect([withCall('STOP'), withCall('MAX_TOKENS')]).toEqual(['toolCalls', 'length']);
  });

  test('that says the model’s words were no answer is a failure, in the upstream’s words', () => {
    for (const word of ['MALFORMED_FUNCTION_CALL', 'UNEXPECTED_TOOL_CALL', 'OTHER', 'TOO_MANY_TOOL_CALLS']) {
      const { fault, failure } = decoded(parts([{ text: 'a' }]), parts([], { finishReason: word, finishMessage: 'bad call' }));
      expect(fault).toBe('upstream_error');
      expect(failure).toMatchObject({ kind: 'server_error', code: word, message: expect.stringContaining('bad call') });
    }
  });

  test('comes when each candidate that was seen has a reason, and never before', () => {
    const second = chunk({ candidates: [{ index: 1, content: { parts: [{ text: 'other' }] } }] });
    expect(isComplete(decoded(parts([{ text: 'a' }]), second, stop))).toBe(false);
    const both = decoded(parts([{ text: 'a' }]), second, stop, chunk({ candidates: [{ index: 1, finishReason: 'STOP' }] }));
    expect(answerOf(both).parts).toEqual([{ type: 'text', text: 'a' }]);
  });

  test('of a prompt that was blocked is a content filter', () => {
    const blocked = answerOf(
      decoded(chunk({ promptFeedback: { blockReason: 'SAFETY' }, usageMetadata: { promptTokenCount: 4 } })),
    );
    expect(blocked).toMatchObject({ parts: [], end: { reason: 'contentFilter' }, tokens: { prompt: 4 } });
  });

  test('counts the last usage, which is a total', () => {
    const usage = (candidatesTokenCount: number) => ({ usageMetadata: { promptTokenCount: 10, candidatesTokenCount } });
    const made = decoded(...[1, 2, 40].map((each) => parts([{ text: 'a' }], {}, usage(each))), stop);
    expect(answerOf(made).tokens).toMatchObject({ prompt: 10, completion: 40 });
  });
});

describe('odd streams', () => {
  test('without a choice, without anything, or of another kind do not end', () => {
    for (const text of [
      '',
      ': ping\n\n',
      chunk({ usageMetadata: { promptTokenCount: 1 } }),
      chunk({ candidates: [] }),
      'data: []\n\n',
      'data: null\n\n',
    ])
      expect([text, isComplete(decoded(text)), decoded(text).fault]).toEqual([text, false, null]);
  });

  test('with events that are no JSON are a fault; OpenAI’s end is none', () => {
    expect(decoded('data: oops\n\n').fault).toBe('malformed_event');
    expect(answerOf(decoded(stop, 'data: [DONE]\n\n')).end.reason).toBe('stop');
  });

  test('whose members have other types are read as far as they go', () => {
    const odd = [
      chunk({ candidates: 'x' }),
      chunk({ candidates: [null, 7] }),
      parts([7 as unknown as Fields, {}, { text: 7 }, { functionCall: 'x' }]),
      chunk({ candidates: [{ content: 'x', index: 0 }], usageMetadata: 'x', promptFeedback: 'x' }),
    ];
    expect(answerOf(decoded(...odd, stop)).parts).toEqual([]);
  });

  test('that tell an error are a failure, whatever came before', () => {
    const error = { error: { code: 503, message: 'overloaded', status: 'UNAVAILABLE' } };
    for (const pieces of [[chunk(error)], [parts([{ text: 'a' }]), chunk(error)], [`event: error\n${chunk(error)}`]])
      expect(decoded(...pieces)).toMatchObject({
        fault: 'upstream_error',
        failure: { kind: 'overloaded', status: 503, message: 'overloaded' },
      });
  });

  test('in CRLF, with comments, with a byte order mark and without the last blank line are read', () => {
    const text = `\uFEFF: hi\r\n${parts([{ text: 'a' }])}${stop}`.replaceAll('\n', '\r\n').replaceAll('\r\r', '\r');
    expect(answerOf(decoded(text.trimEnd())).parts).toEqual([{ type: 'text', text: 'a' }]);
  });
});
