/** The data that is imported once from the predecessor, the program with which ola shares its home. */
import type { ConfigWrite, Snapshot } from './config.ts';
import type { TaskAction, TaskOwner } from './tasks.ts';
import type { UsageRow } from './usage.ts';
import type { SealedSecret } from './vault.ts';

export interface PredecessorState {
  /** Null when the predecessor had no configuration. */
  readonly config: ConfigWrite | null;
  readonly snapshots: readonly Snapshot[];
  /** The secrets that the snapshots name. */
  readonly secrets: readonly SealedSecret[];
  readonly owners: readonly TaskOwner[];
  readonly actions: readonly TaskAction[];
  readonly usage: readonly UsageRow[];
}

export interface PredecessorStore {
  /** Time of the import, in milliseconds since 1970; null when there was none. */
  importedAt(): Promise<number | null>;
  /** Imports everything in one transaction; existing owners and actions stay. */
  import(state: PredecessorState, at: number): Promise<void>;
}
