import { expect, test } from 'bun:test';
import type { Reply } from '../../../src/core/ports.ts';
import { readAtMost } from '../../../src/gateway/inference/read-body.ts';

/** An answer of these pieces, which come at intervals; it does not end by itself. */
function dripping(pieces: readonly string[]) {
  const rest = pieces.values();
  const seen = { cancelled: false };
  const cancelled = Promise.withResolvers<never>();
  cancelled.promise.catch(() => undefined);
  const reply: Reply = {
    status: 500,
    header: () => null,
    headers: () => [],
    read: () => Promise.race([cancelled.promise, Bun.sleep(5).then(() => Buffer.from(rest.next().value ?? '.'))]),
    cancel() {
      seen.cancelled = true;
      cancelled.reject(new Error('cancelled'));
    },
  };
  return { reply, seen };
}

test('a body that never ends is given up: when there is too much of it, or when its time is over', async () => {
  const large = dripping(['a'.repeat(40), 'b'.repeat(61)]);
  expect(await readAtMost(large.reply, { limit: 100, first: null })).toBeNull();
  expect(large.seen.cancelled).toBe(true);
  const slow = dripping([]);
  await expect(readAtMost(slow.reply, { limit: 1_000_000, first: null, milliseconds: 50 })).rejects.toThrow('cancelled');
  expect(slow.seen.cancelled).toBe(true);
});
