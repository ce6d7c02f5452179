/** Usage rows. They are written in batches, off the hot path. */
import type { Log } from '../../core/ports.ts';
import type { PlacedUsage, UsageHour, UsageRow, UsageStore } from '../../core/usage.ts';
import { createBatch } from './batch.ts';
import { type UsageReport, type UsageWindow, usageReport } from './usage-report.ts';

export interface Usage {
  record(row: UsageRow): void;
  /** The newest rows, newest first; waiting rows are written first. */
  recent(limit: number): Promise<UsageRow[]>;
  /** The same with their places. @param before the place of a row; null: the newest of all */
  page(limit: number, before: number | null): Promise<PlacedUsage[]>;
  /** The newest row of a request id; waiting rows are written first. */
  find(requestId: string): Promise<UsageRow | null>;
  /**
   * The sums of whole hours; waiting rows are written first.
   * @param counts whether a group counts; absent: all do
   */
  report(window: UsageWindow, counts?: (group: UsageHour) => boolean): Promise<UsageReport>;
  flush(): Promise<void>;
  lost(): number;
}

export function createUsage(ports: { readonly store: UsageStore; readonly log: Log }): Usage {
  const batch = createBatch<UsageRow>('usage rows', (rows) => ports.store.append(rows), ports.log);
  return {
    record: batch.add,
    async recent(limit) {
      await batch.flush();
      return ports.store.recent(limit);
    },
    async page(limit, before) {
      await batch.flush();
      return ports.store.page(limit, before);
    },
    async find(requestId) {
      await batch.flush();
      return ports.store.find(requestId);
    },
    async report(window, counts) {
      await batch.flush();
      return usageReport(ports.store, window, counts);
    },
    flush: batch.flush,
    lost: batch.lost,
  };
}
