/**
 * The hub between protocols: a conversation of parts, and an answer as the steps that make it. Types only. OpenAI's chat
 * cannot hold in order what other protocols say (reasoning, text, a tool call, text again), so the hub has a shape of its own.
 */
import type { TokenCounts } from './usage.ts';

/** Fields that one protocol alone knows, by its id; that protocol writes them back, every other one leaves them out. */
export type Extras = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export interface Conversation {
  readonly system: readonly Part[];
  readonly turns: readonly Turn[];
  readonly tools: readonly Tool[];
  readonly toolChoice: ToolChoice | null;
  readonly parallelTools: boolean | null;
  /** Tokens of one answer; null: the upstream decides. */
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

/** A `system` turn in mid-conversation stays where it is: moved, it would cost the prompt cache. */
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
  /** Tokens; null: the upstream decides. */
  readonly budget: number | null;
  readonly summary: string | null;
}

/** A wish that the prompt up to here be cached, with the vendor's time to live (`5m`, `1h`). */
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
    /** A block that only its own protocol knows; it survives the way back and is refused by name on the way to another. */
    | { readonly type: 'opaque'; readonly protocol: string; readonly value: unknown }
  );

/** @see Part `media`: `data` is base64. */
export type MediaSource = { readonly mime: string | null; readonly detail: string | null } & (
  | { readonly data: string }
  | { readonly url: string }
);

export type EndReason = 'stop' | 'length' | 'toolCalls' | 'contentFilter' | 'refusal';

/** A whole answer: the fold of its steps. */
export interface Answer {
  readonly id: string;
  readonly model: string;
  readonly parts: readonly Part[];
  readonly tokens: TokenCounts;
  readonly end: EndReason;
}

/** One step of a streamed answer. Deltas are increments: no decoder collects a whole answer. */
export type Step =
  | { readonly type: 'begin'; readonly id: string; readonly model: string }
  | { readonly type: 'partBegin'; readonly index: number; readonly part: Part }
  | { readonly type: 'partDelta'; readonly index: number; readonly text: string }
  | { readonly type: 'partEnd'; readonly index: number }
  | { readonly type: 'usage'; readonly tokens: TokenCounts }
  | { readonly type: 'end'; readonly reason: EndReason }
  | { readonly type: 'fault'; readonly message: string };
