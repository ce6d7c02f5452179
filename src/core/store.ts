/** Everything that survives a restart, by noun. Every method is one transaction; a change carries its audit event. */
import type { AuditStore } from './audit.ts';
import type { ConfigStore } from './config.ts';
import type { TokenStore } from './tokens.ts';
import type { UsageStore } from './usage.ts';

export interface Store {
  readonly tokens: TokenStore;
  readonly config: ConfigStore;
  readonly usage: UsageStore;
  readonly audit: AuditStore;
  /** Answers when the database can be written to. @throws OlaError `persistence_unavailable` */
  check(): Promise<void>;
  close(): void;
}
