/** Revisions of the configuration and the sealed secrets that they name: both change in one transaction. */
import type { ConfigStore, Revision } from '../core/config.ts';
import { OlaError } from '../core/errors.ts';
import type { Json, JsonObject } from '../core/json.ts';
import type { SqlDatabase, SqlRow } from '../core/ports.ts';
import type { SealedSecret } from '../core/vault.ts';
import { insertAudit } from './audit.ts';
import { jsonOf, numberOf, textOf, textOrNull } from './columns.ts';
import { reading, writing } from './transaction.ts';

const keptRevisions = 50;

const selectNewest = 'SELECT number, at, actor, summary, document FROM revisions ORDER BY number DESC LIMIT 1';
const selectSecrets = 'SELECT * FROM secrets ORDER BY created_at, rowid';
const insertRevision = 'INSERT INTO revisions (number, at, actor, summary, document, secrets) VALUES (?, ?, ?, ?, ?, ?)';
const insertSecret = 'INSERT INTO secrets (id, origin, hint, envelope, created_at) VALUES (?, ?, ?, ?, ?)';
const dropRevisions = 'DELETE FROM revisions WHERE number <= ?';
const dropSecrets = 'DELETE FROM secrets WHERE id NOT IN (SELECT value FROM revisions, json_each(revisions.secrets))';

export function configStore(database: SqlDatabase): ConfigStore {
  return {
    async current() {
      return reading(() => {
        const row = database.prepare(selectNewest).get();
        return row === undefined ? null : toRevision(row);
      });
    },
    async secrets() {
      return reading(() => database.prepare(selectSecrets).all().map(toSecret));
    },
    async write(revision, secrets, event) {
      writing(database, () => {
        requireNext(database, revision.number);
        writeRevision(database, revision);
        for (const { id, origin, hint, envelope, createdAt } of secrets) {
          database.prepare(insertSecret).run(id, origin, hint, envelope, createdAt);
        }
        database.prepare(dropRevisions).run(revision.number - keptRevisions);
        database.prepare(dropSecrets).run();
        insertAudit(database, [event]);
      });
    },
  };
}

/** Two writers that started from the same revision: the second is told, instead of undoing the first unseen. */
function requireNext(database: SqlDatabase, number: number): void {
  const row = database.prepare(selectNewest).get();
  const newest = row === undefined ? 0 : numberOf(row, 'number');
  if (number !== newest + 1) {
    throw new OlaError(
      'precondition_failed',
      `The configuration is at revision ${newest} by now: read it again and repeat the change.`,
    );
  }
}

function writeRevision(database: SqlDatabase, { number, at, actor, summary, document }: Revision): void {
  const secrets = JSON.stringify([...secretReferences(document)]);
  database.prepare(insertRevision).run(number, at, actor, summary, JSON.stringify(document), secrets);
}

/** The ids in every `{"$secret": "<id>"}` of a document, at whatever depth. */
function secretReferences(value: Json | undefined): Set<string> {
  if (typeof value !== 'object' || value === null) return new Set();
  const ids = new Set(Object.values(value).flatMap((child: Json | undefined) => [...secretReferences(child)]));
  if (!isList(value) && typeof value['$secret'] === 'string') ids.add(value['$secret']);
  return ids;
}

function isList(value: JsonObject | readonly Json[]): value is readonly Json[] {
  return Array.isArray(value);
}

function toRevision(row: SqlRow): Revision {
  return {
    number: numberOf(row, 'number'),
    at: numberOf(row, 'at'),
    actor: textOf(row, 'actor'),
    summary: textOf(row, 'summary'),
    // Written by writeRevision, from a JsonObject.
    document: jsonOf(row, 'document') as JsonObject,
  };
}

function toSecret(row: SqlRow): SealedSecret {
  return {
    id: textOf(row, 'id'),
    origin: textOrNull(row, 'origin'),
    hint: textOf(row, 'hint'),
    envelope: textOf(row, 'envelope'),
    createdAt: numberOf(row, 'created_at'),
  };
}
