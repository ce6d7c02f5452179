import { describe, expect, test } from 'bun:test';
import type { ConfigDocument } from '../../../src/core/document.ts';
import type { Retention as Limits } from '../../../src/core/store.ts';
import { createRetention } from '../../../src/gateway/records/retention.ts';

const dayMs = 86_400_000;
const start = 1_760_000_000_000;

/** A store that has so many batches to clear. */
function scene(document: ConfigDocument = {}) {
  const calls: Limits[] = [];
  const messages: string[] = [];
  const self = { now: start, batches: 1, broken: false, atOnce: 0, most: 0, document, calls, messages };
  const store = {
    async retain(limits: Limits) {
      self.atOnce++;
      self.most = Math.max(self.most, self.atOnce);
      await Bun.sleep(1);
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

async function until(done: () => boolean): Promise<void> {
  const end = performance.now() + 3000;
  while (!done() && performance.now() < end) await Bun.sleep(5);
  expect(done()).toBe(true);
}

describe('old records', () => {
  test('are cleared batch after batch, never two at once, and not again within the hour', async () => {
    const one = scene();
    one.batches = 3;
    for (let n = 0; n < 5; n++) one.retention.tick();
    await until(() => one.calls.length === 3);
    await Bun.sleep(5);
    one.now += 3_599_000;
    one.retention.tick();
    await Bun.sleep(20);
    expect(one.calls).toEqual(Array(3).fill({ usageBefore: start - 365 * dayMs, auditBefore: start - 90 * dayMs }));
    expect(one.most).toBe(1);
  });

  test('that take longer than the hour are not begun a second time', async () => {
    const one = scene();
    one.batches = 1000;
    one.retention.tick();
    one.now += 3_600_000;
    one.retention.tick();
    await until(() => one.calls.length === 2);
    expect(one.most).toBe(1);
    await one.retention.stop();
  });

  test('go by the configuration of the moment; 0 days is for ever', async () => {
    const one = scene({ usage: { retentionDays: 7 }, audit: { retentionDays: 0 } });
    one.retention.tick();
    await until(() => one.calls.length === 1);
    expect(one.calls).toEqual([{ usageBefore: start - 7 * dayMs, auditBefore: null }]);
    await Bun.sleep(5);
    one.document = { usage: { retentionDays: 0 }, audit: { retentionDays: 0 } };
    one.now += 3_600_000;
    one.retention.tick();
    await Bun.sleep(20);
    expect(one.calls).toHaveLength(1);
    one.document = { usage: { retentionDays: 1 } };
    one.now += 3_600_000;
    one.retention.tick();
    await until(() => one.calls.length === 2);
    expect(one.calls[1]).toEqual({ usageBefore: one.now - dayMs, auditBefore: one.now - 90 * dayMs });
  });

  test('that cannot be cleared are said, and tried again an hour later', async () => {
    const one = scene();
    one.broken = true;
    one.retention.tick();
    await until(() => one.messages.length === 1);
    await Bun.sleep(5);
    one.broken = false;
    one.now += 3_600_000;
    one.retention.tick();
    await until(() => one.calls.length === 1);
  });

  test('are left alone once it is stopped, which waits for the batch under way', async () => {
    const one = scene();
    one.batches = 1000;
    one.retention.tick();
    await one.retention.stop();
    expect(one.atOnce).toBe(0);
    const { length } = one.calls;
    one.now += 3_600_000;
    one.retention.tick();
    await Bun.sleep(20);
    expect(one.calls).toHaveLength(length);
  });
});
