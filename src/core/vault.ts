/** Types of sealed secrets. `credentials/vault` seals and opens; `store` keeps only envelopes. */

/** Characters that a new passphrase must have. */
export const leastPassphrase = 8;

/** A 32-byte key and its id: the first 8 hex digits of its SHA-256. */
export interface MasterKey {
  readonly id: string;
  readonly bytes: Uint8Array;
}

/** The first key seals; every key opens. */
export type KeyRing = readonly [MasterKey, ...MasterKey[]];

/** The place of a sealed value. It is authenticated with the value, so that a value moved to another row does not open. */
export interface SealedAt {
  readonly table: string;
  readonly row: string;
  readonly column: string;
}

export interface Vault {
  /** @returns `v1.<key id>.<nonce>.<ciphertext and tag>`, base64url */
  seal(secret: string, at: SealedAt): string;
  /** @throws OlaError `persistence_unavailable` when the envelope is damaged, was moved, or was sealed by a missing key */
  open(envelope: string, at: SealedAt): string;
  /** True when the ring has the key that sealed the envelope. */
  canOpen(envelope: string): boolean;
  /** Id of the key that sealed the envelope; null when the text is not an envelope. */
  sealedBy(envelope: string): string | null;
  /** Id of the key that seals now. */
  keyId(): string;
  /** Replaces the key ring. */
  takeRing(ring: KeyRing): void;
}

/** The source of the master keys. */
export interface KeySource {
  /** A path or the name of a variable, for messages. */
  readonly name: string;
  /** Reads the present ring, which may differ from that of the start. @throws OlaError `persistence_unavailable` */
  read(): KeyRing;
  /** Replaced keys, kept because backups and other data are still sealed with them. Null where ola keeps none. */
  readonly retired: RetiredKeys | null;
  /**
   * Replaces the ring in one step, synced to disk when it returns. Keys that leave the ring are retired first. Null where
   * ola may not write the keys. @throws OlaError `persistence_unavailable`
   */
  readonly write: ((ring: KeyRing) => void) | null;
}

export interface RetiredKeys {
  /** A path, for messages. */
  readonly name: string;
  /** Reads the retired keys, which open and never seal. @throws OlaError `persistence_unavailable` */
  read(): readonly MasterKey[];
}

/** All keys of a source, each once, retired keys last. @throws OlaError `persistence_unavailable` */
export function allKeys({ read, retired }: KeySource): KeyRing {
  const [first, ...others] = read();
  const behind = new Map([...others, ...(retired?.read() ?? [])].map((key) => [key.id, key]));
  behind.delete(first.id);
  return [first, ...behind.values()];
}

/** The place of the envelope of a stored secret. */
export function placeOfSecret(id: string): SealedAt {
  return { table: 'secrets', row: id, column: 'envelope' };
}

/** A stored secret, to which the configuration refers by id. */
export interface SealedSecret {
  readonly id: string;
  /** Scheme, host and port for which the secret was entered (`https://api.example.com`); it is sent nowhere else. Null when it is bound to none. */
  readonly origin: string | null;
  readonly hint: string;
  readonly envelope: string;
  readonly createdAt: number;
}
