/** OpenAI's API on both sides: the body with only the model replaced, answers as they come, usage read in passing. */
import { type Form, formContentType, withField } from '../../core/multipart.ts';
import type { HeaderMap } from '../../core/ports.ts';
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
import { createAnyStream, firstByte, type StreamForms, startsEvents } from '../any-stream.ts';
import { createSameHeaders } from '../same-headers.ts';
import { mayBeWrapped, notesOf, type OwnBody } from '../wrapped-values.ts';
import { type AnswerShape, readAnswer, withBase64 } from './answer.ts';
import { eventsOfAnswer } from './convert.ts';
import { type Encode, encodeChat, encodeCompletion, encodeModel, type RequestFields } from './request.ts';
import { createStreamTap } from './stream.ts';
import { withOwnDetails } from './wrapped-details.ts';

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
  /** Answers that are neither JSON nor events go on as bytes. */
  readonly bytes: boolean;
}

const images: Omit<Endpoint, 'path'> = {
  encode: encodeModel,
  json: { list: 'data', item: [], what: 'a list of images' },
  stream: 'typed',
  bytes: false,
};
const transcript: Omit<Endpoint, 'path'> = {
  encode: encodeModel,
  json: { list: null, item: [], what: 'a transcript' },
  stream: 'typed',
  bytes: true,
};
const plain = { encode: encodeModel, stream: null, bytes: false } as const;
const chat = { list: 'choices', item: ['message', 'text'], what: 'a chat completion' };
const completion = { list: 'choices', item: ['text', 'message'], what: 'a completion' };

const rows: readonly Endpoint[] = [
  { path: '/chat/completions', encode: encodeChat, json: chat, stream: 'chunks', bytes: false },
  { path: '/completions', encode: encodeCompletion, json: completion, stream: 'chunks', bytes: false },
  { ...plain, path: '/embeddings', json: { list: 'data', item: ['embedding'], what: 'a list of embeddings' } },
  { ...plain, path: '/moderations', json: { list: 'results', item: [], what: 'a moderation' } },
  { ...images, path: '/images/generations' },
  { ...images, path: '/images/edits' },
  { ...images, path: '/images/variations' },
  { path: '/audio/speech', encode: encodeModel, json: null, stream: 'typed', bytes: true },
  { ...transcript, path: '/audio/transcriptions' },
  { ...transcript, path: '/audio/translations' },
];
const endpoints: ReadonlyMap<string, Endpoint> = new Map(rows.map((row) => [`/v1${row.path}`, row]));

export function direct({ route, body, peek, headers: given }: ClientCall, to: UpstreamModel): Exchange | null {
  const endpoint = endpoints.get(route.path);
  if (endpoint === undefined) return null;
  const headers = given === null ? null : sameHeaders(given);
  if ('form' in body) return new DirectExchange(endpoint, peek.stream, formRequest(body.form, to.id), headers);
  const own = mayBeWrapped(body.text) ? withOwnReasoning(body.text, to.maker) : { ...body, cut: false };
  const { text, usageAsked, usageAdded } = endpoint.encode(own.text, own.fields, to.id, to.quirks);
  const asked = { several: Number(body.fields['n']) > 1, base64: body.fields['encoding_format'] === 'base64' };
  const request = { ...asked, body: text, contentType: null, usageAsked, usageAdded, notes: notesOf(own.cut) };
  return new DirectExchange(endpoint, peek.stream, request, headers);
}

function withOwnReasoning(text: string, maker: string): OwnBody & { readonly fields: RequestFields } {
  const own = withOwnDetails(text, maker);
  return { ...own, fields: JSON.parse(own.text) as RequestFields };
}

const sameHeaders = createSameHeaders((given) => given);

interface DirectRequest {
  readonly body: string | Uint8Array<ArrayBuffer>;
  readonly contentType: string | null;
  /** The client asked for usage in its stream; else the event that carries usage alone is withheld. */
  readonly usageAsked: boolean;
  /** Ola asks for usage in the client's place. */
  readonly usageAdded: boolean;
  /** The client asked for several choices. */
  readonly several: boolean;
  /** The client asked for embeddings in base64. */
  readonly base64: boolean;
  readonly notes: HeaderMap | null;
}

/** The form with its `model` replaced, every other byte as it came. */
function formRequest(form: Form, model: string): DirectRequest {
  const body = withField(form, 'model', model);
  return {
    body,
    contentType: formContentType(form.boundary),
    usageAsked: true,
    usageAdded: false,
    several: false,
    base64: false,
    notes: null,
  };
}

const none: readonly string[] = [];
const streamOptions: readonly string[] = ['stream_options'];

