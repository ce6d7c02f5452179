/** The rotation of the master key while ola runs. A kill at any point leaves every stored secret readable. */
import type { ConfigStore, Resealed } from '../../core/config.ts';
import { OlaError } from '../../core/errors.ts';
import type { GrantStore } from '../../core/grants.ts';
import { everythingSealed, type Sealed } from '../../core/sealed.ts';
import type { Store } from '../../core/store.ts';
import { allKeys, type KeyRing, type KeySource, type MasterKey, type Vault } from '../../core/vault.ts';
import { makeKey } from '../../credentials/vault.ts';
import type { Audit, Requester } from '../records/audit.ts';

export interface Rotation {
  /** The id of the key that seals now. */
  readonly keyId: string;
  /** The place where that key is kept. */
  readonly source: string;
  /** The number of secrets that were sealed anew. */
  readonly resealed: number;
  /** Ids of keys that no stored secret needs any more. ola retires them from its own file; a person takes them out of another source. */
  readonly dropped: readonly string[];
  /** The file in which ola keeps the dropped keys; null when ola does not write the source. */
  readonly retiredTo: string | null;
  /** Ids of keys that stay because damaged secrets name them. */
  readonly kept: readonly string[];
  /** Ids of secrets that do not open; they are left as they are. */
  readonly damaged: readonly string[];
  /** Sentences for the person who rotates: what to do and what to know. */
  readonly notes: readonly string[];
}

export interface Keys {
  /**
   * One rotation runs at a time. ola's own key file gets a new key; in any other source a person has put the new key first.
   * @throws OlaError `conflict` saying what to do first; `persistence_unavailable`: the next rotation goes on where this one ended
   */
  rotate(requester: Requester): Promise<Rotation>;
}

export interface KeysPorts {
  readonly vault: Vault;
  readonly source: KeySource;
  readonly store: Pick<Store, 'audit' | 'checkpoint'> & { readonly config: Pick<ConfigStore, 'secrets' | 'reseal'> } & {
    readonly grants: Pick<GrantStore, 'list' | 'reseal'>;
  };
  readonly audit: Audit;
}

/** Secrets in one transaction and between two pauses: some milliseconds of work. */
const batchSize = 100;
/** Milliseconds between two batches, for requests. */
const pauseMs = 2;
/** Milliseconds until a write that sealed with the old key has been stored: from sealing on it waits for the store alone. */
const settleMs = 20;
/** Rounds of a rotation: each reseals the secrets that were written during the round before. */
const maxRounds = 100;

export function createKeys(ports: KeysPorts): Keys {
  const { audit } = ports;
  let running = false;
  return {
    async rotate(requester) {
      if (running) throw new OlaError('conflict', 'The master key is being rotated already: wait until that is done.');
      running = true;
      try {
        return await rotate(ports, requester);
      } catch (thrown) {
        const code = thrown instanceof OlaError ? thrown.code : 'internal_error';
        audit.record(audit.event('key.rotate', requester, { source: ports.source.name, code }, 'failure'));
        throw thrown;
      } finally {
        running = false;
      }
    },
  };
}

async function rotate(ports: KeysPorts, requester: Requester): Promise<Rotation> {
  const { vault, source, store, audit } = ports;
  const held = source.read();
  await refuseStaleRing(ports);
  const ring = source.write === null ? ringOutside(source, held) : await addKey(vault, source, source.write, held);
  const { resealed, damaged } = await resealAll(ports, ring[0]);
  // Until the checkpoint, the overwritten envelopes stand in the database's log, sealed with the old key.
  await store.checkpoint();
  const needed = new Set(damaged.map(({ envelope }) => vault.sealedBy(envelope)));
  const [first, ...others] = ring;
  const kept = others.filter(({ id }) => needed.has(id));
  const dropped = others.filter(({ id }) => !needed.has(id));
  const outcome = {
    keyId: first.id,
    source: source.name,
    resealed,
    dropped: idsOf(dropped),
    retiredTo: source.write === null ? null : (source.retired?.name ?? null),
    kept: idsOf(kept),
    damaged: damaged.map(({ id }) => id),
  };
  await store.audit.append([audit.event('key.rotate', requester, outcome)]);
  if (source.write !== null) {
    source.write([first, ...kept]);
    vault.takeRing(allKeys(source));
  }
  return { ...outcome, notes: notesOf(outcome, source, held) };
}

const idsOf = (keys: readonly MasterKey[]): string[] => keys.map(({ id }) => id);

