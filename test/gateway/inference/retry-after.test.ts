import { describe, expect, test } from 'bun:test';
import { retryAfterSeconds } from '../../../src/gateway/inference/retry-after.ts';

const now = Date.parse('2026-11-21T10:00:00Z');
const seconds = (headers: Readonly<Record<string, string>>, bodyMs: number | null = null) =>
  retryAfterSeconds((name) => headers[name] ?? null, bodyMs, now);

describe('when to come back', () => {
  const table: readonly [headers: Readonly<Record<string, string>>, seconds: number | null][] = [
    [{}, null],
    [{ 'retry-after': '7' }, 7],
    [{ 'retry-after': ' 7 ' }, 7],
    [{ 'retry-after': '0' }, 1],
    [{ 'retry-after': '1.5' }, 2],
    [{ 'retry-after': '5, 9' }, 9],
    [{ 'retry-after': '-5' }, null],
    [{ 'retry-after': 'soon' }, null],
    [{ 'retry-after': '' }, null],
    [{ 'retry-after': '2027' }, 2027],
    [{ 'retry-after': '999999999' }, 86_400],
    [{ 'retry-after': 'Sat, 21 Nov 2026 10:01:30 GMT' }, 90],
    [{ 'retry-after': 'Sat, 21 Nov 2026 09:00:00 GMT' }, 1],
    [{ 'retry-after': 'Fri, 31 Dec 9999 23:59:59 GMT' }, 86_400],
    // The clock of the upstream counts, not ours.
    [{ 'retry-after': 'Sat, 21 Nov 2026 12:00:30 GMT', date: 'Sat, 21 Nov 2026 12:00:00 GMT' }, 30],
    [{ 'retry-after-ms': '1500' }, 2],
    [{ 'retry-after-ms': '250', 'retry-after': '60' }, 1],
    [{ 'retry-after-ms': 'x', 'retry-after': '60' }, 60],
    [{ 'x-ratelimit-reset-requests': '1s', 'x-ratelimit-reset-tokens': '6m0s' }, 360],
    [{ 'x-ratelimit-reset-requests': '20ms' }, 1],
    [{ 'anthropic-ratelimit-requests-reset': '2026-11-21T10:00:12Z' }, 12],
    [{ 'x-ratelimit-reset-requests': 'never' }, null],
  ];
  for (const [headers, expected] of table) {
    test(JSON.stringify(headers), () => expect(seconds(headers)).toBe(expected));
  }

  test('a header goes before the body, the body before the reset headers', () => {
    expect(seconds({ 'retry-after': '3' }, 9000)).toBe(3);
    expect(seconds({ 'x-ratelimit-reset-requests': '1m' }, 9000)).toBe(9);
  });
});
