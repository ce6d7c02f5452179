/**
 * OAuth grants: the tokens that renewals made of those in an auth profile. They are kept apart from the document, because its
 * revisions and exports must not hold them.
 */
import type { Resealed } from './config.ts';
import type { SealedAt } from './vault.ts';

/**
 * `failing`: the last renewal failed and is tried again. `unknown`: no answer came, so the refresh token may have been used.
 * `needs_login`: the token endpoint refused the refresh token for good.
 */
export type GrantState = 'ready' | 'failing' | 'unknown' | 'needs_login';

/** Times are milliseconds since 1970. */
export interface StoredGrant {
  /** Digest of the profile's id and the refresh token that was entered: a profile with another one has another grant. */
  readonly id: string;
  readonly profile: string;
  /** Counts the changes; a save names the version that it follows. */
  readonly version: number;
  /** Access and refresh token as JSON, sealed; null: nothing has been renewed. In a save null keeps the stored one. */
  readonly envelope: string | null;
  readonly obtainedAt: number | null;
  /** Null: not known. */
  readonly expiresAt: number | null;
  readonly state: GrantState;
  /** Why renewals fail, in words; null when they do not. */
  readonly reason: string | null;
  readonly failingSince: number | null;
  /** Failures in a row. */
  readonly failures: number;
  /** No renewal is tried before. */
  readonly retryAt: number;
  /** The process that renews now; null: none. */
  readonly leaseOwner: string | null;
  readonly leaseUntil: number;
  readonly changedAt: number;
}

export interface LeaseWanted {
  readonly id: string;
  readonly profile: string;
  /** The version that the caller knows: a newer one is handed back instead of the lease. */
  readonly version: number;
  readonly owner: string;
  readonly now: number;
  readonly until: number;
}

export interface GrantStore {
  list(): Promise<StoredGrant[]>;
  /**
   * Takes the lease of a grant when it is free or has ended, and the grant has the version. The grant is added when it is not
   * there. @returns the grant as it is then
   */
  lease(wanted: LeaseWanted): Promise<{ readonly taken: boolean; readonly grant: StoredGrant }>;
  /** Synced to disk when it resolves. @returns false when the stored version is not the one before, and nothing was changed */
  save(grant: StoredGrant): Promise<boolean>;
  /** Deletes grants of other profiles than these that have not changed since a time. */
  forget(profiles: readonly string[], before: number): Promise<void>;
  /** Stores new envelopes, in one transaction. @returns the number of changed grants */
  reseal(changes: readonly Resealed[]): Promise<number>;
}

/** The place of the envelope of a grant. */
export function placeOfGrant(id: string): SealedAt {
  return { table: 'oauth_grants', row: id, column: 'envelope' };
}
