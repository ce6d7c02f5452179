import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bedrockEmbeddings } from '../../../scripts/catalog-bedrock.ts';
import { modelsOf } from '../../../src/catalog/models.ts';
import type { EmbeddingsRequest } from '../../../src/core/protocol.ts';
import { noTokenCounts } from '../../../src/core/usage.ts';
import { embeddings } from '../../../src/protocols/bedrock-converse-stream/embeddings.ts';
import { refusalOf } from '../anthropic-messages/conversations.ts';
import { upstreamModel } from '../upstream-model.ts';

const { encodeRequest, decodeAnswer } = embeddings.upstream!;
const sample = (name: string) =>
  readFileSync(join(import.meta.dir, '../fixtures/bedrock-converse-stream', `embeddings-${name}.json`), 'utf8');
const titan = 'amazon.titan-embed-text-v2:0';
const cohere = 'cohere.embed-v4:0';

/** The request for a model of the catalog. */
function asked(id: string, request: Partial<EmbeddingsRequest>) {
  const facts = modelsOf('amazon-bedrock').find((model) => model.id === id) ?? null;
  return encodeRequest({ input: ['low tide'], dimensions: null, unknown: [], ...request }, upstreamModel(id, { facts }));
}
const bodyOf = (id: string, request: Partial<EmbeddingsRequest>): unknown => JSON.parse(asked(id, request).body);

describe('a request', () => {
  test('to Titan has one text, by InvokeModel', () => {
    expect(asked(titan, {})).toMatchObject({
      path: '/model/amazon.titan-embed-text-v2%3A0/invoke',
      headers: { accept: 'application/json' },
    });
    expect(bodyOf(titan, {})).toEqual({ inputText: 'low tide' });
    expect(bodyOf(titan, { dimensions: 256 })).toEqual({ inputText: 'low tide', dimensions: 256 });
  });

  test('to Cohere has all texts, and refuses to cut them', () => {
    const usual = { input_type: 'search_document', embedding_types: ['float'], truncate: 'NONE' };
    expect(bodyOf('cohere.embed-english-v3', { input: ['a', 'b'] })).toEqual({ ...usual, texts: ['a', 'b'] });
    expect(bodyOf(cohere, { dimensions: 512 })).toEqual({ ...usual, texts: ['low tide'], output_dimension: 512 });
  });

  test('with more texts than the model takes is refused by `input`', () => {
    const two = refusalOf(() => asked(titan, { input: ['a', 'b'] }));
    expect([two.facts.param, two.message]).toEqual(['input', expect.stringContaining('Cohere')]);
    expect(asked(cohere, { input: Array.from({ length: 96 }, () => 'a') }).path).toContain('/invoke');
    expect(refusalOf(() => asked(cohere, { input: Array.from({ length: 97 }, () => 'a') })).facts.param).toBe('input');
  });

  test('for a size that the model cannot choose is refused by `dimensions`', () => {
    for (const id of ['amazon.titan-embed-text-v1', 'cohere.embed-multilingual-v3'])
      expect(refusalOf(() => asked(id, { dimensions: 256 })).facts.param).toBe('dimensions');
  });

  test('to a model whose form is not known is refused by the model', () => {
    for (const id of ['amazon.nova-pro-v1:0', 'arn:aws:bedrock:eu-west-1:1:application-inference-profile/ab']) {
      const { code, facts } = refusalOf(() => asked(id, {}));
      expect([code, facts.param]).toEqual(['embeddings_not_supported', 'model']);
    }
  });
});

describe('an answer', () => {
  const tokens = (prompt: number) => ({ ...noTokenCounts, prompt, completion: 0 });
  const header = (name: string) => (name === 'x-amzn-bedrock-input-token-count' ? '9' : null);

  test('of Titan has one vector and its tokens', () => {
    expect(decodeAnswer(sample('titan'), header)).toEqual({ model: null, vectors: [[0.5, -0.25, 0.125]], tokens: tokens(6) });
  });

  test('of Cohere has its vectors by type or alone, and its tokens in a header', () => {
    const vectors = [
      [0.5, -0.25],
      [0.125, 1],
    ];
    for (const name of ['cohere', 'cohere-untyped']) {
      expect(decodeAnswer(sample(name), header)).toEqual({ model: null, vectors, tokens: tokens(9) });
      expect(decodeAnswer(sample(name))).toEqual({ model: null, vectors, tokens: noTokenCounts });
      expect(decodeAnswer(sample(name), () => '-1')).toMatchObject({ tokens: noTokenCounts });
    }
  });

  test('without vectors is a failure', () => {
    const broken = [
      '',
      '[]',
      '{}',
      '{"embedding":[]}',
      '{"embedding":["x"]}',
      '{"embeddings":{"int8":[[1]]}}',
      '{"embeddings":[[1],[]]}',
    ];
    for (const text of broken) expect([text, decodeAnswer(text)]).toMatchObject([text, { kind: 'malformed' }]);
    expect(decodeAnswer('{"__type":"ThrottlingException","message":"x"}')).toMatchObject({ kind: 'rate_limit' });
  });
});

test('the models that make embeddings are in the table', () => {
  expect(modelsOf('amazon-bedrock').filter(({ embeddings: made }) => made !== undefined)).toHaveLength(bedrockEmbeddings.length);
  expect(modelsOf('amazon-bedrock').filter(({ id }) => /embed/.test(id))).toHaveLength(bedrockEmbeddings.length);
});
