/** OpenAI's API on both sides: the body with only the model replaced, answers as they come, usage read in passing. */
import { type Form, formContentType, withField } from '../../core/multipart.ts';
import type {
  AnswerKind,
  ClientCall,
  Exchange,
  ReadHeader,
  StreamPipe,
  UpstreamFailure,
  UpstreamModel,
  WholeAnswer,
} from '../../core/protocol.ts';
import { type AnswerShape, readAnswer } from './answer.ts';
import { type Encode, encodeChat, encodeCompletion, encodeModel } from './request.ts';
import { createStreamTap } from './stream.ts';

/** How an upstream serves a route: a row. */
interface Endpoint {
  /** Behind a provider's base URL. */
  readonly path: string;
  /** How a JSON body goes on. */
  readonly encode: Encode;
  /** The shape of a whole JSON answer; null: the endpoint never answers JSON. */
  readonly json: AnswerShape | null;
  /**
   * `chunks`: streams when asked to, in OpenAI's chunks, and ends with `[DONE]`. `typed`: may stream when asked to, in
   * events that name their type. Null: never streams.
   */
  readonly stream: 'chunks' | 'typed' | null;
  /** How the content types begin that go on as bytes. */
  readonly media: readonly string[];
}

const images: Omit<Endpoint, 'path'> = {
  encode: encodeModel,
  json: { list: 'data', what: 'a list of images' },
  stream: 'typed',
  media: [],
};
const transcript: Omit<Endpoint, 'path'> = {
  encode: encodeModel,
  json: { list: null, what: 'a transcript' },
  stream: 'typed',
  media: ['text/plain', 'text/vtt', 'application/x-subrip', 'application/octet-stream'],
};
const plain = { encode: encodeModel, stream: null, media: [] };

const endpoints: ReadonlyMap<string, Endpoint> = new Map(
  [
    {
      path: '/chat/completions',
      encode: encodeChat,
      json: { list: 'choices', what: 'a chat completion' },
      stream: 'chunks',
      media: [],
    },
    {
      path: '/completions',
      encode: encodeCompletion,
      json: { list: 'choices', what: 'a completion' },
      stream: 'chunks',
      media: [],
    },
    { ...plain, path: '/embeddings', json: { list: 'data', what: 'a list of embeddings' } },
    { ...plain, path: '/moderations', json: { list: 'results', what: 'a moderation' } },
    { ...images, path: '/images/generations' },
    { ...images, path: '/images/edits' },
    { ...images, path: '/images/variations' },
    { path: '/audio/speech', encode: encodeModel, json: null, stream: 'typed', media: ['audio/', 'application/octet-stream'] },
    { ...transcript, path: '/audio/transcriptions' },
    { ...transcript, path: '/audio/translations' },
  ].map((endpoint): [string, Endpoint] => [`/v1${endpoint.path}`, endpoint as Endpoint]),
);

export function direct({ route, body, peek }: ClientCall, to: UpstreamModel): Exchange | null {
  const endpoint = endpoints.get(route.path);
  if (endpoint === undefined) return null;
  if ('form' in body) return new DirectExchange(endpoint, peek.stream, formRequest(body.form, to.id));
  const { text, usageAsked } = endpoint.encode(body.text, body.fields, to.id, to.quirks);
  return new DirectExchange(endpoint, peek.stream, { body: text, contentType: null, usageAsked });
}

interface DirectRequest {
  readonly body: string | Uint8Array<ArrayBuffer>;
  readonly contentType: string | null;
  /** The client asked for usage in its stream; else the event that carries usage alone is withheld. */
  readonly usageAsked: boolean;
}

/** The form with its `model` replaced, every other byte as it came. */
function formRequest(form: Form, model: string): DirectRequest {
  return { body: withField(form, 'model', model), contentType: formContentType(form.boundary), usageAsked: true };
}

const nothingDropped: readonly string[] = [];

class DirectExchange implements Exchange {
  readonly method = 'POST';
  readonly path: string;
  readonly body: DirectRequest['body'];
  readonly contentType: string | null;
  readonly dropped = nothingDropped;
  private readonly endpoint: Endpoint;
  private readonly streamAsked: boolean;
  private readonly usageAsked: boolean;

  constructor(endpoint: Endpoint, streamAsked: boolean, request: DirectRequest) {
    this.endpoint = endpoint;
    this.path = endpoint.path;
    this.streamAsked = streamAsked;
    this.body = request.body;
    this.contentType = request.contentType;
    this.usageAsked = request.usageAsked;
  }

  /** A client that did not ask for a stream gets none. */
  answerKind(header: ReadHeader): AnswerKind | null {
    const { stream, json, media } = this.endpoint;
    if (stream !== 'typed') return this.streamAsked ? 'stream' : 'whole';
    // Upstreams may ignore that a stream was asked for, and models of the same upstream differ: the label counts.
    const type = essence(header('content-type') ?? '');
    if (type === 'text/event-stream') return this.streamAsked ? 'stream' : null;
    if (type === 'application/json' || type.endsWith('+json')) return json === null ? null : 'whole';
    return typeShape.test(type) && media.some((beginning) => type.startsWith(beginning)) ? 'bytes' : null;
  }

  labelOf(kind: AnswerKind, header: ReadHeader): string {
    return kind === 'stream' ? 'text/event-stream' : plainType(header('content-type') ?? '');
  }

  whole(text: string): WholeAnswer | UpstreamFailure {
    return readAnswer(text, this.endpoint.json);
  }

  pipe(): StreamPipe {
    return createStreamTap(this.usageAsked, this.endpoint.stream === 'typed');
  }
}

function essence(contentType: string): string {
  return (contentType.split(';')[0] ?? '').trim().toLowerCase();
}

const typeShape = /^[a-z0-9.+-]+\/[a-z0-9.+-]+$/;
const parameters = /^(?:\s*;\s*[\w-]{1,40}=[\w."/+-]{1,40}){1,3}$/;

/** A content type to be sent on: without parameters that are not plain ones (`charset=utf-8`, `rate=24000`). */
export function plainType(contentType: string): string {
  const type = essence(contentType);
  const rest = contentType.slice(contentType.indexOf(';'));
  return contentType.includes(';') && parameters.test(rest.trimEnd()) ? type + rest.trimEnd() : type;
}
