import { describe, expect, test } from 'bun:test';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { catalogProviders } from '../../src/catalog/providers.ts';
import { readSettings } from '../../src/core/settings.ts';

const root = join(import.meta.dir, '../..');
const text = (path: string) => readFileSync(join(root, path), 'utf8');

describe('a file that a document names exists', () => {
  for (const document of ['README.md', 'docs/decisions.md', 'docs/bench.md', 'docs/faults.md']) {
    const named = new Set(text(document).match(/\b(?:src|test|scripts|docs)\/[\w./-]*\w/g));
    for (const path of named) {
      test(`${document}: ${path}`, () => {
        expect(existsSync(join(root, path))).toBe(true);
      });
    }
  }
});

test('every decision names the test that holds it', () => {
  const rows = text('docs/decisions.md')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| decision'));
  expect(rows.length).toBeGreaterThan(10);
  for (const row of rows) expect(row).toMatch(/\| test\/[\w./-]+\.test\.ts \|$/);
});

test('every fault has a row that says what was seen and names its tests', () => {
  const rows = [...text('docs/faults.md').matchAll(/^\| F(\d+) \| (.+) \| (.+) \| (.+) \| (.+) \|$/gm)];
  expect(rows.map(([, number]) => Number(number))).toEqual(Array.from({ length: 24 }, (_, at) => at + 1));
  for (const [, , , , , tests] of rows) expect(tests).toMatch(/^test\/[\w./-]+\.test\.ts(?:, test\/[\w./-]+\.test\.ts)*$/);
});

/** Names that are read: through the settings, by asking them for everything, and for the registry by the catalog. */
function variablesRead(): Set<string> {
  const read = new Set<string>();
  const spy = new Proxy<Record<string, string | undefined>>({}, { get: (_, name) => void read.add(String(name)) });
  readSettings(spy);
  return read;
}

test('every variable of ola that is read is documented, and every documented one is read', () => {
  const readme = text('README.md');
  const read = variablesRead();
  for (const name of read) expect(readme).toContain(`\`${name}\``);
  const known = new Set([...read, ...catalogProviders.flatMap(({ envVars }) => envVars)]);
  for (const [, name = ''] of readme.matchAll(/`((?:OPEN_LLM_AUTH|LLM_INTERACTIVE)_[A-Z_]+|[A-Z]+_API_KEY)`/g)) {
    expect([...known]).toContain(name);
  }
});
