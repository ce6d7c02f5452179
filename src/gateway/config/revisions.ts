/** The history of the configuration that is in force: what it was, what differs, and the way back. */
import type { ConfigStore, Revision, RevisionSummary } from '../../core/config.ts';
import { type Difference, differencesOf } from '../../core/diff.ts';
import { OlaError } from '../../core/errors.ts';
import type { Json } from '../../core/json.ts';
import { valueAt } from '../../core/secrets.ts';
import type { Requester } from '../records/audit.ts';
import type { Config } from './config.ts';
import type { CurrentConfig } from './in-force.ts';
import { redactDocument } from './shown.ts';

export interface DocumentChange extends Difference {
  /** Secrets redacted; undefined where nothing stood. */
  readonly before: Json | undefined;
  readonly after: Json | undefined;
}

export interface Revisions {
  /** Newest first. */
  list(): Promise<RevisionSummary[]>;
  /** Secrets redacted. @throws OlaError `not_found` naming the numbers there are */
  show(number: number): Promise<Revision>;
  /** @param to null: the newest. @throws OlaError `not_found` naming the numbers there are */
  diff(from: number, to: number | null): Promise<{ readonly to: number; readonly changes: readonly DocumentChange[] }>;
  /**
   * Makes a new revision with the document of an old one and its secrets. Neither the network nor the rules of today are asked,
   * so that an undo always works: calls are judged when they are made.
   * @throws OlaError `not_found`; `conflict` when the revision is in force
   */
  rollback(number: number, ifMatch: string | null, requester: Requester): Promise<CurrentConfig>;
}

/** What the database held before the first change, so that the first change can be undone too. */
const emptyRevision: Revision = {
  number: 0,
  at: 0,
  actor: 'local',
  summary: 'nothing configured',
  document: {},
  file: null,
  consents: {},
};

/** Revisions in one list; more than the store keeps. */
const maxListed = 1000;

export interface RevisionsPorts {
  readonly store: Pick<ConfigStore, 'current' | 'revision' | 'revisions'>;
  readonly config: Config;
}

export function createRevisions({ store, config }: RevisionsPorts): Revisions {
  const list = () => store.revisions({ file: config.file, limit: maxListed });

  async function read(number: number): Promise<Revision> {
    if (number === 0 && config.file === null) return emptyRevision;
    const revision = await store.revision(number);
    // Each file, and the database, has a history of its own.
    if (revision === null || revision.file !== config.file) throw unknownRevision(number, await list(), config.file);
    return revision;
  }

  async function newest(): Promise<Revision> {
    const revision = await store.current(config.file);
    if (revision === null) throw new OlaError('not_found', 'There are no revisions yet: nothing has been configured.');
    return revision;
  }

  return {
    list,
    async show(number) {
      const revision = await read(number);
      return { ...revision, document: redactDocument(revision.document) };
    },
    async diff(from, to) {
      const [before, after] = [await read(from), to === null ? await newest() : await read(to)];
      const [shownBefore, shownAfter] = [redactDocument(before.document), redactDocument(after.document)];
      const changes = differencesOf(before.document, after.document).map((difference) => ({
        ...difference,
        before: valueAt(shownBefore, difference.path),
        after: valueAt(shownAfter, difference.path),
      }));
      return { to: after.number, changes };
    },
    async rollback(number, ifMatch, requester) {
      const content = async (current: CurrentConfig) => {
        if (number !== current.revision) return { kind: 'stored', value: (await read(number)).document } as const;
        throw new OlaError('conflict', `Revision ${number} is in force already; GET /config/revisions lists the others.`);
      };
      const record = { action: 'config.rollback', about: String(number), details: { to: number } };
      return (await config.writeSection({ path: [], content, record }, ifMatch, requester)).snapshot;
    },
  };
}

function unknownRevision(number: number, kept: readonly RevisionSummary[], file: string | null): OlaError {
  const [newest, oldest] = [kept[0]?.number, kept.at(-1)?.number];
  const whose = file === null ? '' : ` of ${file}`;
  const there = newest === undefined ? 'there are none yet' : `there are ${oldest} to ${newest}${gaps(kept)}`;
  return new OlaError('not_found', `There is no revision ${number}${whose}: ${there}. GET /config/revisions lists them.`, {
    details: { oldest: oldest ?? null, newest: newest ?? null },
  });
}

/** Numbers count through the histories of the database and of every file. */
function gaps(kept: readonly RevisionSummary[]): string {
  const [newest = 0, oldest = 0] = [kept[0]?.number, kept.at(-1)?.number];
  return kept.length === newest - oldest + 1 ? '' : ' with gaps, because the numbers count through other configurations too';
}
