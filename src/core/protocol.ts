/**
 * The interface between the gateway and the wire protocols: the exports of a folder of `protocols`. `compose` hands
 * the table of protocols to the gateway and `http`, which name no protocol.
 */
import type { TSchema } from '@sinclair/typebox';
import type { Answer, Conversation, ReasoningPart, Step, ToolCallPart } from './conversation.ts';
import type { OlaError } from './errors.ts';
import type { CarriedFields } from './hub-fields.ts';
import type { Form } from './multipart.ts';
import type { Digest, HeaderMap } from './ports.ts';
import type { ProgramCall } from './programs.ts';
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
  /** Path in Elysia's form, `/v1/chat/completions`; usage rows name the route by it. A verb may stand behind a last `*`: `/v1beta/models/*:countTokens`. */
  readonly path: string;
  readonly operation: Operation;
  readonly summary: string;
  /** The shallow, open schema of a JSON body; null when the body is a form. */
  readonly schema: TSchema | null;
  /**
   * Called before the schema is checked, with the fields of a JSON body. Absent: the form of the route is like no other's.
   * @throws OlaError `invalid_request` naming the right route, for a body of another protocol
   */
  readonly refuseForeign?: (fields: Readonly<Record<string, unknown>>) => void;
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
  /** The query of the URL with its question mark; empty when there is none. */
  readonly query: string;
  /** The client's headers that go up to an upstream of its own protocol: those that `headersUp` names; null: none. */
  readonly headers: HeaderMap | null;
  /** The request as the hub has it, once a translation has decoded it: it is kept over the attempts of the call. */
  conversation?: Conversation;
}

/** The upstream's side of a call. */
export interface UpstreamModel {
  /** The upstream's own model id. */
  readonly id: string;
  /** The provider's id, for people. */
  readonly provider: string;
  readonly protocol: ProtocolId;
  readonly quirks: ProviderQuirks;
  /** What is known of the model; null when it is not listed. */
  readonly facts: CatalogModel | null;
  /** Names protocol, endpoint, model and credential in few characters: signed reasoning goes back to its maker alone. */
  readonly maker: string;
}

/** Headers in which clients name a session: Claude Code, Codex, opencode, and what OpenRouter and others read. */
export const sessionHeaders = [
  'x-claude-code-session-id',
  'session_id',
  'session-id',
  'x-session-id',
  'x-session-affinity',
] as const;

/** Names of headers, in lower case, and the beginnings of names. */
export interface PassedHeaders {
  readonly names: readonly string[];
  readonly prefixes: readonly string[];
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
  /** The same as a moment, in milliseconds since 1970. */
  readonly retryAt?: number;
  /** The JSON object that told the failure, which a client of the same protocol may get as it is; null: there is none. */
  readonly body: string | null;
  /** A sentence of ola's own on what helps. */
  readonly hint?: string;
}

export interface WholeAnswer {
  readonly body: string;
  readonly tokens: TokenCounts;
  /** The upstream's own word for the end, where ola does not know it. */
  readonly stop?: string;
}

/** One attempt: the request that is sent, and how its answer is read. */
export interface Exchange {
  /** A program of the host is run in place of a request: method, path, body and headers are not sent. */
  readonly program?: ProgramCall;
  readonly method: 'POST';
  /** Path below the endpoint's base URL. */
  readonly path: string;
  readonly body: string | Uint8Array<ArrayBuffer>;
  /** Content-Type of the request; null for `application/json`. */
  readonly contentType: string | null;
  /** Headers besides those of the credential; null: none. */
  readonly headers: HeaderMap | null;
  /** Headers for the client that say what was changed on the way; null: nothing was. */
  readonly notes: HeaderMap | null;
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
  /** @param header of the answer; absent: none is known */
  whole(text: string, header?: ReadHeader): WholeAnswer | UpstreamFailure;
  pipe(): StreamPipe;
  /** How errors and signs of life stand in its stream; absent: as its protocol writes them. */
  readonly framing?: Pick<Protocol, 'errorEvent' | 'keepAlive'>;
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
  /** Takes bytes of the upstream, which it may change in place, and emits bytes for the client: complete events in one piece or several. */
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
  /** The upstream's own word for the end, where ola does not know it; null where it does. */
  readonly stop?: string | null;
}

