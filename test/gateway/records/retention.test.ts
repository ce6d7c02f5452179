import { afterEach, beforeEach, describe, expect, jest, test } from 'bun:test';
import type { ConfigDocument } from '../../../src/core/document.ts';
import type { Retention as Limits } from '../../../src/core/store.ts';
import { createRetention } from '../../../src/gateway/records/retention.ts';

const dayMs = 86_400_000;
const start = 1_760_000_000_000;

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
/** What has begun goes on, as far as it does within so many pauses between batches. */
async function pass(pauses = 10): Promise<void> {
  for (let left = pauses; left >= 0; left--) {
    for (let turns = 5; turns > 0; turns--) await turn();
    jest.advanceTimersByTime(50);
  }
}

/** A store that has so many batches to clear. */
function scene(document: ConfigDocument = {}) {
  const calls: Limits[] = [];
  const messages: string[] = [];
  const self = { now: start, batches: 1, broken: false, atOnce: 0, most: 0, document, calls, messages };
  const store = {
    async retain(limits: Limits) {
      self.atOnce++;
      self.most = Math.max(self.most, self.atOnce);
      await turn();
      self.atOnce--;
      if (self.broken) throw new Error('disk full');
      calls.push(limits);
      self.batches--;
      return self.batches > 0;
    },
  };
  const log = { log: (_level: string, message: string) => void messages.push(message) };
  const retention = createRetention({ store, document: () => self.document, now: () => self.now, log });
  return Object.assign(self, { retention });
}

describe('old records', () => {
  test('are cleared batch after batch, never two at once, and not again within the hour', async () => {
    const one = scene();
    one.batches = 3;
    for (let n = 0; n < 5; n++) one.retention.tick();
    await pass();
    expect(one.calls).toHaveLength(3);
    one.now += 3_599_000;
    one.retention.tick();
    await pass();
    expect(one.calls).toEqual(Array(3).fill({ usageBefore: start - 365 * dayMs, auditBefore: start - 90 * dayMs }));
    expect(one.most).toBe(1);
  });

  test('that take longer than the hour are not begun a second time', async () => {
    const one = scene();
    one.batches = 1000;
    one.retention.tick();
    one.now += 3_600_000;
    one.retention.tick();
    await pass(1);
    expect(one.calls).toHaveLength(2);
    expect(one.most).toBe(1);
    await Promise.all([one.retention.stop(), pass()]);
  });

  test('go by the configuration of the moment; 0 days is for ever', async () => {
    const one = scene({ usage: { retentionDays: 7 }, audit: { retentionDays: 0 } });
    one.retention.tick();
    await pass();
    expect(one.calls).toEqual([{ usageBefore: start - 7 * dayMs, auditBefore: null }]);
    one.document = { usage: { retentionDays: 0 }, audit: { retentionDays: 0 } };
    one.now += 3_600_000;
    one.retention.tick();
    await pass();
    expect(one.calls).toHaveLength(1);
    one.document = { usage: { retentionDays: 1 } };
    one.now += 3_600_000;
    one.retention.tick();
    await pass();
    expect(one.calls).toHaveLength(2);
    expect(one.calls[1]).toEqual({ usageBefore: one.now - dayMs, auditBefore: one.now - 90 * dayMs });
  });

  test('that cannot be cleared are said, and tried again an hour later', async () => {
    const one = scene();
    one.broken = true;
    one.retention.tick();
    await pass();
    expect(one.messages).toHaveLength(1);
    one.broken = false;
    one.now += 3_600_000;
    one.retention.tick();
    await pass();
    expect(one.calls).toHaveLength(1);
  });

  test('are left alone once it is stopped, which waits for the batch under way', async () => {
    const one = scene();
    one.batches = 1000;
    one.retention.tick();
    await Promise.all([one.retention.stop(), pass()]);
    expect(one.atOnce).toBe(0);
    const { length } = one.calls;
    one.now += 3_600_000;
    one.retention.tick();
    await pass();
    expect(one.calls).toHaveLength(length);
  });
});
