/** Embeddings from an upstream of another protocol, through the translator. */
import { describe, expect, test } from 'bun:test';
import type { ClientCall, EmbeddingsUpstream, Exchange, Protocol } from '../../src/core/protocol.ts';
import { noTokenCounts } from '../../src/core/usage.ts';
import { openaiCompletions } from '../../src/protocols/openai-completions/protocol.ts';
import { createTranslator } from '../../src/protocols/translate.ts';
import { upstreamModel } from './upstream-model.ts';

/** Answers the length of each text as its vector. */
const lengths: EmbeddingsUpstream = {
  encodeRequest: ({ input, dimensions }, { id }) => ({
    path: `/embed/${id}`,
    body: JSON.stringify(input.map(({ length }) => length)),
    dropped: dimensions === null ? [] : ['dimensions'],
    added: [],
    headers: null,
    reasoningLost: false,
  }),
  decodeAnswer: (text) => ({
    model: null,
    vectors: (JSON.parse(text) as number[]).map((each) => [each]),
    tokens: { ...noTokenCounts, prompt: 5, completion: 0 },
  }),
};
const mock: Protocol = { ...openaiCompletions, id: 'mock-protocol', embeddings: { client: null, upstream: lengths } };
const translator = createTranslator([openaiCompletions, mock], (text) => text);
const route = openaiCompletions.clientRoutes.find(({ path }) => path === '/v1/embeddings')!;

function exchange(fields: Readonly<Record<string, unknown>>): Exchange {
  const body = { text: JSON.stringify(fields), fields };
  const call: ClientCall = { route, body, params: {}, peek: route.peek(body, {}), query: '', headers: null };
  const facts = { requestId: 'r', startedAt: 0, memory: null };
  const made = translator.exchange(openaiCompletions, call, upstreamModel('up'), facts);
  if (made === null || 'own' in made) throw new Error('no exchange');
  return made;
}

describe('embeddings of another protocol', () => {
  test('are translated where both sides have them', () => {
    expect(translator.translates('openai-completions', 'mock-protocol', 'embeddings')).toBe(true);
    expect(translator.translates('mock-protocol', 'openai-completions', 'embeddings')).toBe(false);
  });

  test('go up and come back in the client’s form; fields that were left out are named', () => {
    const made = exchange({ model: 'x/y', input: ['a', 'bcd'], dimensions: 4, user: 'u' });
    expect([made.path, made.body, made.expects]).toEqual(['/embed/up', '[1,3]', 'whole']);
    expect(made.notes).toEqual({ 'x-ola-dropped': 'user, dimensions' });
    const whole = made.whole('[1,3]');
    if ('kind' in whole) throw new Error('a failure');
    expect(JSON.parse(whole.body)).toMatchObject({
      model: 'x/y',
      data: [
        { index: 0, embedding: [1] },
        { index: 1, embedding: [3] },
      ],
    });
    expect(whole.tokens).toMatchObject({ prompt: 5 });
  });

  test('are a failure where a vector is missing: all behind it would belong to other texts', () => {
    expect(exchange({ input: ['a', 'b'] }).whole('[1]')).toMatchObject({ kind: 'malformed' });
  });
});
