/**
 * The hub between protocols: a conversation of parts, and an answer as the steps that build it. Types only. OpenAI's chat
 * cannot keep the order of other protocols' parts (reasoning, text, a tool call, text again), so the hub has a form of its own.
 */
import type { TokenCounts } from './usage.ts';

/** Fields that only one protocol knows, by its id. That protocol writes them back; all others leave them out. */
export type Extras = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export interface Conversation {
  /** The leading instructions: text alone. */
  readonly system: readonly Part[];
  readonly turns: readonly Turn[];
  readonly tools: readonly Tool[];
  readonly toolChoice: ToolChoice | null;
  /** False: one tool call an answer at most. */
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
  readonly stream: boolean;
  readonly extras: Extras;
  /** Fields of the request that the hub has no place for, which harm nothing when they are left out. */
  readonly unknown: readonly string[];
  /** Fields and tools that only one protocol knows and that change the answer: a translation to another one refuses them by name. */
  readonly opaque?: readonly OpaqueField[];
}

/** A field of a request that only its own protocol knows. Its value stands in the `extras` of that protocol. */
export interface OpaqueField {
  readonly protocol: string;
  /** The name for people: `web_search_20250305`. */
  readonly name: string;
  /** The place in the client's request, as a dotted path: `tools.2`. */
  readonly field: string;
}

/** One turn. A `system` turn inside the conversation stays in its place, because moving it would lose the prompt cache. */
export interface Turn {
  readonly role: 'user' | 'assistant' | 'system';
  readonly parts: readonly Part[];
  readonly extras?: Extras;
}

export interface Tool {
  readonly kind: 'function' | 'custom';
  readonly name: string;
  readonly description: string | null;
  /** JSON Schema of the arguments; null for a custom tool, which takes text, and for a function without any. */
  readonly parameters: Readonly<Record<string, unknown>> | null;
  readonly strict: boolean | null;
  /** The grammar that the text of a custom tool follows. */
  readonly grammar?: ToolGrammar;
  readonly cache?: CacheHint;
  readonly extras?: Extras;
}

export interface ToolGrammar {
  /** `lark`, `regex`. */
  readonly syntax: string;
  readonly definition: string;
}

export type ToolChoice =
  | 'auto'
  | 'none'
  | 'required'
  | { readonly name: string }
  /** Only these tools, of which one must (`required`) or may (`auto`) be called. */
  | { readonly allowed: readonly string[]; readonly mode: 'auto' | 'required' };

export interface Sampling {
  readonly temperature: number | null;
  readonly topP: number | null;
  readonly topK: number | null;
  readonly seed: number | null;
  readonly frequencyPenalty: number | null;
  readonly presencePenalty: number | null;
}

export const noSampling: Sampling = {
  temperature: null,
  topP: null,
  topK: null,
  seed: null,
  frequencyPenalty: null,
  presencePenalty: null,
};

export type AnswerFormat =
  | { readonly kind: 'text' }
  | { readonly kind: 'json' }
  | {
      readonly kind: 'schema';
      readonly name: string | null;
      readonly description: string | null;
      readonly schema: unknown;
      readonly strict: boolean | null;
    };

export interface ReasoningWish {
  /** `none`, `minimal`, `low`, `medium`, `high`, `xhigh`, `max`; null when the request names none. `none`: no reasoning. */
  readonly effort: string | null;
  /** Most tokens for reasoning; null when the upstream decides. */
  readonly budget: number | null;
  /** `auto`, `concise`, `detailed`: the reasoning is to be shown so; `none`: not at all. */
  readonly summary: string | null;
}

/** A request to cache the prompt up to this part, with the vendor's time to live (`5m`, `1h`). */
export interface CacheHint {
  readonly ttl: string | null;
}

interface Marked {
  readonly cache?: CacheHint;
  readonly extras?: Extras;
  /** The place in the client's request, as a dotted path: `messages.2.content.0`. */
  readonly field?: string;
}

export type Part = Marked &
  (
    | TextPart
    | MediaPart
    | ReasoningPart
    | ToolCallPart
    | ToolResultPart
    | { readonly type: 'refusal'; readonly text: string }
    /** A block that only its own protocol knows. It is written back to that protocol; a translation to another one refuses it by name. */
    | { readonly type: 'opaque'; readonly protocol: string; readonly name: string; readonly value: unknown }
  );

export interface TextPart extends Marked {
  readonly type: 'text';
  readonly text: string;
}

export interface MediaPart extends Marked {
  readonly type: 'media';
  readonly kind: 'image' | 'audio' | 'document' | 'video';
  readonly source: MediaSource;
  /** The name of a file, or the title of a document. */
  readonly name: string | null;
}

/** The source of a `media` part. `data` is base64; `text` is that of a plain document. */
export type MediaSource = { readonly mime: string | null; readonly detail: string | null } & (
  | { readonly data: string }
  | { readonly url: string }
  | { readonly text: string }
);

export interface ReasoningPart extends Marked {
  readonly type: 'reasoning';
  readonly text: string;
  /** The vendor's proof that the text is its model's; it is worth something to the maker alone. */
  readonly signature?: string;
  /** Encrypted reasoning in place of a text. */
  readonly redacted?: string;
  readonly id?: string;
}

export interface ToolCallPart extends Marked {
  readonly type: 'toolCall';
  /** Empty in an answer of an upstream that gives none: the translation makes one. */
  readonly id: string;
  readonly name: string;
  readonly kind: Tool['kind'];
  /** JSON text of a function's arguments, as it came: numbers keep their digits. The input of a custom tool is plain text. */
  readonly arguments: string;
}

export interface ToolResultPart extends Marked {
  readonly type: 'toolResult';
  readonly callId: string;
  readonly parts: readonly Part[];
  readonly isError: boolean;
}

export type EndReason = 'stop' | 'length' | 'toolCalls' | 'contentFilter' | 'refusal' | 'pause';

/** How an answer ended. */
export interface AnswerEnd {
  readonly reason: EndReason;
  /** The stop sequence that ended it; null: none did, or the upstream does not tell. */
  readonly sequence: string | null;
  /** The upstream's own word for the reason, where ola does not know it; null where it does. */
  readonly unknown: string | null;
}

/** A complete answer: the result of all its steps. */
export interface Answer {
  /** Null: the upstream gave none. */
  readonly id: string | null;
  readonly model: string | null;
  readonly parts: readonly Part[];
  readonly tokens: TokenCounts;
  readonly end: AnswerEnd;
  readonly extras?: Extras;
}

/**
 * One step of a streamed answer: `begin`, then parts, and `end` last, when the answer is complete. Deltas are increments, so
 * that no decoder has to collect a complete answer. A `usage` step has all counts that are known by then.
 */
export type Step =
  | { readonly type: 'begin'; readonly id: string | null; readonly model: string | null }
  /** `part` has what is known at its start; deltas are appended to its text, or to its arguments. Indexes count from 0. */
  | { readonly type: 'partBegin'; readonly index: number; readonly part: Part }
  | { readonly type: 'partDelta'; readonly index: number; readonly text: string }
  /** What came behind the text of a part. */
  | { readonly type: 'partEnd'; readonly index: number; readonly signature?: string; readonly extras?: Extras }
  | { readonly type: 'usage'; readonly tokens: TokenCounts }
  | { readonly type: 'end'; readonly end: AnswerEnd };
