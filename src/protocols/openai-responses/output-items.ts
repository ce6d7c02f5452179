/** Parts of the hub as items of a response's output, for a client. */
import type { Part } from '../../core/conversation.ts';
import type { Making } from '../../core/protocol.ts';
import { type Fields, keptIn, ownIn, ownProtocol } from './members.ts';
import { reasoningMembers } from './reasoning-item.ts';

/** Beginnings of the ids that the vendor gives to items of a type. */
const prefixes: Readonly<Record<string, string>> = {
  message: 'msg',
  reasoning: 'rs',
  function_call: 'fc',
  custom_tool_call: 'ctc',
};
/** Characters of ola's part of an id: the vendor takes 64 in all. */
const longestId = 40;

export function responseId(id: string | null, making: Making): string {
  return id?.startsWith('resp_') === true ? id : `resp_${making.id}`;
}

/** @param index of the item in the output */
export function itemId(type: string, index: number, { id }: Making): string {
  return `${prefixes[type] ?? 'item'}_${id.slice(0, longestId)}_${index}`;
}

/** The type of the item that a part becomes; null: the part is left out. */
export function itemType(part: Part): string | null {
  if (part.type === 'text' || part.type === 'refusal') return 'message';
  if (part.type === 'reasoning') return 'reasoning';
  if (part.type === 'toolCall') return part.kind === 'custom' ? 'custom_tool_call' : 'function_call';
  return part.type === 'opaque' && part.protocol === ownProtocol ? part.name : null;
}

export type ItemStatus = 'in_progress' | 'completed' | 'incomplete';

/** The whole item of a part. */
export function itemOf(part: Part, index: number, making: Making, status: ItemStatus): Fields | null {
  const type = itemType(part);
  if (type === null) return null;
  if (part.type === 'opaque') return part.value as Fields;
  const head = { id: itemId(type, index, making), type };
  if (part.type === 'text' || part.type === 'refusal') {
    return { ...head, status, role: 'assistant', content: status === 'in_progress' ? [] : [contentOf(part)] };
  }
  if (part.type === 'reasoning') return { ...head, ...reasoningMembers(part) };
  return part.type === 'toolCall' ? { ...head, ...callMembers(part, status) } : null;
}

export function contentOf(part: Extract<Part, { type: 'text' | 'refusal' }>): Fields {
  if (part.type === 'refusal') return { type: 'refusal', refusal: part.text };
  return { type: 'output_text', text: part.text, annotations: [], logprobs: [], ...keptIn(ownIn(part.extras), 'output') };
}

function callMembers(part: Extract<Part, { type: 'toolCall' }>, status: ItemStatus): Fields {
  const { id, name, kind, arguments: text, extras } = part;
  const members = keptIn(ownIn(extras), 'members');
  // A client parses the arguments of a call that is complete.
  const whole = status === 'completed' && text.trim() === '' ? '{}' : text;
  return kind === 'custom'
    ? { call_id: id, name, input: text, ...members }
    : { status, call_id: id, name, arguments: whole, ...members };
}
