/** Another master key for the stored secrets, while everything runs. A kill at any point leaves all of them readable. */
import type { ConfigStore, Resealed } from '../../core/config.ts';
import { OlaError } from '../../core/errors.ts';
import type { Store } from '../../core/store.ts';
import {
  allKeys,
  type KeyRing,
  type KeySource,
  type MasterKey,
  placeOfSecret,
  type SealedSecret,
  type Vault,
} from '../../core/vault.ts';
import { makeKey } from '../../credentials/vault.ts';
import type { Audit, Requester } from '../records/audit.ts';

export interface Rotation {
  /** Of the key that seals now. */
  readonly keyId: string;
  /** Where it is kept. */
  readonly source: string;
  readonly resealed: number;
  /** Keys that nothing stored needs any more: retired from ola's own file, to be taken out of a source that ola does not write. */
  readonly dropped: readonly string[];
  /** Where ola keeps them from now on; null when they are not ola's to keep. */
  readonly retiredTo: string | null;
  /** Keys that stay because damaged secrets name them. */
  readonly kept: readonly string[];
  /** Ids of secrets that do not open, left as they are. */
  readonly damaged: readonly string[];
  /** In words, what to do and to know. */
  readonly notes: readonly string[];
}

export interface Keys {
  /**
   * One at a time. ola's own key file gets a new key; of any other source the first key is taken, which was put there.
   * @throws OlaError `conflict` saying what to do first; `persistence_unavailable`: run it again, it goes on
   */
  rotate(requester: Requester): Promise<Rotation>;
}

export interface KeysPorts {
  readonly vault: Vault;
  readonly source: KeySource;
  readonly store: Pick<Store, 'audit' | 'checkpoint'> & { readonly config: Pick<ConfigStore, 'secrets' | 'reseal'> };
  readonly audit: Audit;
}

/** Secrets in one transaction, and between two pauses: some milliseconds' work. */
const atOnce = 100;
const pauseMs = 2;
/** From sealing to writing nobody waits for anything but the store: by then that is done. */
const settleMs = 20;
/** Secrets may be written while others are resealed; each round finds what came since the one before. */
const mostRounds = 100;

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
  // What was overwritten stands in the log until then, sealed with the old key.
  await store.checkpoint();
  const needed = new Set(damaged.map(({ envelope }) => vault.sealedBy(envelope)));
  const [first, ...others] = ring;
  const kept = others.filter(({ id }) => needed.has(id));
  const dropped = others.filter(({ id }) => !needed.has(id));
  const facts = {
    keyId: first.id,
    source: source.name,
    resealed,
    dropped: idsOf(dropped),
    retiredTo: source.write === null ? null : (source.retired?.name ?? null),
    kept: idsOf(kept),
    damaged: damaged.map(({ id }) => id),
  };
  await store.audit.append([audit.event('key.rotate', requester, facts)]);
  if (source.write !== null) {
    source.write([first, ...kept]);
    vault.takeRing(allKeys(source));
  }
  return { ...facts, notes: notesOf(facts, source, held) };
}

const idsOf = (keys: readonly MasterKey[]): string[] => keys.map(({ id }) => id);

/** A source that changed since the start: what is sealed now would need a key that it does not have. */
async function refuseStaleRing({ vault, source, store }: KeysPorts): Promise<void> {
  const held = allKeys(source);
  if (held[0].id !== vault.keyId()) {
    throw new OlaError(
      'conflict',
      `The first key of ${source.name} is ${held[0].id} by now, but ola still seals with ${vault.keyId()}: restart ola first, then run this again.`,
    );
  }
  const ids = new Set(idsOf(held));
  const isGone = ({ envelope }: SealedSecret) => vault.canOpen(envelope) && !ids.has(vault.sealedBy(envelope) ?? '');
  for (const some of batches(await store.config.secrets())) {
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
 * The file first: nothing is sealed with a key that is not on the disk. Keys that an interrupted rotation left stay behind
 * the new one, and go with it.
 */
async function addKey(vault: Vault, source: KeySource, write: (ring: KeyRing) => void, held: KeyRing): Promise<KeyRing> {
  const ring: KeyRing = [makeKey(), ...held];
  write(ring);
  vault.takeRing(allKeys(source));
  // Whoever was sealing with the old key writes that now, where it is found and resealed.
  await pause(settleMs);
  return ring;
}

/** Until every secret opens with the first key, as it is read back, or with none. */
async function resealAll({ vault, store }: KeysPorts, first: MasterKey) {
  let resealed = 0;
  for (let round = 0; round < mostRounds; round++) {
    const { waiting, damaged } = await judge(vault, await store.config.secrets(), first);
    if (waiting.length === 0) return { resealed, damaged };
    for (const some of batches(waiting)) {
      resealed += await store.config.reseal(some.map((secret) => resealWith(vault, secret)));
      await pause();
    }
  }
  throw new OlaError('persistence_unavailable', 'New secrets came faster than old ones were resealed; run this again.');
}

function resealWith(vault: Vault, { id, envelope }: SealedSecret): Resealed {
  const place = placeOfSecret(id);
  return { id, from: envelope, to: vault.seal(vault.open(envelope, place), place) };
}

/** Which open, but with an older key, and which do not open at all. */
async function judge(vault: Vault, secrets: readonly SealedSecret[], first: MasterKey) {
  const waiting: SealedSecret[] = [];
  const damaged: SealedSecret[] = [];
  for (const some of batches(secrets)) {
    for (const secret of some) {
      if (!opens(vault, secret)) damaged.push(secret);
      else if (vault.sealedBy(secret.envelope) !== first.id) waiting.push(secret);
    }
    await pause();
  }
  return { waiting, damaged };
}

function opens(vault: Vault, { id, envelope }: SealedSecret): boolean {
  try {
    vault.open(envelope, placeOfSecret(id));
    return true;
  } catch {
    return false;
  }
}

function batches<T>(items: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(items.length / atOnce) }, (_, index) =>
    items.slice(index * atOnce, (index + 1) * atOnce),
  );
}

/** Lets requests through. */
function pause(milliseconds = pauseMs): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function sayBackups({ dropped, retiredTo }: Pick<Rotation, 'dropped' | 'retiredTo'>): string {
  if (retiredTo === null || dropped.length === 0) {
    return 'Backups made before this need the old key: keep it as long as you keep them.';
  }
  return `Backups made before this need the retired key (${dropped.join(', ')}), kept in ${retiredTo}: keep that as long as you keep them.`;
}

function notesOf(facts: Omit<Rotation, 'notes'>, source: KeySource, held: KeyRing): string[] {
  const { dropped, kept, damaged } = facts;
  const notes = [sayBackups(facts)];
  if (source.write !== null && held.length > 1) notes.push('A rotation that had been interrupted was finished with this one.');
  if (source.write === null && dropped.length > 0) notes.push(`Take ${dropped.join(', ')} out of ${source.name} now.`);
  if (damaged.length > 0) notes.push(`${damaged.length} stored secrets are damaged and were left as they are: enter them again.`);
  if (kept.length > 0) notes.push(`${kept.join(', ')} stays in ${source.name} as long as damaged secrets name it.`);
  return notes;
}
