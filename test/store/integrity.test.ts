import { expect, test } from 'bun:test';
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSqlite } from '../../src/runtime/sqlite.ts';
import { openStore } from '../../src/store/open.ts';
import { auditEvent, configWrite, naming, revision, sealedSecret, start, tokenRecord, usageRow } from '../contract/store.ts';
import { directories } from '../directories.ts';

const directory = directories();
const open = (path: string) => openStore({ database: openSqlite(path), now: () => start, backUp: () => {} });

/** A database with a row in most tables, and where each table begins in the file. */
async function filled(path: string) {
  const database = openSqlite(path);
  const store = openStore({ database, now: () => start, backUp: () => {} });
  await store.config.write(configWrite(revision(1, naming('s1')), [sealedSecret('s1')]));
  await store.tokens.create(tokenRecord('a'), auditEvent('token.create'));
  await store.usage.append([usageRow('r', start)]);
  const offsetOf = (table: string) => {
    const page = database.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').get(table)?.['rootpage'];
    return (Number(page) - 1) * 4096;
  };
  const offsets = Object.fromEntries(
    ['usage', 'audit', 'secrets', 'revisions', 'tokens'].map((table) => [table, offsetOf(table)]),
  );
  return { store, offsets };
}

function damage(path: string, offset: number | undefined): void {
  const bytes = readFileSync(path);
  bytes.fill(0xff, offset, (offset ?? 0) + 200);
  writeFileSync(path, bytes);
}

/** Every file of a database, as it lies there; shared memory is no part of it. */
const onDisk = (path: string) =>
  ['', '-wal'].map((suffix) => (existsSync(path + suffix) ? readFileSync(path + suffix).toString('base64') : null));

function expectRefused(path: string): void {
  const before = onDisk(path);
  expect(() => open(path)).toThrow(
    expect.objectContaining({ code: 'persistence_unavailable', message: expect.stringContaining('`ola restore FILE`') }),
  );
  expect(onDisk(path)).toEqual(before);
}

for (const table of ['secrets', 'revisions', 'tokens']) {
  test(`a damaged table (${table}) is found after a clean end too: refused, untouched, with what to do`, async () => {
    const path = join(directory(), 'state.sqlite3');
    const { store, offsets } = await filled(path);
    store.close();
    damage(path, offsets[table]);
    expectRefused(path);
    expect(existsSync(`${path}-wal`)).toBe(false);
  });
}

for (const table of ['usage', 'audit']) {
  test(`a damaged large table (${table}) is looked for after an end that was not clean, and the log is left alone`, async () => {
    const home = directory();
    const [path, killed] = [join(home, 'state.sqlite3'), join(home, 'killed.sqlite3')];
    const { store, offsets } = await filled(path);
    await store.checkpoint();
    await store.check();
    // What a kill leaves: the file and its log.
    for (const suffix of ['', '-wal']) copyFileSync(path + suffix, killed + suffix);
    store.close();
    damage(killed, offsets[table]);
    expectRefused(killed);
    damage(path, offsets[table]);
    open(path).close();
  });
}

test('a sound database opens after an end that was not clean, with everything in it, and is closed clean again', async () => {
  const home = directory();
  const [path, killed] = [join(home, 'state.sqlite3'), join(home, 'killed.sqlite3')];
  const { store } = await filled(path);
  for (const suffix of ['', '-wal']) copyFileSync(path + suffix, killed + suffix);
  store.close();
  const again = open(killed);
  expect((await again.tokens.list()).map(({ id }) => id)).toEqual(['a']);
  again.close();
  const mark = openSqlite(killed);
  expect(mark.prepare("SELECT value FROM meta WHERE key = 'open'").get()).toEqual({ value: '0' });
  mark.close();
});

test('a database that is half its length is refused', async () => {
  const path = join(directory(), 'state.sqlite3');
  const { store } = await filled(path);
  store.close();
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.subarray(0, bytes.length / 2));
  expectRefused(path);
});
