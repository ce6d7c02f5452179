import { expect, test } from 'bun:test';
import { isTooDeep } from '../../src/core/json.ts';

const padding = ' '.repeat(300_000);

test('text that nests without end is told before it is parsed, whatever it opens', () => {
  for (const text of ['['.repeat(400_000), '{"a":'.repeat(80_000), `${padding}${'[{"a":'.repeat(501)}`])
    expect(isTooDeep(text)).toBe(true);
});

test('what is long, or has brackets in its strings, is not deep', () => {
  const texts = [
    JSON.stringify({ text: '[{'.repeat(200_000) }),
    JSON.stringify({ text: `\\"${'[\\'.repeat(200_000)}"` }),
    JSON.stringify(Array.from({ length: 100_000 }, () => ({ a: [] }))),
    `${padding}${'['.repeat(1000)}${']'.repeat(1000)}`,
    `${padding}"[${'['.repeat(2000)}`,
    '['.repeat(100_000),
  ];
  for (const text of texts) expect(isTooDeep(text)).toBe(false);
});
