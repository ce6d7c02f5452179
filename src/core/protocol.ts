/**
 * The seam between the gateway and the wire protocols: what a folder of `protocols` exports. Types only. The gateway and
 * `http` get the table of protocols handed in and name none of them.
 */
import type { TSchema } from '@sinclair/typebox';
import type { Answer, Conversation, Step } from './conversation.ts';
import type { OlaError } from './errors.ts';
import type { Form } from './multipart.ts';
import type { ProtocolId, ProviderQuirks } from './providers.ts';
import type { TokenCounts } from './usage.ts';

/** The kind of call that a route serves; `other` has no translation and needs the same protocol on both sides. */
export type Operation = 'chat' | 'embeddings' | 'count' | 'models' | 'stored' | 'other';

/** Response headers by lower-case name; null for a header that is not there. */
export type ReadHeader = (name: string) => string | null;

/** The parameters of a route's path: `id` of `/v1/things/:id`. */
export type PathParams = Readonly<Record<string, string>>;

/** A body as the client sent it. */
export type ClientBody =
  /** JSON: the text, and the same parsed and checked against the route's schema. */
  { readonly text: string; readonly fields: Readonly<Record<string, unknown>> } | { readonly form: Form };

/** The facts that the gateway reads of a request; all else is the protocol's own. */
export interface Peek {
  /** As the client wrote it; null, empty or `default`: the default model. */
  readonly model: string | null;
  readonly stream: boolean;
  /** The most tokens that the answer may have, null when the client sets no limit. */
  readonly maxTokens: number | null;
}

/** A route that a protocol serves, as data: `http` makes the route of it. */
export interface ClientRoute {
  /** Elysia's form, `/v1/chat/completions`; usage rows name the route by it. */
  readonly path: string;
  readonly operation: Operation;
  readonly summary: string;
  /** The shallow, open schema of a JSON body; null: the body is a form. */
  readonly schema: TSchema | null;
  /** The sentence that refuses a request without a model, where the default model must not serve it; null: it may. */
  readonly needsModel: string | null;
  /** @throws OlaError for a body that no upstream could serve, `param` naming the field */
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

/** `whole`: checked before it goes on. `stream`: events, read in passing. `bytes`: passed on as they come. */
export type AnswerKind = 'whole' | 'stream' | 'bytes';

/** The reason for which an upstream refused or failed; it decides whether another credential may do better. */
export type FailureKind =
  | 'invalid_request'
  | 'context_overflow'
  | 'content_filter'
  | 'auth'
  | 'billing'
  | 'rate_limit'
  | 'timeout'
  | 'overloaded'
  | 'server_error'
  /** An answer that breaks the protocol. Its `message` is ola's own clause behind the provider's name. */
  | 'malformed';

export interface UpstreamFailure {
  readonly kind: FailureKind;
  readonly status: number;
  /** The upstream's words, not redacted yet. */
  readonly message: string | null;
  readonly param: string | null;
  readonly code: string | null;
}

export interface WholeAnswer {
  readonly body: string;
  readonly tokens: TokenCounts;
}

/** One attempt: the request that is sent, and how its answer is read. */
export interface Exchange {
  readonly method: 'POST';
  /** Behind the endpoint's base URL. */
  readonly path: string;
  readonly body: string | Uint8Array<ArrayBuffer>;
  /** The Content-Type of the request; null: `application/json`. */
  readonly contentType: string | null;
  /** Fields of the client's request that the upstream does not get, by name. */
  readonly dropped: readonly string[];
  /** @returns null for an answer of a kind that the route does not have */
  answerKind(header: ReadHeader): AnswerKind | null;
  /** The Content-Type with which a stream or bytes go to the client. */
  labelOf(kind: AnswerKind, header: ReadHeader): string;
  whole(text: string): WholeAnswer | UpstreamFailure;
  pipe(): StreamPipe;
}

export type StreamFault =
  /** An event that is neither JSON nor the end. */
  | 'malformed_event'
  | 'oversized_event'
  /** The upstream said in its stream that it failed. */
  | 'upstream_error';

/** A stream on its way through: bytes of the upstream in, bytes for the client out. A tap or a translation, the relay cannot tell. */
export interface StreamPipe {
  /** Takes bytes of the upstream, which may be changed in place, and emits those that may go to the client: whole events only. */
  push(chunk: Uint8Array, emit: (bytes: Uint8Array) => void): void;
  /** The upstream has ended. */
  finish(emit: (bytes: Uint8Array) => void): void;
  /** The stream is complete. */
  readonly done: boolean;
  readonly fault: StreamFault | null;
  readonly tokens: TokenCounts;
}

/** Both directions of chat between a protocol and the hub. */
export interface ChatCodec {
  decodeRequest(body: ClientBody): Conversation;
  encodeRequest(conversation: Conversation, to: UpstreamModel): Pick<Exchange, 'path' | 'body' | 'dropped'>;
  decodeAnswer(text: string): Answer;
  encodeAnswer(answer: Answer): string;
  /** Upstream bytes to steps. */
  streamDecoder(): { push(chunk: Uint8Array): readonly Step[]; finish(): readonly Step[] };
  /** Steps to bytes for the client. */
  streamEncoder(): (step: Step) => Uint8Array;
}

export interface Protocol {
  readonly id: ProtocolId;
  readonly clientRoutes: readonly ClientRoute[];
  /**
   * Path prefixes whose errors are told in this protocol's envelope; the longest prefix wins. Every other path has the
   * envelope of ola's own routes.
   */
  readonly envelopePaths: readonly string[];
  /** The same protocol on both sides: only the model is replaced. Null: it has no such operation upstream. */
  direct(call: ClientCall, to: UpstreamModel): Exchange | null;
  /** Null: the protocol takes no part in the translation of chats. */
  readonly chat: ChatCodec | null;
  /** An upstream's refusal, read from its status, headers and body. */
  readFailure(status: number, header: ReadHeader, body: string): UpstreamFailure;
  /** The JSON body of an error. */
  errorBody(error: OlaError): string;
  /** An error in the middle of a stream. */
  errorEvent(error: OlaError): Uint8Array;
  /** Bytes that show life between two events; null where a stream has no room for them. */
  readonly keepAlive: Uint8Array | null;
}
