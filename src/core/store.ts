/** The store: all data that survives a restart. Every method is one transaction. A change is written together with its audit event. */
import type { AuditStore } from './audit.ts';
import type { ConfigStore } from './config.ts';
import type { CooldownStore } from './cooldowns.ts';
import type { GrantStore } from './grants.ts';
import type { PredecessorStore } from './predecessor.ts';
import type { TokenStore } from './tokens.ts';
import type { UsageStore } from './usage.ts';

/** The times before which records are deleted, in milliseconds since 1970; null deletes none. */
export interface Retention {
  readonly usageBefore: number | null;
  readonly auditBefore: number | null;
}

export interface Store {
  readonly tokens: TokenStore;
  readonly config: ConfigStore;
  readonly usage: UsageStore;
  readonly audit: AuditStore;
  readonly cooldowns: CooldownStore;
  readonly grants: GrantStore;
  readonly predecessor: PredecessorStore;
  /** Resolves when the database can be written to. @throws OlaError `persistence_unavailable` */
  check(): Promise<void>;
  /**
   * Deletes a small batch of old records, some milliseconds' work at most.
   * @returns true when there may be more; call it again after a pause
   */
  retain(retention: Retention): Promise<boolean>;
  /** Merges the log into the database and empties it, so that overwritten data is nowhere on the disk. */
  checkpoint(): Promise<void>;
  close(): void;
}
