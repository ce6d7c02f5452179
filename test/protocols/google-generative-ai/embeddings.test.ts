import { describe, expect, test } from 'bun:test';
import { noTokenCounts } from '../../../src/core/usage.ts';
import { embeddings } from '../../../src/protocols/google-generative-ai/embeddings.ts';
import { upstreamModel } from '../upstream-model.ts';
import { refusalOf } from './conversations.ts';
import { making } from './fixtures.ts';

const client = embeddings.client!;
const upstream = embeddings.upstream!;
const content = (text: string) => ({ parts: [{ text }] });

describe('an upstream of embeddings', () => {
  const request = { input: ['a', 'b'], dimensions: 3, unknown: [] };

  test('is asked for all texts by one call', () => {
    const { path, body } = upstream.encodeRequest(request, upstreamModel('e-1'));
    expect(path).toBe('/models/e-1:batchEmbedContents');
    expect(JSON.parse(body)).toEqual({
      requests: ['a', 'b'].map((text) => ({ model: 'models/e-1', content: content(text), outputDimensionality: 3 })),
    });
  });

  test('is asked by predict at Vertex AI', () => {
    const { path, body } = upstream.encodeRequest(request, upstreamModel('e-1', { quirks: { publisherPath: true } }));
    expect(path).toBe('/publishers/google/models/e-1:predict');
    expect(JSON.parse(body)).toEqual({
      instances: [{ content: 'a' }, { content: 'b' }],
      parameters: { outputDimensionality: 3 },
    });
  });

  test('answers vectors, with or without a count of tokens', () => {
    expect(upstream.decodeAnswer('{"embeddings":[{"values":[1,2]},{"values":[3]}]}')).toEqual({
      model: null,
      vectors: [[1, 2], [3]],
      tokens: noTokenCounts,
    });
    const predicted = { predictions: [{ embeddings: { values: [1], statistics: { token_count: 4 } } }] };
    expect(upstream.decodeAnswer(JSON.stringify(predicted))).toMatchObject({
      vectors: [[1]],
      tokens: { prompt: 4, completion: 0 },
    });
  });

  test('fails where there is none, or where it says so', () => {
    for (const text of [
      '',
      '[]',
      '{}',
      '{"embeddings":[]}',
      '{"embeddings":[{"values":[]}]}',
      '{"embeddings":[{"values":["x"]}]}',
    ])
      expect([text, upstream.decodeAnswer(text)]).toMatchObject([text, { kind: 'malformed' }]);
    expect(upstream.decodeAnswer('{"error":{"code":503,"message":"x"}}')).toMatchObject({ kind: 'overloaded' });
  });
});

describe('a client of embeddings', () => {
  test('asks for one text, or for several', () => {
    expect(
      client.decodeRequest({
        content: { parts: [{ text: 'a' }, { text: 'b' }] },
        taskType: 'RETRIEVAL_QUERY',
        output_dimensionality: 8,
      }),
    ).toEqual({
      input: ['a\nb'],
      dimensions: 8,
      unknown: ['taskType'],
    });
    expect(client.decodeRequest({ requests: [{ model: 'models/x', content: content('a') }, { content: content('b') }] })).toEqual(
      {
        input: ['a', 'b'],
        dimensions: null,
        unknown: [],
      },
    );
  });

  test('is refused what is no text, by the field', () => {
    expect(refusalOf(() => client.decodeRequest({})).facts.param).toBe('content');
    expect(refusalOf(() => client.decodeRequest({ requests: [] })).facts.param).toBe('requests');
    expect(
      refusalOf(() => client.decodeRequest({ requests: [{ content: content('a') }, { content: { parts: [{}] } }] })).facts.param,
    ).toBe('requests.1.content');
    const sizes = [{ content: content('a'), outputDimensionality: 1 }, { content: content('b') }];
    expect(refusalOf(() => client.decodeRequest({ requests: sizes })).facts.param).toBe('requests.1.outputDimensionality');
  });

  test('gets them in the form that it asked in', () => {
    const answer = { model: 'm', vectors: [[1]], tokens: noTokenCounts };
    expect(client.encodeAnswer(answer, { ...making, request: { content: {} } })).toBe('{"embedding":{"values":[1]}}');
    expect(client.encodeAnswer(answer, { ...making, request: { requests: [] } })).toBe('{"embeddings":[{"values":[1]}]}');
  });
});
