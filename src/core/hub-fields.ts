/**
 * What a request and an answer may hold, by name, and what becomes of it in each protocol: the two lists of a folder of
 * `protocols`. docs/protocols.md is made from them.
 */

/** The contents of a request. */
export const requestFields = [
  'system',
  'systemInTheMiddle',
  'text',
  'imageData',
  'imageUrl',
  'documentData',
  'documentUrl',
  'documentText',
  'audio',
  'video',
  'reasoning',
  'signedReasoning',
  'redactedReasoning',
  'toolCall',
  'parallelToolCalls',
  'customToolCall',
  'toolResult',
  'failedToolResult',
  'imageInToolResult',
  'documentInToolResult',
  'refusal',
  'foreignBlock',
  'functionTool',
  'customTool',
  'strictTool',
  'toolChoiceAuto',
  'toolChoiceNone',
  'toolChoiceRequired',
  'toolChoiceNamed',
  'toolChoiceAllowed',
  'parallelTools',
  'maxTokens',
  'temperature',
  'topP',
  'topK',
  'seed',
  'frequencyPenalty',
  'presencePenalty',
  'stop',
  'formatJson',
  'formatSchema',
  'effort',
  'reasoningBudget',
  'reasoningSummary',
  'cacheHint',
  'cacheKey',
  'user',
  'stream',
] as const;
export type RequestField = (typeof requestFields)[number];

const requestFieldSet: ReadonlySet<string> = new Set(requestFields);

export function isRequestField(name: string): name is RequestField {
  return requestFieldSet.has(name);
}

/** The contents of an answer. */
export const answerFields = [
  'text',
  'reasoning',
  'signedReasoning',
  'redactedReasoning',
  'toolCall',
  'parallelToolCalls',
  'customToolCall',
  'refusal',
  'foreignBlock',
  'endStop',
  'endLength',
  'endToolCalls',
  'endContentFilter',
  'endRefusal',
  'endPause',
  'stopSequence',
  'promptTokens',
  'completionTokens',
  'cacheReadTokens',
  'cacheWriteTokens',
  'reasoningTokens',
] as const;
export type AnswerField = (typeof answerFields)[number];

/** The fate of a field in a protocol. Each text is the end of a sentence. */
export type Fate =
  | 'carried'
  /** It means the same in another form. */
  | { readonly adapted: string }
  /** It is left out, which harms nothing, and named in `X-Ola-Dropped`. */
  | { readonly dropped: string }
  /** The request is answered with 400, which names the field. */
  | { readonly refused: string };

/** The fate of a field that a client of the protocol may send: its places in the hub, or why it goes nowhere. */
export type ClientFate = readonly RequestField[] | Exclude<Fate, 'carried' | { readonly adapted: string }>;

export interface CarriedFields {
  /** Fields and blocks that the protocol's clients send, by the names of the vendor's documentation. */
  readonly client: Readonly<Record<string, ClientFate>>;
  /** What an upstream of the protocol is told. */
  readonly upstream: Readonly<Record<RequestField, Fate>>;
  /** What a client of the protocol is told of an answer. */
  readonly answer: Readonly<Record<AnswerField, Fate>>;
}
