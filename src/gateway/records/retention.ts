/** Clears what is older than the configuration keeps: little by little, so that no call waits for it. */
import { type ConfigDocument, keptDays } from '../../core/document.ts';
import type { Clock, Log } from '../../core/ports.ts';
import type { Retention as Limits, Store } from '../../core/store.ts';

export interface Retention {
  /** Called about once a second; at most once an hour it begins to clear. */
  tick(): void;
  /** Ends after the batch that is under way. */
  stop(): Promise<void>;
}

const everyMs = 3_600_000;
const pauseMs = 50;
const dayMs = 86_400_000;

export function createRetention(ports: {
  readonly store: Pick<Store, 'retain'>;
  readonly document: () => ConfigDocument;
  readonly now: Clock;
  readonly log: Log;
}): Retention {
  const { store, document, now, log } = ports;
  let nextAt = Number.NEGATIVE_INFINITY;
  let running: Promise<void> | null = null;
  let stopped = false;

  async function clear(limits: Limits): Promise<void> {
    try {
      while (!stopped && (await store.retain(limits))) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    } catch (cause) {
      log.log('error', 'old records could not be cleared; it is tried again within the hour', { cause: String(cause) });
    } finally {
      running = null;
    }
  }

  return {
    tick() {
      const at = now();
      // A clock that was set back must not put it off for longer than the hour.
      if (stopped || running !== null || (at < nextAt && nextAt - at <= everyMs)) return;
      nextAt = at + everyMs;
      const limits = limitsAt(document(), at);
      if (limits.usageBefore !== null || limits.auditBefore !== null) running = clear(limits);
    },
    async stop() {
      stopped = true;
      await running;
    },
  };
}

/** 0 days: for ever. */
function limitsAt({ usage, audit }: ConfigDocument, at: number): Limits {
  const before = (days: number) => (days === 0 ? null : at - days * dayMs);
  return {
    usageBefore: before(usage?.retentionDays ?? keptDays.usage),
    auditBefore: before(audit?.retentionDays ?? keptDays.audit),
  };
}
