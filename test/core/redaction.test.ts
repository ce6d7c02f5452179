import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { createRedactor, hint } from '../../src/core/redaction.ts';

describe('a hint', () => {
  const table: readonly [secret: string, hint: string][] = [
    ['sk-1234567890abcd', 'sk-****abcd'],
    ['sk-proj-1234567890abcd', 'sk-proj-****abcd'],
    ['sk-ant-1234567890abcd', 'sk-ant-****abcd'],
    ['sk-or-1234567890abcd', 'sk-or-****abcd'],
    ['ghp_1234567890abcd', 'ghp_****abcd'],
    ['gsk_1234567890abcd', 'gsk_****abcd'],
    ['xai-1234567890abcd', 'xai-****abcd'],
    ['AIza1234567890abcd', 'AIza****abcd'],
    ['tok-1234567890abcd', 'tok-****abcd'],
    ['abcdefghijkl', '****ijkl'],
    ['abcdefghijk', '****'],
    ['sk-12345678', '****'],
    ['sk-1', '****'],
    ['', '****'],
  ];
  for (const [secret, expected] of table) {
    test(`of ${secret.length} characters, ${secret.slice(0, 4)}..., is ${expected}`, () => expect(hint(secret)).toBe(expected));
  }

  test('shows no more than a known prefix and four characters, and not how long the secret is', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 12, maxLength: 80 }), (secret) => {
        const [prefix = '', last = ''] = hint(secret).split(/\*{4}(.*)$/s);
        expect(secret.startsWith(prefix)).toBe(true);
        expect(prefix.length).toBeLessThanOrEqual(8);
        expect(last).toBe(secret.slice(-4));
      }),
    );
  });
});

describe('the redactor', () => {
  const bare = createRedactor(() => []);
  const shapes = [
    ...[
      'ola_0123456789abcdefghijABCDEFGHIJ',
      'sk-0123456789abcdef',
      'sk-proj-abc_DEF-0123456789',
      'sk-ant-api03-0123456789abcdef',
    ],
    ...['ghp_0123456789abcdef', 'gho_0123456789abcdef', 'gsk_0123456789abcdef', 'xai-0123456789abcdef'],
    ...['AIzaSyA0123456789_abcdefghij', 'zai_0123456789abcdef', 'Bearer abcdefgh12345678', 'bearer   a.b~c+d/e=f-g_h'],
  ];
  for (const shape of shapes) {
    test(`cuts out what looks like ${shape.slice(0, 8)}..., wherever it stands`, () => {
      for (const line of [shape, `key ${shape}.`, `"${shape}"`, `key=${shape}&x=1`, `(${shape})`, `a\n${shape}\nb`]) {
        const clean = bare(line);
        expect(clean).toContain('[REDACTED]');
        expect(clean).not.toContain(shape.slice(-8));
      }
    });
  }

  test('leaves words alone', () => {
    for (const line of [
      'the task-list is sk-short',
      'Bearer of news',
      'ola_****abcd',
      'model gpt-5 said risk-assessment-of-the-year',
    ]) {
      expect(bare(line)).toBe(line);
    }
  });

  test('cuts out every secret that is held, all times it stands there', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 6 }), { maxLength: 4 }), fc.string(), (secrets, around) => {
        fc.pre(!secrets.some((secret) => '[REDACTED]'.includes(secret)));
        const [first] = secrets;
        fc.pre(first !== undefined);
        const clean = createRedactor(() => [first])(`${around}${first}-${first}`);
        expect(clean).not.toContain(`${first}-${first}`);
        expect(clean.endsWith('[REDACTED]')).toBe(true);
      }),
    );
  });

  test('knows the secrets of the moment', () => {
    const held: string[] = [];
    const redact = createRedactor(() => held);
    expect(redact('correct horse')).toBe('correct horse');
    held.push('correct horse');
    expect(redact('a correct horse')).toBe('a [REDACTED]');
  });

  test('does not take a secret of a few characters for every such word', () => {
    expect(createRedactor(() => ['a', '', '12345'])('a 12345 b')).toBe('a 12345 b');
  });
});

describe('a secret that the process holds leaves nothing behind', () => {
  const cases: readonly [what: string, secrets: readonly string[], text: string][] = [
    ['when its beginning looks like a key', ['sk-abcdefghijklmnop.the-rest'], 'key sk-abcdefghijklmnop.the-rest refused'],
    ['when it follows Bearer with characters that no shape knows', ['abcdefgh$the-rest'], 'Bearer abcdefgh$the-rest'],
    ['when another one is its beginning', ['abcdefgh', 'abcdefgh-the-rest'], 'key abcdefgh-the-rest refused'],
    ['when a line of the log is JSON', ['abc"the-rest\\x'], JSON.stringify({ message: 'key abc"the-rest\\x refused' })],
  ];
  for (const [what, secrets, text] of cases) {
    test(what, () => {
      const clean = createRedactor(() => secrets)(text);
      expect(clean).toContain('[REDACTED]');
      expect(clean).not.toContain('the-rest');
    });
  }
});
