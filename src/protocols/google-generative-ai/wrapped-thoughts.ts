/**
 * Signatures of other makers in the hands of Google's clients. The field is base64, which Google's SDKs decode, so that the
 * wrapped value is packed into it once more. No upstream is sent one: a thought of another maker is cut out.
 */
import { isObject } from '../../core/json.ts';
import { mapItems, mapMember } from '../../core/json-text.ts';
import { isWrapped, wrapperPrefix } from '../../core/signed-reasoning.ts';
import type { OwnBody } from '../wrapped-values.ts';
import { member } from './names.ts';
import { missingSignature } from './signatures.ts';

export interface PackedReasoning {
  readonly value: string;
  /** It stands for encrypted reasoning, not for the signature of a text. */
  readonly redacted: boolean;
}

/** In front of a value that is encrypted reasoning. */
const redactedMark = 'ola-redacted.';

/** Base64 of the first bytes of each packed value: `ola` of the wrapper and of the mark. */
const packedPrefix = btoa(wrapperPrefix.slice(0, 3));

/** A signature that is not wrapped goes as it is: it is base64 already. */
export function packReasoning({ value, redacted }: PackedReasoning): string {
  if (!redacted && !isWrapped(value)) return value;
  return btoa(Array.from(new TextEncoder().encode((redacted ? redactedMark : '') + value), byteCharacter).join(''));
}

const byteCharacter = (byte: number) => String.fromCharCode(byte);

/** @returns null for a signature that ola did not pack: one of Google's */
export function unpackReasoning(signature: string): PackedReasoning | null {
  if (!signature.startsWith(packedPrefix)) return null;
  try {
    const bytes = Uint8Array.from(atob(signature), (character) => character.charCodeAt(0));
    const text = new TextDecoder().decode(bytes);
    const redacted = text.startsWith(redactedMark);
    if (!redacted && !isWrapped(text)) return null;
    return { value: redacted ? text.slice(redactedMark.length) : text, redacted };
  } catch {
    return null;
  }
}

/**
 * A request whose thoughts are all Google's own: those that ola packed are of other makers, since answers of Google's API go to
 * its clients as they are. A content that has nothing else goes with them.
 * @param text of a body
 */
export function withOwnThoughts(text: string): OwnBody {
  if (!text.includes(packedPrefix)) return { text, cut: false };
  const own = mapMember(text, 'contents', (contents) => (contents.startsWith('[') ? mapItems(contents, ownContent) : contents));
  return { text: own, cut: own !== text };
}

function ownContent(content: string): string | null {
  if (!content.startsWith('{') || !content.includes(packedPrefix)) return content;
  let isEmptied = false;
  const own = mapMember(content, 'parts', (parts) => {
    if (!parts.startsWith('[')) return parts;
    const kept = mapItems(parts, ownPart);
    isEmptied = /^\[\s*\]$/.test(kept);
    return kept;
  });
  return isEmptied ? null : own;
}

function ownPart(text: string): string | null {
  if (!text.includes(packedPrefix)) return text;
  const part: unknown = JSON.parse(text);
  const signature = isObject(part) ? member(part, 'thoughtSignature') : null;
  if (!isObject(part) || typeof signature !== 'string' || unpackReasoning(signature) === null) return text;
  if (part['thought'] === true || part['text'] === '') return null;
  const replaced = isObject(member(part, 'functionCall')) ? JSON.stringify(missingSignature) : null;
  return mapMember(
    mapMember(text, 'thoughtSignature', () => replaced),
    'thought_signature',
    () => replaced,
  );
}
