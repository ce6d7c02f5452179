/** Embeddings of OpenAI's API, both ways (https://platform.openai.com/docs/api-reference/embeddings). */
import { OlaError } from '../../core/errors.ts';
import { isObject } from '../../core/json.ts';
import type {
  EmbeddingsAnswer,
  EmbeddingsCodec,
  EmbeddingsRequest,
  EncodedRequest,
  Making,
  UpstreamFailure,
  UpstreamModel,
} from '../../core/protocol.ts';
import { brokenProtocol } from '../failures.ts';
import { readAnswer, withBase64 } from './answer.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Fields that a translation reads. */
const read = new Set(['model', 'input', 'dimensions', 'encoding_format']);

function decodeRequest(body: Fields): EmbeddingsRequest {
  const { input, dimensions } = body;
  const texts: readonly unknown[] = Array.isArray(input) ? input : [input];
  if (!texts.every((text) => typeof text === 'string')) {
    const message =
      "'input' has tokens, which mean something to models of OpenAI's protocol alone. Send texts, or ask a provider that speaks openai-completions.";
    throw new OlaError('invalid_request', message, { param: 'input' });
  }
  const unknown = Object.keys(body).filter((name) => !read.has(name) && body[name] !== null);
  return { input: texts, dimensions: typeof dimensions === 'number' ? dimensions : null, unknown };
}

function encodeAnswer({ model, vectors, tokens }: EmbeddingsAnswer, making: Making): string {
  const prompt = tokens.prompt ?? 0;
  const body = JSON.stringify({
    object: 'list',
    data: vectors.map((embedding, index) => ({ object: 'embedding', index, embedding })),
    model: model ?? making.model,
    usage: { prompt_tokens: prompt, total_tokens: prompt },
  });
  return making.request['encoding_format'] === 'base64' ? withBase64({ body, tokens }).body : body;
}

function encodeRequest({ input, dimensions }: EmbeddingsRequest, to: UpstreamModel): EncodedRequest {
  const body = { model: to.id, input, ...(dimensions === null ? {} : { dimensions }) };
  return {
    path: '/embeddings',
    body: JSON.stringify(body),
    dropped: [],
    added: [],
    headers: null,
    reasoningLost: false,
  };
}

const shape = { list: 'data', item: ['embedding'], what: 'a list of embeddings' };

function decodeAnswer(text: string): EmbeddingsAnswer | UpstreamFailure {
  const whole = readAnswer(text, shape);
  if ('kind' in whole) return whole;
  const answer = JSON.parse(text) as { readonly model?: unknown; readonly data: readonly unknown[] };
  const vectors: (readonly number[])[] = [];
  for (const [at, item] of answer.data.entries()) {
    const { index, embedding } = isObject(item) ? item : {};
    if (!isVector(embedding)) return brokenProtocol('answered an embedding that is no list of numbers');
    // Some servers answer in the order in which they were ready.
    vectors[Number.isSafeInteger(index) ? Number(index) : at] = embedding;
  }
  const inOrder = vectors.filter(() => true);
  return { model: typeof answer.model === 'string' ? answer.model : null, vectors: inOrder, tokens: whole.tokens };
}

function isVector(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === 'number');
}

export const embeddings: EmbeddingsCodec = {
  client: { decodeRequest, encodeAnswer },
  upstream: { encodeRequest, decodeAnswer },
};