/** A request of the hub in a protocol's own form. */
export interface EncodedRequest {
  /** A program of the host is run in place of a request. */
  readonly program?: ProgramCall;
  readonly path: string;
  /** JSON. */
  readonly body: string;
  /** Names of the client's fields that are not sent, which harms nothing. */
  readonly dropped: readonly string[];
  /** Fields of the body that ola asks for in its own interest: `stream_options`. */
  readonly added: readonly string[];
  /** Headers of the protocol, its version for example. */
  readonly headers: HeaderMap | null;
  /** The upstream would refuse to reason, as reasoning of an earlier turn is gone: it is not asked to. */
  readonly reasoningLost: boolean;
}

/** What an answer in a client's form has that an upstream may not give. */
export interface Making {
  /** The id of an answer that has none: letters, digits and hyphens. */
  readonly id: string;
  /** Seconds since 1970. */
  readonly createdAt: number;
  /** The model as the client named it, for an answer that names none. */
  readonly model: string;
  /** The fields of the client's request. */
  readonly request: Readonly<Record<string, unknown>>;
}

/** Decodes an upstream's stream into steps. The step `end` comes when the stream is complete, and never otherwise. */
export interface StreamDecoder {
  /** Takes bytes, which it may change in place. */
  push(chunk: Uint8Array, take: (step: Step) => void): void;
  /** The upstream has ended in order. */
  finish(take: (step: Step) => void): void;
  /** Frees the bytes that are held. Called once, at whatever end. */
  close(): void;
  readonly fault: StreamFault | null;
  readonly failure: UpstreamFailure | null;
}

/** Encodes steps for a client. */
export interface StreamEncoder {
  /** @returns the text of whole events; empty where the step has none of its own */
  encode(step: Step): string;
}

/** Translates chats of the hub for upstreams of a protocol, and their answers for the hub. */
export interface UpstreamChat {
  /** Upstreams of the protocol have free-form tools, which take text in the place of an object. */
  readonly customTools: boolean;
  /** The fate of each field of the hub: the generated table of docs/protocols.md, which tests hold against the code. */
  readonly fields: Pick<CarriedFields, 'upstream'>;
  /** `own`: a stream is no server-sent events, and the decoder gets every byte of it. Absent: it is. */
  readonly framing?: 'own';
  /** Another protocol whose own fields and blocks its upstreams know too, so that nothing of them has to be refused. */
  readonly kin?: ProtocolId;
  /** @throws OlaError `invalid_request`, with the field as `param`, for what an upstream of this protocol cannot be told */
  encodeRequest(conversation: Conversation, to: UpstreamModel, digest: Digest): EncodedRequest;
  /** Reads an answer that was not asked for as a stream. */
  decodeAnswer(text: string): Answer | UpstreamFailure;
  streamDecoder(): StreamDecoder;
}

/** Translates chats between a protocol and the hub, in both directions. */
export interface ChatCodec extends UpstreamChat {
  /** The Content-Type of streams to clients; absent: `text/event-stream`. */
  readonly streamType?: string;
  /** The fate of each field, of clients too. */
  readonly fields: CarriedFields;
  /**
   * @param text of the body: numbers that no double holds have lost digits in the parsed fields
   * @throws OlaError `invalid_request`, with the field as `param`, for what the hub cannot hold
   */
  decodeRequest(body: Readonly<Record<string, unknown>>, text?: string): Conversation;
  /** @returns JSON */
  encodeAnswer(answer: Answer, making: Making): string;
  streamEncoder(making: Making): StreamEncoder;
}

