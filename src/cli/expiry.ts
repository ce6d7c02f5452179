/** The expiry of a token as people type it. */
import { expected, type Option } from './command.ts';

/** A span from now in milliseconds, a moment in milliseconds since 1970, or never. */
export type Expiry = { readonly in: number } | { readonly at: number } | 'never';

const unitMs = { d: 86_400_000, h: 3_600_000 };
/** Longest lifetime of a token: 100 years, in ms. */
const maxLifetimeMs = 36_500 * unitMs.d;
const isoDate = /^(\d{4}-\d{2}-\d{2})(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

/** The option for an expiry: `30d`, `12h`, `never`, `2027-01-31` (its first moment, UTC), `2027-01-31T18:00Z`. */
export function expiryOption(summary: string): Option<Expiry | null> {
  return { placeholder: 'WHEN', summary, initial: null, read: readExpiry };
}

function readExpiry(text: string): Expiry {
  if (text === 'never') return 'never';
  const duration = /^(\d{1,7})([dh])$/.exec(text);
  if (duration !== null) {
    const span = Number(duration[1]) * unitMs[duration[2] as 'd' | 'h'];
    if (span <= maxLifetimeMs) return { in: span };
  }
  const day = isoDate.exec(text)?.[1];
  const at = Date.parse(text);
  // Date.parse reads 30 February as a day in March.
  if (day !== undefined && Number.isFinite(at) && isCalendarDay(day)) return { at };
  throw expected('30d, 12h, never, or a date like 2027-01-31 or 2027-01-31T18:00Z, at most 100 years ahead');
}

function isCalendarDay(day: string): boolean {
  const at = Date.parse(`${day}T00:00:00Z`);
  return Number.isFinite(at) && new Date(at).toISOString().startsWith(day);
}

/** @returns milliseconds since 1970; null when the token never expires */
export function momentOf(expiry: Expiry, now: number): number | null {
  if (expiry === 'never') return null;
  return 'in' in expiry ? now + expiry.in : expiry.at;
}
