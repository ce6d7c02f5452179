/** What usage rows have in common, stored once: who called from where, for what, and who answered. */
import type { SqlDatabase } from '../core/ports.ts';
import type { UsageRow } from '../core/usage.ts';
import { numberOf } from './columns.ts';

export interface UsageKinds {
  /** The id of the row's kind. A new kind is written: call this inside the transaction that writes the row. */
  idOf(row: UsageRow): number;
  /** Forgets the kinds that are remembered: call this when that transaction was rolled back, and when kinds were deleted. */
  forget(): void;
}

type Field = string | number | null;

/** A kind as the table has it. */
interface Kind {
  readonly id: number;
  /** Days since 1970 of the kind's last row. */
  readonly lastDay: number;
}

/** Kinds kept in memory, some 300 bytes each; beyond that the table is asked again now and then. */
const maxRemembered = 4096;

/** The columns of a kind after `id` and `key`, in the order of `kindFields`. */
export const kindColumns =
  'endpoint, stream, provider, model, profile, source, price_version, project, subject, token_id, client, requested';

const insert = `INSERT INTO usage_kinds (last_day, key, ${kindColumns})
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (key) DO UPDATE SET last_day = max(last_day, excluded.last_day) RETURNING id, last_day`;

const millisecondsPerDay = 86_400_000;

/** Days since 1970. @param at milliseconds since 1970 */
export function dayOf(at: number): number {
  return Math.floor(at / millisecondsPerDay);
}

/** Kinds are remembered by their key, the JSON text of their fields: no two kinds have the same. */
export function usageKinds(database: SqlDatabase): UsageKinds {
  const remembered = new Map<string, Kind>();
  /** Most rows have the kind of the row before. */
  let newest: { readonly row: UsageRow; readonly kind: Kind } | null = null;

  function kindOf(row: UsageRow, day: number): Kind {
    const fields = fieldsOf(row);
    const key = JSON.stringify(fields);
    const known = remembered.get(key);
    if (known !== undefined && day <= known.lastDay) return known;
    const kind = inTable(database, key, fields, day);
    if (known === undefined && remembered.size === maxRemembered) remembered.clear();
    remembered.set(key, kind);
    return kind;
  }

  return {
    idOf(row) {
      const day = dayOf(row.startedAt);
      if (newest === null || day > newest.kind.lastDay || !haveSameKind(newest.row, row))
        newest = { row, kind: kindOf(row, day) };
      return newest.kind.id;
    },
    forget() {
      remembered.clear();
      newest = null;
    },
  };
}

const kindFields = [
  'endpoint',
  'stream',
  'provider',
  'model',
  'profile',
  'source',
  'priceVersion',
  'project',
  'subject',
  'tokenId',
  'client',
  'requested',
] as const satisfies readonly (keyof UsageRow)[];

function haveSameKind(one: UsageRow, other: UsageRow): boolean {
  return kindFields.every((field) => one[field] === other[field]);
}

function fieldsOf(row: UsageRow): readonly Field[] {
  return kindFields.map((field) => (field === 'stream' ? Number(row.stream) : row[field]));
}

/** A kind that exists, from before a restart, keeps its id; its last day never goes back. */
function inTable(database: SqlDatabase, key: string, fields: readonly Field[], day: number): Kind {
  const row = database.prepare(insert).get(day, key, ...fields) ?? {};
  return { id: numberOf(row, 'id'), lastDay: numberOf(row, 'last_day') };
}
