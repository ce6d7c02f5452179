/** Text sealed with a passphrase, for a file that leaves this machine: scrypt derives the key, AES-256-GCM seals the text. */
import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import { OlaError } from '../core/errors.ts';
import { isObject } from '../core/json.ts';
import { leastPassphrase } from '../core/vault.ts';

const format = 'ola-sealed';
const version = 1;
const algorithm = 'aes-256-gcm';
const keyBytes = 32;
const saltBytes = 16;
const nonceBytes = 12;
/** Length of the tag. It is checked, because a shorter tag can be forged. */
const tagBytes = 16;
/** Cost of one guess: 128 MiB and some tenths of a second (OWASP Password Storage: N=2^17, r=8, p=1). */
const cost: ScryptCost = { name: 'scrypt', N: 2 ** 17, r: 8, p: 1 };
/** Most memory that a file may require of the machine that opens it, in bytes. */
const maxMemory = 256 * 1024 * 1024;
/** Most passes that a file may require of that machine (scrypt's p). */
const maxPasses = 4;

interface ScryptCost {
  readonly name: 'scrypt';
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

/** A sealed text as JSON. Bytes are in base64url; `data` is the ciphertext followed by the tag. */
export interface SealedText {
  readonly format: typeof format;
  readonly version: typeof version;
  readonly kdf: ScryptCost;
  readonly salt: string;
  readonly nonce: string;
  readonly data: string;
}

type Header = Omit<SealedText, 'data'>;

/** Checks a passphrase before text is sealed with it. @throws OlaError `invalid_field` when it is too short */
export function checkNewPassphrase(passphrase: string): void {
  if ([...passphrase].length >= leastPassphrase) return;
  throw new OlaError('invalid_field', `Use a passphrase of at least ${leastPassphrase} characters.`, { param: 'passphrase' });
}

/** @throws OlaError as `checkNewPassphrase` does */
export async function sealWithPassphrase(text: string, passphrase: string): Promise<SealedText> {
  checkNewPassphrase(passphrase);
  const salt = randomBytes(saltBytes);
  const nonce = randomBytes(nonceBytes);
  const header: Header = {
    format,
    version,
    kdf: cost,
    salt: salt.toString('base64url'),
    nonce: nonce.toString('base64url'),
  };
  const cipher = createCipheriv(algorithm, await derive(passphrase, salt, cost), nonce, { authTagLength: tagBytes });
  cipher.setAAD(associatedData(header));
  const data = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return { ...header, data: data.toString('base64url') };
}

/**
 * @param sealed the result of `sealWithPassphrase`, from an untrusted file
 * @throws OlaError `invalid_field` when it has another form, when the passphrase is wrong or when it is damaged; the last
 *   two cannot be told apart
 */
export async function openWithPassphrase(sealed: unknown, passphrase: string): Promise<string> {
  const { header, salt, nonce, data } = read(sealed);
  const key = await derive(passphrase, salt, header.kdf);
  const end = data.length - tagBytes;
  try {
    const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: tagBytes });
    decipher.setAAD(associatedData(header));
    decipher.setAuthTag(data.subarray(end));
    return Buffer.concat([decipher.update(data.subarray(0, end)), decipher.final()]).toString('utf8');
  } catch (cause) {
    const message = 'The passphrase is wrong, or the encrypted data is damaged. Try again, or use another copy.';
    throw new OlaError('invalid_field', message, { param: 'passphrase', cause });
  }
}

interface Parts {
  readonly header: Header;
  readonly salt: Buffer;
  readonly nonce: Buffer;
  readonly data: Buffer;
}

/** @throws OlaError `invalid_field` */
function read(sealed: unknown): Parts {
  if (!isObject(sealed) || sealed['format'] !== format) throw unusable('was not encrypted by ola');
  if (sealed['version'] !== version) throw unusable('was encrypted by another version of ola; open it with that version');
  const { kdf, salt: saltText, nonce: nonceText, data: dataText } = sealed;
  const salt = decodeExactly(saltText);
  const nonce = decodeExactly(nonceText);
  const data = decodeExactly(dataText);
  if (salt?.length !== saltBytes || nonce?.length !== nonceBytes || data === null || data.length < tagBytes) {
    throw unusable('is damaged; use another copy');
  }
  const header: Header = { format, version, kdf: readCost(kdf), salt: String(saltText), nonce: String(nonceText) };
  return { header, salt, nonce, data };
}

/** Reads the cost from the file, and refuses one that would use too much of this machine. */
function readCost(kdf: unknown): ScryptCost {
  const { name, N, r, p } = isObject(kdf) ? kdf : {};
  if (name !== 'scrypt' || !isCount(N) || !isCount(r) || !isCount(p)) throw unusable('is damaged; use another copy');
  const isPower = N >= 2 && Number.isInteger(Math.log2(N));
  if (!isPower || 128 * N * r > maxMemory || p > maxPasses) {
    throw unusable('needs more work to open than data encrypted by ola; it was not made by ola, or it is damaged');
  }
  return { name, N, r, p };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 1;
}

/** The fields that are read before the seal is checked, in a fixed order. */
function associatedData({ kdf: { name, N, r, p }, salt, nonce }: Header): Buffer {
  return Buffer.from(JSON.stringify([format, version, name, N, r, p, salt, nonce]));
}

/** Derives the key. The passphrase is normalised, so that it is the same from every keyboard (RFC 8265, 4.2). */
function derive(passphrase: string, salt: Buffer, { N, r, p }: ScryptCost): Promise<Buffer> {
  // Twice the memory of the work itself, because implementations count some more.
  const maxmem = 256 * N * r;
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize('NFC'), salt, keyBytes, { N, r, p, maxmem }, (cause, key) => {
      // Bun gives undefined where Node gives null.
      if (!(cause instanceof Error)) resolve(key);
      else reject(new OlaError('internal_error', 'No key could be derived from the passphrase.', { cause }));
    });
  });
}

/** Decodes base64url in its canonical form. @returns null for anything else */
function decodeExactly(text: unknown): Buffer | null {
  if (typeof text !== 'string') return null;
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : null;
}

function unusable(what: string): OlaError {
  return new OlaError('invalid_field', `The encrypted data ${what}.`, { param: 'sealed' });
}
