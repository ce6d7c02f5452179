/**
 * The interface between the gateway and the wire protocols: the exports of a folder of `protocols`. Types only. `compose`
 * hands the table of protocols to the gateway and `http`, which name no protocol.
 */
import type { TSchema } from '@sinclair/typebox';
import type { Answer, Conversation, Step } from './conversation.ts';
import type { OlaError } from './errors.ts';
import type { Form } from './multipart.ts';
import type { CatalogModel, ProtocolId, ProviderQuirks } from './providers.ts';
import type { TokenCounts } from './usage.ts';

/** The kind of call that a route serves. `other` is never translated, so it needs the same protocol on both sides. */
export type Operation = 'chat' | 'embeddings' | 'count' | 'models' | 'stored' | 'other';

/** Reads a response header by its lower-case name; null when it is absent. */
export type ReadHeader = (name: string) => string | null;

/** The parameters of a route's path: `id` of `/v1/things/:id`. */
export type PathParams = Readonly<Record<string, string>>;

/** A body as the client sent it. */
export type ClientBody =
  /** A JSON body: its text, and its parsed fields, checked against the route's schema. */
  { readonly text: string; readonly fields: Readonly<Record<string, unknown>> } | { readonly form: Form };

/** The fields of a request that the gateway needs; only the protocol reads the others. */
export interface Peek {
  /** Model name as the client wrote it; null, empty or `default` mean the default model. */
  readonly model: string | null;
  readonly stream: boolean;
  /** Longest answer that the client allows, in tokens; null when it sets no limit. */
  readonly maxTokens: number | null;
}

/** A route that a protocol serves, as data; `http` registers it. */
export interface ClientRoute {
  /** Path in Elysia's form, `/v1/chat/completions`; usage rows name the route by it. */
  readonly path: string;
  readonly operation: Operation;
  readonly summary: string;
  /** The shallow, open schema of a JSON body; null when the body is a form. */
  readonly schema: TSchema | null;
  /** Error message for a request without a model, on a route that the default model must not serve; null when it may. */
  readonly needsModel: string | null;
  /**
   * A text that is the same in all requests of one conversation and differs between two; null where the body has none. Absent:
   * the route has no conversations.
   */
  readonly conversation?: (body: ClientBody) => string | null;
  /** @throws OlaError, with the field as `param`, for a body that no upstream could serve */
  peek(body: ClientBody, params: PathParams): Peek;
}

/** A request of a client, ready to be sent to any endpoint. */
export interface ClientCall {
  readonly route: ClientRoute;
  readonly body: ClientBody;
  readonly params: PathParams;
  readonly peek: Peek;
}

/** The upstream's side of a call. */
export interface UpstreamModel {
  /** The upstream's own model id. */
  readonly id: string;
  readonly quirks: ProviderQuirks;
}

/** `whole` is checked before it is passed on. `stream` is events that are read in passing. `bytes` are passed on unread. */
export type AnswerKind = 'whole' | 'stream' | 'bytes';

/** The reason for an upstream's refusal or failure. It decides whether the call may be retried with another credential. */
export type FailureKind =
  | 'invalid_request'
  | 'context_overflow'
  | 'content_filter'
  | 'auth'
  | 'billing'
  /** The account may not use this model. */
  | 'entitlement'
  | 'rate_limit'
  | 'timeout'
  | 'overloaded'
  | 'server_error'
  /** An answer that breaks the protocol. Its `message` is ola's own: the end of a sentence that begins with the provider's name. */
  | 'malformed';

export interface UpstreamFailure {
  readonly kind: FailureKind;
  /** The upstream's status, or the one that an error inside a 200 names; 502 where it names none. */
  readonly status: number;
  /** The upstream's words, not redacted yet. */
  readonly message: string | null;
  readonly param: string | null;
  readonly code: string | null;
  /** The time after which the body says that the call may be repeated, in milliseconds; null: it says none. */
  readonly retryAfterMs: number | null;
  /** The JSON object that told the failure, which a client of the same protocol may get as it is; null: there is none. */
  readonly body: string | null;
}

export interface WholeAnswer {
  readonly body: string;
  readonly tokens: TokenCounts;
}

