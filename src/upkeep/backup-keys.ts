/** The master keys that a copy of the database needs, compared with the keys that are available here. */
import { OlaError } from '../core/errors.ts';
import type { SqlDatabase } from '../core/ports.ts';
import type { Sealed } from '../core/sealed.ts';
import type { Settings } from '../core/settings.ts';
import { allKeys, type KeyRing, type KeySource, type MasterKey, type Vault } from '../core/vault.ts';
import { createVault, makeKey, parseKeys } from '../credentials/vault.ts';
import { keySource } from '../runtime/keys.ts';
import { openSqlite } from '../runtime/sqlite.ts';

export function keysOf(home: string, settings: Settings): KeySource {
  return keySource({ home, env: settings.masterKey, parse: parseKeys });
}

/** @returns every available key; null when there is none, or they cannot be used */
export function readOrNull(keys: KeySource): KeyRing | null {
  try {
    return allKeys(keys);
  } catch (thrown) {
    if (thrown instanceof OlaError) return null;
    throw thrown;
  }
}

/** The text of a key file with these keys. */
export function keyText(ring: KeyRing): string {
  return ring.map(({ bytes }) => `${Buffer.from(bytes).toString('base64')}\n`).join('');
}

/** The ids of the keys that sealed these secrets. A damaged secret names no key. */
export function sealedWith(secrets: readonly Sealed[]): readonly string[] {
  const vault = createVault([makeKey()]);
  return [...new Set(secrets.flatMap(({ envelope }) => vault.sealedBy(envelope) ?? []))];
}

/** The keys that these secrets need; the first key of the ring when they need none. */
export function neededOf(ring: KeyRing, secrets: readonly Sealed[]): KeyRing {
  const ids = new Set(sealedWith(secrets));
  const [first, ...others] = ring.filter(({ id }) => ids.has(id));
  return first === undefined ? [ring[0]] : [first, ...others];
}

/** The places of these keys, in words. */
export function namesOf(needed: readonly MasterKey[], { name, read, retired }: KeySource): string {
  const current = new Set(read().map(({ id }) => id));
  const places = needed.map(({ id }) => (current.has(id) || retired === null ? name : retired.name));
  return [...new Set(places)].join(' and ');
}

/** True when the ring has every needed key and at least one secret opens, so that not all of them are damaged. */
export function opens(ring: KeyRing, secrets: readonly Sealed[]): boolean {
  const vault = createVault(ring);
  const whole = secrets.filter(({ envelope }) => vault.sealedBy(envelope) !== null);
  if (!whole.every(({ envelope }) => vault.canOpen(envelope))) return false;
  return whole.length === 0 || whole.some((secret) => canOpen(vault, secret));
}

function canOpen(vault: Vault, { envelope, place }: Sealed): boolean {
  try {
    vault.open(envelope, place);
    return true;
  } catch {
    return false;
  }
}

/** Opens a database for one piece of work. No other process may have it open. */
export async function withOpen<T>(path: string, work: (database: SqlDatabase) => Promise<T>): Promise<T> {
  const database = openSqlite(path);
  try {
    return await work(database);
  } finally {
    database.close();
  }
}
