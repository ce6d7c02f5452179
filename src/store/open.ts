/** Opens everything that survives a restart: one SQLite connection, brought to the current schema, and the stores over it. */
import type { Clock, SqlDatabase } from '../core/ports.ts';
import type { Store } from '../core/store.ts';
import { auditStore } from './audit.ts';
import { configStore } from './config.ts';
import { checkIntegrity, markOpen } from './integrity.ts';
import { checkIdentity, migrate } from './migrate.ts';
import { predecessorStore } from './predecessor.ts';
import { retain } from './retention.ts';
import { migrations } from './schema.ts';
import { tokenStore } from './tokens.ts';
import { batching, reading } from './transaction.ts';
import { usageStore, usageWriter } from './usage.ts';

export interface OpenStore {
  /** The only connection to the file: the store closes it. */
  readonly database: SqlDatabase;
  readonly now: Clock;
  /** Copies the database before its schema is changed; gets the schema it is at. What it throws ends the opening. */
  readonly backUp: (schema: number) => void;
}

/** Milliseconds to wait for another program's lock: the wait stops every stream, so it is short once the start is over. */
const startWait = 5000;
const runWait = 250;

/** Pages of log before it is folded into the database, which stops every stream: 2 ms for 128, 10 ms for SQLite's 1000. */
const checkpointPages = 128;

/**
 * Order matters: the wait first, as the switch to a write-ahead log can itself meet a lock; after the check of
 * identity, which must find a refused file as it was.
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
 * Opens the store, migrating it when its schema is older.
 * @throws OlaError `persistence_unavailable` when the database is not ours, newer than this program, damaged or not
 *   writable; it is closed then, and what was refused is as it was
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
    predecessor: predecessorStore(database, usage),
    async check() {
      // A real write: a transaction that is rolled back never meets a full disk.
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

/** A log that somebody else still reads is not emptied: SQLite says so in a column, in place of an error. */
function checkpoint(database: SqlDatabase): void {
  const busy = database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()?.['busy'];
  if (busy !== 0) throw new Error('database is locked: the log could not be emptied');
}

function closeDatabase(database: SqlDatabase): void {
  try {
    markOpen(database, false);
  } catch {
    // A full disk, or closed already: at worst the next start checks more than it must.
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
