import { describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { isTokenShaped, mintToken, withChecksum } from '../../src/core/tokens.ts';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Bytes that look random and are the same each time: SHA-256 of a counter. */
function steadyBytes(): (length: number) => Uint8Array {
  let block = 0;
  return (length) => {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at += 32) {
      bytes.set(
        createHash('sha256')
          .update(String(block++))
          .digest()
          .subarray(0, length - at),
        at,
      );
    }
    return bytes;
  };
}

const body = fc.string({ unit: fc.constantFrom(...alphabet), minLength: 43, maxLength: 43 });

describe('a token', () => {
  const vectors: readonly [body: string, checksum: string, digest: string][] = [
    ['0'.repeat(43), '09NjZi', '0a7be4061bee545298803334e017b49f80c01ab55d1eb1eff8df434c524b9562'],
    ['A'.repeat(43), '2GwG4J', 'c823229787bb9793c72d03cbf8769b85f331b8cfb267536960429239beb3e802'],
    ['z'.repeat(43), '1xjmuR', '6d5c02e57b596d71c0d4465a4c1a50d171393b3ad9d501de1af2a04b85628d34'],
    ['abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG', '3oODgM', '4a5f7e79bce347b429fe80041b9b6554e9a1231fc990aa7a2cfad7c8de0e0f73'],
  ];
  for (const [text, checksum, digest] of vectors) {
    test(`of ${text.slice(0, 6)}... ends in ${checksum}`, () => {
      const token = withChecksum(text);
      expect(token).toBe(`ola_${text}${checksum}`);
      expect(createHash('sha256').update(token).digest('hex')).toBe(digest);
      expect(isTokenShaped(token)).toBe(true);
    });
  }

  test('has 53 characters and fits its own check', () => {
    const bytes = steadyBytes();
    for (let i = 0; i < 100; i++) {
      const token = mintToken(bytes);
      expect(token).toMatch(/^ola_[0-9A-Za-z]{49}$/);
      expect(isTokenShaped(token)).toBe(true);
    }
  });

  test('is made of characters that are all equally likely', () => {
    const bytes = steadyBytes();
    const counts = new Map<string, number>();
    const tokens = 2000;
    for (let i = 0; i < tokens; i++) {
      for (const character of mintToken(bytes).slice(4, 47)) counts.set(character, (counts.get(character) ?? 0) + 1);
    }
    const expected = (tokens * 43) / alphabet.length;
    const chiSquare = [...alphabet].reduce(
      (sum, character) => sum + ((counts.get(character) ?? 0) - expected) ** 2 / expected,
      0,
    );
    // 61 degrees of freedom: above 110 with a probability below 0.0002; taking the bytes modulo 62 gives over 500.
    expect(chiSquare).toBeLessThan(110);
  });

  test('is made even when most random bytes must be dropped', () => {
    let calls = 0;
    const token = mintToken((length) => new Uint8Array(length).fill(calls++ % 4 === 3 ? 5 : 255));
    expect(token.slice(4, 47)).toBe('5'.repeat(43));
  });
});

describe('what is not a token is refused without a look-up', () => {
  test('any one character changed, left out or doubled', () => {
    fc.assert(
      fc.property(body, fc.nat(52), fc.constantFrom(...alphabet), (text, at, other) => {
        const token = withChecksum(text);
        fc.pre(token[at] !== other);
        expect(isTokenShaped(token.slice(0, at) + other + token.slice(at + 1))).toBe(false);
        expect(isTokenShaped(token.slice(0, at) + token.slice(at + 1))).toBe(false);
        expect(isTokenShaped(token.slice(0, at) + other + token.slice(at))).toBe(false);
      }),
    );
  });

  test('two neighbours swapped', () => {
    fc.assert(
      fc.property(body, fc.integer({ min: 4, max: 51 }), (text, at) => {
        const token = withChecksum(text);
        const [a, b] = [token.charAt(at), token.charAt(at + 1)];
        fc.pre(a !== b);
        expect(isTokenShaped(token.slice(0, at) + b + a + token.slice(at + 2))).toBe(false);
      }),
    );
  });

  test('another prefix, another case, white space, other characters, anything else', () => {
    const token = withChecksum('A'.repeat(43));
    const others = [
      ...['', 'ola_', 'sk-1234567890', token.replace('ola_', 'OLA_'), token.replace('ola_', ''), token.toLowerCase()],
      ...[` ${token}`, `${token} `, `${token}\n`, token.replace('A', '-'), token.replace('A', 'Ａ'), `${token}${token}`],
    ];
    for (const text of others) expect(isTokenShaped(text)).toBe(false);
    const rightlySummed = ['', 'A', '-'.repeat(43), 'é'.repeat(43), 'A'.repeat(44)].map(withChecksum);
    for (const text of rightlySummed) expect(isTokenShaped(text)).toBe(false);
    fc.assert(fc.property(fc.string(), (text) => expect(isTokenShaped(text)).toBe(false)));
  });
});
