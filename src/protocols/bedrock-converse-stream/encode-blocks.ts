/** Parts of the hub as content blocks of a request to Converse. */
import type { MediaPart, Part, ReasoningPart, ToolCallPart } from '../../core/conversation.ts';
import { inputOf } from './arguments.ts';
import type { Block } from './cache-points.ts';
import { protocolId } from './decode-blocks.ts';
import { type DocumentNames, encodeMedia } from './media.ts';
import { refuse } from './refuse.ts';

export type Role = 'user' | 'assistant' | 'system';

/** @returns null for a part that is left out */
export function encodePart(part: Part, role: Role, names: DocumentNames): Block | null {
  switch (part.type) {
    case 'text':
    case 'refusal':
      return textBlock(part.text, part);
    case 'media':
      return mediaBlock(part, role, names);
    case 'reasoning':
      return encodeReasoning(part);
    case 'opaque':
      return part.protocol === protocolId ? { json: JSON.stringify(part.value) } : refuseOpaque(part);
    default:
      return null;
  }
}

/** Bedrock refuses a text block that is empty or blank. */
export function textBlock(text: string, part?: Part): Block | null {
  return text.trim() === '' ? null : { json: JSON.stringify({ text }), cache: part?.cache };
}

function mediaBlock(part: MediaPart, role: Role, names: DocumentNames): Block {
  const field = part.field ?? 'messages';
  if (role === 'assistant')
    refuse(`'${field}' is media in an answer of the assistant, which Amazon Bedrock does not take. Remove it.`, field);
  return { json: encodeMedia(part, names), cache: part.cache };
}

/** @param id the id in Bedrock's form */
export function encodeCall(part: ToolCallPart, id: string): Block {
  const input = part.kind === 'custom' ? JSON.stringify({ input: part.arguments }) : inputOf(part.arguments);
  const head = JSON.stringify({ toolUseId: id, name: part.name }).slice(0, -1);
  return { json: `{"toolUse":${head},"input":${input}}}`, cache: part.cache };
}

/**
 * Reasoning that its maker signed goes back to it. Claude refuses reasoning without a signature, other models one with it: what
 * has no signature is left out, which each takes.
 */
function encodeReasoning({ text, signature, redacted }: ReasoningPart): Block | null {
  if (redacted !== undefined) return { json: JSON.stringify({ reasoningContent: { redactedContent: redacted } }) };
  if (signature === undefined || signature === '') return null;
  return { json: JSON.stringify({ reasoningContent: { reasoningText: { text, signature } } }) };
}

function refuseOpaque({ field = 'messages', name, protocol }: Extract<Part, { type: 'opaque' }>): never {
  return refuse(
    `'${field}' is a '${name}' block of ${protocol}, which Amazon Bedrock's Converse does not have. Remove it, or ask a model of a provider that speaks ${protocol}.`,
    field,
  );
}
