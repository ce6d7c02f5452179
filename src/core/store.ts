/** Everything that survives a restart, by noun. Every method is one transaction; a change carries its audit event. */
import type { AuditStore } from './audit.ts';
import type { ConfigStore } from './config.ts';
import type { PredecessorStore } from './predecessor.ts';
import type { TokenStore } from './tokens.ts';
import type { UsageStore } from './usage.ts';

/** What is too old; milliseconds since 1970, null: nothing is. */
export interface Retention {
  readonly usageBefore: number | null;
  readonly auditBefore: number | null;
}

export interface Store {
  readonly tokens: TokenStore;
  readonly config: ConfigStore;
  readonly usage: UsageStore;
  readonly audit: AuditStore;
  readonly predecessor: PredecessorStore;
  /** Answers when the database can be written to. @throws OlaError `persistence_unavailable` */
  check(): Promise<void>;
  /**
   * Deletes a small batch of what is too old, some milliseconds' work at most.
   * @returns whether there may be more: call it again, after a pause
   */
  retain(retention: Retention): Promise<boolean>;
  /** Folds the log into the database and empties it, so that what was overwritten is nowhere on the disk. */
  checkpoint(): Promise<void>;
  close(): void;
}
