/** Deletes old rows, a small batch at a time. */
import type { SqlDatabase } from '../core/ports.ts';
import type { Retention } from '../core/store.ts';
import { batching } from './transaction.ts';
import type { UsageWriter } from './usage.ts';
import { hourOf, idsPerMillisecond } from './usage-hours.ts';
import { dayOf } from './usage-kinds.ts';

/** Rows deleted from each table in one call. */
const batchRows = 250;

const dropUsage = `DELETE FROM usage WHERE id IN (SELECT id FROM usage WHERE id < ? ORDER BY id LIMIT ${batchRows})`;
/** Ids are in the order of time, so only the first rows have to be read. */
const dropAudit = `DELETE FROM audit WHERE timestamp < ? AND id IN (SELECT id FROM audit ORDER BY id LIMIT ${batchRows})`;
const dropHours = `DELETE FROM usage_hours WHERE (hour, kind) IN
  (SELECT hour, kind FROM usage_hours WHERE hour < ? ORDER BY hour, kind LIMIT ${batchRows})`;
const dropKinds = `DELETE FROM usage_kinds WHERE id IN (SELECT id FROM usage_kinds WHERE last_day < ? LIMIT ${batchRows})`;

/** @returns true when there may be more */
export function retain(database: SqlDatabase, usage: UsageWriter, { usageBefore, auditBefore }: Retention): boolean {
  const usageRows = usageBefore === null ? 0 : dropOlder(database, dropUsage, Math.trunc(usageBefore) * idsPerMillisecond);
  const auditRows = auditBefore === null ? 0 : dropOlder(database, dropAudit, auditBefore);
  // An hour that is kept in part keeps its sums.
  const hourRows = usageBefore === null ? 0 : dropOlder(database, dropHours, hourOf(usageBefore));
  // Kinds are deleted last, when no rows of theirs can be left.
  if (usageRows === batchRows || auditRows === batchRows || hourRows === batchRows) return true;
  return usageBefore !== null && dropUnusedKinds(database, usage, usageBefore) === batchRows;
}

function dropOlder(database: SqlDatabase, sql: string, limit: number): number {
  return batching(database, () => database.prepare(sql).run(limit).changes);
}

/**
 * Deletes kinds whose last day ended before `before`: all their rows were older and have been deleted. SQLite's foreign key
 * check would read the whole usage table for each kind, so it is off during the deletion.
 */
function dropUnusedKinds(database: SqlDatabase, usage: UsageWriter, before: number): number {
  database.exec('PRAGMA foreign_keys = OFF');
  try {
    return dropOlder(database, dropKinds, dayOf(before));
  } finally {
    database.exec('PRAGMA foreign_keys = ON');
    usage.forget();
  }
}
