/** Google's API on both sides: what is changed on the way, and nothing else. */
import { describe, expect, test } from 'bun:test';
import { OlaError } from '../../../src/core/errors.ts';
import type { ClientCall, ClientRoute, UpstreamModel } from '../../../src/core/protocol.ts';
import { googleGenerativeAi } from '../../../src/protocols/google-generative-ai/protocol.ts';
import { packReasoning, withOwnThoughts } from '../../../src/protocols/google-generative-ai/wrapped-thoughts.ts';
import { upstreamModel } from '../upstream-model.ts';
import { refusalOf } from './conversations.ts';
import { chunk, type Fields, parts, stop } from './fixtures.ts';

const contents = [{ role: 'user', parts: [{ text: 'a' }] }];
const routeOf = (verb: string): ClientRoute => googleGenerativeAi.clientRoutes.find(({ path }) => path.endsWith(`:${verb}`))!;

function exchange(verb: string, text: string, to: Partial<UpstreamModel> = {}, query = '?alt=sse') {
  const route = routeOf(verb);
  const body = { text, fields: JSON.parse(text) as Fields };
  const params = { '*': 'google/m' };
  const call: ClientCall = { route, body, params, peek: route.peek(body, params), query, headers: null };
  return googleGenerativeAi.direct(call, upstreamModel('up', to));
}

describe('a request', () => {
  test('goes on under the path of its verb, byte for byte', () => {
    const text = ` {"contents" : [{"parts":[{"text":"1.0"}]}],"x":1.0,"big":12345678901234567890}`;
    expect(exchange('generateContent', text)).toMatchObject({ path: '/models/up:generateContent', body: text, expects: 'whole' });
    expect(exchange('streamGenerateContent', text)).toMatchObject({
      path: '/models/up:streamGenerateContent?alt=sse',
      body: text,
      expects: 'stream',
    });
    expect(exchange('generateContent', text, { quirks: { publisherPath: true } })?.path).toBe(
      '/publishers/google/models/up:generateContent',
    );
  });

  test('names the called model wherever it names one', () => {
    const sent = (verb: string, fields: Fields) => JSON.parse(exchange(verb, JSON.stringify(fields))!.body as string) as Fields;
    expect(sent('generateContent', { model: 'models/x', contents })).toEqual({ model: 'models/up', contents });
    expect(sent('countTokens', { generateContentRequest: { model: 'models/x', contents } })).toEqual({
      generateContentRequest: { model: 'models/up', contents },
    });
    expect(sent('batchEmbedContents', { requests: [{ model: 'models/x', content: {} }, { content: { model: 1 } }] })).toEqual({
      requests: [{ model: 'models/up', content: {} }, { content: { model: 1 } }],
    });
  });

  test('has no call for embeddings at Vertex AI, nor for a count where there is none', () => {
    expect(exchange('embedContent', '{"content":{}}', { quirks: { publisherPath: true } })).toBeNull();
    expect(exchange('countTokens', JSON.stringify({ contents }), { quirks: { noCount: true } })).toBeNull();
  });
});

describe('thoughts of other makers', () => {
  const packed = packReasoning({ value: 'ola-r1.m.s', redacted: false });

  test('are cut out of a request, a call of theirs is taken without its thought', () => {
    const text = JSON.stringify({
      contents: [
        { role: 'user', parts: [{ text: 'a' }] },
        { role: 'model', parts: [{ text: 'T', thought: true, thoughtSignature: packed }] },
        {
          role: 'model',
          parts: [
            { text: '', thought: true, thought_signature: packed },
            { text: 'w', thoughtSignature: packed },
            { functionCall: { name: 'f', args: {} }, thought_signature: packed },
            { functionCall: { name: 'g', args: {} }, thoughtSignature: 'Z29vZ2xl' },
          ],
        },
      ],
    });
    expect(withOwnThoughts(text).cut).toBe(true);
    expect(JSON.parse(withOwnThoughts(text).text)).toEqual({
      contents: [
        { role: 'user', parts: [{ text: 'a' }] },
        {
          role: 'model',
          parts: [
            { text: 'w' },
            { functionCall: { name: 'f', args: {} }, thought_signature: 'skip_thought_signature_validator' },
            { functionCall: { name: 'g', args: {} }, thoughtSignature: 'Z29vZ2xl' },
          ],
        },
      ],
    });
  });

  test('that are only spoken of stay', () => {
    const text = JSON.stringify({ contents: [{ parts: [{ text: `see ${packed}` }] }] });
    expect(withOwnThoughts(text)).toEqual({ text, cut: false });
  });
});

