/** The history of the configuration: revisions, named snapshots, and the sealed secrets that both refer to. */
import type { AuditEvent } from './audit.ts';
import type { JsonObject } from './json.ts';
import type { TokenRecord } from './tokens.ts';
import type { SealedSecret } from './vault.ts';

/** Addresses (origins) that the owner of the machine lets variables be sent to, by the variable's name. */
export type Consents = Readonly<Record<string, readonly string[]>>;

/** One accepted write. Its document has references (`{"$secret": id}`) in place of secrets. */
export interface Revision {
  /** One more than the newest revision of all, in either mode. */
  readonly number: number;
  readonly at: number;
  readonly actor: string;
  /** The change in words without values: `provider.update acme`. */
  readonly summary: string;
  readonly document: JsonObject;
  /** Path of the configuration file; null for a write to the database. The database and each file have their own history. */
  readonly file: string | null;
  /** Null: written by a version that asked for none. */
  readonly consents: Consents | null;
}

/** A revision without its content, for lists. */
export type RevisionSummary = Omit<Revision, 'document' | 'consents'>;

/** A document that was saved under a name. */
export interface Snapshot {
  readonly name: string;
  readonly at: number;
  readonly document: JsonObject;
}

export interface ConfigWrite {
  readonly revision: Revision;
  /** The new secrets of this write. */
  readonly secrets: readonly SealedSecret[];
  /** Hashed access tokens that the written document held in clear. */
  readonly tokens: readonly TokenRecord[];
  readonly event: AuditEvent;
}

/** A new envelope for a sealed secret; its other fields stay. */
export interface Resealed {
  readonly id: string;
  /** The stored envelope. With another one stored, the secret is left unchanged. */
  readonly from: string;
  readonly to: string;
}

/**
 * Stores revisions, snapshots and secrets. A secret is kept as long as a kept revision or a snapshot names it. 50 revisions
 * are kept of the database and 50 of each file; the newest of each is never deleted.
 */
export interface ConfigStore {
  /** The newest revision of a file, or of the database for null; null when there is none. */
  current(file: string | null): Promise<Revision | null>;
  /** The number of the newest revision of all; 0 when there is none. */
  newest(): Promise<number>;
  revision(number: number): Promise<Revision | null>;
  /** Newest first. @param query `before` limits the list to lower numbers */
  revisions(query: {
    readonly file: string | null;
    readonly limit: number;
    readonly before?: number;
  }): Promise<RevisionSummary[]>;
  secrets(): Promise<SealedSecret[]>;
  /** Writes everything in one transaction. @throws OlaError `precondition_failed` when the newest revision is not `revision.number - 1` */
  write(change: ConfigWrite): Promise<void>;
  /** Stores new envelopes of stored secrets, in one transaction. @returns the number of changed secrets */
  reseal(changes: readonly Resealed[]): Promise<number>;
  /** All snapshots, sorted by name. */
  snapshots(): Promise<Snapshot[]>;
  snapshot(name: string): Promise<Snapshot | null>;
  /** Saves a snapshot; one of the same name is replaced. */
  saveSnapshot(snapshot: Snapshot, secrets: readonly SealedSecret[], event: AuditEvent): Promise<void>;
  /** @returns false when there is no such snapshot */
  deleteSnapshot(name: string, event: AuditEvent): Promise<boolean>;
}
