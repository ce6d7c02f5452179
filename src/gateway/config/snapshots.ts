/** Copies of the configuration under names: saved, exported, imported, put in force. */
import type { ConfigStore, Snapshot } from '../../core/config.ts';
import { OlaError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { parseJsonc } from '../../core/jsonc.ts';
import type { Clock } from '../../core/ports.ts';
import type { Warning } from '../../core/schema.ts';
import type { Vault } from '../../core/vault.ts';
import type { Audit, Requester } from '../records/audit.ts';
import type { Config, Written } from './config.ts';
import { sealDocument } from './seal.ts';
import { missingSecrets, redactDocument } from './shown.ts';
import { isOwner, nextDocument, type WriteContext } from './write-section.ts';

export interface SnapshotView {
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Bytes of its export. */
  readonly size: number;
}

export interface ExportedSnapshot {
  readonly name: string;
  /** JSON text, secrets redacted. */
  readonly content: string;
  /** Where secrets are missing in it. */
  readonly missing: readonly string[];
}

export interface Snapshots {
  /** By name. */
  list(): Promise<SnapshotView[]>;
  /** Keeps a copy of the configuration in force; a snapshot of the same name is replaced. */
  save(name: string, requester: Requester): Promise<void>;
  /**
   * @param content JSON text; `[REDACTED]` is the secret that stands at the same place now, if it is for the same address
   * @throws OlaError as a write of the whole configuration does
   */
  import(name: string, content: string, requester: Requester): Promise<readonly Warning[]>;
  /** @throws OlaError `not_found` */
  export(name: string): Promise<ExportedSnapshot>;
  /** Puts a snapshot in force. @throws OlaError `not_found`, and as a write of the whole configuration does */
  activate(name: string, ifMatch: string | null, requester: Requester): Promise<Written>;
  /** @throws OlaError `not_found` */
  remove(name: string, requester: Requester): Promise<void>;
}

export interface SnapshotsPorts {
  readonly store: Pick<ConfigStore, 'snapshots' | 'snapshot' | 'saveSnapshot' | 'deleteSnapshot'>;
  readonly config: Config;
  readonly vault: Vault;
  readonly audit: Audit;
  readonly context: WriteContext;
  readonly now: Clock;
}

export function createSnapshots(ports: SnapshotsPorts): Snapshots {
  const { store, config, vault, audit, now } = ports;
  // A snapshot is kept in the database and can be put in force there, whatever governs now.
  const context: WriteContext = { ...ports.context, mode: 'database' };

  async function read(name: string): Promise<Snapshot> {
    checkSnapshotName(name);
    const snapshot = await store.snapshot(name);
    if (snapshot === null) throw unknownSnapshot(name);
    return snapshot;
  }

  return {
    async list() {
      const snapshots = await store.snapshots();
      return snapshots.map(({ name, at, document }) => ({ name, at, size: Buffer.byteLength(exportText(document)) }));
    },
    async save(name, requester) {
      checkSnapshotName(name);
      const { document, revision } = config.snapshot();
      const event = audit.event('snapshot.create', requester, { name, revision });
      await store.saveSnapshot({ name, at: now(), document }, [], event);
    },
    async import(name, content, requester) {
      checkSnapshotName(name);
      const sent = { kind: 'sent', value: parseJsonc(content) } as const;
      const next = await nextDocument([], sent, config.snapshot(), context, isOwner(requester));
      const at = now();
      const { document, sealed } = sealDocument(next.document, next.originOf, vault, at);
      await store.saveSnapshot({ name, at, document }, sealed, audit.event('snapshot.import', requester, { name }));
      const leftOut = new Set(next.tokens.map((token) => `authorization.tokens.${token.name}`));
      return next.warnings.map((warning) => (leftOut.has(warning.path) ? { ...warning, reason: tokenLeftOut } : warning));
    },
    async export(name) {
      const { document } = await read(name);
      return { name, content: exportText(document), missing: missingSecrets(document) };
    },
    async activate(name, ifMatch, requester) {
      checkSnapshotName(name);
      // Judged as if it were sent: the rules of now hold, and each secret is the one that the snapshot itself has stored.
      const content = async () => {
        const kept = (await read(name)).document;
        return { kind: 'sent', value: redactDocument(kept), kept } as const;
      };
      const record = { action: 'config.activate', about: name, details: { name } };
      return config.writeSection({ path: [], content, record }, ifMatch, requester);
    },
    async remove(name, requester) {
      checkSnapshotName(name);
      if (!(await store.deleteSnapshot(name, audit.event('snapshot.delete', requester, { name })))) throw unknownSnapshot(name);
    },
  };
}

const tokenLeftOut =
  'it is left out: a snapshot keeps no access tokens; import the whole configuration, or make one with `ola token create`';

/** Characters of a name. */
const maxName = 128;

/**
 * A name is no path here, but it was one in the original program, and an export may be saved under it.
 * @throws OlaError `invalid_request`
 */
export function checkSnapshotName(name: string): void {
  const isPlain = name !== '' && name.length <= maxName && !/[/\\\p{Cc}\p{Cs}]|\.\./u.test(name);
  if (isPlain) return;
  const message = `A name of a snapshot has 1 to ${maxName} characters, no \`/\`, no \`\\\`, no \`..\` and no control characters.`;
  throw new OlaError('invalid_request', message, { param: 'name' });
}

function unknownSnapshot(name: string): OlaError {
  return new OlaError('not_found', `There is no snapshot '${name}'; GET /config/profiles lists those there are.`, {
    param: 'name',
  });
}

function exportText(document: JsonObject): string {
  return JSON.stringify(redactDocument(document), null, 2);
}