describe('a stream', () => {
  function run(...pieces: readonly string[]) {
    const pipe = exchange('streamGenerateContent', JSON.stringify({ contents }))!.pipe();
    let out = '';
    const emit = (bytes: Uint8Array) => {
      out += new TextDecoder().decode(bytes);
    };
    for (const piece of pieces) pipe.push(new TextEncoder().encode(piece), emit);
    pipe.finish(emit);
    const { done, fault, failure, begun, tokens } = pipe;
    pipe.close();
    return { out, done, fault, failure, begun, tokens };
  }

  test('is complete with an orderly end and a reason for each candidate', () => {
    const second = chunk({ candidates: [{ index: 1, content: { parts: [{ text: 'b' }] } }] });
    expect(run(parts([{ text: 'a' }]), stop)).toMatchObject({ done: true, out: parts([{ text: 'a' }]) + stop });
    expect(run(parts([{ text: 'a' }])).done).toBe(false);
    expect(run(parts([{ text: 'a' }]), second, stop).done).toBe(false);
    expect(run(parts([{ text: 'a' }]), second, stop, second.replace('}]}', '}]},"finishReason":"STOP"')).done).toBe(true);
  });

  test('of a prompt that was blocked is complete', () => {
    expect(run(chunk({ promptFeedback: { blockReason: 'SAFETY' } }))).toMatchObject({ done: true, begun: true });
  });

  test('that tells an error fails with its words', () => {
    const error = chunk({ error: { code: 429, message: 'slow down', status: 'RESOURCE_EXHAUSTED' } });
    expect(run(error)).toMatchObject({ fault: 'upstream_error', begun: false, failure: { kind: 'rate_limit' } });
    expect(run(parts([{ text: 'a' }]), error)).toMatchObject({ fault: 'upstream_error', begun: true });
  });

  test('that came as one whole answer becomes a stream of one chunk', () => {
    const answer = JSON.stringify({ candidates: [{ content: { parts: [{ text: 'a' }] }, finishReason: 'STOP' }] }, null, 2);
    expect(run(answer)).toMatchObject({ done: true, out: `data: ${JSON.stringify(JSON.parse(answer))}\n\n` });
  });
});

describe('a stream without alt=sse', () => {
  const open = () => exchange('streamGenerateContent', JSON.stringify({ contents }), {}, '?alt=json')!;
  function run(text: string, cut: number, from = open()) {
    const pipe = from.pipe();
    let out = '';
    const emit = (bytes: Uint8Array) => {
      out += new TextDecoder().decode(bytes);
    };
    const bytes = new TextEncoder().encode(text);
    pipe.push(bytes.slice(0, cut), emit);
    pipe.push(bytes.slice(cut), emit);
    pipe.finish(emit);
    return { out, done: pipe.done };
  }

  test('is a list of the same chunks, wherever its bytes are cut', () => {
    const text = `: hi\n\n${parts([{ text: 'a “b”' }])}${stop}`;
    expect(open().labelOf('stream', () => null)).toBe('application/json');
    const chunks = [parts([{ text: 'a “b”' }]), stop].map((each) => JSON.parse(each.slice('data: '.length)) as Fields);
    for (let cut = 0; cut < text.length; cut++) {
      const { out, done } = run(text, cut);
      expect([cut, done, JSON.parse(out)]).toEqual([cut, true, chunks]);
    }
  });

  test('that breaks off is a list whose last item is the error', () => {
    const broken = open();
    const { out, done } = run(parts([{ text: 'a' }]), 0, broken);
    expect(done).toBe(false);
    const error = new TextDecoder().decode(broken.framing?.errorEvent(new OlaError('upstream_truncated', 'cut')));
    expect(JSON.parse(out + error)).toMatchObject([{ candidates: [{}] }, { error: { message: 'cut' } }]);
    const early = new TextDecoder().decode(open().framing?.errorEvent(new OlaError('upstream_truncated', 'cut')));
    expect(JSON.parse(early)).toMatchObject([{ error: { message: 'cut' } }]);
    expect(broken.framing?.keepAlive).toBeNull();
  });
});

describe('a body', () => {
  const peek = (text: string) =>
    routeOf('generateContent').peek({ text, fields: JSON.parse(text) as Fields }, { '*': 'google/m' });

  test('is asked for its longest answer; the model is that of the path', () => {
    const text = JSON.stringify({ model: 'other', contents, generation_config: { max_output_tokens: 7 } });
    expect(peek(text)).toEqual({ model: 'google/m', stream: false, maxTokens: 7 });
  });

  test('with a field in both spellings, or twice, is refused by its name', () => {
    for (const [text, param] of [
      ['{"contents":[],"generationConfig":{},"generation_config":{}}', 'generation_config'],
      ['{"contents":[],"contents":[{}]}', 'contents'],
      ['{"contents":[],"Contents":[{}]}', 'Contents'],
    ] as const) {
      const refusal = refusalOf(() => peek(text));
      expect(refusal).toBeInstanceOf(OlaError);
      expect([text, refusal.facts.param]).toEqual([text, param]);
    }
  });

  test('tells conversations apart by their beginning', () => {
    const { conversation } = routeOf('generateContent');
    const of = (fields: Fields) => conversation?.({ text: '', fields }) ?? null;
    const longer = [...contents, { role: 'model', parts: [{ text: 'b' }] }];
    expect(of({ contents })).toBe(of({ contents: longer }));
    expect(of({ contents })).not.toBe(of({ contents, systemInstruction: { parts: [{ text: 'S' }] } }));
    expect(of({})).toBeNull();
  });
});
