/** Opens the store: one SQLite connection, migrated to the current schema, and the stores of all nouns over it. */
import type { Clock, SqlDatabase } from '../core/ports.ts';
import type { Store } from '../core/store.ts';
import { auditStore } from './audit.ts';
import { configStore } from './config.ts';
import { cooldownStore } from './cooldowns.ts';
import { grantStore } from './grants.ts';
import { checkIntegrity, markOpen } from './integrity.ts';
import { checkIdentity, migrate } from './migrate.ts';
import { predecessorStore } from './predecessor.ts';
import { retain } from './retention.ts';
import { migrations } from './schema.ts';
import { tokenStore } from './tokens.ts';
import { batching, reading } from './transaction.ts';
import { usageStore, usageWriter } from './usage.ts';

export interface OpenStore {
  /** The only connection to the file. The store closes it. */
  readonly database: SqlDatabase;
  readonly now: Clock;
  /** Copies the database before a migration. An error that it throws ends the opening. @param schema the number of its present schema */
  readonly backUp: (schema: number) => void;
}

/** Time to wait for another program's lock during the start, in milliseconds. */
const startWait = 5000;
/** The same after the start. It is short, because the wait stops every stream. */
const runWait = 250;

/**
 * Pages of log before SQLite merges the log into the database. The merge stops every stream: 2 ms for 128 pages, 10 ms for
 * SQLite's default of 1000.
 */
const checkpointPages = 128;

/**
 * Settings of the connection. They come after `busy_timeout`, because the switch to a write-ahead log can meet a lock, and
 * after the check of identity, which must not change a refused file.
 */
const pragmas = `
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = ON;
PRAGMA trusted_schema = OFF;
PRAGMA secure_delete = ON;
PRAGMA cell_size_check = ON;
PRAGMA mmap_size = 0;
PRAGMA wal_autocheckpoint = ${checkpointPages};
`;

/**
 * Opens the store; migrates it when its schema is older.
 * @throws OlaError `persistence_unavailable` when the database is not ola's, is newer than this program, is damaged or not
 *   writable. The connection is closed then, and the file is unchanged
 */
export function openStore({ database, now, backUp }: OpenStore): Store {
  try {
    prepare({ database, now, backUp });
  } catch (error) {
    database.abandon();
    throw error;
  }
  const usage = usageWriter(database);
  return {
    tokens: tokenStore(database),
    config: configStore(database),
    usage: usageStore(database, usage),
    audit: auditStore(database),
    cooldowns: cooldownStore(database),
    grants: grantStore(database),
    predecessor: predecessorStore(database, usage),
    async check() {
      // Really writes a row: a transaction that is rolled back would not notice a full disk.
      batching(database, () => {
        database.prepare('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)').run('checked_at', String(now()));
      });
    },
    async retain(retention) {
      return reading(() => retain(database, usage, retention));
    },
    async checkpoint() {
      reading(() => checkpoint(database));
    },
    close: () => closeDatabase(database),
  };
}

/** Empties the log. SQLite reports a log that another connection still reads in a column instead of an error. */
function checkpoint(database: SqlDatabase): void {
  const busy = database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()?.['busy'];
  if (busy !== 0) throw new Error('database is locked: the log could not be emptied');
}

function closeDatabase(database: SqlDatabase): void {
  try {
    markOpen(database, false);
  } catch {
    // The disk is full, or the database is already closed. The next start then checks more than it must.
  }
  database.close();
}

function prepare({ database, now, backUp }: OpenStore): void {
  reading(() => {
    database.exec(`PRAGMA busy_timeout = ${startWait}`);
    const head = migrations.at(-1)?.version ?? 0;
    const schema = checkIdentity(database, head);
    if (schema > 0) checkIntegrity(database, schema < head);
    database.exec(pragmas);
    migrate(database, { migrations, now, backUp });
    markOpen(database, true);
    database.exec(`PRAGMA busy_timeout = ${runWait}`);
  });
}
