/** Revisions and snapshots of the configuration. The sealed secrets that they name change in the same transactions. */
import type { ConfigStore, ConfigWrite, Consents, Revision, RevisionSummary } from '../core/config.ts';
import { OlaError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import type { SqlDatabase, SqlRow } from '../core/ports.ts';
import { insertAudit } from './audit.ts';
import { jsonOf, numberOf, textOf, textOrNull } from './columns.ts';
import {
  dropEndedUses,
  dropUnusedSecrets,
  endUses,
  historyOf,
  insertSecrets,
  secretReferences,
  selectSecrets,
  toSecret,
  useSecrets,
} from './secrets.ts';
import { deleteSnapshot, readSnapshot, readSnapshots, replaceSnapshot } from './snapshots.ts';
import { insertToken } from './tokens.ts';
import { reading, writing } from './transaction.ts';

/** Revisions kept of each history: of the database and of each file. */
const keptRevisions = 50;

const facts = 'number, at, actor, summary, file';
const selectNewest = `SELECT ${facts}, document, consents FROM revisions WHERE file IS ? ORDER BY number DESC LIMIT 1`;
const selectNumber = 'SELECT coalesce(max(number), 0) AS number FROM revisions';
const selectOne = `SELECT ${facts}, document, consents FROM revisions WHERE number = ?`;
const selectPage = `SELECT ${facts} FROM revisions WHERE file IS ? AND number < ? ORDER BY number DESC LIMIT ?`;
const selectNames = 'SELECT number, secrets FROM revisions WHERE file IS ? ORDER BY number DESC LIMIT 1';
const selectOldestKept = `SELECT number FROM revisions WHERE file IS ? ORDER BY number DESC LIMIT 1 OFFSET ${keptRevisions - 1}`;
const insertRevision = `INSERT INTO revisions (${facts}, secrets, document, consents) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;
const dropRevisions = 'DELETE FROM revisions WHERE file IS ? AND number < ?';
const updateEnvelope = 'UPDATE secrets SET envelope = ? WHERE id = ? AND envelope = ?';

export function configStore(database: SqlDatabase): ConfigStore {
  return {
    async current(file) {
      return reading(() => toRevisionOrNull(database.prepare(selectNewest).get(file)));
    },
    async newest() {
      return reading(() => newestNumber(database));
    },
    async revision(number) {
      return reading(() => toRevisionOrNull(database.prepare(selectOne).get(number)));
    },
    async revisions({ file, limit, before }) {
      return reading(() =>
        database
          .prepare(selectPage)
          .all(file, before ?? Number.MAX_SAFE_INTEGER, limit)
          .map(toFacts),
      );
    },
    async secrets() {
      return reading(() => database.prepare(selectSecrets).all().map(toSecret));
    },
    async write(change) {
      writing(database, () => writeConfig(database, change));
    },
    async reseal(changes) {
      const update = database.prepare(updateEnvelope);
      return writing(database, () => changes.reduce((sum, { id, from, to }) => sum + update.run(to, id, from).changes, 0));
    },
    async snapshots() {
      return reading(() => readSnapshots(database));
    },
    async snapshot(name) {
      return reading(() => readSnapshot(database, name));
    },
    async saveSnapshot(snapshot, secrets, event) {
      writing(database, () => {
        insertSecrets(database, secrets);
        const before = replaceSnapshot(database, snapshot);
        dropUnusedSecrets(database, [...before, ...secrets.map(({ id }) => id)]);
        insertAudit(database, [event]);
      });
    },
    async deleteSnapshot(name, event) {
      return writing(database, () => {
        const named = deleteSnapshot(database, name);
        if (named === null) return false;
        dropUnusedSecrets(database, named);
        insertAudit(database, [event]);
        return true;
      });
    },
  };
}

/** Writes everything that belongs to an accepted write. Call it inside a transaction. */
export function writeConfig(database: SqlDatabase, { revision, secrets, tokens, event }: ConfigWrite): void {
  requireNext(database, revision.number);
  const holder = historyOf(revision.file);
  const before = database.prepare(selectNames).get(revision.file);
  const named = before === undefined ? new Set<string>() : toNames(before);
  const names = secretReferences(revision.document);
  insertSecrets(database, secrets);
  writeRevision(database, revision, names);
  useSecrets(database, holder, without(names, named));
  if (before !== undefined) endUses(database, holder, without(named, names), numberOf(before, 'number'));
  dropUnusedSecrets(database, [...dropOld(database, revision.file), ...secrets.map(({ id }) => id)]);
  for (const token of tokens) insertToken(database, token);
  insertAudit(database, [event]);
}

/** Refuses the second of two writes that started from the same revision: it would silently undo the first. */
function requireNext(database: SqlDatabase, number: number): void {
  const newest = newestNumber(database);
  if (number !== newest + 1) {
    throw new OlaError(
      'precondition_failed',
      `The configuration has changed in the meantime and is at revision ${newest}. Read it again and repeat the change.`,
    );
  }
}

function newestNumber(database: SqlDatabase): number {
  return numberOf(database.prepare(selectNumber).get() ?? {}, 'number');
}

function writeRevision(database: SqlDatabase, revision: Revision, names: ReadonlySet<string>): void {
  const { number, at, actor, summary, file, document, consents } = revision;
  const secrets = JSON.stringify([...names]);
  const written = consents === null ? null : JSON.stringify(consents);
  database.prepare(insertRevision).run(number, at, actor, summary, file, secrets, JSON.stringify(document), written);
}

/** Deletes the oldest revisions of a history beyond the kept number. @returns ids of secrets that may be unused now */
function dropOld(database: SqlDatabase, file: string | null): string[] {
  const row = database.prepare(selectOldestKept).get(file);
  if (row === undefined) return [];
  const oldest = numberOf(row, 'number');
  database.prepare(dropRevisions).run(file, oldest);
  return dropEndedUses(database, historyOf(file), oldest);
}

function without(ids: ReadonlySet<string>, others: ReadonlySet<string>): string[] {
  return [...ids].filter((id) => !others.has(id));
}

/** The ids of a revision's secrets, as writeRevision wrote them. */
function toNames(row: SqlRow): ReadonlySet<string> {
  return new Set(jsonOf(row, 'secrets') as readonly string[]);
}

function toFacts(row: SqlRow): RevisionSummary {
  return {
    number: numberOf(row, 'number'),
    at: numberOf(row, 'at'),
    actor: textOf(row, 'actor'),
    summary: textOf(row, 'summary'),
    file: textOrNull(row, 'file'),
  };
}

function toRevisionOrNull(row: SqlRow | undefined): Revision | null {
  if (row === undefined) return null;
  // Both were written by writeRevision, from these types.
  const document = jsonOf(row, 'document') as JsonObject;
  const consents = textOrNull(row, 'consents') === null ? null : (jsonOf(row, 'consents') as Consents);
  return { ...toFacts(row), document, consents };
}
