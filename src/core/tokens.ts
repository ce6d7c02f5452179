/**
 * Access tokens: their format, the request for a new one, their record and store.
 * A token is `ola_`, 43 base62 characters (256 bits) from a CSPRNG, and 6 base62 characters of CRC-32 over everything before.
 */
import { Type } from '@sinclair/typebox';
import { type Scope, scopes } from './access.ts';
import type { AuditEvent } from './audit.ts';

/** The body of the request for a new token. */
export const newTokenSchema = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 128, description: 'for people' }),
    scopes: Type.Optional(
      Type.Array(
        Type.Union(
          scopes.map((scope) => Type.Literal(scope)),
          { description: 'read, write or admin' },
        ),
        { minItems: 1, description: 'default read and write' },
      ),
    ),
    admin: Type.Optional(Type.Boolean({ description: 'all scopes' })),
    project: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
    expiresAt: Type.Optional(
      Type.Union([Type.String(), Type.Number(), Type.Null()], {
        description: 'ISO 8601 or milliseconds since 1970; null or `never`: never',
      }),
    ),
    expiresInDays: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 36_500, description: 'default 30' })),
  },
  // Unknown fields are refused: one of them may be a restriction, and ola could not enforce it.
  { additionalProperties: false },
);

export interface TokenRecord {
  readonly id: string;
  /** SHA-256 of the token in hex. The token itself is not stored. */
  readonly digest: string;
  /** `ola_****abcd`: enough to recognise the token, too little to use it. */
  readonly hint: string;
  readonly name: string;
  readonly owner: string | null;
  readonly project: string | null;
  readonly scopes: readonly Scope[];
  readonly enabled: boolean;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
  readonly lastUsedAt: number | null;
  readonly useCount: number;
}

/** Uses of one token since the last write. */
export interface TokenUse {
  readonly id: string;
  readonly count: number;
  readonly lastUsedAt: number;
}

export interface TokenStore {
  /** Every token including the revoked ones, oldest first. */
  list(): Promise<TokenRecord[]>;
  create(token: TokenRecord, event: AuditEvent): Promise<void>;
  /** @returns false when there is no such token, or it is already revoked */
  revoke(id: string, at: number, event: AuditEvent): Promise<boolean>;
  recordUse(uses: readonly TokenUse[]): Promise<void>;
}

export const tokenPrefix = 'ola_';
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const bodyLength = 43;
const checksumLength = 6;
const tokenShape = /^ola_[0-9A-Za-z]{49}$/;
/** Shorter and longer ones too: a token that was copied badly gives most of itself away. */
const tokenWithin = /(?<![0-9A-Za-z])ola_[0-9A-Za-z]{20,}/;

/**
 * Creates a token from random bytes. Bytes of 248 and more are dropped, so that every character is equally likely.
 * @param randomBytes a CSPRNG
 */
export function mintToken(randomBytes: (length: number) => Uint8Array): string {
  let body = '';
  while (body.length < bodyLength) {
    for (const byte of randomBytes(bodyLength)) {
      if (byte < 248 && body.length < bodyLength) body += alphabet[byte % 62];
    }
  }
  return withChecksum(body);
}

/** The complete token for 43 base62 characters. */
export function withChecksum(body: string): string {
  return tokenPrefix + body + checksum(tokenPrefix + body);
}

/** True when a string has the form of our tokens. Catches a typing error without a look-up. */
export function isTokenShaped(text: string): boolean {
  return tokenShape.test(text) && checksum(text.slice(0, -checksumLength)) === text.slice(-checksumLength);
}

/** True when a text is one of our tokens or has one in it (`Bearer ola_…`): it is never sent to a provider. */
export function holdsToken(text: string): boolean {
  return tokenWithin.test(text);
}

function checksum(text: string): string {
  let rest = crc32(text);
  let digits = '';
  for (let i = 0; i < checksumLength; i++) {
    digits = alphabet[rest % 62] + digits;
    rest = Math.floor(rest / 62);
  }
  return digits;
}

const crcTable = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});

/** CRC-32 (ISO 3309) of ASCII text. */
function crc32(text: string): number {
  let c = 0xffffffff;
  for (let i = 0; i < text.length; i++) c = (crcTable[(c ^ text.charCodeAt(i)) & 0xff] ?? 0) ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}
