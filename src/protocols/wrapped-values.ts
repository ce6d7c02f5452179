/** Reasoning of other makers in the text of a request of the same protocol: unwrapped for its maker, cut out for any other. */
import { mapItems, mapMember } from '../core/json-text.ts';
import type { HeaderMap } from '../core/ports.ts';
import { isWrapped, unwrapReasoning, wrapperPrefix } from '../core/signed-reasoning.ts';

/** The text of a body for one maker. */
export interface OwnBody {
  readonly text: string;
  /** Reasoning was cut out. */
  readonly cut: boolean;
}

const reasoningDropped: HeaderMap = { 'x-ola-dropped': 'reasoning' };

/** The headers of the answer that say so. */
export const notesOf = (cut: boolean): HeaderMap | null => (cut ? reasoningDropped : null);

export const mayBeWrapped = (text: string): boolean => text.includes(wrapperPrefix);

/**
 * Edits each message whose text has the wrapper's prefix.
 * @param text of a body
 * @param change gets the text of a message; null takes it out
 */
export function mapMessages(text: string, change: (message: string) => string | null): string {
  return mapMember(text, 'messages', (messages) => {
    if (!messages.startsWith('[')) return messages;
    return mapItems(messages, (message) => (message.startsWith('{') && mayBeWrapped(message) ? change(message) : message));
  });
}

/**
 * Unwraps a member of an object.
 * @param text of the object
 * @returns null for a value that another maker wrapped, or that is empty: an upstream would refuse it
 */
export function unwrapMember(text: string, name: string, maker: string): string | null {
  let isForeign = false;
  const unwrapped = mapMember(text, name, (value) => {
    const told: unknown = JSON.parse(value);
    if (typeof told !== 'string' || !isWrapped(told)) return value;
    const own = unwrapReasoning(told, maker);
    if (own === null || own === '') isForeign = true;
    return JSON.stringify(own ?? '');
  });
  return isForeign ? null : unwrapped;
}

export const isEmptyList = (text: string): boolean => /^\[\s*\]$/.test(text);
