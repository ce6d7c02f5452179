/** Google's API on both sides: the body as it came under another path, answers as they come, usage read in passing. */
import { isObject } from '../../core/json.ts';
import { mapItems, mapMember } from '../../core/json-text.ts';
import type { ClientCall, Exchange, UpstreamFailure, UpstreamModel, WholeAnswer } from '../../core/protocol.ts';
import { EventExchange } from '../event-exchange.ts';
import { createSameHeaders } from '../same-headers.ts';
import { notesOf } from '../wrapped-values.ts';
import { readContent, readCount, readVectors } from './answer.ts';
import { framed } from './array-stream.ts';
import { asEvents, modelPath } from './paths.ts';
import { createChunkTap } from './stream.ts';
import { withOwnThoughts } from './wrapped-thoughts.ts';

/** How an upstream serves a verb. */
interface Endpoint {
  readonly read: (text: string) => WholeAnswer | UpstreamFailure;
  /** The body names the model too, here: at the top, or in the member of this name. */
  readonly inner: 'generateContentRequest' | 'requests' | null;
}

const endpoints: Readonly<Record<string, Endpoint>> = {
  generateContent: { read: readContent, inner: null },
  streamGenerateContent: { read: readContent, inner: null },
  countTokens: { read: readCount, inner: 'generateContentRequest' },
  embedContent: { read: readVectors, inner: null },
  batchEmbedContents: { read: readVectors, inner: 'requests' },
};

export function direct(call: ClientCall, to: UpstreamModel): Exchange | null {
  const { route, body, peek, headers } = call;
  const verb = route.path.slice(route.path.lastIndexOf(':') + 1);
  const endpoint = endpoints[verb];
  if (endpoint === undefined || !('text' in body)) return null;
  // Vertex AI has no such calls.
  if (to.quirks.publisherPath === true && route.operation === 'embeddings') return null;
  if (to.quirks.noCount === true && route.operation === 'count') return null;
  const own = withOwnThoughts(body.text);
  const text = withModels(own.text, endpoint.inner, to);
  const path = modelPath(to, verb) + (peek.stream ? asEvents : '');
  const request = { path, body: text, headers: headers === null ? null : sameHeaders(headers), notes: notesOf(own.cut) };
  const forms = { read: endpoint.read, tap: createChunkTap, eventsOf: eventsOfContent };
  return framed(new EventExchange(request, peek.stream, forms), call);
}

const sameHeaders = createSameHeaders((given) => given);

/** The body with each model that it names replaced by the one that is called: the upstream asks that they are the same. */
function withModels(text: string, inner: Endpoint['inner'], { id }: UpstreamModel): string {
  if (!text.includes('model"')) return text;
  const name = JSON.stringify(id.includes('/') ? id : `models/${id}`);
  const named = (object: string) => mapMember(object, 'model', () => name);
  const own = named(text);
  if (inner === null) return own;
  return mapMember(own, inner, (value) => {
    if (value.startsWith('{')) return named(value);
    return value.startsWith('[') ? mapItems(value, (item) => (isObject(JSON.parse(item)) ? named(item) : item)) : value;
  });
}

/** A whole answer has the form of a chunk. */
const eventsOfContent = (answer: string): string => `data: ${JSON.stringify(JSON.parse(answer))}\n\n`;