/** A source that changed since the start is refused: secrets that are sealed now would need a key that it does not have. */
async function refuseStaleRing({ vault, source, store }: KeysPorts): Promise<void> {
  const held = allKeys(source);
  if (held[0].id !== vault.keyId()) {
    throw new OlaError(
      'conflict',
      `The first key of ${source.name} is ${held[0].id} by now, but ola still seals with ${vault.keyId()}: restart ola first, then run this again.`,
    );
  }
  const ids = new Set(idsOf(held));
  const isGone = ({ envelope }: Sealed) => vault.canOpen(envelope) && !ids.has(vault.sealedBy(envelope) ?? '');
  for (const some of batches(await everythingSealed(store))) {
    const gone = some.find(isGone);
    if (gone !== undefined) {
      const id = vault.sealedBy(gone.envelope);
      throw new OlaError(
        'conflict',
        `Key ${id}, which stored secrets need, is no longer in ${source.name}: put it back behind the first one, then run this again.`,
      );
    }
    await pause();
  }
}

/** @throws OlaError `conflict` with instructions when there is no second key to change from */
function ringOutside(source: KeySource, held: KeyRing): KeyRing {
  if (held.length > 1) return held;
  throw new OlaError(
    'conflict',
    `The master key comes from ${source.name}, which ola does not write. Make a new one (openssl rand -base64 32), put it there in front of the old one (a comma or a new line between), restart ola, and run this again.`,
  );
}

/**
 * The file is written before the vault takes the ring: no secret is sealed with a key that is not on the disk. Keys that an
 * interrupted rotation left stay behind the new one, and this rotation drops them.
 */
async function addKey(vault: Vault, source: KeySource, write: (ring: KeyRing) => void, held: KeyRing): Promise<KeyRing> {
  const ring: KeyRing = [makeKey(), ...held];
  write(ring);
  vault.takeRing(allKeys(source));
  // A write that has sealed with the old key is stored meanwhile, where the rotation finds and reseals it.
  await pause(settleMs);
  return ring;
}

/** Reseals until every secret that opens at all opens with the first key. */
async function resealAll({ vault, store }: KeysPorts, first: MasterKey) {
  let resealed = 0;
  for (let round = 0; round < maxRounds; round++) {
    const { waiting, damaged } = await sortSecrets(vault, await everythingSealed(store), first);
    if (waiting.length === 0) return { resealed, damaged };
    for (const some of batches(waiting)) {
      const of = (table: string) => some.filter(({ place }) => place.table === table).map((each) => resealWith(vault, each));
      const [secrets, grants] = [of('secrets'), of('oauth_grants')];
      if (secrets.length > 0) resealed += await store.config.reseal(secrets);
      if (grants.length > 0) resealed += await store.grants.reseal(grants);
      await pause();
    }
  }
  throw new OlaError('persistence_unavailable', 'New secrets came faster than old ones were resealed; run this again.');
}

function resealWith(vault: Vault, { id, envelope, place }: Sealed): Resealed {
  return { id, from: envelope, to: vault.seal(vault.open(envelope, place), place) };
}

/** @returns the secrets that open with an older key, and the secrets that do not open */
async function sortSecrets(vault: Vault, secrets: readonly Sealed[], first: MasterKey) {
  const waiting: Sealed[] = [];
  const damaged: Sealed[] = [];
  for (const some of batches(secrets)) {
    for (const secret of some) {
      if (!opens(vault, secret)) damaged.push(secret);
      else if (vault.sealedBy(secret.envelope) !== first.id) waiting.push(secret);
    }
    await pause();
  }
  return { waiting, damaged };
}

function opens(vault: Vault, { envelope, place }: Sealed): boolean {
  try {
    vault.open(envelope, place);
    return true;
  } catch {
    return false;
  }
}

function batches<T>(items: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(items.length / batchSize) }, (_, index) =>
    items.slice(index * batchSize, (index + 1) * batchSize),
  );
}

/** Lets requests run. */
function pause(milliseconds = pauseMs): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Old backups need an old key: the note names it. */
function backupNote({ dropped, retiredTo }: Pick<Rotation, 'dropped' | 'retiredTo'>): string {
  if (retiredTo === null || dropped.length === 0) {
    return 'Backups made before this need the old key: keep it as long as you keep them.';
  }
  return `Backups made before this need the retired key (${dropped.join(', ')}), kept in ${retiredTo}: keep that as long as you keep them.`;
}

function notesOf(outcome: Omit<Rotation, 'notes'>, source: KeySource, held: KeyRing): string[] {
  const { dropped, kept, damaged } = outcome;
  const notes = [backupNote(outcome)];
  if (source.write !== null && held.length > 1) notes.push('A rotation that had been interrupted was finished with this one.');
  if (source.write === null && dropped.length > 0) notes.push(`Take ${dropped.join(', ')} out of ${source.name} now.`);
  if (damaged.length > 0) notes.push(`${damaged.length} stored secrets are damaged and were left as they are: enter them again.`);
  if (kept.length > 0) notes.push(`${kept.join(', ')} stays in ${source.name} as long as damaged secrets name it.`);
  return notes;
}
