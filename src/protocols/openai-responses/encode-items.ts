/** The turns of a conversation as items, towards an upstream: each call has its result behind it, and reasoning the item that it led to. */
import type { Part, ReasoningPart, ToolCallPart, ToolResultPart, Turn } from '../../core/conversation.ts';
import type { Digest } from '../../core/ports.ts';
import { fitToolId, type ToolIdForm } from '../../core/tool-ids.ts';
import { contentOf, refuseBlock, textOf, type Writing } from './encode-content.ts';
import { type EncodedCall, encodeResults, lonelyParts } from './encode-results.ts';
import { type Fields, keptIn, ownIn, ownProtocol } from './members.ts';
import { reasoningMembers } from './reasoning-item.ts';

/** OpenAI refuses longer ids of calls. */
const idForm: ToolIdForm = { pattern: /^[\x20-\x7e]+$/, longest: 64 };

/** An answer of the assistant and all that comes behind it, up to the next answer. */
interface Exchange {
  readonly assistant: Turn[];
  readonly window: Turn[];
}

export function itemsOf(turns: readonly Turn[], writing: Writing, digest: Digest): readonly Fields[] {
  const ids = createIds(digest);
  return exchangesOf(turns).flatMap(({ assistant, window }) => {
    const parts = assistant.flatMap((turn) => turn.parts);
    const calls = new Map<ToolCallPart, EncodedCall>();
    for (const part of parts) if (part.type === 'toolCall') calls.set(part, { part, id: ids(part.id) });
    const results = window.flatMap((turn) => turn.parts.filter((part) => part.type === 'toolResult'));
    const encoded = encodeResults([...calls.values()], results, writing);
    return [
      ...assistantItems(parts, calls, writing),
      ...encoded.items,
      ...shownMedia(parts, writing),
      ...window.flatMap((turn) => saidItems(turn, encoded.lonely, writing)),
    ];
  });
}

/** The vendor pairs calls and results by id: the second call with an id of the client gets another one. */
function createIds(digest: Digest): (id: string) => string {
  const seen = new Map<string, number>();
  return (id) => {
    const times = (seen.get(id) ?? 0) + 1;
    seen.set(id, times);
    return fitToolId(times === 1 && id !== '' ? id : `${id}#${times}`, idForm, digest);
  };
}

/** Turns without any part do not part the turns around them. */
function exchangesOf(turns: readonly Turn[]): readonly Exchange[] {
  const exchanges: Exchange[] = [{ assistant: [], window: [] }];
  for (const turn of turns) {
    const last = exchanges.at(-1);
    if (last === undefined || turn.parts.every((part) => textOf(part) === '')) continue;
    if (turn.role !== 'assistant') last.window.push(turn);
    else if (last.window.length === 0) last.assistant.push(turn);
    else exchanges.push({ assistant: [turn], window: [] });
  }
  return exchanges;
}

type Calls = ReadonlyMap<ToolCallPart, EncodedCall>;

/** Reasoning goes up in front of an item that it led to: the vendor refuses it alone. */
function assistantItems(parts: readonly Part[], calls: Calls, writing: Writing): readonly Fields[] {
  const items: Fields[] = [];
  let reasoning: Fields[] = [];
  for (const part of parts) {
    if (part.type === 'reasoning') {
      const item = reasoningItem(part);
      if (item === null) writing.dropped.add('reasoning');
      else reasoning.push(item);
      continue;
    }
    const item = assistantItem(part, calls);
    if (item === null) continue;
    items.push(...reasoning, item);
    reasoning = [];
  }
  if (reasoning.length > 0) writing.dropped.add('reasoning');
  return items;
}

/** @returns null for reasoning that its maker did not sign or encrypt: OpenAI takes back nothing else */
function reasoningItem(part: ReasoningPart): Fields | null {
  if (part.signature === undefined && part.redacted === undefined) return null;
  return { type: 'reasoning', ...reasoningMembers(part) };
}

/** Ids of items are left out: the vendor would look for what it has not stored. */
function assistantItem(part: Part, calls: Calls): Fields | null {
  if (part.type === 'toolCall') return callItem(part, calls.get(part)?.id ?? part.id);
  if (part.type === 'opaque') return part.protocol === ownProtocol ? (part.value as Fields) : refuseBlock(part);
  const text = textOf(part);
  if (text === null || text === '') return null;
  const content = part.type === 'refusal' ? { type: 'refusal', refusal: text } : { type: 'output_text', text };
  return { type: 'message', role: 'assistant', content: [content], ...membersOf(part) };
}

function membersOf({ extras }: Pick<Part, 'extras'>): Fields {
  return keptIn(ownIn(extras), 'members');
}

function callItem(part: ToolCallPart, id: string): Fields {
  const head = { call_id: id, name: part.name };
  if (part.kind === 'custom') return { type: 'custom_tool_call', ...head, input: part.arguments, ...membersOf(part) };
  const text = part.arguments.trim() === '' ? '{}' : part.arguments;
  return { type: 'function_call', ...head, arguments: text, ...membersOf(part) };
}

/** A message of the assistant has no images: those that a model made follow in a message of the user. */
function shownMedia(parts: readonly Part[], writing: Writing): readonly Fields[] {
  const media = parts.filter((part) => part.type === 'media' && textOf(part) === null);
  if (media.length === 0) return [];
  const content = [{ type: 'input_text', text: 'From your answer:' }, ...contentOf(media, writing)];
  return [{ type: 'message', role: 'user', content }];
}

/** @param lonely results without a call; all others stand behind their calls already */
function saidItems(turn: Turn, lonely: ReadonlySet<ToolResultPart>, writing: Writing): readonly Fields[] {
  const items: Fields[] = [];
  const parts = turn.parts.flatMap((part): readonly Part[] => {
    if (part.type === 'toolResult') return lonely.has(part) ? lonelyParts(part) : [];
    // Some blocks are items of their own.
    if (part.type !== 'opaque' || part.protocol !== ownProtocol || isContent(part.name)) return [part];
    items.push(part.value as Fields);
    return [];
  });
  const content = contentOf(parts, writing);
  const role = turn.role === 'system' ? systemRole(ownIn(turn.extras)['role'], writing) : 'user';
  if (content.length > 0) items.push({ type: 'message', role, content, ...membersOf(turn) });
  return items;
}

const isContent = (name: string): boolean => name.startsWith('input_');

export function systemRole(asked: unknown, { to }: Writing): string {
  if (to.quirks.noDeveloperRole === true) return 'system';
  return asked === 'system' ? 'system' : 'developer';
}
