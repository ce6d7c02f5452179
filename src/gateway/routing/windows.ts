/** How long a credential cools down. Pure: the time is handed in. */
import type { Cooldown, CooldownReason, CooledCredential } from '../../core/cooldowns.ts';

export interface CooldownCause {
  readonly reason: Exclude<CooldownReason, 'forced'>;
  /** The time that the upstream named, in milliseconds; null: it named none. */
  readonly waitMs: number | null;
  /** No other credential of the call could be used. */
  readonly isLast: boolean;
}

/** Milliseconds, one after the other, for rate limits that name no time. */
const usualWindows = [30_000, 60_000, 300_000] as const;
/** Milliseconds: the only usable credential is not left alone for longer without the upstream's word. */
const lastWindow = 2000;
/** Milliseconds, for a credential that is refused or has no credit. */
const deadWindow = 600_000;
/** Milliseconds. Limits are lifted early, and their ends are sometimes wrong: a long window is probed as often. */
const probeEvery = 600_000;

/** A failure within a window does not lengthen it: it only puts off the next probe. */
export function cooled(
  credential: CooledCredential,
  before: Cooldown | null,
  { reason, waitMs, isLast }: CooldownCause,
  now: number,
): Cooldown {
  if (before !== null && now < before.until) {
    return { ...before, probeAt: Math.min(before.until, Math.max(before.probeAt, now + probeEvery)) };
  }
  const windows = (before?.windows ?? 0) + 1;
  const usual = isLast ? lastWindow : (usualWindows[Math.min(windows, usualWindows.length) - 1] ?? lastWindow);
  const length = waitMs ?? (reason === 'rate_limit' ? usual : deadWindow);
  const { provider, source, model } = credential;
  return {
    provider,
    source,
    model,
    reason,
    since: now,
    until: now + length,
    probeAt: now + Math.min(length, probeEvery),
    windows,
  };
}

/** A cooldown that an administrator asks for: nothing probes it. */
export function forced(credential: CooledCredential, milliseconds: number, now: number): Cooldown {
  const until = now + milliseconds;
  return { ...credential, reason: 'forced', since: now, until, probeAt: until, windows: 1 };
}
