/** Imports the data of the predecessor once, in one transaction. */
import { OlaError } from '../core/errors.ts';
import type { SqlDatabase } from '../core/ports.ts';
import type { PredecessorState, PredecessorStore } from '../core/predecessor.ts';
import { textOf } from './columns.ts';
import { writeConfig } from './config.ts';
import { dropUnusedSecrets, insertSecrets } from './secrets.ts';
import { readSnapshot, replaceSnapshot } from './snapshots.ts';
import { insertActions, insertOwners } from './tasks.ts';
import { reading, writing } from './transaction.ts';
import type { UsageWriter } from './usage.ts';

const select = "SELECT value FROM meta WHERE key = 'original_imported_at'";
const insert = "INSERT INTO meta (key, value) VALUES ('original_imported_at', ?)";

export function predecessorStore(database: SqlDatabase, usage: UsageWriter): PredecessorStore {
  function importedAt(): number | null {
    const row = database.prepare(select).get();
    return row === undefined ? null : Number(textOf(row, 'value'));
  }

  function importAll(state: PredecessorState, at: number): void {
    if (importedAt() !== null) {
      throw new OlaError('conflict', 'The files of the original program were imported before. Move them away.');
    }
    insertSecrets(database, state.secrets);
    if (state.config !== null) writeConfig(database, state.config);
    // An existing snapshot keeps its document. The imported one of the same name is still in its file.
    for (const snapshot of state.snapshots) {
      if (readSnapshot(database, snapshot.name) === null) replaceSnapshot(database, snapshot);
    }
    dropUnusedSecrets(
      database,
      state.secrets.map(({ id }) => id),
    );
    insertOwners(database, state.owners);
    insertActions(database, state.actions);
    usage.insert(state.usage);
    database.prepare(insert).run(String(at));
  }

  return {
    async importedAt() {
      return reading(importedAt);
    },
    async import(state, at) {
      try {
        writing(database, () => importAll(state, at));
      } catch (error) {
        usage.forget();
        throw error;
      }
    },
  };
}
