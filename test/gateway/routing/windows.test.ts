import { describe, expect, test } from 'bun:test';
import type { Cooldown, CooledCredential } from '../../../src/core/cooldowns.ts';
import { type CooldownCause, cooled, forced } from '../../../src/gateway/routing/windows.ts';

const credential: CooledCredential = { provider: 'acme', source: 'env:ACME_API_KEY', model: 'm' };
const limit = (rest: Partial<CooldownCause> = {}): CooldownCause => ({
  reason: 'rate_limit',
  waitMs: null,
  isLast: false,
  ...rest,
});
const minutes = (count: number) => count * 60_000;

/** The lengths of the windows of failures, each at the end of the window before. */
function windowsOf(count: number, cause: CooldownCause): number[] {
  const lengths: number[] = [];
  let now = 1000;
  let before: Cooldown | null = null;
  for (let n = 0; n < count; n++) {
    before = cooled(credential, before, cause, now);
    lengths.push(before.until - now);
    now = before.until;
  }
  return lengths;
}

describe('a window', () => {
  const rows: readonly (readonly [string, CooldownCause, readonly number[]])[] = [
    ['of a rate limit grows to five minutes and no further', limit(), [30_000, 60_000, 300_000, 300_000]],
    ['of the last credential is two seconds, each time', limit({ isLast: true }), [2000, 2000, 2000]],
    ['is as long as the upstream says', limit({ waitMs: 7000 }), [7000, 7000]],
    ['is as long as the upstream says for the last credential, too', limit({ waitMs: 7000, isLast: true }), [7000]],
    ['of a quota that is used up is ten minutes', limit({ reason: 'billing' }), [minutes(10), minutes(10)]],
    ['of a refused credential is ten minutes', limit({ reason: 'auth' }), [minutes(10)]],
  ];
  test.each(rows)('%s', (_, cause, lengths) => {
    expect(windowsOf(lengths.length, cause)).toEqual([...lengths]);
  });

  test('is not lengthened by a failure within it', () => {
    const first = cooled(credential, null, limit(), 1000);
    expect(cooled(credential, first, limit({ waitMs: minutes(60) }), 1001)).toMatchObject({
      since: 1000,
      until: 31_000,
      windows: 1,
    });
  });

  test('that is long is probed every ten minutes, and the end stays where it is', () => {
    const day = 86_400_000;
    const first = cooled(credential, null, limit({ waitMs: day }), 0);
    expect([first.probeAt, first.until]).toEqual([minutes(10), day]);
    const again = cooled(credential, first, limit({ waitMs: day }), minutes(10));
    expect([again.probeAt, again.until]).toEqual([minutes(20), day]);
    const late = cooled(credential, first, limit(), day - 1);
    expect([late.probeAt, late.until]).toEqual([day, day]);
  });

  test('that an administrator forces is not probed', () => {
    expect(forced(credential, 5000, 1000)).toEqual({
      ...credential,
      reason: 'forced',
      since: 1000,
      until: 6000,
      probeAt: 6000,
      windows: 1,
    });
  });
});
