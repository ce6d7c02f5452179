/** Secrets at rest: the shapes. `credentials/vault` seals and opens, `store` keeps envelopes only. */

/** A 32-byte key and its id: the first 8 hex digits of its SHA-256. */
export interface MasterKey {
  readonly id: string;
  readonly bytes: Uint8Array;
}

/** The first key writes, all read. */
export type KeyRing = readonly [MasterKey, ...MasterKey[]];

/** Where a sealed value lives: part of what is authenticated, so that a value moved to another row does not open. */
export interface SealedAt {
  readonly table: string;
  readonly row: string;
  readonly column: string;
}

export interface Vault {
  /** @returns `v1.<key id>.<nonce>.<ciphertext and tag>`, base64url */
  seal(secret: string, at: SealedAt): string;
  /** @throws OlaError `persistence_unavailable` when the envelope is damaged, moved or sealed by a key that is not there */
  open(envelope: string, at: SealedAt): string;
  /** Whether this ring holds the key that sealed it. */
  canOpen(envelope: string): boolean;
  /** The id of the key that sealed it; null for what is no envelope. */
  sealedBy(envelope: string): string | null;
  /** The id of the key that seals now. */
  keyId(): string;
  /** Seals and opens with another ring from now on. */
  takeRing(ring: KeyRing): void;
}

/** Where the master keys are kept. */
export interface KeySource {
  /** For people: a path, or the name of a variable. */
  readonly name: string;
  /** The ring as it is kept now, which may be another one than at the start. @throws OlaError `persistence_unavailable` */
  read(): KeyRing;
  /** Keys that were replaced: kept for what is still sealed with them, backups for one. Null where ola keeps none. */
  readonly retired: RetiredKeys | null;
  /**
   * Replaces the ring in one step, durable when this returns; keys that are in it no more are retired first. Null where the
   * keys are not ola's own to write. @throws OlaError `persistence_unavailable`
   */
  readonly write: ((ring: KeyRing) => void) | null;
}

export interface RetiredKeys {
  /** For people: a path. */
  readonly name: string;
  /** They open, and never seal. @throws OlaError `persistence_unavailable` */
  read(): readonly MasterKey[];
}

/** Every key that a source has, each once; retired ones stand behind. @throws OlaError `persistence_unavailable` */
export function allKeys({ read, retired }: KeySource): KeyRing {
  const [first, ...others] = read();
  const behind = new Map([...others, ...(retired?.read() ?? [])].map((key) => [key.id, key]));
  behind.delete(first.id);
  return [first, ...behind.values()];
}

/** The place of a stored secret's envelope. */
export function placeOfSecret(id: string): SealedAt {
  return { table: 'secrets', row: id, column: 'envelope' };
}

/** A stored secret, as the configuration refers to it. */
export interface SealedSecret {
  readonly id: string;
  /** Scheme, host and port it was entered for (`https://api.example.com`); it is sent nowhere else. Null: bound to none. */
  readonly origin: string | null;
  readonly hint: string;
  readonly envelope: string;
  readonly createdAt: number;
}
