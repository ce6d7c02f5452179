/** Usage rows. They are written in batches, off the hot path. */
import type { Log } from '../../core/ports.ts';
import type { UsageRow, UsageStore } from '../../core/usage.ts';
import { createBatch } from './batch.ts';

export interface Usage {
  record(row: UsageRow): void;
  /** The newest rows, newest first; waiting rows are written first. */
  recent(limit: number): Promise<UsageRow[]>;
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
    flush: batch.flush,
    lost: batch.lost,
  };
}
