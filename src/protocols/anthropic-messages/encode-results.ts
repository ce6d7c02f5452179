/** Results of tools as Anthropic's `tool_result` blocks. */
import type { Part, ToolCallPart, ToolResultPart } from '../../core/conversation.ts';
import { ownExtras } from './decode-blocks.ts';
import { type Block, block, encodePart, textBlock } from './encode-blocks.ts';

export interface EncodedCall {
  readonly part: ToolCallPart;
  /** In Anthropic's form. */
  readonly id: string;
}

const missing = 'The conversation has no result of this call.';

/**
 * One result for each call, in the order of the calls, whatever order they came in. A call without a result gets one that says
 * so. Behind them stand the results that belong to no call, as text, and the images of failed results.
 */
export function encodeResults(calls: readonly EncodedCall[], results: readonly ToolResultPart[]): readonly Block[] {
  // The last result of an id stands first, so that `pop` gives them in order. A search for each call takes minutes for 100,000.
  const byCall = Map.groupBy(results.toReversed(), ({ callId }) => callId);
  const told = new Set<ToolResultPart>();
  const behind: Block[] = [];
  const answered = calls.map(({ part, id }) => {
    const result = byCall.get(part.id)?.pop();
    if (result !== undefined) told.add(result);
    if (result === undefined) return { fields: { type: 'tool_result', tool_use_id: id, content: missing, is_error: true } };
    const encoded = encodeResult(result, id, part.name);
    behind.push(...encoded.behind);
    return encoded.result;
  });
  return [...answered, ...behind, ...results.filter((result) => !told.has(result)).flatMap(lonely)];
}

/** Anthropic takes nothing but text in a failed result: its images follow behind all results of the message. */
function encodeResult(result: ToolResultPart, id: string, name: string): { result: Block; behind: readonly Block[] } {
  const { form } = ownExtras(result.extras);
  const parts = result.isError ? result.parts.filter(({ type }) => type !== 'media') : result.parts;
  const inner = blocksOf(parts);
  const media = result.isError ? blocksOf(result.parts.filter(({ type }) => type === 'media')) : [];
  const fields = { type: 'tool_result', tool_use_id: id, ...(result.isError ? { is_error: true } : {}) };
  const caption = media.length === 0 ? [] : [{ fields: { type: 'text', text: `Of the failed call of ${name}:` } }];
  const text = form === 'text' && inner.length === 1 ? inner[0]?.fields['text'] : undefined;
  const content = typeof text === 'string' ? { content: text } : {};
  const made = block(result, { ...fields, ...content });
  const list = text !== undefined || inner.length === 0 ? made : { ...made, inner };
  return { result: list, behind: [...caption, ...media] };
}

/** A result without a call: Anthropic would refuse the request. */
function lonely(result: ToolResultPart): Block[] {
  const head = textBlock(`[Result of a tool call that is not in the conversation, id ${result.callId}]`);
  return [head, ...result.parts.map((part) => encodePart(part, 'user'))].filter((each) => each !== null);
}

function blocksOf(parts: readonly Part[]): Block[] {
  return parts.map((part) => encodePart(part, 'user')).filter((each) => each !== null);
}
