/** Stored access tokens: digests and attributes, never a token. */
import { type Scope, scopes } from '../core/access.ts';
import type { SqlDatabase, SqlRow } from '../core/ports.ts';
import type { TokenRecord, TokenStore } from '../core/tokens.ts';
import { insertAudit } from './audit.ts';
import { bytesOf, jsonOf, numberOf, numberOrNull, textOf, textOrNull } from './columns.ts';
import { batching, reading, writing } from './transaction.ts';

const select = 'SELECT * FROM tokens ORDER BY created_at, rowid';
const insert = `INSERT INTO tokens
  (id, digest, hint, name, owner, project, scopes, enabled, created_at, expires_at, revoked_at, last_used_at, use_count)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const revoke = 'UPDATE tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL';
const recordUse = `UPDATE tokens
  SET use_count = use_count + ?, last_used_at = max(coalesce(last_used_at, 0), ?) WHERE id = ?`;

export function tokenStore(database: SqlDatabase): TokenStore {
  return {
    async list() {
      return reading(() => database.prepare(select).all().map(toToken));
    },
    async create(token, event) {
      writing(database, () => {
        insertToken(database, token);
        insertAudit(database, [event]);
      });
    },
    async revoke(id, at, event) {
      return writing(database, () => {
        if (database.prepare(revoke).run(at, id).changes === 0) return false;
        insertAudit(database, [event]);
        return true;
      });
    },
    async recordUse(uses) {
      if (uses.length === 0) return;
      batching(database, () => {
        for (const { id, count, lastUsedAt } of uses) database.prepare(recordUse).run(count, lastUsedAt, id);
      });
    },
  };
}

/** Adds a token to the open transaction. */
export function insertToken(database: SqlDatabase, token: TokenRecord): void {
  const { id, digest, hint, name, owner, project, enabled, createdAt, expiresAt, revokedAt, lastUsedAt, useCount } = token;
  const scopesJson = JSON.stringify(token.scopes);
  const bytes = Buffer.from(digest, 'hex');
  database
    .prepare(insert)
    .run(
      id,
      bytes,
      hint,
      name,
      owner,
      project,
      scopesJson,
      enabled ? 1 : 0,
      createdAt,
      expiresAt,
      revokedAt,
      lastUsedAt,
      useCount,
    );
}

function toToken(row: SqlRow): TokenRecord {
  return {
    id: textOf(row, 'id'),
    digest: Buffer.from(bytesOf(row, 'digest')).toString('hex'),
    hint: textOf(row, 'hint'),
    name: textOf(row, 'name'),
    owner: textOrNull(row, 'owner'),
    project: textOrNull(row, 'project'),
    scopes: toScopes(jsonOf(row, 'scopes')),
    enabled: numberOf(row, 'enabled') === 1,
    createdAt: numberOf(row, 'created_at'),
    expiresAt: numberOrNull(row, 'expires_at'),
    revokedAt: numberOrNull(row, 'revoked_at'),
    lastUsedAt: numberOrNull(row, 'last_used_at'),
    useCount: numberOf(row, 'use_count'),
  };
}

/** The known scopes of a row. A scope that this program does not know is ignored, so it grants nothing. */
function toScopes(value: unknown): Scope[] {
  return Array.isArray(value) ? scopes.filter((scope) => value.includes(scope)) : [];
}
