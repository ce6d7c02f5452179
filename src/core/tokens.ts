/**
 * Access tokens: their format, what is asked for one, their record, their store.
 * Format: `ola_`, 43 base62 characters (256 bits) from a CSPRNG, 6 base62 characters of CRC-32 over all before it.
 */
import { Type } from '@sinclair/typebox';
import { type Scope, scopes } from './access.ts';
import type { AuditEvent } from './audit.ts';

/** The body that asks for a token. */
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
  // A restriction that is not understood would be a restriction that is not kept: refuse it.
  { additionalProperties: false },
);

export interface TokenRecord {
  readonly id: string;
  /** SHA-256 of the token, hex; the token itself is not kept. */
  readonly digest: string;
  /** `ola_****abcd`: enough to recognise, not to use. */
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
  /** Every token, revoked ones too, oldest first. */
  list(): Promise<TokenRecord[]>;
  create(token: TokenRecord, event: AuditEvent): Promise<void>;
  /** @returns false when there is no such token or it is revoked already */
  revoke(id: string, at: number, event: AuditEvent): Promise<boolean>;
  recordUse(uses: readonly TokenUse[]): Promise<void>;
}

export const tokenPrefix = 'ola_';
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const bodyLength = 43;
const checksumLength = 6;
const tokenShape = /^ola_[0-9A-Za-z]{49}$/;

/**
 * Makes a token from random bytes; bytes of 248 and more are dropped, so that every character is equally likely.
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

/** The whole token for 43 base62 characters. */
export function withChecksum(body: string): string {
  return tokenPrefix + body + checksum(tokenPrefix + body);
}

/** Whether a string could be one of our tokens: a typing error is caught here without a look-up. */
export function isTokenShaped(text: string): boolean {
  return tokenShape.test(text) && checksum(text.slice(0, -checksumLength)) === text.slice(-checksumLength);
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
