/** Results of tools as Google's `functionResponse` parts (https://ai.google.dev/gemini-api/docs/function-calling). */
import type { MediaPart, Part, ToolCallPart, ToolResultPart } from '../../core/conversation.ts';
import { encodeMedia, encodePart, type WrittenPart } from './encode-parts.ts';
import type { Fields } from './names.ts';

export interface EncodedCall {
  readonly part: ToolCallPart;
  /** In Google's form; null: the model's calls have none. */
  readonly id: string | null;
}

export interface EncodedResults {
  /** One for each call, in the order of the calls: older models find them by their places. */
  readonly results: readonly WrittenPart[];
  /** Media that no result can hold, and results that belong to no call. */
  readonly behind: readonly WrittenPart[];
}

const missing = 'The conversation has no result of this call.';

/**
 * @param mediaInside the model takes media inside of results
 */
export function encodeResults(
  calls: readonly EncodedCall[],
  given: readonly ToolResultPart[],
  mediaInside: boolean,
): EncodedResults {
  const taken = new Set<ToolResultPart>();
  const next = takerOf(given);
  const behind: WrittenPart[] = [];
  const results = calls.map((call) => {
    const result = next(call.part.id);
    if (result === undefined) return response(call, { error: missing });
    taken.add(result);
    const inside = result.parts.filter((part) => isInside(part, mediaInside));
    const outside = result.parts.filter((part) => part.type !== 'text' && part.type !== 'refusal' && !inside.includes(part));
    if (outside.length > 0) behind.push(caption(call.part.name), ...written(outside));
    const said = textOf(result);
    const text = said === '' && inside.length + outside.length > 0 ? 'The result is attached.' : said;
    const media = inside.map((part) => encodeMedia(part as MediaPart));
    return response(call, result.isError ? { error: text } : { output: text }, media);
  });
  return { results, behind: [...behind, ...given.filter((result) => !taken.has(result)).flatMap(lonely)] };
}

/** @returns the results of each id, one after the other */
function takerOf(given: readonly ToolResultPart[]): (id: string) => ToolResultPart | undefined {
  const byId = Map.groupBy(given, ({ callId }) => callId);
  const places = new Map<string, number>();
  return (id) => {
    const place = places.get(id) ?? 0;
    places.set(id, place + 1);
    return byId.get(id)?.[place];
  };
}

/** Bytes alone: an address would not be fetched there. */
function isInside(part: Part, mediaInside: boolean): boolean {
  return mediaInside && part.type === 'media' && !('url' in part.source);
}

/** The name is required: a result is found by it and by its place. */
function response({ part, id }: EncodedCall, value: Fields, parts: readonly Fields[] = []): WrittenPart {
  const media = parts.length === 0 ? {} : { parts };
  return { fields: { functionResponse: { ...(id === null ? {} : { id }), name: part.name, response: value, ...media } } };
}

function textOf({ parts }: ToolResultPart): string {
  return parts.flatMap((part) => (part.type === 'text' || part.type === 'refusal' ? [part.text] : [])).join('\n');
}

function caption(name: string): WrittenPart {
  return { fields: { text: `Of the result of ${name}:` } };
}

/** A result without a call: Google would refuse the request. */
function lonely(result: ToolResultPart): WrittenPart[] {
  const text = `[Result of a tool call that is not in the conversation, id ${result.callId}]`;
  return [{ fields: { text } }, ...written(result.parts)];
}

function written(parts: readonly Part[]): WrittenPart[] {
  return parts.map(encodePart).filter((each) => each !== null);
}
