/**
 * The turns of a conversation as Google's contents: the results of the model's calls together in the content behind them,
 * instructions in the place where they came, signatures on the parts that they belong to.
 */
import type { Part, ToolCallPart, ToolResultPart, Turn } from '../../core/conversation.ts';
import type { Digest } from '../../core/ports.ts';
import { fitToolId } from '../../core/tool-ids.ts';
import { encodeAssistant, isSaidByModel } from './encode-assistant.ts';
import { encodePart, type WrittenPart, writePart } from './encode-parts.ts';
import { type EncodedCall, encodeResults } from './encode-results.ts';

export interface Content {
  readonly role: 'user' | 'model';
  readonly parts: readonly WrittenPart[];
}

export interface TurnOptions {
  /** The model's calls have no ids and need no signatures, and its results take no media. */
  readonly plainCalls: boolean;
  readonly digest: Digest;
}

export interface EncodedTurns {
  readonly contents: readonly Content[];
  /** A call of the turn that is going on has lost its signature. */
  readonly lostSignature: boolean;
  /** Reasoning was left out, as nobody signed it. */
  readonly leftReasoning: boolean;
}

/** An answer of the model and all that comes behind it, up to the next answer. */
interface Exchange {
  readonly assistant: readonly Turn[];
  readonly window: readonly Turn[];
}

export function encodeTurns(turns: readonly Turn[], options: TurnOptions): EncodedTurns {
  const ids = createIds(options);
  const contents: Content[] = [];
  let lostSignature = false;
  let leftReasoning = false;
  for (const { assistant, window } of exchangesOf(turns)) {
    const calls = callsOf(assistant, ids);
    const answer = encodeAssistant(
      assistant.flatMap(({ parts }) => parts),
      calls,
      options.plainCalls,
    );
    leftReasoning ||= answer.leftReasoning;
    lostSignature ||= answer.lostSignature;
    if (answer.parts.length > 0) contents.push(...opening(contents), { role: 'model', parts: answer.parts });
    const { results, behind } = encodeResults([...calls.values()], resultsOf(window), !options.plainCalls);
    if (results.length > 0) contents.push({ role: 'user', parts: results });
    const said = [...behind, ...window.flatMap(encodeSaid)];
    if (said.length === 0) continue;
    contents.push({ role: 'user', parts: said });
    // Google asks for the signatures of the calls since the last words of the user alone.
    lostSignature = false;
  }
  return { contents, lostSignature, leftReasoning };
}

export function writeContent({ role, parts }: Content): string {
  return `{"role":"${role}","parts":[${parts.map(writePart).join(',')}]}`;
}

/** The first content must be the user's. */
function opening(contents: readonly Content[]): Content[] {
  const text = '[The conversation begins with words of the assistant.]';
  return contents.length > 0 ? [] : [{ role: 'user', parts: [{ fields: { text } }] }];
}

/** Turns that hold nothing for Google do not part the turns around them. */
function exchangesOf(turns: readonly Turn[]): Exchange[] {
  const exchanges: { assistant: Turn[]; window: Turn[] }[] = [{ assistant: [], window: [] }];
  for (const turn of turns) {
    const last = exchanges.at(-1);
    if (last === undefined || !isSaid(turn)) continue;
    if (turn.role !== 'assistant') last.window.push(turn);
    else if (last.window.length === 0) last.assistant.push(turn);
    else exchanges.push({ assistant: [turn], window: [] });
  }
  return exchanges;
}

function isSaid({ role, parts }: Turn): boolean {
  if (role === 'assistant') return parts.some(isSaidByModel);
  return parts.some((part) => part.type === 'toolResult' || encodePart(part) !== null);
}

/** The form that Google's ids fit into; other APIs behind its protocol take no more. */
const idForm = { pattern: /^[a-zA-Z0-9_-]+$/, longest: 64 };

/** Ids that differ over the whole conversation: the second call with an id of the client gets another one. */
function createIds({ plainCalls, digest }: TurnOptions): (id: string) => string | null {
  const seen = new Map<string, number>();
  return (id) => {
    if (plainCalls) return null;
    const times = (seen.get(id) ?? 0) + 1;
    seen.set(id, times);
    return fitToolId(times === 1 && id !== '' ? id : `${id}#${times}`, idForm, digest);
  };
}

/** The calls of an answer. A call without a name, and one that repeats another to the letter, is none. */
function callsOf(turns: readonly Turn[], ids: (id: string) => string | null): Map<ToolCallPart, EncodedCall> {
  const calls = new Map<ToolCallPart, EncodedCall>();
  const known = new Set<string>();
  for (const part of turns.flatMap(({ parts }) => parts)) {
    if (part.type !== 'toolCall' || part.name === '') continue;
    const content = JSON.stringify([part.id, part.name, part.arguments]);
    if (known.has(content)) continue;
    known.add(content);
    calls.set(part, { part, id: ids(part.id) });
  }
  return calls;
}

function resultsOf(turns: readonly Turn[]): ToolResultPart[] {
  return turns.flatMap(({ parts }) => parts.filter((part) => part.type === 'toolResult'));
}

/** Google has no role for instructions in the middle: they are a marked text of the user. */
function encodeSaid({ role, parts }: Turn): WrittenPart[] {
  const marked = (part: Part): Part =>
    role === 'system' && part.type === 'text' && part.text !== '' ? { ...part, text: `<system>\n${part.text}\n</system>` } : part;
  return parts.map((part) => encodePart(marked(part))).filter((each) => each !== null);
}
