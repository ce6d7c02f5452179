/** The contents of a request and of an answer by the names of `hub-fields`, with their values: `temperature 0.5`. */
import type { Answer, Conversation, MediaPart, Part, Turn } from '../../../src/core/conversation.ts';
import type { AnswerField, RequestField } from '../../../src/core/hub-fields.ts';

export interface Content {
  /** A request's or an answer's field. */
  readonly field: string;
  /** JSON. */
  readonly value: string;
}

type Told = readonly [field: RequestField | AnswerField, value: unknown];

export function contentsOf(conversation: Conversation): Content[] {
  const { system, turns, tools, maxTokens, sampling, stop, reasoning, cacheKey, user, stream, parallelTools } = conversation;
  const told: Told[] = [
    ...system.map((part): Told => ['system', textOf(part)]),
    ...turns.flatMap(turnContents),
    ...[...system, ...turns.flatMap(({ parts }) => parts), ...tools].flatMap(cacheContents),
    ...tools.flatMap(({ kind, name, strict }): Told[] => [
      [kind === 'function' ? 'functionTool' : 'customTool', name],
      ...(strict === true ? [['strictTool', name] as const] : []),
    ]),
    ...choiceContents(conversation),
    ['parallelTools', parallelTools],
    ['maxTokens', maxTokens],
    ...(Object.entries(sampling) as [keyof typeof sampling, unknown][]),
    ['stop', stop.length === 0 ? null : stop],
    ...formatContents(conversation),
    ['effort', reasoning?.effort ?? null],
    ['reasoningBudget', reasoning?.budget ?? null],
    ['reasoningSummary', reasoning?.summary ?? null],
    ['cacheKey', cacheKey],
    ['user', user],
    ['stream', stream ? true : null],
  ];
  return written(told);
}

export function answerContents({ parts, tokens, end }: Answer): Content[] {
  const calls = parts.filter(({ type }) => type === 'toolCall');
  return written([
    ...parts.flatMap(partContents),
    ['parallelToolCalls', calls.length > 1 ? calls.length : null],
    [`end${end.reason.slice(0, 1).toUpperCase()}${end.reason.slice(1)}` as AnswerField, true],
    ['stopSequence', end.sequence],
    ['promptTokens', tokens.prompt],
    ['completionTokens', tokens.completion],
    ['cacheReadTokens', tokens.cacheRead],
    ['cacheWriteTokens', tokens.cacheWrite],
    ['reasoningTokens', tokens.reasoning],
  ]);
}

function written(told: readonly Told[]): Content[] {
  return told.flatMap(([field, value]) => (value === null ? [] : [{ field, value: JSON.stringify(value) }]));
}

const textOf = (part: Part) => (part.type === 'text' ? part.text : part.type);

function turnContents({ role, parts }: Turn): Told[] {
  if (role === 'system') return parts.map((part) => ['systemInTheMiddle', textOf(part)]);
  const calls = parts.filter(({ type }) => type === 'toolCall').length;
  return [...parts.flatMap(partContents), ['parallelToolCalls', calls > 1 ? calls : null]];
}

function partContents(part: Part): Told[] {
  switch (part.type) {
    case 'text':
      return [['text', part.text]];
    case 'media':
      return [mediaContents(part)];
    case 'reasoning':
      if (part.redacted !== undefined) return [['redactedReasoning', part.redacted]];
      return (part.signature ?? '') === '' ? [['reasoning', part.text]] : [['signedReasoning', [part.text, part.signature]]];
    case 'toolCall':
      if (part.kind === 'custom') return [['customToolCall', [part.name, part.arguments]]];
      return [['toolCall', [part.name, plainJson(part.arguments)]]];
    case 'toolResult':
      return [[part.isError ? 'failedToolResult' : 'toolResult', part.parts.map(textOf)], ...part.parts.flatMap(insideResult)];
    case 'refusal':
      return [['refusal', part.text]];
    case 'opaque':
      return [['foreignBlock', part.value]];
  }
}

function insideResult(part: Part): Told[] {
  if (part.type !== 'media') return [];
  return [[part.kind === 'image' ? 'imageInToolResult' : 'documentInToolResult', mediaContents(part)[1]]];
}

function mediaContents({ kind, source }: MediaPart): Told {
  const form = 'data' in source ? 'Data' : 'url' in source ? 'Url' : 'Text';
  const field = kind === 'audio' || kind === 'video' ? kind : (`${kind}${form}` as RequestField);
  return [field, 'data' in source ? source.data : 'url' in source ? source.url : source.text];
}

function cacheContents({ cache }: { readonly cache?: Part['cache'] }): Told[] {
  return cache === undefined ? [] : [['cacheHint', cache.ttl ?? 'default']];
}

function choiceContents({ toolChoice }: Conversation): Told[] {
  if (toolChoice === null) return [];
  if (toolChoice === 'auto') return [['toolChoiceAuto', true]];
  if (toolChoice === 'none') return [['toolChoiceNone', true]];
  if (toolChoice === 'required') return [['toolChoiceRequired', true]];
  return 'name' in toolChoice ? [['toolChoiceNamed', toolChoice.name]] : [['toolChoiceAllowed', toolChoice.allowed]];
}

function formatContents({ format }: Conversation): Told[] {
  if (format === null || format.kind === 'text') return [];
  return format.kind === 'json' ? [['formatJson', true]] : [['formatSchema', format.schema]];
}

/** JSON without the blanks that a protocol with objects in place of texts cannot keep. */
export function plainJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return text;
  }
}
