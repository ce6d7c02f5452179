/** The configuration: one snapshot that a request reads from start to end, and the writes that make the next one. */
import { randomUUID } from 'node:crypto';
import { type ConfigDocument, type ConfigStore, documentSchema, type Revision } from '../core/config.ts';
import { OlaError } from '../core/errors.ts';
import type { Json, JsonObject } from '../core/json.ts';
import type { Clock, Log } from '../core/ports.ts';
import { hint } from '../core/redaction.ts';
import { isSecretReference, mapSecrets, type Path, redacted } from '../core/secrets.ts';
import type { SealedSecret, Vault } from '../core/vault.ts';
import type { Audit, Origin } from './audit.ts';

/** A secret in use. */
export interface OpenSecret {
  readonly value: string;
  readonly origin: string | null;
  readonly hint: string;
}

export interface ConfigSnapshot {
  readonly revision: number;
  /** Strong, quoted: `"r12"`. */
  readonly etag: string;
  /** References in place of secrets. */
  readonly document: JsonObject;
  /** The same, typed, secrets in place; a damaged one is left out. For use, never for showing. */
  readonly open: ConfigDocument;
  readonly secrets: ReadonlyMap<string, OpenSecret>;
}

export interface ConfigChange {
  /** `provider.update acme`: what changed, without values. */
  readonly summary: string;
  readonly action: string;
  readonly details: Readonly<Record<string, unknown>>;
  /** The next document: references where a secret stays, plain strings where one is new. */
  readonly document: JsonObject;
  /** The origin that a new secret at this path is bound to. */
  readonly originOf: (path: Path) => string | null;
}

export interface Config {
  snapshot(): ConfigSnapshot;
  /** Every change is applied to what the one before left; `If-Match` is compared then. */
  change(
    origin: Origin,
    ifMatch: string | null,
    make: (current: ConfigSnapshot) => Promise<ConfigChange>,
  ): Promise<ConfigSnapshot>;
  /** Called with each new snapshot, before the write is acknowledged. */
  onChange(listener: (snapshot: ConfigSnapshot) => void): void;
}

const sealedAt = (id: string) => ({ table: 'secrets', row: id, column: 'envelope' });

export async function loadConfig(ports: {
  readonly store: ConfigStore;
  readonly vault: Vault;
  readonly audit: Audit;
  readonly now: Clock;
  readonly log: Log;
}): Promise<Config> {
  const { store, vault, audit, now, log } = ports;
  const listeners: ((snapshot: ConfigSnapshot) => void)[] = [];

  function openAll(sealed: readonly SealedSecret[]): Map<string, OpenSecret> {
    const open = new Map<string, OpenSecret>();
    for (const { id, origin, hint, envelope } of sealed) {
      try {
        open.set(id, { value: vault.open(envelope, sealedAt(id)), origin, hint });
      } catch {
        log.log('error', 'a stored secret cannot be opened; what it belongs to goes without it', { secret: id });
      }
    }
    return open;
  }

  const first = await store.current();
  let current = snapshotOf(first?.number ?? 0, first?.document ?? {}, openAll(await store.secrets()));
  let queue: Promise<unknown> = Promise.resolve();

  async function apply(origin: Origin, ifMatch: string | null, make: (c: ConfigSnapshot) => Promise<ConfigChange>) {
    if (ifMatch !== null && !matches(ifMatch, current.etag)) {
      throw new OlaError(
        'precondition_failed',
        'The configuration has changed since it was read; read it again and repeat the change.',
        {
          details: { etag: current.etag },
        },
      );
    }
    const change = await make(current);
    const at = now();
    const { document, sealed } = sealNew(change, vault, at);
    const revision: Revision = {
      number: current.revision + 1,
      at,
      actor: origin.principal.subject,
      summary: change.summary,
      document,
    };
    await store.write(revision, sealed, audit.event(change.action, origin, { ...change.details, revision: revision.number }));
    const secrets = new Map(current.secrets);
    for (const [id, secret] of openAll(sealed)) secrets.set(id, secret);
    current = snapshotOf(revision.number, document, secrets);
    for (const listener of listeners) listener(current);
    return current;
  }

  return {
    snapshot: () => current,
    change(origin, ifMatch, make) {
      const turn = queue.then(() => apply(origin, ifMatch, make));
      queue = turn.catch(() => undefined);
      return turn;
    },
    onChange: (listener) => void listeners.push(listener),
  };
}

/** What an administrator may see: secrets are there, their values are not. */
export function redactDocument(document: JsonObject): JsonObject {
  return mapSecrets(document, documentSchema, () => redacted);
}

function snapshotOf(number: number, document: JsonObject, secrets: ReadonlyMap<string, OpenSecret>): ConfigSnapshot {
  const open = mapSecrets(document, documentSchema, (value) =>
    isSecretReference(value) ? secrets.get(value.$secret)?.value : value,
  ) as ConfigDocument;
  return { revision: number, etag: `"r${number}"`, document, open, secrets };
}

/** Puts references in place of the new secrets of a change. */
function sealNew(change: ConfigChange, vault: Vault, at: number): { document: JsonObject; sealed: SealedSecret[] } {
  const sealed: SealedSecret[] = [];
  const document = mapSecrets(change.document, documentSchema, (value, path): Json | undefined => {
    if (isSecretReference(value)) return value as unknown as Json;
    if (typeof value !== 'string') return undefined;
    if (value === redacted) {
      throw new OlaError(
        'invalid_field',
        `'${path.join('.')}' is ${redacted}, but nothing is stored there; send the value itself.`,
        {
          param: path.join('.'),
        },
      );
    }
    const id = randomUUID();
    sealed.push({
      id,
      origin: change.originOf(path),
      hint: hint(value),
      envelope: vault.seal(value, sealedAt(id)),
      createdAt: at,
    });
    return { $secret: id };
  });
  return { document, sealed };
}

/** `If-Match`: a list of strong tags, or `*` (RFC 9110, 13.1.1). */
function matches(ifMatch: string, etag: string): boolean {
  return ifMatch.split(',').some((tag) => tag.trim() === '*' || tag.trim() === etag);
}
