/** Results of tools as items. */
import type { Part, ToolCallPart, ToolResultPart } from '../../core/conversation.ts';
import { contentOf, textOf, type Writing } from './encode-content.ts';
import type { Fields } from './members.ts';

export interface EncodedCall {
  readonly part: ToolCallPart;
  /** In the vendor's form. */
  readonly id: string;
}

export interface EncodedResults {
  /** One for each call, in the order of the calls. */
  readonly items: readonly Fields[];
  /** Results that belong to no call. */
  readonly lonely: ReadonlySet<ToolResultPart>;
}

const noResult = 'Error: there is no result of this tool call.';

/** A call without a result gets one that says so: the vendor refuses the call otherwise. */
export function encodeResults(
  calls: readonly EncodedCall[],
  results: readonly ToolResultPart[],
  writing: Writing,
): EncodedResults {
  const left = new Map<string, ToolResultPart[]>();
  for (const result of results.toReversed()) left.set(result.callId, [...(left.get(result.callId) ?? []), result]);
  const items = calls.map(({ part, id }) => {
    const result = left.get(part.id)?.pop();
    const type = part.kind === 'custom' ? 'custom_tool_call_output' : 'function_call_output';
    return { type, call_id: id, output: result === undefined ? noResult : outputOf(result, writing) };
  });
  return { items, lonely: new Set([...left.values()].flat()) };
}

/** A text where it is one. A result cannot be marked as a failure: its text says so. */
function outputOf({ parts, isError }: ToolResultPart, writing: Writing): string | readonly Fields[] {
  const texts = parts.map(textOf);
  if (texts.every((text) => text !== null)) {
    const text = texts.filter((each) => each !== '').join('\n');
    return isError ? `Error: ${text === '' ? 'the tool failed and said nothing.' : text}` : text;
  }
  const content = contentOf(parts, writing);
  return isError ? [{ type: 'input_text', text: 'Error:' }, ...content] : content;
}

/** A result whose call is not in the conversation becomes words of the user: the vendor would refuse it. */
export function lonelyParts({ callId, parts, isError }: ToolResultPart): readonly Part[] {
  return [{ type: 'text', text: `${isError ? 'Error of' : 'Result of'} the tool call ${callId}:` }, ...parts];
}
