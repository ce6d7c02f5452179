/** What is taken over from the program whose home ola shares, once. */
import type { ConfigWrite, Snapshot } from './config.ts';
import type { TaskAction, TaskOwner } from './tasks.ts';
import type { UsageRow } from './usage.ts';
import type { SealedSecret } from './vault.ts';

export interface PredecessorState {
  /** Null when there was no configuration. */
  readonly config: ConfigWrite | null;
  readonly snapshots: readonly Snapshot[];
  /** The secrets that the snapshots name. */
  readonly secrets: readonly SealedSecret[];
  readonly owners: readonly TaskOwner[];
  readonly actions: readonly TaskAction[];
  readonly usage: readonly UsageRow[];
}

export interface PredecessorStore {
  /** When it was taken over, milliseconds since 1970; null when it was not. */
  importedAt(): Promise<number | null>;
  /** All of it in one transaction; owners and actions that are there already stay. */
  import(state: PredecessorState, at: number): Promise<void>;
}
