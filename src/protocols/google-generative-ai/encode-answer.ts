/** Answers of the hub as whole answers for Google's clients. */
import type { Answer, AnswerEnd, Part, ReasoningPart, ToolCallPart } from '../../core/conversation.ts';
import type { Making } from '../../core/protocol.ts';
import type { TokenCounts } from '../../core/usage.ts';
import { wellFormedJson } from '../well-formed-json.ts';
import { isObjectText } from './arguments.ts';
import { encodeCall, type WrittenPart, writePart } from './encode-parts.ts';
import { writeEnd } from './end-reasons.ts';
import { type Fields, protocolId } from './names.ts';
import { writeUsage } from './usage.ts';
import { packReasoning } from './wrapped-thoughts.ts';

/** @returns JSON */
export function encodeAnswer({ id, model, parts, tokens, end }: Answer, making: Making): string {
  const written = parts.flatMap((part, index) => encodePart(part, end.reason === 'length', index === parts.length - 1));
  const facts = { responseId: id ?? making.id, modelVersion: model ?? making.model };
  return wellFormedJson(writeChunk({ parts: written, end, tokens }, facts));
}

export interface Chunk {
  readonly parts: readonly WrittenPart[];
  /** Null: the answer goes on. */
  readonly end: AnswerEnd | null;
  readonly tokens: TokenCounts | null;
}

/** @param facts members of every chunk. @returns JSON, in which half of a character is escaped: the next chunk may have the other */
export function writeChunk({ parts, end, tokens }: Chunk, facts: Fields): string {
  const content = `{"parts":[${parts.map(writePart).join(',')}],"role":"model"}`;
  const reason = end === null ? '' : `,"finishReason":"${writeEnd(end)}"`;
  const rest = { ...(tokens === null ? {} : { usageMetadata: writeUsage(tokens) }), ...facts };
  return `{"candidates":[{"content":${content}${reason},"index":0}],${JSON.stringify(rest).slice(1)}`;
}

/** @param isCut the answer ended by the length limit */
function encodePart(part: Part, isCut: boolean, isLast: boolean): readonly WrittenPart[] {
  switch (part.type) {
    case 'text':
    case 'refusal':
      return [{ fields: { text: part.text } }];
    case 'reasoning':
      return [{ fields: { text: part.text, thought: true }, ...signatureOf(part) }];
    case 'toolCall':
      return callParts(part, isCut && isLast);
    case 'media':
      return 'data' in part.source ? [{ fields: { inlineData: { mimeType: part.source.mime, data: part.source.data } } }] : [];
    case 'opaque':
      return part.protocol === protocolId ? [{ fields: part.value as Fields }] : [];
    default:
      return [];
  }
}

export function signatureOf({ signature, redacted }: ReasoningPart): Pick<WrittenPart, 'signature'> {
  if (redacted !== undefined) return { signature: packReasoning({ value: redacted, redacted: true }) };
  return signature === undefined || signature === '' ? {} : { signature: packReasoning({ value: signature, redacted: false }) };
}

/**
 * A call that the length limit cut is left out: an agent would run its tool with half of the arguments.
 * @param isCut the limit was met in this call
 */
export function callParts(part: ToolCallPart, isCut: boolean): readonly WrittenPart[] {
  const isWhole = part.kind === 'custom' || isObjectText(part.arguments);
  if (isCut && !isWhole) return [];
  return [{ fields: {}, call: encodeCall(part, part.id === '' ? null : part.id) }];
}
