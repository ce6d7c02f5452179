/**
 * Signed and encrypted reasoning on its way through clients of another protocol: wrapped with its maker, and unwrapped for the
 * same maker alone. Another vendor refuses it, and encrypted reasoning is bound to an account. Pure.
 */

/** The beginning of each wrapped value. A body without it has no wrapped value. */
export const wrapperPrefix = 'ola-r1.';

/** @param maker letters, digits, hyphens and underscores. @param value a signature or encrypted reasoning; may be empty */
export function wrapReasoning(value: string, maker: string): string {
  return `${wrapperPrefix}${maker}.${value}`;
}

/** @returns what was wrapped for this maker; null for what another one made, or what is not wrapped */
export function unwrapReasoning(text: string, maker: string): string | null {
  const head = `${wrapperPrefix}${maker}.`;
  return text.startsWith(head) ? text.slice(head.length) : null;
}

export function isWrapped(text: string): boolean {
  return text.startsWith(wrapperPrefix);
}
