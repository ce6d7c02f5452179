/**
 * Reasoning items as parts of the hub. Encrypted reasoning beside a summary is the summary's signature; alone it stands in the
 * place of the text. A summary of one empty text says that the encrypted value is a signature all the same.
 */
import type { Part, ReasoningPart } from '../../core/conversation.ts';
import { isObject } from '../../core/json.ts';
import { type Fields, nonEmpty } from './members.ts';

/** Between two parts of a summary. */
export const summaryJoint = '\n\n';

/** The texts of a summary, or of the open reasoning of a model that shows all of it. */
export function reasoningTexts({ summary, content }: Fields): readonly string[] {
  const told = textsIn(summary);
  return told.length > 0 ? told : textsIn(content);
}

function textsIn(list: unknown): string[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((part: unknown) => (isObject(part) && typeof part['text'] === 'string' ? [part['text']] : []));
}

/** @returns null for an item that says nothing */
export function reasoningPart(item: Fields): (Part & ReasoningPart) | null {
  const texts = reasoningTexts(item);
  const encrypted = nonEmpty(item['encrypted_content']);
  const text = texts.join(summaryJoint);
  if (encrypted === null) return text === '' ? null : { type: 'reasoning', text };
  return { type: 'reasoning', text, ...(texts.length === 0 ? { redacted: encrypted } : { signature: encrypted }) };
}

/** @returns the members of an item besides its type and id */
export function reasoningMembers({ text, signature, redacted }: ReasoningPart): Fields {
  const encrypted = redacted ?? signature;
  const isShown = text !== '' || (redacted === undefined && signature !== undefined);
  return {
    summary: isShown ? [{ type: 'summary_text', text }] : [],
    ...(encrypted === undefined ? {} : { encrypted_content: encrypted }),
  };
}
