/** Content blocks of Converse's answers as parts of the hub. */
import type { Part } from '../../core/conversation.ts';
import { isObject } from '../../core/json.ts';
import { itemsOf, membersOf } from '../../core/json-text.ts';

export const protocolId = 'bedrock-converse-stream';

type Fields = Readonly<Record<string, unknown>>;

/**
 * @param text the JSON text of the block: numbers of a call's input keep their digits
 * @returns null for a block that lacks a member of its kind
 */
export function decodeBlock(block: unknown, text: string): Part | null {
  if (!isObject(block)) return null;
  if (typeof block['text'] === 'string') return { type: 'text', text: block['text'] };
  if (isObject(block['toolUse'])) return decodeCall(block['toolUse'], memberOf(text, 'toolUse'));
  if (isObject(block['reasoningContent'])) return decodeReasoning(block['reasoningContent']);
  if (isObject(block['citationsContent'])) return { type: 'text', text: citedText(block['citationsContent']) };
  const [name = 'block'] = Object.keys(block);
  return { type: 'opaque', protocol: protocolId, name, value: block };
}

function decodeCall({ toolUseId: id, name, input }: Fields, text: string | null): Part | null {
  if (typeof id !== 'string' || typeof name !== 'string') return null;
  const written = text === null ? null : memberOf(text, 'input');
  return { type: 'toolCall', id, name, kind: 'function', arguments: isObject(input) && written !== null ? written : '{}' };
}

function decodeReasoning({ reasoningText, redactedContent }: Fields): Part | null {
  if (typeof redactedContent === 'string') return { type: 'reasoning', text: '', redacted: redactedContent };
  if (!isObject(reasoningText) || typeof reasoningText['text'] !== 'string') return null;
  const { text, signature } = reasoningText as { readonly text: string; readonly signature?: unknown };
  return { type: 'reasoning', text, ...(typeof signature === 'string' && signature !== '' ? { signature } : {}) };
}

/** The text of an answer with sources; the sources are left out. */
function citedText({ content }: Fields): string {
  const pieces: readonly unknown[] = Array.isArray(content) ? content : [];
  return pieces.map((each) => (isObject(each) && typeof each['text'] === 'string' ? each['text'] : '')).join('');
}

/** The JSON text of a member; null when it is absent. @param text of an object */
export function memberOf(text: string, name: string): string | null {
  const member = membersOf(text).findLast((each) => each.name === name);
  return member === undefined ? null : text.slice(member.value, member.end);
}

/** The JSON texts of a list's items. */
export function itemTexts(text: string): string[] {
  return itemsOf(text).map(({ start, end }) => text.slice(start, end));
}
