/** The configuration's history: revisions, named snapshots, and the sealed secrets that both refer to. */
import type { AuditEvent } from './audit.ts';
import type { JsonObject } from './json.ts';
import type { TokenRecord } from './tokens.ts';
import type { SealedSecret } from './vault.ts';

/** One accepted write: the document with references (`{"$secret": id}`) in place of secrets. */
export interface Revision {
  /** Counted through both modes; each is one more than the newest. */
  readonly number: number;
  readonly at: number;
  readonly actor: string;
  /** What changed, in words without values: `provider.update acme`. */
  readonly summary: string;
  readonly document: JsonObject;
  /** The file that it was read from; null for a write to the database. Each file, and the database, has a history of its own. */
  readonly file: string | null;
}

/** A revision without its document, for lists. */
export type RevisionSummary = Omit<Revision, 'document'>;

/** A document that was put aside under a name. */
export interface Snapshot {
  readonly name: string;
  readonly at: number;
  readonly document: JsonObject;
}

export interface ConfigWrite {
  readonly revision: Revision;
  /** The secrets that it brings. */
  readonly secrets: readonly SealedSecret[];
  /** Access tokens that stood in it in clear, hashed. */
  readonly tokens: readonly TokenRecord[];
  readonly event: AuditEvent;
}

/** How a sealed secret changes its envelope; nothing else of it does. */
export interface Resealed {
  readonly id: string;
  /** Left alone unless this is what is stored. */
  readonly from: string;
  readonly to: string;
}

/**
 * A secret lives as long as a kept revision or a snapshot names it. 50 revisions are kept of the database and 50 of each
 * file, the newest of each always.
 */
export interface ConfigStore {
  /** The newest revision of the database (null) or of a file; null before the first. */
  current(file: string | null): Promise<Revision | null>;
  /** The number of the newest revision of all, 0 before the first. */
  newest(): Promise<number>;
  revision(number: number): Promise<Revision | null>;
  /** Newest first. @param query `before`: only numbers below it */
  revisions(query: {
    readonly file: string | null;
    readonly limit: number;
    readonly before?: number;
  }): Promise<RevisionSummary[]>;
  secrets(): Promise<SealedSecret[]>;
  /** All in one transaction. @throws OlaError `precondition_failed` when the newest revision is not `revision.number - 1` */
  write(change: ConfigWrite): Promise<void>;
  /** Stores new envelopes of secrets that are there, in one transaction. @returns how many were changed */
  reseal(changes: readonly Resealed[]): Promise<number>;
  /** By name. */
  snapshots(): Promise<Snapshot[]>;
  snapshot(name: string): Promise<Snapshot | null>;
  /** Replaces one of the same name. */
  saveSnapshot(snapshot: Snapshot, secrets: readonly SealedSecret[], event: AuditEvent): Promise<void>;
  /** @returns false when there is none */
  deleteSnapshot(name: string, event: AuditEvent): Promise<boolean>;
}
