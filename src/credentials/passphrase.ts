/** Text sealed to a passphrase, for a file that leaves this machine: the key is made by scrypt, the seal is AES-256-GCM. */
import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import { OlaError } from '../core/errors.ts';
import { isObject } from '../core/json.ts';

const format = 'ola-sealed';
const version = 1;
const algorithm = 'aes-256-gcm';
const keyBytes = 32;
const saltBytes = 16;
const nonceBytes = 12;
/** Checked by length: an implementation that takes a shorter tag can be forged against. */
const tagBytes = 16;
/** 128 MiB and some tenths of a second a guess (OWASP Password Storage: N=2^17, r=8, p=1). */
const cost: ScryptCost = { name: 'scrypt', N: 2 ** 17, r: 8, p: 1 };
/** What a file may ask of the machine that opens it. */
const mostMemory = 256 * 1024 * 1024;
const mostPasses = 4;
/** Characters of a passphrase. */
const shortest = 8;

interface ScryptCost {
  readonly name: 'scrypt';
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

/** Fit for JSON; bytes in base64url, the tag behind the ciphertext. */
export interface SealedText {
  readonly format: typeof format;
  readonly version: typeof version;
  readonly kdf: ScryptCost;
  readonly salt: string;
  readonly nonce: string;
  readonly data: string;
}

type Header = Omit<SealedText, 'data'>;

/** Whether text may be sealed to it. @throws OlaError `invalid_field` when it is too short */
export function checkNewPassphrase(passphrase: string): void {
  if ([...passphrase].length >= shortest) return;
  throw new OlaError('invalid_field', `The passphrase is to have ${shortest} characters or more.`, { param: 'passphrase' });
}

/** @throws OlaError as `checkNewPassphrase` */
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
 * @param sealed what `sealWithPassphrase` gave, as it came back from wherever it was
 * @throws OlaError `invalid_field`: it is not of this kind, or the passphrase is wrong or it is damaged, which cannot be
 *   told apart
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
    const message = 'It does not open: the passphrase is wrong, or what was sealed is damaged. Try again, or take another copy.';
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
  if (!isObject(sealed) || sealed['format'] !== format) throw unusable('is not something that ola has sealed to a passphrase');
  if (sealed['version'] !== version) throw unusable('was sealed by another version of ola: open it with that one');
  const { kdf, salt: saltText, nonce: nonceText, data: dataText } = sealed;
  const salt = decodeExactly(saltText);
  const nonce = decodeExactly(nonceText);
  const data = decodeExactly(dataText);
  if (salt?.length !== saltBytes || nonce?.length !== nonceBytes || data === null || data.length < tagBytes) {
    throw unusable('is damaged: take another copy');
  }
  const header: Header = { format, version, kdf: readCost(kdf), salt: String(saltText), nonce: String(nonceText) };
  return { header, salt, nonce, data };
}

/** The file says what it takes to open it; it may not ask for more than this machine would give. */
function readCost(kdf: unknown): ScryptCost {
  const { name, N, r, p } = isObject(kdf) ? kdf : {};
  if (name !== 'scrypt' || !isCount(N) || !isCount(r) || !isCount(p)) throw unusable('is damaged: take another copy');
  const isPower = N >= 2 && Number.isInteger(Math.log2(N));
  if (!isPower || 128 * N * r > mostMemory || p > mostPasses) {
    throw unusable('asks for more work to open it than ola does; it was not made by ola, or it is damaged');
  }
  return { name, N, r, p };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 1;
}

/** Everything that is read before the seal is checked, in one order. */
function associatedData({ kdf: { name, N, r, p }, salt, nonce }: Header): Buffer {
  return Buffer.from(JSON.stringify([format, version, name, N, r, p, salt, nonce]));
}

/** In one form, so that the same words open it whichever keyboard they are typed on (RFC 8265, 4.2). */
function derive(passphrase: string, salt: Buffer, { N, r, p }: ScryptCost): Promise<Buffer> {
  // More than the memory of the work itself: implementations count some besides.
  const maxmem = 256 * N * r;
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize('NFC'), salt, keyBytes, { N, r, p, maxmem }, (cause, key) => {
      // Bun gives undefined where Node gives null.
      if (!(cause instanceof Error)) resolve(key);
      else reject(new OlaError('internal_error', 'No key could be made of the passphrase.', { cause }));
    });
  });
}

/** Base64url in its one spelling; null for anything else. */
function decodeExactly(text: unknown): Buffer | null {
  if (typeof text !== 'string') return null;
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : null;
}

function unusable(what: string): OlaError {
  return new OlaError('invalid_field', `What is to be opened ${what}.`, { param: 'sealed' });
}
