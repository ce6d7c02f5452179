/** Migrates a database to this program's schema, or refuses it without a change. */
import { OlaError } from '../core/errors.ts';
import type { Clock, SqlDatabase } from '../core/ports.ts';
import { applicationId, type Migration } from './schema.ts';
import { writing } from './transaction.ts';

interface Steps {
  readonly migrations: readonly Migration[];
  readonly now: Clock;
  /** Copies the database before it is changed. @param schema the number of its present schema */
  readonly backUp: (schema: number) => void;
}

/**
 * Refuses a database that is not ola's or is newer than this program. Reads three numbers and writes nothing.
 * @returns the number of its schema; 0 when it is empty
 * @throws OlaError `persistence_unavailable`
 */
export function checkIdentity(database: SqlDatabase, head: number): number {
  const schema = pragma(database, 'user_version');
  const application = pragma(database, 'application_id');
  if (application !== applicationId) {
    const tables = database.prepare('SELECT count(*) AS tables FROM sqlite_schema').get()?.['tables'];
    if (application === 0 && schema === 0 && tables === 0) return 0;
    throw refused('The database belongs to another program. Move it away, or name another path in OPEN_LLM_AUTH_DB_PATH.');
  }
  if (schema > head) {
    throw refused(
      `The database has schema ${schema}, but this version of ola knows only up to ${head}. Install the newer ola, or restore an older backup.`,
    );
  }
  return schema;
}

/** Runs the missing steps, each in its own transaction. A database with content is copied first. */
export function migrate(database: SqlDatabase, { migrations, now, backUp }: Steps): void {
  const schema = checkIdentity(database, migrations.at(-1)?.version ?? 0);
  const missing = migrations.filter(({ version }) => version > schema);
  if (schema > 0 && missing.length > 0) backUp(schema);
  for (const { version, sql } of missing) {
    writing(database, () => {
      database.exec(sql);
      database.prepare('INSERT INTO meta (key, value) VALUES (?, ?)').run(`schema_${version}_at`, String(now()));
      // Both numbers are part of the transaction, so a failed step leaves the schema number before it.
      database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${version}`);
    });
  }
}

function pragma(database: SqlDatabase, name: 'user_version' | 'application_id'): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}

function refused(message: string): OlaError {
  return new OlaError('persistence_unavailable', message);
}