/** One attempt: the request that is sent, and how its answer is read. */
export interface Exchange {
  readonly method: 'POST';
  /** Path below the endpoint's base URL. */
  readonly path: string;
  readonly body: string | Uint8Array<ArrayBuffer>;
  /** Content-Type of the request; null for `application/json`. */
  readonly contentType: string | null;
  /** Names of the fields of the client's request that are not sent to the upstream. */
  readonly dropped: readonly string[];
  /** Fields that ola added to the client's request: a refusal that names one is ola's to answer for. */
  readonly added: readonly string[];
  /** The kind of answer that was asked for; null: the first bytes and the label of the answer decide. */
  readonly expects: AnswerKind | null;
  /**
   * The kind of an answer where `expects` is null.
   * @param first the first bytes of the body; empty for an empty one
   * @returns null for an answer of a kind that the route does not have
   */
  answerKind(header: ReadHeader, first: Uint8Array): AnswerKind | null;
  /** The Content-Type with which a stream or bytes go to the client. */
  labelOf(kind: AnswerKind, header: ReadHeader): string;
  whole(text: string): WholeAnswer | UpstreamFailure;
  pipe(): StreamPipe;
}

export type StreamFault =
  /** An event that is neither JSON nor the end of the stream. */
  | 'malformed_event'
  /** One event, or all that are held at the moment, are longer than ola holds. */
  | 'oversized_event'
  /** The upstream said in its stream that it failed: `failure` has its words. */
  | 'upstream_error'
  /** The stream says that it is complete and has no answer in it. */
  | 'empty_answer'
  /** The first bytes begin no stream. */
  | 'no_stream';

/** Turns the upstream's stream into the client's, as a tap or as a translation; the relay treats both alike. */
export interface StreamPipe {
  /** Takes bytes of the upstream, which it may change in place, and emits bytes for the client: complete events only. */
  push(chunk: Uint8Array, emit: (bytes: Uint8Array) => void): void;
  /** The upstream has ended in order. */
  finish(emit: (bytes: Uint8Array) => void): void;
  /** Frees the bytes that are held. Called once, at whatever end. */
  close(): void;
  /** An event that carries content, usage or an end has been emitted: from now on a failure can only be told in the stream. */
  readonly begun: boolean;
  /** The stream is complete. */
  readonly done: boolean;
  readonly fault: StreamFault | null;
  readonly failure: UpstreamFailure | null;
  readonly tokens: TokenCounts;
}

/** Translates chats between a protocol and the hub, in both directions. */
export interface ChatCodec {
  decodeRequest(body: ClientBody): Conversation;
  encodeRequest(conversation: Conversation, to: UpstreamModel): Pick<Exchange, 'path' | 'body' | 'dropped'>;
  decodeAnswer(text: string): Answer;
  encodeAnswer(answer: Answer): string;
  /** Decodes bytes of the upstream into steps. */
  streamDecoder(): { push(chunk: Uint8Array): readonly Step[]; finish(): readonly Step[] };
  /** Encodes steps as bytes for the client. */
  streamEncoder(): (step: Step) => Uint8Array;
}

export interface ModelList {
  /** Behind an upstream's base URL, asked by GET. */
  readonly path: string;
  /** @returns the models of an answer of status 200; null for one that is no list */
  read(text: string): readonly CatalogModel[] | null;
}

export interface Protocol {
  readonly id: ProtocolId;
  readonly clientRoutes: readonly ClientRoute[];
  /** How an upstream is asked for its models; null when it cannot be. */
  readonly modelList: ModelList | null;
  /** Path of a chat behind an upstream's base URL, as people are shown it; null when upstreams have no chats. */
  readonly chatPath: string | null;
  /**
   * Path prefixes whose errors have this protocol's envelope; the longest prefix counts. Every other path has the envelope
   * of ola's own routes.
   */
  readonly envelopePaths: readonly string[];
  /** The exchange with an upstream of the same protocol: only the model is replaced. Null when upstreams have no such operation. */
  direct(call: ClientCall, to: UpstreamModel): Exchange | null;
  /** Null when chats of this protocol are not translated. */
  readonly chat: ChatCodec | null;
  /** Reads an upstream's failure from its status, headers and body. */
  readFailure(status: number, header: ReadHeader, body: string): UpstreamFailure;
  /** The JSON body of an error. */
  errorBody(error: OlaError): string;
  /** The event that ends a stream with an error. */
  errorEvent(error: OlaError): Uint8Array;
  /** Bytes sent between two events as a sign of life; null when the form of the stream does not allow them. */
  readonly keepAlive: Uint8Array | null;
}
