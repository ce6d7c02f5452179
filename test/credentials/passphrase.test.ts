import { describe, expect, test } from 'bun:test';
import { openWithPassphrase, sealWithPassphrase } from '../../src/credentials/passphrase.ts';

const words = 'café au lait';
/** Made by Python's hashlib.scrypt and the cryptography package; cheap, so that it can be opened often. */
const vector = {
  format: 'ola-sealed',
  version: 1,
  kdf: { name: 'scrypt', N: 1024, r: 8, p: 1 },
  salt: 'AAECAwQFBgcICQoLDA0ODw',
  nonce: 'EBESExQVFhcYGRob',
  data: 'LlgzpdH2JfW2c-3D8OHqxebBSBoUu3C9z_OetB61wbqz7w',
};
const plaintext = '{"a":"sk-test-é"}';

const refusal = (what: string) => expect.objectContaining({ code: 'invalid_field', message: expect.stringContaining(what) });
const refused = (sealed: unknown, what: string, passphrase = words) =>
  expect(openWithPassphrase(sealed, passphrase)).rejects.toThrow(refusal(what));
const wrong = 'The passphrase is wrong, or the encrypted data is damaged';

/** Every copy with one bit of the bytes turned. */
function flips(text: string): string[] {
  const bytes = Buffer.from(text, 'base64url');
  return Array.from({ length: bytes.length * 8 }, (_, bit) => {
    const copy = Buffer.from(bytes);
    copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    return copy.toString('base64url');
  });
}

describe('text sealed to a passphrase', () => {
  test('opens the vector of another implementation', async () => {
    expect(await openWithPassphrase(vector, words)).toBe(plaintext);
  });

  test('opens again, at a cost that slows guessing, and shows nothing', async () => {
    const [one, other] = await Promise.all([sealWithPassphrase(plaintext, words), sealWithPassphrase(plaintext, words)]);
    expect(one.kdf).toEqual({ name: 'scrypt', N: 2 ** 17, r: 8, p: 1 });
    expect(one.salt).not.toBe(other.salt);
    expect(one.nonce).not.toBe(other.nonce);
    expect(JSON.stringify(one)).not.toContain('sk-test');
    expect(await openWithPassphrase(JSON.parse(JSON.stringify(one)), words)).toBe(plaintext);
  });

  test('opens with the same words from another keyboard: composed and decomposed letters are one', async () => {
    expect(await openWithPassphrase(vector, words.normalize('NFD'))).toBe(plaintext);
  });

  test('opens with no other passphrase, and does not say what is wrong with it', async () => {
    for (const other of ['', 'cafe au lait', `${words} `, words.toUpperCase()]) {
      const error: unknown = await openWithPassphrase(vector, other).catch((thrown: unknown) => thrown);
      expect(error).toEqual(refusal(wrong));
      expect(JSON.stringify(error)).not.toContain('sk-test');
      if (other !== '') expect(String(error)).not.toContain(other);
    }
  });

  test('does not open with any bit of it turned, or with another cost', async () => {
    for (const salt of flips(vector.salt)) await refused({ ...vector, salt }, wrong);
    for (const nonce of flips(vector.nonce)) await refused({ ...vector, nonce }, wrong);
    for (const data of flips(vector.data)) await refused({ ...vector, data }, wrong);
    for (const change of [{ N: 2048 }, { r: 4 }, { p: 2 }]) {
      await refused({ ...vector, kdf: { ...vector.kdf, ...change } }, wrong);
    }
  });

  test('does not open when it was cut, lengthened or is of another kind', async () => {
    const cut = { ...vector, data: vector.data.slice(0, 16) };
    for (const damaged of [cut, { ...vector, salt: `${vector.salt}AA` }, { ...vector, nonce: '' }, { ...vector, data: 7 }]) {
      await refused(damaged, 'damaged');
    }
    for (const damaged of [
      { ...vector, data: `${vector.data}=` },
      { ...vector, kdf: null },
      { ...vector, kdf: { N: 2 } },
    ]) {
      await refused(damaged, 'damaged');
    }
    for (const other of [null, 'text', [], {}, { ...vector, format: 'age' }]) await refused(other, 'was not encrypted by ola');
    await refused({ ...vector, version: 2 }, 'another version');
  });

  test('may not ask for more work than ola itself would do', async () => {
    const costs = [{ N: 2 ** 30 }, { N: 2 ** 18, r: 16 }, { r: 2 ** 20 }, { p: 5 }, { N: 1000 }, { N: 1 }, { p: 2 ** 40 }];
    for (const change of costs) await refused({ ...vector, kdf: { ...vector.kdf, ...change } }, 'needs more work');
    for (const change of [{ N: -2 }, { r: 0.5 }, { p: '1' }, { N: Number.NaN }]) {
      await refused({ ...vector, kdf: { ...vector.kdf, ...change } }, 'damaged');
    }
  });

  test('is not made with a short passphrase; letters of two units count once', async () => {
    for (const short of ['', 'seven77', '🔑🔑🔑🔑🔑🔑🔑']) {
      await expect(sealWithPassphrase(plaintext, short)).rejects.toThrow(refusal('8 characters'));
    }
  });
});
