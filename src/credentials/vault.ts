/** Seals secrets with the master keys. AES-256-GCM binds each secret to the place where it is stored. Pure except for the random nonce. */
import { createCipheriv, createDecipheriv, createHash, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { OlaError } from '../core/errors.ts';
import type { KeyRing, MasterKey, SealedAt, Vault } from '../core/vault.ts';

const algorithm = 'aes-256-gcm';
const version = 'v1';
const keyBytes = 32;
/** Length of the nonce. 96 random bits are safe for 2^32 secrets per key (NIST SP 800-38D, 8.3). */
const nonceBytes = 12;
/** Length of the tag. The cipher is told the length and checks it, because a shorter tag can be forged. */
const tagBytes = 16;

interface Envelope {
  readonly keyId: string;
  readonly nonce: Buffer;
  readonly ciphertext: Buffer;
  readonly tag: Buffer;
}

/** Creates a vault over a key ring. The first key seals; every key opens. */
export function createVault(given: KeyRing): Vault {
  let keys = keysOf(given);
  return {
    seal: (secret, at) => seal(keys.writer, secret, at),
    open(text, at) {
      const envelope = parseEnvelope(text);
      if (envelope === null) throw unreadable('is damaged. Enter it again');
      const key = keys.byId.get(envelope.keyId);
      if (key === undefined)
        throw unreadable(
          `was encrypted with master key ${envelope.keyId}, which is missing. Put that key back, or enter the secret again`,
        );
      return open(key, envelope, at);
    },
    canOpen(text) {
      const envelope = parseEnvelope(text);
      return envelope !== null && keys.byId.has(envelope.keyId);
    },
    sealedBy: (text) => parseEnvelope(text)?.keyId ?? null,
    keyId: () => keys.writer.id,
    takeRing: (ring) => {
      keys = keysOf(ring);
    },
  };
}

interface Keys {
  readonly byId: ReadonlyMap<string, KeyObject>;
  readonly writer: Writer;
}

interface Writer {
  readonly id: string;
  readonly key: KeyObject;
}

function keysOf(ring: KeyRing): Keys {
  return {
    byId: new Map(ring.map((key) => [key.id, createSecretKey(key.bytes)])),
    writer: { id: ring[0].id, key: createSecretKey(ring[0].bytes) },
  };
}

/** Creates a master key. */
export function makeKey(): MasterKey {
  return keyOf(randomBytes(keyBytes));
}

/**
 * Reads master keys of 32 bytes each, in base64, base64url or 64 hex digits, separated by white space or commas. The first
 * key seals. A repeated key counts once.
 * @throws OlaError `persistence_unavailable` that names a wrong key by its number, never by its text
 */
export function parseKeys(text: string): KeyRing {
  const keys = new Map<string, MasterKey>();
  const words = text.split(/[\s,]+/).filter((word) => word !== '');
  for (const [index, word] of words.entries()) {
    const key = parseKey(word);
    if (key === null)
      throw unusableKey(`key ${index + 1} is not 32 bytes in base64 or hex; create one with: openssl rand -base64 32`);
    if (key.bytes.every((byte) => byte === key.bytes[0]))
      throw unusableKey(`key ${index + 1} repeats one byte, so it is not secret`);
    keys.set(key.id, key);
  }
  const [first, ...rest] = keys.values();
  if (first === undefined) throw unusableKey('it is empty; create one with: openssl rand -base64 32');
  return [first, ...rest];
}

function parseKey(word: string): MasterKey | null {
  const bytes = /^[0-9a-f]{64}$/i.test(word) ? Buffer.from(word, 'hex') : decodeBase64(word);
  return bytes?.length === keyBytes ? keyOf(bytes) : null;
}

function keyOf(bytes: Uint8Array): MasterKey {
  return { id: createHash('sha256').update(bytes).digest('hex').slice(0, 8), bytes };
}

function decodeBase64(word: string): Buffer | null {
  return /^[A-Za-z0-9+/_-]{43}=?$/.test(word) ? Buffer.from(word, 'base64') : null;
}

function seal(writer: Writer, secret: string, at: SealedAt): string {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, writer.key, nonce, { authTagLength: tagBytes });
  cipher.setAAD(associatedData(at));
  const sealed = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return [version, writer.id, nonce.toString('base64url'), sealed.toString('base64url')].join('.');
}

function open(key: KeyObject, envelope: Envelope, at: SealedAt): string {
  const data = associatedData(at);
  try {
    const decipher = createDecipheriv(algorithm, key, envelope.nonce, { authTagLength: tagBytes });
    decipher.setAAD(data);
    decipher.setAuthTag(envelope.tag);
    return Buffer.concat([decipher.update(envelope.ciphertext), decipher.final()]).toString('utf8');
  } catch (cause) {
    throw unreadable('is damaged, or was moved from another place. Enter it again', cause);
  }
}

/** `ola|v1|table|row|column`. A part must not contain the separator, or two places could have the same text. */
function associatedData({ table, row, column }: SealedAt): Buffer {
  for (const part of [table, row, column]) {
    if (part.includes('|')) throw new OlaError('internal_error', 'A place of a sealed secret may not contain "|".');
  }
  return Buffer.from(`ola|${version}|${table}|${row}|${column}`);
}

function parseEnvelope(text: string): Envelope | null {
  const [mark, keyId, nonceText, sealedText, ...rest] = text.split('.');
  if (mark !== version || keyId === undefined || nonceText === undefined || sealedText === undefined || rest.length > 0)
    return null;
  const nonce = decodeExactly(nonceText);
  const sealed = decodeExactly(sealedText);
  if (nonce?.length !== nonceBytes || sealed === null || sealed.length < tagBytes) return null;
  const end = sealed.length - tagBytes;
  return { keyId, nonce, ciphertext: sealed.subarray(0, end), tag: sealed.subarray(end) };
}

/** Decodes base64url in its canonical form only. Buffer would skip foreign characters and ignore the spare bits of the last one. */
function decodeExactly(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : null;
}

function unreadable(what: string, cause?: unknown): OlaError {
  return new OlaError('persistence_unavailable', `A stored secret ${what}.`, { cause });
}

function unusableKey(what: string): OlaError {
  return new OlaError('persistence_unavailable', `${what}.`);
}
