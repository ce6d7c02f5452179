/** What usage rows have in common, stored once: who called from where, for what, and who answered. */
import type { SqlDatabase } from '../core/ports.ts';
import type { UsageRow } from '../core/usage.ts';
import { numberOf } from './columns.ts';

export interface UsageKinds {
  /** The id of the row's kind, which is written when it is new: call it inside the transaction that writes the row. */
  idOf(row: UsageRow): number;
  /** To be called when that transaction was rolled back, and when kinds were deleted: what is remembered may not exist. */
  forget(): void;
}

type Field = string | number | null;

/** One field further into a kind; `id` is set where the fields end, `lastDay` is what the table says with it. */
interface Branch {
  id: number | null;
  lastDay: number;
  readonly next: Map<Field, Branch>;
}

/** 1 to 5 MB; a gateway with more kinds at a time asks the table again now and then. */
const mostRemembered = 4096;

/** The columns of a kind after `id` and `key`, in the order of `fieldsOf`. */
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

/**
 * Kinds are remembered as a tree, a level for each field: no two can be confused, and no text is built to look one up
 * (building and hashing one took 0.4 µs a row, a third of the whole; the tree takes 0.15).
 */
export function usageKinds(database: SqlDatabase): UsageKinds {
  let root = branch();
  let remembered = 0;

  function forget(): void {
    root = branch();
    remembered = 0;
  }

  return {
    idOf(row) {
      const fields = fieldsOf(row);
      const day = dayOf(row.startedAt);
      let end = root;
      for (const field of fields) end = step(end, field);
      if (end.id !== null && day <= end.lastDay) return end.id;
      const known = end.id !== null;
      const { id, lastDay } = inTable(database, fields, day);
      end.id = id;
      end.lastDay = lastDay;
      if (!known && ++remembered === mostRemembered) forget();
      return id;
    },
    forget,
  };
}

/** What varies least stands first, so that kinds share most of their branches. */
function fieldsOf(row: UsageRow): readonly Field[] {
  return [
    row.endpoint,
    row.stream ? 1 : 0,
    row.provider,
    row.model,
    row.profile,
    row.source,
    row.priceVersion,
    row.project,
    row.subject,
    row.tokenId,
    row.client,
    row.requested,
  ];
}

function branch(): Branch {
  return { id: null, lastDay: 0, next: new Map() };
}

function step({ next }: Branch, field: Field): Branch {
  const known = next.get(field);
  if (known !== undefined) return known;
  const made = branch();
  next.set(field, made);
  return made;
}

/** A kind that exists, from before a restart, keeps its id; its last day never goes back. */
function inTable(database: SqlDatabase, fields: readonly Field[], day: number): { id: number; lastDay: number } {
  const row = database.prepare(insert).get(day, JSON.stringify(fields), ...fields) ?? {};
  return { id: numberOf(row, 'id'), lastDay: numberOf(row, 'last_day') };
}
