/** Results of tools as Converse's `toolResult` blocks. */
import type { Part, ToolCallPart, ToolResultPart } from '../../core/conversation.ts';
import type { Block } from './cache-points.ts';
import { encodePart, textBlock } from './encode-blocks.ts';
import type { DocumentNames } from './media.ts';

export interface EncodedCall {
  readonly part: ToolCallPart;
  /** In Bedrock's form. */
  readonly id: string;
}

const missing = 'The conversation has no result of this call.';
/** The text of a result that has none: Bedrock refuses a blank one. */
const empty = '(empty)';

/**
 * One result for each call, in the order of the calls, whatever order they came in. A call without a result gets one that says
 * so. Behind them stand the results that belong to no call, as text, and the images of failed results.
 */
export function encodeResults(
  calls: readonly EncodedCall[],
  results: readonly ToolResultPart[],
  names: DocumentNames,
): readonly Block[] {
  const left = [...results];
  const behind: Block[] = [];
  const answered = calls.map(({ part, id }) => {
    const at = left.findIndex(({ callId }) => callId === part.id);
    const result = at < 0 ? undefined : left.splice(at, 1)[0];
    if (result === undefined) return resultBlock(id, [JSON.stringify({ text: missing })], true);
    behind.push(...mediaOfFailed(result, part.name, names));
    const inner = blocksOf(innerParts(result), names);
    const texts = inner.length === 0 ? [JSON.stringify({ text: empty })] : inner.map(({ json }) => json);
    const { json } = resultBlock(id, texts, result.isError);
    // A cache point has no place inside of a result.
    return { json, cache: result.cache ?? inner.findLast(({ cache }) => cache !== undefined)?.cache };
  });
  return [...answered, ...behind, ...left.flatMap((each) => lonely(each, names))];
}

/** `status` is left out of a result that did not fail: models other than Claude and Nova do not know it. */
function resultBlock(id: string, content: readonly string[], isError: boolean): Block {
  const status = isError ? ',"status":"error"' : '';
  return { json: `{"toolResult":{"toolUseId":${JSON.stringify(id)},"content":[${content.join(',')}]${status}}}` };
}

/** Claude takes nothing but text in a failed result: its images follow behind all results of the message. */
function innerParts({ parts, isError }: ToolResultPart): readonly Part[] {
  return isError ? parts.filter(({ type }) => type !== 'media') : parts;
}

function mediaOfFailed({ parts, isError }: ToolResultPart, name: string, names: DocumentNames): readonly Block[] {
  const media = isError
    ? blocksOf(
        parts.filter(({ type }) => type === 'media'),
        names,
      )
    : [];
  return media.length === 0 ? [] : [{ json: JSON.stringify({ text: `Of the failed call of ${name}:` }) }, ...media];
}

/** A result without a call: Bedrock would refuse the request. */
function lonely(result: ToolResultPart, names: DocumentNames): Block[] {
  const head = textBlock(`[Result of a tool call that is not in the conversation, id ${result.callId}]`);
  return [...(head === null ? [] : [head]), ...blocksOf(result.parts, names)];
}

function blocksOf(parts: readonly Part[], names: DocumentNames): Block[] {
  return parts.map((part) => encodePart(part, 'user', names)).filter((each) => each !== null);
}
