/** Answers as Bedrock writes them, whole and as frames: written by hand from the vendor's documentation. */
import type { Answer, EndReason, Part } from '../../../src/core/conversation.ts';
import { event } from './frames.ts';

const words: Readonly<Record<EndReason, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  toolCalls: 'tool_use',
  contentFilter: 'content_filtered',
  refusal: 'refusal',
  pause: 'end_turn',
};

function usageOf({ tokens: { prompt, completion, cacheRead, cacheWrite } }: Answer): object {
  const [cachedIn, cachedOut] = [cacheRead ?? 0, cacheWrite ?? 0];
  return {
    inputTokens: (prompt ?? 0) - cachedIn - cachedOut,
    outputTokens: completion ?? 0,
    cacheReadInputTokens: cachedIn,
    cacheWriteInputTokens: cachedOut,
  };
}

/** The JSON text of a whole answer; arguments stand in it as they are. */
export function wholeOf(answer: Answer): string {
  const content = answer.parts.map(blockOf).join(',');
  const message = `{"role":"assistant","content":[${content}]}`;
  return `{"output":{"message":${message}},"stopReason":"${words[answer.end.reason]}","usage":${JSON.stringify(usageOf(answer))}}`;
}

function blockOf(part: Part): string {
  if (part.type === 'toolCall') {
    const head = JSON.stringify({ toolUseId: part.id, name: part.name }).slice(0, -1);
    return `{"toolUse":${head},"input":${part.arguments}}}`;
  }
  if (part.type !== 'reasoning') return JSON.stringify({ text: 'text' in part ? part.text : '' });
  const { text, signature, redacted } = part;
  return JSON.stringify({
    reasoningContent: redacted === undefined ? { reasoningText: { text, signature } } : { redactedContent: redacted },
  });
}

/** UTF-16 units of a delta. */
const piece = 5;

const piecesOf = (text: string): readonly string[] => text.match(new RegExp(`[\\s\\S]{1,${piece}}`, 'gu')) ?? [];

export function framesOf(answer: Answer): Uint8Array[] {
  return [
    event('messageStart', { role: 'assistant' }),
    ...answer.parts.flatMap((part, index) => [
      ...blockFrames(part, index),
      event('contentBlockStop', { contentBlockIndex: index }),
    ]),
    event('messageStop', { stopReason: words[answer.end.reason] }),
    event('metadata', { usage: usageOf(answer), metrics: { latencyMs: 1 } }),
  ];
}

function blockFrames(part: Part, contentBlockIndex: number): Uint8Array[] {
  const delta = (value: object) => event('contentBlockDelta', { contentBlockIndex, delta: value });
  if (part.type === 'toolCall') {
    const start = { toolUse: { toolUseId: part.id, name: part.name } };
    const pieces = piecesOf(part.arguments).map((input) => delta({ toolUse: { input } }));
    return [event('contentBlockStart', { contentBlockIndex, start }), ...pieces];
  }
  if (part.type !== 'reasoning') return piecesOf('text' in part ? part.text : '').map((text) => delta({ text }));
  const { text, signature, redacted } = part;
  if (redacted !== undefined) return [delta({ reasoningContent: { redactedContent: redacted } })];
  const said = piecesOf(text).map((each) => delta({ reasoningContent: { text: each } }));
  return [...said, ...(signature === undefined ? [] : [delta({ reasoningContent: { signature } })])];
}
