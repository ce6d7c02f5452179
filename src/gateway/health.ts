/** Whether this gateway can do its work: names and states, no text. */
import type { Clock } from '../core/ports.ts';
import type { Store } from '../core/store.ts';
import type { Config } from './config/config.ts';

export interface HealthReport {
  readonly status: 'ok' | 'degraded' | 'unavailable';
  readonly version: string;
  readonly uptimeSeconds: number;
  readonly checks: Readonly<Record<string, 'ok' | 'failed' | 'draining' | 'invalid'>>;
}

export interface Health {
  report(): Promise<HealthReport>;
  drain(): void;
  draining(): boolean;
}

/** A probe a second is enough to be current, and no flood of probes reaches the database. */
const checkEveryMs = 1000;

export function createHealth(ports: {
  readonly store: Pick<Store, 'check'>;
  readonly config: Pick<Config, 'problem'>;
  readonly version: string;
  readonly now: Clock;
}): Health {
  const { store, config, version, now } = ports;
  const startedAt = now();
  let draining = false;
  let checkedAt = Number.NEGATIVE_INFINITY;
  let storeWorks: Promise<boolean> = Promise.resolve(true);

  function checkStore(): Promise<boolean> {
    if (now() - checkedAt >= checkEveryMs) {
      checkedAt = now();
      storeWorks = store.check().then(
        () => true,
        () => false,
      );
    }
    return storeWorks;
  }

  return {
    async report() {
      const works = await checkStore();
      const fits = config.problem() === null;
      const status = draining || !works ? 'unavailable' : fits ? 'ok' : 'degraded';
      return {
        status,
        version,
        uptimeSeconds: Math.floor((now() - startedAt) / 1000),
        checks: { store: works ? 'ok' : 'failed', config: fits ? 'ok' : 'invalid', server: draining ? 'draining' : 'ok' },
      };
    },
    drain() {
      draining = true;
    },
    draining: () => draining,
  };
}
