/** What usage rows have in common, stored once: who called from where, for what, and who answered. */
import type { SqlDatabase } from '../core/ports.ts';
import type { UsageRow } from '../core/usage.ts';

/** The fields of a usage row that repeat from call to call. */
export type UsageKind = Omit<
  UsageRow,
  'startedAt' | 'requestId' | 'status' | 'error' | 'tokens' | 'costMicros' | 'firstByteMs' | 'latencyMs' | 'attempts'
>;

export interface UsageKinds {
  /** The id of the row's kind, which is written when it is new: call it inside the transaction that writes the row. */
  idOf(row: UsageKind): number;
  /** To be called when that transaction was rolled back: what is remembered may not exist. */
  forget(): void;
}

/** About 1 MB; a gateway that sees more kinds at a time asks the table again now and then. */
const mostRemembered = 4096;

/** The columns of a kind after `id` and `key`. */
export const kindColumns =
  'subject, token_id, project, client, endpoint, requested, provider, model, profile, source, stream, price_version';

/** Without a conflict clause on the id: a kind that exists, from before a restart, keeps the one it has. */
const insert = `INSERT INTO usage_kinds (key, ${kindColumns})
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING`;
const select = 'SELECT id FROM usage_kinds WHERE key = ?';

export function usageKinds(database: SqlDatabase): UsageKinds {
  const ids = new Map<string, number>();

  function remember(key: string, row: UsageKind): number {
    insertKind(database, key, row);
    const id = Number(database.prepare(select).get(key)?.['id']);
    if (ids.size >= mostRemembered) ids.clear();
    ids.set(key, id);
    return id;
  }

  return {
    idOf(row) {
      const key = keyOf(row);
      return ids.get(key) ?? remember(key, row);
    },
    forget: () => ids.clear(),
  };
}

/**
 * All fields as one text. Each part says where it ends (`-`, one digit, or a length before the value), so that no two
 * kinds share a key, whatever a client puts into its model name. Concatenated, not JSON: this runs for every row.
 */
function keyOf(row: UsageKind): string {
  return (
    part(row.subject) +
    part(row.tokenId) +
    part(row.project) +
    part(row.client) +
    part(row.endpoint) +
    part(row.requested) +
    part(row.provider) +
    part(row.model) +
    part(row.profile) +
    part(row.source) +
    part(row.priceVersion) +
    (row.stream ? '1' : '0')
  );
}

function part(value: string | null): string {
  return value === null ? '-' : `${value.length}:${value}`;
}

function insertKind(database: SqlDatabase, key: string, row: UsageKind): void {
  const { subject, tokenId, project, client, endpoint, requested, provider, model, profile, source, stream, priceVersion } = row;
  const origin = [subject, tokenId, project, client, endpoint, requested];
  const target = [provider, model, profile, source, stream ? 1 : 0, priceVersion];
  database.prepare(insert).run(key, ...origin, ...target);
}
