/** Deletes records that are older than the configuration's retention. It works in small batches, so that no call waits for it. */
import { type ConfigDocument, keptDays } from '../../core/document.ts';
import type { Clock, Log } from '../../core/ports.ts';
import type { Retention as Limits, Store } from '../../core/store.ts';

export interface Retention {
  /** Called about once a second. Starts a clearing at most once an hour. */
  tick(): void;
  /** Resolves after the running batch. */
  stop(): Promise<void>;
}

/** Time between the starts of two clearings, in milliseconds. */
const everyMs = 3_600_000;
/** Pause between two batches of a clearing, in milliseconds. */
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
      log.log('error', 'old records could not be deleted; ola tries again within the hour', { cause: String(cause) });
    } finally {
      running = null;
    }
  }

  return {
    tick() {
      const at = now();
      // A clock that was set back must not delay the next clearing by more than an hour.
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

/** The limits of the configuration at this time; 0 days keeps records for ever. */
function limitsAt({ usage, audit }: ConfigDocument, at: number): Limits {
  const before = (days: number) => (days === 0 ? null : at - days * dayMs);
  return {
    usageBefore: before(usage?.retentionDays ?? keptDays.usage),
    auditBefore: before(audit?.retentionDays ?? keptDays.audit),
  };
}
