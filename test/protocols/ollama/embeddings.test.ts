import { describe, expect, test } from 'bun:test';
import { OlaError } from '../../../src/core/errors.ts';
import { embeddings } from '../../../src/protocols/ollama/embeddings.ts';
import { upstreamModel } from '../upstream-model.ts';

const { client, upstream } = embeddings;
if (client === null || upstream === null) throw new Error('Ollama has both faces.');
const making = (request: object) => ({ id: 'r', createdAt: 1, model: 'openai/e', request: request as Record<string, unknown> });
const answer = {
  model: null,
  vectors: [
    [0.5, -1],
    [2, 3],
  ],
  tokens: { prompt: 4, completion: 0, cacheRead: null, cacheWrite: null, reasoning: null },
};

describe('a client', () => {
  test('asks of one text or several, or in the older way', () => {
    expect(client.decodeRequest({ model: 'm', input: 'a', dimensions: 8, keep_alive: '5m' })).toEqual({
      input: ['a'],
      dimensions: 8,
      unknown: ['keep_alive'],
    });
    expect(client.decodeRequest({ input: ['a', 'b'] }).input).toEqual(['a', 'b']);
    expect(client.decodeRequest({ prompt: 'a' }).input).toEqual(['a']);
  });

  test.each([
    ['input', { input: '' }],
    ['input', { input: [] }],
    ['input.1', { input: ['a', 7] }],
    ['prompt', {}],
    ['dimensions', { input: 'a', dimensions: 'many' }],
  ])('is told that `%s` is wrong', (param, body) => {
    expect(() => client.decodeRequest(body)).toThrow(OlaError);
    try {
      client.decodeRequest(body);
    } catch (thrown) {
      expect((thrown as OlaError).facts.param).toBe(param);
    }
  });

  test('gets the vectors in the form that it asked in', () => {
    expect(JSON.parse(client.encodeAnswer(answer, making({ input: ['a', 'b'] })))).toEqual({
      model: 'openai/e',
      embeddings: answer.vectors,
      prompt_eval_count: 4,
    });
    expect(JSON.parse(client.encodeAnswer(answer, making({ prompt: 'a' })))).toEqual({ embedding: [0.5, -1] });
  });
});

describe('an upstream', () => {
  test('is asked for vectors of texts that it must not cut', () => {
    const { path, body } = upstream.encodeRequest({ input: ['a\ud800', 'b'], dimensions: 8, unknown: [] }, upstreamModel('e'));
    expect([path, JSON.parse(body)]).toEqual([
      '/api/embed',
      { model: 'e', input: ['a\ufffd', 'b'], truncate: false, dimensions: 8 },
    ]);
  });

  test('answers vectors with the tokens of the texts', () => {
    expect(upstream.decodeAnswer('{"model":"e","embeddings":[[0.5,1]],"prompt_eval_count":2}')).toMatchObject({
      model: 'e',
      vectors: [[0.5, 1]],
      tokens: { prompt: 2, completion: 0 },
    });
  });

  test('that answers none has failed', () => {
    for (const text of ['', '{}', '{"embeddings":[[]]}', '{"embeddings":[["a"]]}', '{"embedding":7}'])
      expect([text, upstream.decodeAnswer(text)]).toMatchObject([text, { kind: 'malformed' }]);
    expect(upstream.decodeAnswer('{"error":"this model does not support embeddings"}')).toMatchObject({ status: 400 });
  });
});
