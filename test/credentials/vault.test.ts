import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { KeyRing, SealedAt } from '../../src/core/vault.ts';
import { createVault, parseKeys } from '../../src/credentials/vault.ts';

const hex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'));
const hexKey = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';
const ring = parseKeys(hexKey);
const otherRing = parseKeys('ff'.repeat(16) + '01'.repeat(16));
const vault = createVault(ring);
const at: SealedAt = { table: 'auth_profiles', row: 'prof_01', column: 'secret' };
const refusal = expect.objectContaining({ code: 'persistence_unavailable' });

// The published vector: key 00..1f, nonce 10..1b, AAD `ola|v1|auth_profiles|prof_01|secret`.
const vector = {
  plaintext: 'sk-test-0123456789abcdef',
  envelope: [
    'v1',
    '630dcd29',
    Buffer.from('101112131415161718191a1b', 'hex').toString('base64url'),
    Buffer.from('0e95b5622cba4e9efa443a2e3b4c5f64ef692f6c78a632d7ff19e1aab78f277868eee068317555e1', 'hex').toString('base64url'),
  ].join('.'),
};

const part = fc.string({ maxLength: 20 }).map((text) => text.replaceAll('|', '/'));
const place: fc.Arbitrary<SealedAt> = fc.record({ table: part, row: part, column: part });
const secret = fc.string({ unit: 'grapheme', maxLength: 200 });

describe('the vault', () => {
  test('opens the published vector', () => {
    expect(vault.open(vector.envelope, at)).toBe(vector.plaintext);
  });

  test('gives back what it sealed, in an envelope that shows the key and nothing of the secret', () => {
    fc.assert(
      fc.property(secret, place, (text, where) => {
        const envelope = vault.seal(text, where);
        expect(envelope).toMatch(/^v1\.630dcd29\.[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]{22,}$/);
        expect(vault.open(envelope, where)).toBe(text);
      }),
    );
  });

  test('refuses an envelope with any bit of its bytes flipped', () => {
    const [mark, keyId, nonce = '', sealed = ''] = vector.envelope.split('.');
    const flips = (text: string) => {
      const bytes = Buffer.from(text, 'base64url');
      return Array.from({ length: bytes.length * 8 }, (_, bit) => {
        const copy = Buffer.from(bytes);
        copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
        return copy.toString('base64url');
      });
    };
    const flipped = [...flips(nonce).map((text) => [text, sealed]), ...flips(sealed).map((text) => [nonce, text])];
    expect(flipped).toHaveLength((12 + 24 + 16) * 8);
    for (const [n, s] of flipped) expect(() => vault.open([mark, keyId, n, s].join('.'), at)).toThrow(refusal);
  });

  test('refuses an envelope with any bit of its text flipped, the spare bits of base64 too', () => {
    for (const envelope of [vector.envelope, vault.seal('a', at)]) {
      for (let bit = 0; bit < envelope.length * 8; bit++) {
        const text = Buffer.from(envelope);
        text.writeUInt8(text.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
        expect(() => vault.open(text.toString('latin1'), at)).toThrow(refusal);
      }
    }
  });

  test('refuses an envelope in any other place', () => {
    fc.assert(
      fc.property(secret, place, place, (text, from, to) => {
        fc.pre(from.table !== to.table || from.row !== to.row || from.column !== to.column);
        const envelope = vault.seal(text, from);
        expect(() => vault.open(envelope, to)).toThrow(refusal);
      }),
    );
    for (const moved of [{ table: 'x' }, { row: 'prof_02' }, { column: 'key' }]) {
      expect(() => vault.open(vector.envelope, { ...at, ...moved })).toThrow(refusal);
    }
  });

  test('has no place with the separator in it: two places cannot be one', () => {
    expect(() => vault.seal('x', { ...at, row: 'a|b' })).toThrow(expect.objectContaining({ code: 'internal_error' }));
  });

  test('refuses text that is no envelope: short tags, other versions, missing and extra parts, plaintext', () => {
    const [mark, keyId, nonce = '', sealed = ''] = vector.envelope.split('.');
    const shortTag = Buffer.from(sealed, 'base64url').subarray(0, 4).toString('base64url');
    const texts = [
      ...['', 'sk-test-0123456789abcdef', '....', `v2.${keyId}.${nonce}.${sealed}`, `${mark}.${keyId}.${nonce}`],
      ...[`${vector.envelope}.x`, `${vector.envelope}=`, `${mark}.${keyId}..${sealed}`, `${mark}.${keyId}.${nonce}.${shortTag}`],
    ];
    for (const text of texts) {
      expect(() => vault.open(text, at)).toThrow(refusal);
      expect(vault.canOpen(text)).toBe(false);
    }
  });

  test('never uses a nonce twice', () => {
    const nonces = new Set(Array.from({ length: 20_000 }, () => vault.seal('', at).split('.')[2]));
    expect(nonces.size).toBe(20_000);
  });

  test('does not tell the secret in an error', () => {
    const attempt = () => createVault(otherRing).open(vector.envelope, at);
    expect(attempt).toThrow(expect.objectContaining({ message: expect.stringContaining('630dcd29') }));
    expect(attempt).not.toThrow(vector.plaintext);
  });
});

describe('a ring of several keys', () => {
  const both = createVault([...otherRing, ...ring] as unknown as KeyRing);

  test('seals with the first and opens with all', () => {
    expect(both.seal('new', at).split('.')[1]).toBe(otherRing[0].id);
    expect(both.open(vector.envelope, at)).toBe(vector.plaintext);
  });

  test('knows what it cannot open', () => {
    expect(both.canOpen(vector.envelope)).toBe(true);
    expect(createVault(otherRing).canOpen(vector.envelope)).toBe(false);
    expect(() => createVault(otherRing).open(vector.envelope, at)).toThrow(refusal);
  });
});

describe('key text', () => {
  const base64 = Buffer.from(hexKey, 'hex').toString('base64');

  test('is hex, base64 or base64url; all are the same key, and its id is of its SHA-256', () => {
    for (const text of [
      hexKey,
      hexKey.toUpperCase(),
      base64,
      base64.replace('=', ''),
      Buffer.from(hexKey, 'hex').toString('base64url'),
    ]) {
      const [key, ...rest] = parseKeys(` ${text}\n`);
      expect(key.id).toBe('630dcd29');
      expect(Buffer.from(key.bytes).equals(hex(hexKey))).toBe(true);
      expect(rest).toEqual([]);
    }
  });

  test('holds several keys in their order, apart by commas or white space, twins once', () => {
    const second = Buffer.from(otherRing[0].bytes).toString('base64');
    const ids = parseKeys(`${second},${hexKey}\r\n\t${base64}, ${second}`).map(({ id }) => id);
    expect(ids).toEqual([otherRing[0].id, '630dcd29']);
  });

  test('is refused when a key is short, long, empty, foreign or one byte repeated; the text is not in the error', () => {
    const bad = [
      '',
      ' ,\n',
      hexKey.slice(2),
      `${hexKey}00`,
      `${base64.slice(0, -2)}!=`,
      'hunter2',
      '00'.repeat(32),
      'ab'.repeat(32),
    ];
    for (const text of bad) {
      expect(() => parseKeys(text)).toThrow(refusal);
      if (text.trim().length > 2) expect(() => parseKeys(text)).not.toThrow(text);
      if (text.trim().length > 2) expect(() => parseKeys(`${hexKey} ${text}`)).toThrow(refusal);
    }
  });
});