/** Texts of which a client asks vectors. */
export interface EmbeddingsRequest {
  /** One text at least; none is empty. */
  readonly input: readonly string[];
  /** Numbers of each vector; null: as many as the model gives. */
  readonly dimensions: number | null;
  /** Fields of the request that harm nothing when they are left out. */
  readonly unknown: readonly string[];
}

export interface EmbeddingsAnswer {
  /** Null: the upstream names none. */
  readonly model: string | null;
  /** One for each text, in the order of the texts. */
  readonly vectors: readonly (readonly number[])[];
  readonly tokens: TokenCounts;
}

/** A protocol whose clients ask for embeddings. */
export interface EmbeddingsClient {
  /** @throws OlaError `invalid_request`, with the field as `param`, for input that is no text */
  decodeRequest(body: Readonly<Record<string, unknown>>): EmbeddingsRequest;
  /** @returns JSON */
  encodeAnswer(answer: EmbeddingsAnswer, making: Making): string;
}

/** A protocol whose upstreams make embeddings. */
export interface EmbeddingsUpstream {
  /** @throws OlaError `invalid_request`, with the field as `param`, for what the upstream cannot be told */
  encodeRequest(request: EmbeddingsRequest, to: UpstreamModel): EncodedRequest;
  /**
   * The translation counts the vectors against the texts.
   * @param header of the answer, as some upstreams count tokens there; absent: none is known
   */
  decodeAnswer(text: string, header?: ReadHeader): EmbeddingsAnswer | UpstreamFailure;
}

/** Translates embeddings between a protocol and others; null: a face that the protocol does not have. */
export interface EmbeddingsCodec {
  readonly client: EmbeddingsClient | null;
  readonly upstream: EmbeddingsUpstream | null;
}

/** Counts the tokens of a request without an answer. */
export interface CountCodec {
  /** @throws OlaError `invalid_request` */
  decodeRequest(body: Readonly<Record<string, unknown>>): Conversation;
  /** @returns JSON */
  encodeAnswer(tokens: number): string;
}

export interface ModelList {
  /** Behind an upstream's base URL, asked by GET. */
  readonly path: string;
  /** Headers besides those of the credential. */
  readonly headers?: HeaderMap;
  /** @returns the models of an answer of status 200; null for one that is no list */
  read(text: string): readonly CatalogModel[] | null;
}

/** An answer that ola gives itself: no upstream has such a call. */
export interface OwnAnswer {
  readonly own: WholeAnswer;
  readonly notes: HeaderMap;
}

/** Reasoning that went before a tool call: in front of the first text of its turn, or behind it. */
export interface CallReasoning {
  readonly beforeText: readonly ReasoningPart[];
  readonly behindText: readonly ReasoningPart[];
}

/** Reasoning that one caller got of one maker, by the tool call that it led to: most clients do not send it back. */
export interface ReasoningMemory {
  recall(call: ToolCallPart): CallReasoning | null;
  /** @param call as the client sees it */
  keep(call: ToolCallPart, reasoning: CallReasoning): void;
}

/** The facts of a call that its translation needs. */
export interface TranslatedCall {
  readonly requestId: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** Null for an anonymous caller. */
  readonly memory: ReasoningMemory | null;
}

/** Speaks for a client of one protocol to an upstream of another. */
export interface Translator {
  /** Whether an operation of a client can be served by an upstream of another protocol. */
  translates(client: ProtocolId, upstream: ProtocolId, operation: Operation): boolean;
  /**
   * The exchange with an upstream, of the client's protocol or another one. The request is decoded once, whatever the number of
   * attempts.
   * @returns null when the upstream has no such operation
   * @throws OlaError `invalid_request`, with the field as `param`, for what the upstream cannot be told
   */
  exchange(client: Protocol, call: ClientCall, to: UpstreamModel, facts: TranslatedCall): Exchange | OwnAnswer | null;
}

