/** Checks the database for damage before anything is written to it. */
import { OlaError } from '../core/errors.ts';
import type { SqlDatabase } from '../core/ports.ts';
import { textOf } from './columns.ts';
import { batching } from './transaction.ts';

/** Tables that grow with every call. After a clean end they are not checked, because that would take too long. */
const large = ['usage', 'usage_kinds', 'audit', 'task_actions'];

const selectTables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
const selectMark = "SELECT value FROM meta WHERE key = 'open'";
const mark = "INSERT INTO meta (key, value) VALUES ('open', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value";

/**
 * Checks all tables after an end that was not clean, otherwise only the small tables, whose data cannot be replaced.
 * @param whole true checks all tables in every case
 * @throws OlaError `persistence_unavailable`
 */
export function checkIntegrity(database: SqlDatabase, whole: boolean): void {
  const all = whole || database.prepare(selectMark).get()?.['value'] === '1';
  for (const what of all ? ['1'] : smallTables(database)) quickCheck(database, what);
}

function smallTables(database: SqlDatabase): string[] {
  const names = database
    .prepare(selectTables)
    .all()
    .map((row) => textOf(row, 'name'));
  return names.filter((name) => !large.includes(name));
}

/** Marks the database as open or as closed. A process that dies in between leaves it marked as open. */
export function markOpen(database: SqlDatabase, open: boolean): void {
  batching(database, () => database.prepare(mark).run(open ? '1' : '0'));
}

/** @param what the name of a table, or `1` for all tables up to the first error */
function quickCheck(database: SqlDatabase, what: string): void {
  const verdict = textOf(database.prepare(`PRAGMA quick_check(${what})`).get() ?? {}, 'quick_check');
  if (verdict === 'ok') return;
  const reason = verdict.replaceAll(/\s+/g, ' ');
  throw new OlaError(
    'persistence_unavailable',
    `The database is damaged (${reason}). Nothing was changed. Replace it with a backup: \`ola restore FILE\`.`,
  );
}
