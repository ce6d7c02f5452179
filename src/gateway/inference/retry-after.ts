/** Seconds until a client may come back, read from every form in which upstreams say so. Pure. */
import type { ReadHeader } from '../../core/protocol.ts';

/** Seconds. Clients obey: a wrong clock or a slip of an upstream must not send them away for years. */
const longest = 86_400;

/** Seconds, for a refusal that says nothing. */
export const usualRetryAfter = 2;

/** Headers in which vendors say when a limit is reset: seconds, a duration (`1m30s`, `20ms`) or a date. */
const resetHeaders = [
  'x-ratelimit-reset-requests',
  'x-ratelimit-reset-tokens',
  'anthropic-ratelimit-requests-reset',
  'anthropic-ratelimit-tokens-reset',
  'anthropic-ratelimit-input-tokens-reset',
  'anthropic-ratelimit-output-tokens-reset',
] as const;

/**
 * In this order: `retry-after-ms`, `retry-after`, the body, the vendors' reset headers. A value that cannot be read counts as absent.
 * @param bodyMs the milliseconds that the body names
 * @param now milliseconds since 1970, for dates of an answer without a `Date`
 * @returns from one second to a day; null when nothing is said
 */
export function retryAfterSeconds(header: ReadHeader, bodyMs: number | null, now: number): number | null {
  const date = httpDate(header('date') ?? '') ?? now;
  const seconds =
    milliseconds(header('retry-after-ms')) ??
    retryAfter(header('retry-after'), date) ??
    overThousand(bodyMs) ??
    reset(header, date);
  return seconds === null ? null : Math.min(longest, Math.max(1, Math.ceil(seconds)));
}

function milliseconds(text: string | null): number | null {
  return text !== null && /^\s*\d{1,12}(?:\.\d+)?\s*$/.test(text) ? Number(text) / 1000 : null;
}

const overThousand = (value: number | null): number | null => (value === null ? null : value / 1000);

/** Seconds, also with decimals, or a date (RFC 9110, 10.2.3). Several headers arrive joined by commas: the largest counts. */
function retryAfter(text: string | null, date: number): number | null {
  if (text === null) return null;
  const whole = httpDate(text);
  if (whole !== null) return (whole - date) / 1000;
  const values = text.split(',').map((part) => part.trim());
  const seconds = values.filter((value) => /^\d{1,9}(?:\.\d+)?$/.test(value)).map(Number);
  return seconds.length === 0 ? null : Math.max(...seconds);
}

/** IMF-fixdate alone (RFC 9110, 5.6.7): `Date.parse` takes `1.5` and `5, 9` for dates of 2001. */
const fixdate = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

function httpDate(text: string): number | null {
  const clean = text.trim();
  const at = fixdate.test(clean) ? Date.parse(clean) : Number.NaN;
  return Number.isNaN(at) ? null : at;
}

function reset(header: ReadHeader, date: number): number | null {
  const found = resetHeaders.map((name) => resetSeconds(header(name), date)).filter((seconds) => seconds !== null && seconds > 0);
  return found.length === 0 ? null : Math.max(...(found as number[]));
}

function resetSeconds(text: string | null, date: number): number | null {
  if (text === null) return null;
  const clean = text.trim();
  if (/^\d{1,9}(?:\.\d+)?$/.test(clean)) return Number(clean);
  if (/^\d{4}-\d{2}-\d{2}T\S+Z$/.test(clean)) return (Date.parse(clean) - date) / 1000 || null;
  const parts = [...clean.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== clean) return null;
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (units[unit as keyof typeof units] ?? 0), 0);
}
const units = { ms: 0.001, s: 1, m: 60, h: 3600 } as const;
