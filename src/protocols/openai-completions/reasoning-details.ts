/**
 * Reasoning as chat clients know it: `reasoning_content`, and OpenRouter's `reasoning_details`, a list of entries with text,
 * signature or encrypted data. @see https://openrouter.ai/docs/use-cases/reasoning-tokens
 */
import type { ReasoningPart } from '../../core/conversation.ts';
import { isObject } from '../../core/json.ts';
import type { Fields } from './members.ts';

/** One entry, read. */
export interface ReasoningDetail {
  readonly text: string;
  readonly signature: string | null;
  readonly redacted: string | null;
  readonly id: string | null;
  /** Entries of one part have the same; null: the entry has none. */
  readonly index: number | null;
}

const textIn = (entry: Fields, name: string): string | null => {
  const value = entry[name];
  return typeof value === 'string' && value !== '' ? value : null;
};

/** @returns null for an entry that says nothing */
export function readDetail(entry: unknown): ReasoningDetail | null {
  if (!isObject(entry)) return null;
  const text = textIn(entry, 'text') ?? textIn(entry, 'summary') ?? '';
  const signature = textIn(entry, 'signature');
  const redacted = textIn(entry, 'data');
  if (text === '' && signature === null && redacted === null) return null;
  return {
    text,
    signature,
    redacted,
    id: textIn(entry, 'id'),
    index: typeof entry['index'] === 'number' ? entry['index'] : null,
  };
}

/** The names under which servers and clients write reasoning as text, the first wins. */
export const reasoningNames = ['reasoning_content', 'reasoning', 'reasoning_text'] as const;

/** The reasoning of a message that came whole. Texts in `reasoning_details` stand in plain fields a second time. */
export function reasoningIn(message: Fields, place?: string): readonly ReasoningPart[] {
  const field = place === undefined ? {} : { field: place };
  const details = Array.isArray(message['reasoning_details']) ? message['reasoning_details'].map(readDetail) : [];
  const parts: ReasoningPart[] = [];
  let index: number | null = null;
  for (const detail of details) {
    if (detail === null) continue;
    const last = parts.at(-1);
    const joined: ReasoningPart | null =
      last !== undefined && detail.index !== null && detail.index === index ? join(last, detail) : null;
    if (joined !== null) parts[parts.length - 1] = joined;
    else parts.push({ ...partOf(detail), ...field });
    index = detail.index;
  }
  if (parts.some(({ text }) => text !== '')) return parts;
  const text = reasoningNames.map((name) => textIn(message, name)).find((each) => each !== null) ?? null;
  if (text === null) return parts;
  const [only] = parts;
  return only !== undefined && parts.length === 1 ? [{ ...only, text }] : [{ type: 'reasoning', text, ...field }, ...parts];
}

function partOf({ text, signature, redacted, id }: ReasoningDetail): ReasoningPart {
  return {
    type: 'reasoning',
    text,
    ...(signature === null ? {} : { signature }),
    ...(redacted === null ? {} : { redacted }),
    ...(id === null ? {} : { id }),
  };
}

/** Clients replay the entries of a stream one by one: a text in pieces, its signature last. @returns null: it is another part */
function join(part: ReasoningPart, { text, signature, redacted, id }: ReasoningDetail): ReasoningPart | null {
  if (part.signature !== undefined) return null;
  if (redacted !== null && part.redacted !== undefined) return null;
  return { ...part, ...partOf({ text: part.text + text, signature, redacted, id, index: null }) };
}

/** The entries of a part. @param index counts the reasoning parts of an answer from 0 */
export function detailsOf({ text, signature, redacted, id }: ReasoningPart, index: number): readonly Fields[] {
  const common = { ...(id === undefined ? {} : { id }), format: 'unknown', index };
  const entries: Fields[] = [];
  if (redacted !== undefined) entries.push({ type: 'reasoning.encrypted', data: redacted, ...common });
  if (text !== '' || signature !== undefined)
    entries.push({ type: 'reasoning.text', text, ...(signature === undefined ? {} : { signature }), ...common });
  return entries;
}
