/** What usage rows have in common, stored once: who called from where, for what, and who answered. */
import type { SqlDatabase } from '../core/ports.ts';
import type { UsageRow } from '../core/usage.ts';
import { numberOf } from './columns.ts';

export interface UsageKinds {
  /** The id of the row's kind, which is written when it is new: call it inside the transaction that writes the row. */
  idOf(row: UsageRow): number;
  /** To be called when that transaction was rolled back: what is remembered may not exist. */
  forget(): void;
}

type Field = string | number | null;

/** One field further into a kind; `id` is set where the fields end. */
interface Branch {
  id: number | null;
  readonly next: Map<Field, Branch>;
}

/** 1 to 5 MB; a gateway with more kinds at a time asks the table again now and then. */
const mostRemembered = 4096;

/** The columns of a kind after `id` and `key`, in the order of `fieldsOf`. */
export const kindColumns =
  'endpoint, stream, provider, model, profile, source, price_version, project, subject, token_id, client, requested';

const insert = `INSERT INTO usage_kinds (key, ${kindColumns})
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING`;
const select = 'SELECT id FROM usage_kinds WHERE key = ?';

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
      let end = root;
      for (const field of fields) end = step(end, field);
      if (end.id !== null) return end.id;
      const id = idInTable(database, fields);
      end.id = id;
      if (++remembered === mostRemembered) forget();
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
  return { id: null, next: new Map() };
}

function step({ next }: Branch, field: Field): Branch {
  const known = next.get(field);
  if (known !== undefined) return known;
  const made = branch();
  next.set(field, made);
  return made;
}

/** A kind that exists, from before a restart, keeps its id. */
function idInTable(database: SqlDatabase, fields: readonly Field[]): number {
  const key = JSON.stringify(fields);
  database.prepare(insert).run(key, ...fields);
  return numberOf(database.prepare(select).get(key) ?? {}, 'id');
}
