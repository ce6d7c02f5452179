/**
 * Embeddings on Bedrock, by InvokeModel (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html): its body
 * has the form of the model's vendor, which the catalog knows. Pure.
 */
import { OlaError } from '../../core/errors.ts';
import { isObject, isTooDeep } from '../../core/json.ts';
import type {
  EmbeddingsAnswer,
  EmbeddingsCodec,
  EmbeddingsRequest,
  EncodedRequest,
  ReadHeader,
  UpstreamFailure,
  UpstreamModel,
} from '../../core/protocol.ts';
import type { BedrockEmbeddings } from '../../core/providers.ts';
import { noTokenCounts } from '../../core/usage.ts';
import { parsed } from '../failure-words.ts';
import { brokenProtocol } from '../failures.ts';
import { failureInside } from './errors.ts';
import { refuse } from './refuse.ts';

type Fields = Readonly<Record<string, unknown>>;

const bodies: Readonly<Record<BedrockEmbeddings['form'], (request: EmbeddingsRequest) => Fields>> = {
  // https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html
  titan: ({ input, dimensions }) => ({ inputText: input[0], ...(dimensions === null ? {} : { dimensions }) }),
  // https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed-v4.html, and -v3.html.
  cohere: ({ input, dimensions }) => ({
    texts: input,
    input_type: 'search_document',
    embedding_types: ['float'],
    // A text that is too long is refused, as clients of OpenAI expect.
    truncate: 'NONE',
    ...(dimensions === null ? {} : { output_dimension: dimensions }),
  }),
};

const headers = { accept: 'application/json' };

function encodeRequest(request: EmbeddingsRequest, to: UpstreamModel): EncodedRequest {
  const made = to.facts?.embeddings ?? unknownForm(to);
  const { input, dimensions } = request;
  if (input.length > made.texts) {
    const most = made.texts === 1 ? 'one text' : `${made.texts} texts`;
    const other = made.texts === 1 ? ', or name a model of Cohere, which takes 96' : '';
    refuse(`'input' has ${input.length} texts, and model '${to.id}' takes ${most} a call. Send ${most} a call${other}.`, 'input');
  }
  if (dimensions !== null && made.sized !== true) {
    refuse(`'dimensions' cannot be chosen for model '${to.id}'. Remove it, or name a newer model.`, 'dimensions');
  }
  return {
    path: `/model/${encodeURIComponent(to.id)}/invoke`,
    body: JSON.stringify(bodies[made.form](request)),
    dropped: [],
    added: [],
    headers,
    reasoningLost: false,
  };
}

/** A chat model, or one that the catalog does not list: a body in the wrong form would only be refused. */
function unknownForm({ id, provider }: UpstreamModel): never {
  const message = `Model '${id}' of provider '${provider}' has no embeddings that ola knows. Name one of Amazon Titan or Cohere that /v1/models lists for \`amazon-bedrock\`.`;
  throw new OlaError('embeddings_not_supported', message, { param: 'model', details: { provider } });
}

function decodeAnswer(text: string, header?: ReadHeader): EmbeddingsAnswer | UpstreamFailure {
  const answer = isTooDeep(text) ? null : parsed(text);
  if (!isObject(answer)) return brokenProtocol('answered JSON that is no embeddings');
  const failure = failureInside(answer, text);
  if (failure !== null) return failure;
  const vectors = vectorsIn(answer);
  if (vectors === null) return brokenProtocol('answered JSON that is no embeddings');
  // Titan counts the tokens in its answer. For every model they stand in a header.
  const prompt = count(answer['inputTextTokenCount']) ?? count(header?.('x-amzn-bedrock-input-token-count'));
  return { model: null, vectors, tokens: { ...noTokenCounts, prompt, ...(prompt === null ? {} : { completion: 0 }) } };
}

/** Titan's one vector; Cohere's by their type, or as a list where it was asked for no type. Null: there are none. */
function vectorsIn({ embedding, embeddings }: Fields): EmbeddingsAnswer['vectors'] | null {
  const list: unknown = embedding === undefined ? (isObject(embeddings) ? embeddings['float'] : embeddings) : [embedding];
  return Array.isArray(list) && list.length > 0 && list.every(isVector) ? list : null;
}

function isVector(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === 'number');
}

/** @param value a number, or the digits of a header */
function count(value: unknown): number | null {
  const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : null;
}

export const embeddings: EmbeddingsCodec = { client: null, upstream: { encodeRequest, decodeAnswer } };