class DirectExchange implements Exchange, StreamForms {
  readonly method = 'POST';
  readonly path: string;
  readonly body: DirectRequest['body'];
  readonly contentType: string | null;
  readonly headers: HeaderMap | null;
  readonly notes: HeaderMap | null;
  readonly added: readonly string[];
  readonly expects: AnswerKind | null;
  private readonly endpoint: Endpoint;
  private readonly streamAsked: boolean;
  private readonly request: DirectRequest;

  constructor(endpoint: Endpoint, streamAsked: boolean, request: DirectRequest, headers: HeaderMap | null) {
    this.endpoint = endpoint;
    this.path = endpoint.path;
    this.streamAsked = streamAsked;
    this.request = request;
    this.body = request.body;
    this.contentType = request.contentType;
    this.headers = headers;
    this.notes = request.notes;
    this.added = request.usageAdded ? streamOptions : none;
    // Upstreams of typed streams may ignore that a stream was asked for, and models of the same upstream differ.
    this.expects = endpoint.stream === 'typed' ? null : streamAsked ? 'stream' : 'whole';
  }

  /** A client that did not ask for a stream gets none; a page is never passed on. */
  answerKind(header: ReadHeader, first: Uint8Array): AnswerKind | null {
    const { json, bytes } = this.endpoint;
    const type = essence(header('content-type') ?? '');
    const byte = firstByte(first);
    if (bytes && isMedia(type)) return 'bytes';
    if (startsEvents(byte) && (type === 'text/event-stream' || /^\s*(?:(?:data|event|id|retry)\s*:|:)/.test(textOf(first))))
      return this.streamAsked ? 'stream' : null;
    // A text may begin with a bracket (`[Music]`), unless it says that it is JSON.
    if (byte === openingBrace || (byte === openingBracket && isJson(type)))
      return json === null && !isFailure(textOf(first)) ? null : 'whole';
    if (!bytes || isPage(textOf(first)) || type === 'text/event-stream') return null;
    return 'bytes';
  }

  labelOf(kind: AnswerKind, header: ReadHeader): string {
    return kind === 'stream' ? 'text/event-stream' : plainType(header('content-type') ?? '');
  }

  whole(text: string): WholeAnswer | UpstreamFailure {
    const answer = this.read(text);
    return this.request.base64 && 'body' in answer && 'tokens' in answer ? withBase64(answer) : answer;
  }

  pipe(): StreamPipe {
    return createAnyStream(this);
  }

  tap(): StreamPipe {
    const { usageAsked, several } = this.request;
    return createStreamTap({ usageAsked, typed: this.endpoint.stream === 'typed', several });
  }

  read(text: string): WholeAnswer | UpstreamFailure {
    return readAnswer(text, this.endpoint.json);
  }

  eventsOf(text: string): string {
    return eventsOfAnswer(text, this.request.usageAsked);
  }
}

const openingBrace = 0x7b;
const openingBracket = 0x5b;
const decoder = new TextDecoder();
/** The beginning of an answer as text. */
const textOf = (first: Uint8Array): string => decoder.decode(first).trimStart().slice(0, 512);

function isPage(text: string): boolean {
  return /^\uFEFF?\s*<(?:!doctype|html|head|body)\b/i.test(text);
}

/** JSON in the place of audio: an error under status 200. */
function isFailure(text: string): boolean {
  return /^\uFEFF?\s*\{\s*"(?:error|object|detail|message)"/.test(text);
}

function isJson(type: string): boolean {
  return /^application\/(?:[\w.-]+\+)?json$/.test(type);
}

function isMedia(type: string): boolean {
  return /^(?:audio|video|image)\//.test(type);
}

function essence(contentType: string): string {
  return (contentType.split(';')[0] ?? '').trim().toLowerCase();
}

const typeShape = /^[a-z0-9.+-]+\/[a-z0-9.+-]+$/;
const parameters = /^(?:\s*;\s*[\w-]{1,40}=[\w."/+-]{1,40}){1,3}$/;

/**
 * A content type to be sent on: without parameters that are not plain ones (`charset=utf-8`, `rate=24000`). A label that is
 * none becomes `application/octet-stream`, and so does that of a page, which no browser is to show.
 */
export function plainType(contentType: string): string {
  const type = essence(contentType);
  if (!typeShape.test(type) || /html|xml|javascript/.test(type)) return 'application/octet-stream';
  const rest = contentType.slice(contentType.indexOf(';'));
  return contentType.includes(';') && parameters.test(rest.trimEnd()) ? type + rest.trimEnd() : type;
}
