/**
 * Thought signatures (https://ai.google.dev/gemini-api/docs/thought-signatures). Google's API puts a signature on the part that
 * the thought led to, and wants it back there. The hub has it as signed reasoning beside that part. Whether that is a text is
 * noted in front of the value, because other protocols keep nothing but the value.
 */

export type SignaturePlace = 'call' | 'text';

export interface PlacedSignature {
  readonly place: SignaturePlace;
  /** Base64, as it came. */
  readonly value: string;
}

/** Google's value for a call whose signature is gone: the call is taken without its thought. */
export const missingSignature = 'skip_thought_signature_validator';

/** In front of the value of a text. Base64 has no full stop. */
const textMark = 'text.';

/** @returns the signature as the hub has it */
export function holdSignature({ place, value }: PlacedSignature): string {
  return place === 'call' ? value : textMark + value;
}

export function placeSignature(held: string): PlacedSignature {
  const isOfText = held.startsWith(textMark);
  return isOfText ? { place: 'text', value: held.slice(textMark.length) } : { place: 'call', value: held };
}