/** A model as the gateway lists it. */
export interface ListedModel {
  /** `provider/model`. */
  readonly id: string;
  readonly name: string | null;
  /** Tokens; null when they are not known. */
  readonly contextWindow: number | null;
  readonly maxTokens: number | null;
  /** The kinds of input: `text`, `image`; absent when they are not known. */
  readonly input?: readonly string[];
  /** Whether it thinks before it answers; absent when that is not known. */
  readonly reasoning?: boolean;
}

/** Tells clients of a protocol the models under `/v1/models`, in its own form. */
export interface ModelsCodec {
  /** The path of the list, where it is not `/v1/models`; a model is looked up below it. */
  readonly path?: string;
  /** Whether a request for `/v1/models` is one of this protocol's clients. */
  isAsked(header: ReadHeader): boolean;
  /** @param query with its question mark. @returns JSON. @throws OlaError for a query that cannot be served */
  list(models: readonly ListedModel[], query: string): string;
  /** @returns JSON */
  one(model: ListedModel): string;
}

/** A route of a protocol that ola answers itself, in the protocol's own form; `http` registers it. */
export type OwnRoute = {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Path in Elysia's form. */
  readonly path: string;
  readonly summary: string;
} /** All models that can be used now. `list` returns JSON. */ & (
  | { readonly tells: 'models'; readonly list: (models: readonly ListedModel[]) => string }
  /** One model, which the body names. `one` returns JSON. */
  | {
      readonly tells: 'model';
      readonly schema: TSchema;
      readonly nameOf: (fields: Readonly<Record<string, unknown>>) => string;
      readonly one: (model: ListedModel) => string;
    }
  /** What does not depend on the models. `about` returns JSON. */
  | { readonly tells: 'server'; readonly about: (version: string) => string }
  /** Nothing: the reason why is a sentence. */
  | { readonly tells: 'nothing'; readonly why: string }
);

export interface Protocol {
  readonly id: ProtocolId;
  readonly clientRoutes: readonly ClientRoute[];
  /** Absent: none. */
  readonly ownRoutes?: readonly OwnRoute[];
  /** How an upstream is asked for its models; null when it cannot be. */
  readonly modelList: ModelList | null;
  /** Path of a chat behind an upstream's base URL, as people are shown it; null when upstreams have no chats. */
  readonly chatPath: string | null;
  /**
   * Path prefixes whose errors have this protocol's envelope; the longest prefix counts. One without a slash at its end is that path
   * and all below it. Every other path has the envelope
   * of ola's own routes.
   */
  readonly envelopePaths: readonly string[];
  /**
   * The exchange with an upstream of the same protocol: only the model is replaced, and wrapped reasoning of other makers is
   * cut out. Null when upstreams have no such operation.
   */
  direct(call: ClientCall, to: UpstreamModel): Exchange | null;
  /** Without the client's face when the protocol is called alone; null when chats of this protocol are not translated. */
  readonly chat: ChatCodec | UpstreamChat | null;
  /** Puts the stream of a translated exchange into the form that the client's URL asks for. Absent: there is one form. */
  readonly framed?: (exchange: Exchange, call: ClientCall) => Exchange;
  /** Absent when embeddings of this protocol are not translated. */
  readonly embeddings?: EmbeddingsCodec;
  /** Null when its clients cannot ask for a count of tokens. */
  readonly count: CountCodec | null;
  /** The list of models as its clients know it; null when they have none, or OpenAI's. */
  readonly models: ModelsCodec | null;
  /** Headers of a client that go up to an upstream of the same protocol. */
  readonly headersUp: PassedHeaders;
  /** Headers of an upstream's answer that go down to a client of the same protocol. */
  readonly headersDown: PassedHeaders;
  /** Reads an upstream's failure from its status, headers and body. */
  readFailure(status: number, header: ReadHeader, body: string): UpstreamFailure;
  /** The JSON body of an error. */
  errorBody(error: OlaError): string;
  /** The event that ends a stream with an error. */
  errorEvent(error: OlaError): Uint8Array;
  /** Bytes sent between two events as a sign of life; null when the form of the stream does not allow them. */
  readonly keepAlive: Uint8Array | null;
}
