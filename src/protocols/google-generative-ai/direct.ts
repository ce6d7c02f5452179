/** Google's API on both sides: the body as it came under another path, answers as they come, usage read in passing. */
import { isObject } from '../../core/json.ts';
import { mapItems, mapMember } from '../../core/json-text.ts';
import type { HeaderMap } from '../../core/ports.ts';
import type {
  AnswerKind,
  ClientCall,
  Exchange,
  StreamPipe,
  UpstreamFailure,
  UpstreamModel,
  WholeAnswer,
} from '../../core/protocol.ts';
import { createAnyStream, type StreamForms } from '../any-stream.ts';
import { createSameHeaders } from '../same-headers.ts';
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
  const text = withModels(withOwnThoughts(body.text), endpoint.inner, to);
  const path = modelPath(to, verb) + (peek.stream ? asEvents : '');
  const request = { path, body: text, headers: headers === null ? null : sameHeaders(headers) };
  return framed(new DirectExchange(request, peek.stream, endpoint), call);
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

interface DirectRequest {
  readonly path: string;
  readonly body: string;
  readonly headers: HeaderMap | null;
}

const none: readonly string[] = [];

class DirectExchange implements Exchange, StreamForms {
  readonly method = 'POST';
  readonly path: string;
  readonly body: string;
  readonly contentType = null;
  readonly headers: HeaderMap | null;
  readonly notes = null;
  readonly added = none;
  readonly expects: AnswerKind;
  readonly read: StreamForms['read'];

  constructor({ path, body, headers }: DirectRequest, isStream: boolean, { read }: Endpoint) {
    this.path = path;
    this.body = body;
    this.headers = headers;
    this.expects = isStream ? 'stream' : 'whole';
    this.read = read;
  }

  answerKind(): AnswerKind {
    return this.expects;
  }

  labelOf(kind: AnswerKind): string {
    return kind === 'stream' ? 'text/event-stream' : 'application/json';
  }

  whole(text: string): WholeAnswer | UpstreamFailure {
    return this.read(text);
  }

  pipe(): StreamPipe {
    return createAnyStream(this);
  }

  tap(): StreamPipe {
    return createChunkTap();
  }

  /** A whole answer has the form of a chunk. */
  eventsOf(answer: string): string {
    return `data: ${JSON.stringify(JSON.parse(answer))}\n\n`;
  }
}
