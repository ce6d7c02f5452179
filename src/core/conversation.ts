/**
 * The hub between protocols: a conversation of parts, and an answer as the steps that build it. Types only. OpenAI's chat
 * cannot keep the order of other protocols' parts (reasoning, text, a tool call, text again), so the hub has a form of its own.
 */
import type { TokenCounts } from './usage.ts';

/** Fields that only one protocol knows, by its id. That protocol writes them back; all others leave them out. */
export type Extras = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export interface Conversation {
  readonly system: readonly Part[];
  readonly turns: readonly Turn[];
  readonly tools: readonly Tool[];
  readonly toolChoice: ToolChoice | null;
  readonly parallelTools: boolean | null;
  /** Longest answer, in tokens; null when the upstream decides. */
  readonly maxTokens: number | null;
  readonly sampling: Sampling;
  readonly stop: readonly string[];
  readonly format: AnswerFormat | null;
  readonly reasoning: ReasoningWish | null;
  /** Calls with the same key are likely to share a prompt cache. */
  readonly cacheKey: string | null;
  /** The client's own name for its user. */
  readonly user: string | null;
  readonly extras: Extras;
}

/** One turn. A `system` turn inside the conversation stays in its place, because moving it would lose the prompt cache. */
export interface Turn {
  readonly role: 'user' | 'assistant' | 'system';
  readonly parts: readonly Part[];
}

export interface Tool {
  readonly kind: 'function' | 'custom';
  readonly name: string;
  readonly description: string | null;
  /** JSON Schema of the arguments; null for a custom tool, which takes text. */
  readonly parameters: Readonly<Record<string, unknown>> | null;
  readonly strict: boolean | null;
  readonly cache?: CacheHint;
  readonly extras?: Extras;
}

export type ToolChoice = 'auto' | 'none' | 'required' | { readonly name: string };

export interface Sampling {
  readonly temperature: number | null;
  readonly topP: number | null;
  readonly topK: number | null;
  readonly seed: number | null;
  readonly frequencyPenalty: number | null;
  readonly presencePenalty: number | null;
}

export type AnswerFormat =
  | { readonly kind: 'text' }
  | { readonly kind: 'json' }
  | { readonly kind: 'schema'; readonly name: string; readonly schema: unknown; readonly strict: boolean | null };

export interface ReasoningWish {
  readonly effort: string | null;
  /** Most tokens for reasoning; null when the upstream decides. */
  readonly budget: number | null;
  readonly summary: string | null;
}

/** A request to cache the prompt up to this part, with the vendor's time to live (`5m`, `1h`). */
export interface CacheHint {
  readonly ttl: string | null;
}

interface Marked {
  readonly cache?: CacheHint;
  readonly extras?: Extras;
}

export type Part = Marked &
  (
    | { readonly type: 'text'; readonly text: string }
    | { readonly type: 'media'; readonly kind: 'image' | 'audio' | 'document' | 'video'; readonly source: MediaSource }
    | {
        readonly type: 'reasoning';
        readonly text: string;
        readonly signature?: string;
        readonly redacted?: string;
        readonly id?: string;
      }
    | {
        readonly type: 'toolCall';
        readonly id: string;
        readonly name: string;
        readonly kind: Tool['kind'];
        readonly arguments: string;
      }
    | { readonly type: 'toolResult'; readonly callId: string; readonly parts: readonly Part[]; readonly isError: boolean }
    | { readonly type: 'refusal'; readonly text: string }
    /** A block that only its own protocol knows. It is written back to that protocol; a translation to another one refuses it by name. */
    | { readonly type: 'opaque'; readonly protocol: string; readonly value: unknown }
  );

/** The source of a `media` part. `data` is base64. */
export type MediaSource = { readonly mime: string | null; readonly detail: string | null } & (
  | { readonly data: string }
  | { readonly url: string }
);

export type EndReason = 'stop' | 'length' | 'toolCalls' | 'contentFilter' | 'refusal';

/** A complete answer: the result of all its steps. */
export interface Answer {
  readonly id: string;
  readonly model: string;
  readonly parts: readonly Part[];
  readonly tokens: TokenCounts;
  readonly end: EndReason;
}

/** One step of a streamed answer. Deltas are increments, so that no decoder has to collect a complete answer. */
export type Step =
  | { readonly type: 'begin'; readonly id: string; readonly model: string }
  | { readonly type: 'partBegin'; readonly index: number; readonly part: Part }
  | { readonly type: 'partDelta'; readonly index: number; readonly text: string }
  | { readonly type: 'partEnd'; readonly index: number }
  | { readonly type: 'usage'; readonly tokens: TokenCounts }
  | { readonly type: 'end'; readonly reason: EndReason }
  | { readonly type: 'fault'; readonly message: string };
