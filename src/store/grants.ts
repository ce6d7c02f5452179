/** Stored OAuth grants. A lost one would end a login, so every change is synced to disk. */
import type { GrantState, GrantStore, StoredGrant } from '../core/grants.ts';
import type { SqlDatabase, SqlRow } from '../core/ports.ts';
import { numberOf, numberOrNull, textOf, textOrNull } from './columns.ts';
import { reading, writing } from './transaction.ts';

const selectAll = 'SELECT * FROM oauth_grants ORDER BY profile, id';
const selectOne = 'SELECT * FROM oauth_grants WHERE id = ?';
const insert = `INSERT INTO oauth_grants
  (id, profile, version, state, failures, retry_at, lease_until, changed_at) VALUES (?, ?, 0, 'ready', 0, 0, 0, ?)
  ON CONFLICT (id) DO NOTHING`;
const takeLease = `UPDATE oauth_grants SET lease_owner = ?, lease_until = ?
  WHERE id = ? AND version = ? AND (lease_owner IS NULL OR lease_until <= ?)`;
const update = `UPDATE oauth_grants SET version = ?, envelope = coalesce(?, envelope), obtained_at = ?, expires_at = ?,
  state = ?, reason = ?, failing_since = ?, failures = ?, retry_at = ?, lease_owner = ?, lease_until = ?, changed_at = ?
  WHERE id = ? AND version = ?`;
const updateEnvelope = 'UPDATE oauth_grants SET envelope = ? WHERE id = ? AND envelope = ?';
const drop = 'DELETE FROM oauth_grants WHERE changed_at < ? AND profile NOT IN (SELECT value FROM json_each(?))';

export function grantStore(database: SqlDatabase): GrantStore {
  return {
    async list() {
      return reading(() => database.prepare(selectAll).all().map(toGrant));
    },
    async lease({ id, profile, version, owner, now, until }) {
      return writing(database, () => {
        database.prepare(insert).run(id, profile, now);
        const taken = database.prepare(takeLease).run(owner, until, id, version, now).changes > 0;
        return { taken, grant: toGrant(database.prepare(selectOne).get(id) ?? {}) };
      });
    },
    async save(grant) {
      const { id, version, envelope, obtainedAt, expiresAt, state, reason, failingSince, failures } = grant;
      const { retryAt, leaseOwner, leaseUntil, changedAt } = grant;
      const values = [version, envelope, obtainedAt, expiresAt, state, reason, failingSince, failures] as const;
      const rest = [retryAt, leaseOwner, leaseUntil, changedAt, id, version - 1] as const;
      return writing(database, () => database.prepare(update).run(...values, ...rest).changes > 0);
    },
    async forget(profiles, before) {
      writing(database, () => database.prepare(drop).run(before, JSON.stringify(profiles)));
    },
    async reseal(changes) {
      const reseal = database.prepare(updateEnvelope);
      return writing(database, () => changes.reduce((sum, { id, from, to }) => sum + reseal.run(to, id, from).changes, 0));
    },
  };
}

function toGrant(row: SqlRow): StoredGrant {
  return {
    id: textOf(row, 'id'),
    profile: textOf(row, 'profile'),
    version: numberOf(row, 'version'),
    envelope: textOrNull(row, 'envelope'),
    obtainedAt: numberOrNull(row, 'obtained_at'),
    expiresAt: numberOrNull(row, 'expires_at'),
    state: textOf(row, 'state') as GrantState,
    reason: textOrNull(row, 'reason'),
    failingSince: numberOrNull(row, 'failing_since'),
    failures: numberOf(row, 'failures'),
    retryAt: numberOf(row, 'retry_at'),
    leaseOwner: textOrNull(row, 'lease_owner'),
    leaseUntil: numberOf(row, 'lease_until'),
    changedAt: numberOf(row, 'changed_at'),
  };
}
