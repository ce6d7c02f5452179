/** Embeddings of Ollama's API, both ways: `/api/embed`, and the older `/api/embeddings` of one prompt (https://docs.ollama.com/api/embed). */
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
import { wellFormedJson } from '../well-formed-json.ts';
import { readVectors } from './answer.ts';
import { type Fields, membersBeside, numberIn, refuse } from './members.ts';
import { embedPath } from './routes.ts';

/** Members that a translation reads. */
const held = new Set(['model', 'input', 'prompt', 'dimensions']);

function decodeRequest(body: Fields): EmbeddingsRequest {
  const name = isOld(body) ? 'prompt' : 'input';
  const given = body[name];
  const texts: readonly unknown[] = Array.isArray(given) ? given : [given];
  const input = texts.map((text, at) => {
    const field = Array.isArray(given) ? `${name}.${at}` : name;
    return typeof text === 'string' && text !== '' ? text : refuse(field, `\`${field}\` must be a text that is not empty.`);
  });
  if (input.length === 0) refuse(name, `\`${name}\` must have at least one text.`);
  return { input, dimensions: numberIn(body, 'dimensions'), unknown: Object.keys(membersBeside(body, held)) };
}

/** The request is one of `/api/embeddings`. */
const isOld = ({ input }: Fields): boolean => input === undefined;

/** @returns JSON */
function encodeAnswer({ model, vectors, tokens }: EmbeddingsAnswer, making: Making): string {
  if (isOld(making.request)) return JSON.stringify({ embedding: vectors[0] });
  const counted = tokens.prompt === null ? {} : { prompt_eval_count: tokens.prompt };
  return JSON.stringify({ model: model ?? making.model, embeddings: vectors, ...counted });
}

/** A text that is too long is an error, where the server would cut its end off and say nothing. */
function encodeRequest({ input, dimensions }: EmbeddingsRequest, to: UpstreamModel): EncodedRequest {
  const body = { model: to.id, input, truncate: false, ...(dimensions === null ? {} : { dimensions }) };
  return {
    path: embedPath,
    body: wellFormedJson(JSON.stringify(body)),
    dropped: [],
    added: [],
    headers: null,
    reasoningLost: false,
  };
}

function decodeAnswer(text: string): EmbeddingsAnswer | UpstreamFailure {
  const whole = readVectors(text);
  if ('kind' in whole) return whole;
  const answer: unknown = JSON.parse(text);
  const { model, embeddings, embedding } = isObject(answer) ? answer : {};
  const vectors: readonly unknown[] = Array.isArray(embeddings) ? embeddings : [embedding];
  if (!vectors.every(isVector)) return brokenProtocol('answered an embedding that is no list of numbers');
  return { model: typeof model === 'string' && model !== '' ? model : null, vectors, tokens: whole.tokens };
}

function isVector(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === 'number');
}

export const embeddings: EmbeddingsCodec = {
  client: { decodeRequest, encodeAnswer },
  upstream: { encodeRequest, decodeAnswer },
};
