import { describe, expect, test } from 'bun:test';
import { OlaError } from '../../../src/core/errors.ts';
import { noTokenCounts } from '../../../src/core/usage.ts';
import { embeddings } from '../../../src/protocols/openai-completions/embeddings.ts';
import { upstreamModel } from '../upstream-model.ts';

const client = embeddings.client!;
const upstream = embeddings.upstream!;
const making = { id: 'r', createdAt: 0, model: 'asked', request: {} };
const answer = {
  model: 'm',
  vectors: [
    [0.5, -1],
    [2, 3],
  ],
  tokens: { ...noTokenCounts, prompt: 7, completion: 0 },
};

describe('a client of OpenAI’s embeddings', () => {
  test('asks for one text or several; fields that nobody else knows are named', () => {
    expect(client.decodeRequest({ model: 'm', input: 'a', user: 'u' })).toEqual({
      input: ['a'],
      dimensions: null,
      unknown: ['user'],
    });
    expect(client.decodeRequest({ model: 'm', input: ['a', 'b'], dimensions: 256, user: null })).toEqual({
      input: ['a', 'b'],
      dimensions: 256,
      unknown: [],
    });
  });

  test('is refused tokens by the field, since they are those of one family of models', () => {
    for (const input of [
      [1, 2],
      [[1], [2]],
    ]) {
      try {
        client.decodeRequest({ input });
        throw new Error('nothing was refused');
      } catch (error) {
        expect(error).toBeInstanceOf(OlaError);
        expect(error).toMatchObject({ code: 'invalid_request', facts: { param: 'input' } });
      }
    }
  });

  test('gets numbers, or the same in base64 where it asked so', () => {
    expect(JSON.parse(client.encodeAnswer(answer, making))).toEqual({
      object: 'list',
      data: [
        { object: 'embedding', index: 0, embedding: [0.5, -1] },
        { object: 'embedding', index: 1, embedding: [2, 3] },
      ],
      model: 'm',
      usage: { prompt_tokens: 7, total_tokens: 7 },
    });
    const packed = JSON.parse(client.encodeAnswer(answer, { ...making, request: { encoding_format: 'base64' } })) as {
      data: { embedding: string }[];
    };
    const bytes = Buffer.from(packed.data[0]!.embedding, 'base64');
    expect([bytes.readFloatLE(0), bytes.readFloatLE(4)]).toEqual([0.5, -1]);
  });
});

describe('an upstream of OpenAI’s embeddings', () => {
  test('is told the texts and the dimensions', () => {
    const { path, body } = upstream.encodeRequest({ input: ['a'], dimensions: 8, unknown: [] }, upstreamModel('m'));
    expect([path, JSON.parse(body)]).toEqual(['/embeddings', { model: 'm', input: ['a'], dimensions: 8 }]);
  });

  test('answers vectors in the order of their indexes', () => {
    const data = [
      { index: 1, embedding: [2] },
      { index: 0, embedding: [1] },
    ];
    const text = JSON.stringify({ data, model: 'x', usage: { prompt_tokens: 3, total_tokens: 3 } });
    expect(upstream.decodeAnswer(text)).toMatchObject({ model: 'x', vectors: [[1], [2]], tokens: { prompt: 3 } });
  });

  test('fails where an embedding is no list of numbers, where there is none, and where it says so', () => {
    for (const text of ['{"data":[{"embedding":"AAAA"}]}', '{"data":[{"embedding":[]}]}', '[]', 'x'])
      expect(upstream.decodeAnswer(text)).toMatchObject({ kind: 'malformed' });
    expect(upstream.decodeAnswer('{"data":[]}')).toMatchObject({ kind: 'server_error' });
    expect(upstream.decodeAnswer('{"error":{"message":"no","code":429}}')).toMatchObject({ kind: 'rate_limit', status: 429 });
  });
});
