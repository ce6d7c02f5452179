/**
 * The turns of a conversation as Anthropic's messages: user and assistant in turns, the results of an assistant's calls
 * together and first in the message behind them, instructions in the place where they came.
 */
import type { Part, ToolCallPart, ToolResultPart, Turn } from '../../core/conversation.ts';
import type { Digest } from '../../core/ports.ts';
import { fitToolId } from '../../core/tool-ids.ts';
import { ownExtras } from './decode-blocks.ts';
import { type Block, encodeCall, encodePart, textBlock } from './encode-blocks.ts';
import { type EncodedCall, encodeResults } from './encode-results.ts';

export interface Message {
  readonly role: 'user' | 'assistant' | 'system';
  readonly blocks: readonly Block[];
  /** The content came as a text. */
  readonly plain?: boolean;
  /** Members besides role and content, as they came. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** The form of Anthropic's tool call ids. */
const idForm = { pattern: /^[a-zA-Z0-9_-]+$/, longest: 64 };

export interface TurnOptions {
  /** The model takes the role `system` in the middle of a conversation. */
  readonly midSystem: boolean;
  readonly digest: Digest;
}

export interface EncodedTurns {
  readonly messages: readonly Message[];
  /** The last call of tools that the conversation goes on from has no signed reasoning in front of it. */
  readonly lacksReasoning: boolean;
}

/** An answer of the assistant and all that comes behind it, up to the next answer. */
interface Exchange {
  readonly assistant: readonly Turn[];
  readonly window: readonly Turn[];
}

export function encodeTurns(turns: readonly Turn[], options: TurnOptions): EncodedTurns {
  const ids = createIds(options.digest);
  const messages: Message[] = [];
  let lacksReasoning = false;
  for (const { assistant, window } of exchangesOf(turns)) {
    const calls = callsOf(assistant, ids);
    const answer = encodeAssistant(assistant, calls);
    if (answer !== null) messages.push(...opening(messages), answer);
    const results = encodeResults([...calls.values()], resultsOf(window));
    messages.push(...encodeWindow(window, results, options));
    lacksReasoning = calls.size > 0 && !isSigned(assistant);
  }
  return { messages: withoutBlankEnd(messages), lacksReasoning };
}

/** The first message must be the user's. */
function opening(messages: readonly Message[]): Message[] {
  const text = '[The conversation begins with words of the assistant.]';
  return messages.length > 0 ? [] : [{ role: 'user', blocks: [{ fields: { type: 'text', text } }] }];
}

/** Turns that hold nothing for Anthropic do not part the turns around them. */
function exchangesOf(turns: readonly Turn[]): Exchange[] {
  const exchanges: { assistant: Turn[]; window: Turn[] }[] = [{ assistant: [], window: [] }];
  for (const turn of turns) {
    const last = exchanges.at(-1);
    if (last === undefined || !turn.parts.some((part) => isSaid(part, turn.role))) continue;
    if (turn.role !== 'assistant') last.window.push(turn);
    else if (last.window.length === 0) last.assistant.push(turn);
    else exchanges.push({ assistant: [turn], window: [] });
  }
  return exchanges;
}

function isSaid(part: Part, role: Turn['role']): boolean {
  if (part.type === 'toolCall') return part.name !== '';
  return part.type === 'toolResult' || encodePart(part, role) !== null;
}

/** Ids that differ over the whole conversation, as Anthropic asks: the second call with an id of the client gets another one. */
function createIds(digest: Digest): (id: string) => string {
  const seen = new Map<string, number>();
  return (id) => {
    const times = (seen.get(id) ?? 0) + 1;
    seen.set(id, times);
    return fitToolId(times === 1 && id !== '' ? id : `${id}#${times}`, idForm, digest);
  };
}

/** The calls of an answer. A call without a name, and one that repeats another to the letter, is none. */
function callsOf(turns: readonly Turn[], ids: (id: string) => string): ReadonlyMap<ToolCallPart, EncodedCall> {
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

function encodeAssistant(turns: readonly Turn[], calls: ReadonlyMap<ToolCallPart, EncodedCall>): Message | null {
  const blocks = turns
    .flatMap(({ parts }) => parts)
    .map((part) => {
      if (part.type !== 'toolCall') return encodePart(part, 'assistant');
      const call = calls.get(part);
      return call === undefined ? null : encodeCall(part, call.id);
    });
  return message('assistant', blocks, turns);
}

function resultsOf(turns: readonly Turn[]): ToolResultPart[] {
  return turns.flatMap(({ parts }) => parts.filter((part) => part.type === 'toolResult'));
}

/** Anthropic enforces the order: results first, in the message directly behind their calls. */
function encodeWindow(window: readonly Turn[], results: readonly Block[], { midSystem }: TurnOptions): Message[] {
  const native = midSystem ? nativeFrom(window, results) : window.length;
  const said = window.slice(0, native);
  const blocks = [...results, ...said.flatMap(encodeSaid)];
  const user = message('user', blocks, said);
  const late = window.slice(native);
  const system = message(
    'system',
    late.flatMap(({ parts }) => parts.map((part) => encodePart(part, 'system'))),
    late,
  );
  return [user, system].filter((each) => each !== null);
}

/**
 * The place from which on instructions stand in messages of their own. Anthropic takes the role `system` behind a message of
 * the user alone, with an answer behind it or nothing (https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages).
 */
function nativeFrom(window: readonly Turn[], results: readonly Block[]): number {
  let from = window.length;
  while (from > 0 && window[from - 1]?.role === 'system') from--;
  const precedes = results.length > 0 || window.slice(0, from).some((turn) => encodeSaid(turn).some((each) => each !== null));
  return precedes ? from : window.length;
}

function encodeSaid({ role, parts }: Turn): (Block | null)[] {
  const others = parts.filter(({ type }) => type !== 'toolResult');
  if (role !== 'system') return others.map((part) => encodePart(part, 'user'));
  return others.map((part) => {
    const block = encodePart(part, 'system');
    if (block === null || part.type !== 'text') return block;
    return { ...block, fields: { ...block.fields, text: `<system>\n${part.text}\n</system>` } };
  });
}

function message(role: Message['role'], blocks: readonly (Block | null)[], turns: readonly Turn[]): Message | null {
  const kept = blocks.filter((each) => each !== null);
  if (kept.length === 0) return null;
  const alone = turns.length === 1 ? ownExtras(turns[0]?.extras) : {};
  const plain = alone.form === 'text' && kept.length === 1 && turns[0]?.role === role;
  return { role, blocks: kept, plain, ...(alone.fields === undefined ? {} : { fields: alone.fields }) };
}

/** Signed reasoning stands in front of the first call. */
function isSigned(turns: readonly Turn[]): boolean {
  const parts = turns.flatMap(({ parts: all }) => all);
  const before = parts.slice(
    0,
    parts.findIndex(({ type }) => type === 'toolCall'),
  );
  return before.some((part) => part.type === 'reasoning' && encodePart(part, 'assistant') !== null);
}

/** Anthropic refuses a last message of the assistant that ends in blanks: the model goes on from its words. */
function withoutBlankEnd(messages: readonly Message[]): readonly Message[] {
  const last = messages.at(-1);
  const end = last?.blocks.at(-1);
  if (last?.role !== 'assistant' || end?.fields['type'] !== 'text') return messages;
  const text = String(end.fields['text']).trimEnd();
  const trimmed = textBlock(text);
  if (trimmed === null) return messages;
  return [
    ...messages.slice(0, -1),
    { ...last, blocks: [...last.blocks.slice(0, -1), { ...end, fields: { ...end.fields, text } }] },
  ];
}
