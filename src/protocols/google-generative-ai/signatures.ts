/**
 * Thought signatures (https://ai.google.dev/gemini-api/docs/thought-signatures). Google's API puts a signature on the part that
 * the thought led to, and wants it back there: on a call, on a text, on the thought itself. The hub has it as signed reasoning
 * beside that part, and the place is noted in front of the value, because other protocols keep nothing but the value.
 */

export type SignaturePlace = 'call' | 'text' | 'thought';

export interface PlacedSignature {
  readonly place: SignaturePlace;
  /** Base64, as it came. */
  readonly value: string;
}

/** Google's value for a call whose signature is gone: the call is taken without its thought. */
export const missingSignature = 'skip_thought_signature_validator';

/** A place in front of a value. Base64 has no full stop. */
const marked = /^(text|thought)\.(.*)$/s;

/** @returns the signature as the hub has it */
export function holdSignature({ place, value }: PlacedSignature): string {
  return place === 'call' ? value : `${place}.${value}`;
}

export function placeSignature(held: string): PlacedSignature {
  const [, place, value] = marked.exec(held) ?? [];
  return place === 'text' || place === 'thought' ? { place, value: value ?? '' } : { place: 'call', value: held };
}
