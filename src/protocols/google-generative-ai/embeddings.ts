/** Embeddings of Google's API, both ways (https://ai.google.dev/api/embeddings). */
import { isObject, isTooDeep } from '../../core/json.ts';
import type {
  EmbeddingsAnswer,
  EmbeddingsCodec,
  EmbeddingsRequest,
  EncodedRequest,
  UpstreamFailure,
  UpstreamModel,
} from '../../core/protocol.ts';
import { noTokenCounts } from '../../core/usage.ts';
import { parsed } from '../failure-words.ts';
import { brokenProtocol } from '../failures.ts';
import { failureInside } from './errors.ts';
import { camelOf, type Fields, member, refuse } from './names.ts';
import { modelPath } from './paths.ts';
import { readUsage } from './usage.ts';

/** Members of a request for one embedding that a translation reads. */
const read: ReadonlySet<string> = new Set(['model', 'content', 'outputDimensionality']);

/** One text, or `requests` with one each. */
function decodeRequest(body: Fields): EmbeddingsRequest {
  const requests = member(body, 'requests');
  const isList = Array.isArray(requests);
  const list: readonly unknown[] = isList ? requests : [body];
  if (list.length === 0) refuse("'requests' must hold at least one request.", 'requests');
  const decoded = list.map((each, index) => decodeOne(each, isList ? `requests.${index}.` : ''));
  const [first] = decoded;
  const other = decoded.findIndex(({ dimensions }) => dimensions !== first?.dimensions);
  if (other >= 0) {
    const field = `requests.${other}.outputDimensionality`;
    refuse(`'${field}' must be that of the first request: they are made by one call.`, field);
  }
  return {
    input: decoded.map(({ text }) => text),
    dimensions: first?.dimensions ?? null,
    unknown: [...new Set(decoded.flatMap(({ unknown }) => unknown))],
  };
}

interface Decoded {
  readonly text: string;
  readonly dimensions: number | null;
  readonly unknown: readonly string[];
}

/** @param place the place of the request in the body, with a full stop at its end */
function decodeOne(request: unknown, place: string): Decoded {
  if (!isObject(request)) return refuse(`'${place}content' must be a content with text.`, `${place}content`);
  const content = member(request, 'content');
  const parts = isObject(content) ? content['parts'] : null;
  const list: readonly unknown[] = Array.isArray(parts) ? parts : [parts];
  const texts = list.map((part) => (isObject(part) && typeof part['text'] === 'string' ? part['text'] : null));
  const text = texts.includes(null) ? '' : texts.join('\n');
  if (text === '') refuse(`'${place}content' must be a content with text.`, `${place}content`);
  const dimensions = member(request, 'outputDimensionality');
  const unknown = Object.keys(request).filter((name) => !read.has(camelOf(name)) && request[name] !== null);
  return { text, dimensions: typeof dimensions === 'number' ? dimensions : null, unknown };
}

/** Vertex AI makes embeddings by `predict`. */
function encodeRequest({ input, dimensions }: EmbeddingsRequest, to: UpstreamModel): EncodedRequest {
  const isVertex = to.quirks.publisherPath === true;
  const size = dimensions === null ? {} : { outputDimensionality: dimensions };
  const verb = isVertex ? 'predict' : 'batchEmbedContents';
  const path = modelPath(to, verb);
  const model = `models/${to.id.replace(/^models\//, '')}`;
  const body = isVertex
    ? { instances: input.map((content) => ({ content })), ...(dimensions === null ? {} : { parameters: size }) }
    : { requests: input.map((text) => ({ model, content: { parts: [{ text }] }, ...size })) };
  return { path, body: JSON.stringify(body), dropped: [], added: [], headers: null, reasoningLost: false };
}

function decodeAnswer(text: string): EmbeddingsAnswer | UpstreamFailure {
  const answer = readEmbeddings(text);
  if ('kind' in answer) return answer;
  const { vectors, fields } = answer;
  const usage = readUsage(member(fields, 'usageMetadata'));
  const prompt = usage.prompt ?? predictedTokens(fields);
  return { model: null, vectors, tokens: { ...noTokenCounts, prompt, ...(prompt === null ? {} : { completion: 0 }) } };
}

export interface ReadEmbeddings {
  readonly vectors: readonly (readonly number[])[];
  readonly fields: Fields;
}

/** Reads an answer to one text or several, and one of `predict`. */
export function readEmbeddings(text: string): ReadEmbeddings | UpstreamFailure {
  const fields = isTooDeep(text) ? null : parsed(text);
  if (!isObject(fields)) return brokenProtocol('answered JSON that is no embeddings');
  const failure = failureInside(fields, text);
  if (failure !== null) return failure;
  const { embedding, embeddings, predictions } = fields;
  const list: unknown = embeddings ?? predictions ?? (embedding === undefined ? null : [embedding]);
  if (!Array.isArray(list) || list.length === 0) return brokenProtocol('answered JSON that is no embeddings');
  const vectors = list.map(vectorOf);
  return vectors.every((vector) => vector !== null)
    ? { vectors, fields }
    : brokenProtocol('answered an embedding that is no list of numbers');
}

function vectorOf(embedding: unknown): readonly number[] | null {
  const held = isObject(embedding) && isObject(embedding['embeddings']) ? embedding['embeddings'] : embedding;
  const values = isObject(held) ? held['values'] : null;
  return Array.isArray(values) && values.length > 0 && values.every((each) => typeof each === 'number') ? values : null;
}

/** The tokens of an answer of `predict`, which tells them for each text; null where it does not. */
function predictedTokens({ predictions }: Fields): number | null {
  if (!Array.isArray(predictions)) return null;
  let sum = 0;
  for (const prediction of predictions) {
    const made = isObject(prediction) ? prediction['embeddings'] : null;
    const statistics = isObject(made) ? made['statistics'] : null;
    const tokens = isObject(statistics) ? statistics['token_count'] : null;
    if (typeof tokens !== 'number') return null;
    sum += tokens;
  }
  return sum;
}

export const embeddings: EmbeddingsCodec = {
  client: {
    decodeRequest,
    encodeAnswer({ vectors }, { request }) {
      const made = vectors.map((values) => ({ values }));
      return JSON.stringify(member(request, 'requests') === undefined ? { embedding: made[0] } : { embeddings: made });
    },
  },
  upstream: { encodeRequest, decodeAnswer },
};
