/** Seals secrets with the master keys: AES-256-GCM, bound to the place they are stored in. Pure but for the random nonce. */
import { createCipheriv, createDecipheriv, createHash, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { OlaError } from '../core/errors.ts';
import type { KeyRing, MasterKey, SealedAt, Vault } from '../core/vault.ts';

const algorithm = 'aes-256-gcm';
const version = 'v1';
const keyBytes = 32;
/** 96 bits, drawn at random: good for 2^32 secrets a key (NIST SP 800-38D, 8.3). */
const nonceBytes = 12;
/** Given to the cipher and checked by length: an implementation that takes a shorter tag can be forged against. */
const tagBytes = 16;

interface Envelope {
  readonly keyId: string;
  readonly nonce: Buffer;
  readonly ciphertext: Buffer;
  readonly tag: Buffer;
}

/** A vault over a key ring: the first key seals, all open. */
export function createVault(given: KeyRing): Vault {
  let keys = keysOf(given);
  return {
    seal: (secret, at) => seal(keys.writer, secret, at),
    open(text, at) {
      const envelope = parseEnvelope(text);
      if (envelope === null) throw unreadable('is damaged: enter it again');
      const key = keys.byId.get(envelope.keyId);
      if (key === undefined)
        throw unreadable(
          `was sealed with master key ${envelope.keyId}, which is not there: bring that key back, or enter the secret again`,
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

/** A new master key. */
export function makeKey(): MasterKey {
  return keyOf(randomBytes(keyBytes));
}

/**
 * Reads master keys: 32 bytes each, base64 (also base64url) or 64 hex digits, separated by whitespace or commas. The
 * first one writes. A key named twice counts once.
 * @throws OlaError `persistence_unavailable`, saying which key is wrong by its place, never by its text
 */
export function parseKeys(text: string): KeyRing {
  const keys = new Map<string, MasterKey>();
  const words = text.split(/[\s,]+/).filter((word) => word !== '');
  for (const [index, word] of words.entries()) {
    const key = parseKey(word);
    if (key === null)
      throw unusableKey(`key ${index + 1} is not 32 bytes in base64 or hex; make one with: openssl rand -base64 32`);
    if (key.bytes.every((byte) => byte === key.bytes[0]))
      throw unusableKey(`key ${index + 1} is one byte repeated, not a secret`);
    keys.set(key.id, key);
  }
  const [first, ...rest] = keys.values();
  if (first === undefined) throw unusableKey('it is empty; make one with: openssl rand -base64 32');
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
    throw unreadable('is damaged or was moved from another place: enter it again', cause);
  }
}

/** `ola|v1|table|row|column`; with the separator inside a part, two places could be one. */
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

/** Base64url in its one spelling; Buffer would skip foreign characters and ignore the spare bits of the last one. */
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
