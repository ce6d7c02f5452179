/** The configuration in force: opened, written as a revision, and put in the place of the one before. */
import type { ConfigStore, Consents, Revision } from '../../core/config.ts';
import type { ConfigDocument } from '../../core/document.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Clock, Log } from '../../core/ports.ts';
import type { TokenRecord } from '../../core/tokens.ts';
import type { Vault } from '../../core/vault.ts';
import { tokenRecords } from '../access/imported-tokens.ts';
import type { Tokens } from '../access/tokens.ts';
import type { Audit, Requester } from '../records/audit.ts';
import { shareOpened, type WrittenRecord } from './changes.ts';
import { allConsents } from './consents.ts';
import { createOpener, type OpenSecret } from './open-secrets.ts';
import { sealDocument } from './seal.ts';
import type { NextDocument, WriteContext } from './write-section.ts';

export interface CurrentConfig {
  readonly revision: number;
  /** Strong, quoted: `"r12"`. */
  readonly etag: string;
  /** References in place of secrets. */
  readonly document: JsonObject;
  /** The same, typed, secrets in place; a secret that cannot be opened is left out. For use, never for showing. */
  readonly open: ConfigDocument;
  /** The sealed secrets that the document names, opened. */
  readonly secrets: ReadonlyMap<string, OpenSecret>;
  /** The secrets that the document names elsewhere: in variables and files. */
  readonly named: readonly string[];
  /** Addresses that variables may go to besides the catalog's. */
  readonly consents: Consents;
}

export interface InForce {
  current(): CurrentConfig;
  /** The listener is called with each new configuration, before the write is acknowledged. */
  onChange(listener: (config: CurrentConfig) => void): void;
  /** Seals, stores a revision, and puts it in force. */
  commit(next: NextDocument, record: WrittenRecord, requester: Requester): Promise<void>;
  /** Opens the same revision again: a file that it names may have changed. */
  reopen(): void;
}

export interface InForcePorts {
  readonly store: ConfigStore;
  readonly vault: Vault;
  readonly tokens: Pick<Tokens, 'unknown' | 'adopt'>;
  readonly audit: Audit;
  readonly readSecretFile: (path: string) => string | null;
  readonly context: WriteContext;
  readonly now: Clock;
  readonly log: Log;
}

/** @param file the file whose history is read and written; null: the database's own */
export async function loadInForce(file: string | null, ports: InForcePorts): Promise<InForce> {
  const { store, vault, tokens, audit, context, readSecretFile, now, log } = ports;
  const { environment } = context;
  const opener = createOpener({ stored: () => store.secrets(), vault, environment, readSecretFile, log });
  const listeners: ((config: CurrentConfig) => void)[] = [];

  const first = await store.current(file);
  const document = first?.document ?? {};
  // A file is the owner's. An older version honoured every reference, and what it stored stays honoured.
  const consents = file === null ? first?.consents : null;
  let newest = await store.newest();
  let current = opened(
    { revision: first?.number ?? 0, document, consents: consents ?? allConsents(document, context) },
    await opener.secrets(document, new Map(), []),
    null,
  );

  function opened(
    { revision, document, consents }: Pick<CurrentConfig, 'revision' | 'document' | 'consents'>,
    secrets: ReadonlyMap<string, OpenSecret>,
    before: CurrentConfig | null,
  ): CurrentConfig {
    const { open, named } = opener.document(document, secrets);
    const shared = before === null ? open : shareOpened(pairOf(document, open), pairOf(before.document, before.open));
    return { revision, etag: `"r${revision}"`, document, open: shared as ConfigDocument, secrets, named, consents };
  }

  function putInForce(next: CurrentConfig): void {
    current = next;
    for (const listener of listeners) listener(next);
  }

  return {
    current: () => current,
    onChange: (listener) => void listeners.push(listener),
    async commit(next, { action, summary, details }, requester) {
      const at = now();
      const { document, sealed } = sealDocument(next.document, next.originOf, vault, at, context.mode);
      // From sealing to writing only the store is waited for: a rotation of the master key counts on that (master-keys.ts).
      // Secrets are opened before the write: nothing may fail once the revision is on the disk.
      const secrets = await opener.secrets(document, current.secrets, sealed);
      const fresh = tokens.unknown(tokenRecords(next.tokens, at));
      const number = newest + 1;
      const { consents } = next;
      const revision: Revision = { number, at, actor: requester.principal.subject, summary, document, file, consents };
      const event = audit.event(action, requester, { ...details, ...countOf(fresh), revision: number });
      await store.write({ revision, secrets: sealed, tokens: fresh, event });
      newest = number;
      tokens.adopt(fresh);
      putInForce(opened({ revision: number, document, consents }, secrets, current));
    },
    reopen: () => putInForce(opened(current, current.secrets, current)),
  };
}

const pairOf = (stored: JsonObject, open: ConfigDocument) => ({ stored, open: open as JsonObject });

function countOf(tokens: readonly TokenRecord[]): { readonly tokens?: readonly string[] } {
  return tokens.length === 0 ? {} : { tokens: tokens.map(({ id }) => id) };
}
