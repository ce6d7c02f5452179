import { describe, expect, test } from 'bun:test';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Revision } from '../../src/core/config.ts';
import type { SqlDatabase } from '../../src/core/ports.ts';
import { copySqlite, openSqlite } from '../../src/runtime/sqlite.ts';
import { migrate } from '../../src/store/migrate.ts';
import { openStore } from '../../src/store/open.ts';
import { migrations } from '../../src/store/schema.ts';
import { configWrite, naming, revision, start } from '../contract/store.ts';
import { directories } from '../directories.ts';

const directory = directories();
const now = () => start;
const noBackUp = () => {
  throw new Error('no backup expected');
};
const fixture = (version: number) => readFileSync(join(import.meta.dir, 'fixtures', `schema-${version}.sql`), 'utf8');
const head = migrations.length;

/** What stands in every fixture. */
const written: Revision = {
  ...{ number: 1, at: start, actor: 'local', summary: 'provider.update acme', file: null, consents: null },
  document: { providers: { acme: { apiKey: { $secret: 'sec_fixture' } } } },
};

/** Every object of the schema, and its number. */
const schemaOf = (database: SqlDatabase) => ({
  version: database.prepare('PRAGMA user_version').get(),
  application: database.prepare('PRAGMA application_id').get(),
  objects: database.prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name').all(),
});

function loaded(path: string, sql: string): SqlDatabase {
  const database = openSqlite(path);
  database.exec(sql);
  return database;
}

describe('migrations', () => {
  test('are numbered from 1 without gaps, and each has a fixture', () => {
    expect(migrations.map(({ version }) => version)).toEqual(migrations.map((_, index) => index + 1));
    for (const { version } of migrations) expect(fixture(version)).toContain(`PRAGMA user_version = ${version};`);
  });

  test('the newest fixture has the schema of the code', () => {
    const fresh = openSqlite(join(directory(), 'fresh.sqlite3'));
    migrate(fresh, { migrations, now, backUp: noBackUp });
    const dumped = loaded(join(directory(), 'dump.sqlite3'), fixture(head));
    expect(schemaOf(dumped)).toEqual(schemaOf(fresh));
    fresh.close();
    dumped.close();
  });

  for (const { version } of migrations) {
    test(`a database of schema ${version} opens with everything in it`, async () => {
      const path = join(directory(), 'state.sqlite3');
      loaded(path, fixture(version)).close();
      const store = openStore({ database: openSqlite(path), now, backUp: () => {} });
      expect((await store.tokens.list()).map(({ id }) => id)).toEqual(['tok_fixture']);
      expect(await store.config.current(null)).toEqual(written);
      expect((await store.config.secrets()).map(({ id }) => id)).toContain('sec_fixture');
      expect((await store.usage.recent(9)).map(({ requestId }) => requestId)).toEqual(['req_fixture']);
      expect((await store.audit.list({ limit: 9 })).map(({ action }) => action)).toEqual(['token.create']);
      store.close();
    });
  }

  test('to schema 2 keep each secret exactly as long as a revision of before would have kept it', async () => {
    const path = join(directory(), 'state.sqlite3');
    const database = loaded(path, fixture(1));
    // sec_fixture is in revision 1 alone, sec_b in 2 to 3, sec_c in 3.
    const [b, bc] = [naming('sec_b'), naming('sec_b', 'sec_c')].map((document) => JSON.stringify(document));
    database.exec(`
      INSERT INTO secrets VALUES ('sec_b', NULL, '****', 'v1.00000000.n.b', 2), ('sec_c', NULL, '****', 'v1.00000000.n.c', 3);
      INSERT INTO revisions VALUES (2, 2, 'local', 's', '${b}', '["sec_b"]'), (3, 3, 'local', 's', '${bc}', '["sec_b","sec_c"]');
    `);
    database.close();
    const store = openStore({ database: openSqlite(path), now, backUp: () => {} });
    const kept: Record<number, string[]> = {};
    for (let number = 4; number <= 53; number++) {
      await store.config.write(configWrite(revision(number, number === 4 ? naming('sec_b') : {})));
      kept[number] = (await store.config.secrets()).map(({ id }) => id);
    }
    expect([kept[50], kept[51], kept[52], kept[53]]).toEqual([
      ['sec_b', 'sec_c', 'sec_fixture'],
      ['sec_b', 'sec_c'],
      ['sec_b', 'sec_c'],
      ['sec_b'],
    ]);
    store.close();
  });

  test('to schema 2 tell retention when each usage kind was used last', async () => {
    const path = join(directory(), 'state.sqlite3');
    loaded(path, fixture(1)).close();
    const store = openStore({ database: openSqlite(path), now, backUp: () => {} });
    await store.retain({ usageBefore: start, auditBefore: null });
    expect(await store.usage.recent(9)).toHaveLength(1);
    store.close();
  });

  test('to schema 3 add up the usage of before by the hour', async () => {
    const path = join(directory(), 'state.sqlite3');
    const database = loaded(path, fixture(2));
    const row = (id: number, error: string, tokens: string, cost: string) =>
      `(${id}, 1, 'r', 200, ${error}, ${tokens}, NULL, NULL, NULL, ${cost}, NULL, 10, NULL)`;
    const at = 1_802_240_000_000_000;
    const huge = Array.from({ length: 2000 }, (_, n) => row(at + 10 + n, 'NULL', '9007199254740991, 1', 'NULL'));
    database.exec(
      `INSERT INTO usage VALUES ${[row(at + 1, "'x'", '5, 7', '8'), row(at + 3_600_000 * 1024, 'NULL', '1, 2', 'NULL'), ...huge].join(', ')}`,
    );
    database.close();
    const store = openStore({ database: openSqlite(path), now, backUp: () => {} });
    const hours = await store.usage.hours({ hour: 0, kind: 0 }, 9);
    expect(hours).toMatchObject([
      {
        hour: 488_888,
        requests: 2002,
        errors: 1,
        promptTokens: Number.MAX_SAFE_INTEGER,
        completionTokens: 2007,
        priced: 2,
        costMicros: 50,
      },
      { hour: 488_889, requests: 1, errors: 0, promptTokens: 1, completionTokens: 2, priced: 0, costMicros: 0, latencyMs: 10 },
    ]);
    store.close();
  });

  test('run once: what is at the head is neither backed up nor changed', () => {
    const path = join(directory(), 'state.sqlite3');
    openStore({ database: openSqlite(path), now, backUp: noBackUp }).close();
    const before = readFileSync(path);
    openStore({ database: openSqlite(path), now: () => start + 1, backUp: noBackUp }).close();
    expect(readFileSync(path).equals(before)).toBe(true);
  });
});

describe('an older database', () => {
  const two = [
    { version: 1, sql: 'CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) STRICT; CREATE TABLE a (x INTEGER) STRICT;' },
    { version: 2, sql: 'ALTER TABLE a ADD COLUMN y INTEGER;' },
    { version: 3, sql: 'INSERT INTO a (x, y) VALUES (7, 8);' },
  ];

  test('is copied before the first step, private and whole', () => {
    const home = directory();
    const database = openSqlite(join(home, 'state.sqlite3'));
    migrate(database, { migrations: two.slice(0, 1), now, backUp: noBackUp });
    database.exec('INSERT INTO a VALUES (1)');
    const backUp = (schema: number) => copySqlite(database, join(home, `before-${schema}.sqlite3`));
    migrate(database, { migrations: two, now, backUp });
    expect(database.prepare('SELECT x, y FROM a').all()).toEqual([
      { x: 1, y: null },
      { x: 7, y: 8 },
    ]);
    const copyPath = join(home, 'before-1.sqlite3');
    expect(statSync(copyPath).mode & 0o777).toBe(0o600);
    const copy = openSqlite(copyPath);
    expect(copy.prepare('SELECT * FROM a').all()).toEqual([{ x: 1 }]);
    expect(copy.prepare('PRAGMA user_version').get()).toEqual({ user_version: 1 });
    expect(copy.prepare('PRAGMA application_id').get()).toEqual(database.prepare('PRAGMA application_id').get() ?? {});
    copy.close();
    database.close();
  });

  test('stays as it is when the copy fails', () => {
    const database = openSqlite(join(directory(), 'state.sqlite3'));
    migrate(database, { migrations: two.slice(0, 1), now, backUp: noBackUp });
    expect(() => migrate(database, { migrations: two, now, backUp: noBackUp })).toThrow('no backup expected');
    expect(database.prepare('PRAGMA user_version').get()).toEqual({ user_version: 1 });
    database.close();
  });

  test('keeps the schema of the last whole step when one fails half-way', () => {
    const database = openSqlite(join(directory(), 'state.sqlite3'));
    const broken = { version: 3, sql: 'CREATE TABLE half (x INTEGER); INSERT INTO nowhere VALUES (1);' };
    const steps = [...two.slice(0, 2), broken];
    expect(() => migrate(database, { migrations: steps, now, backUp: noBackUp })).toThrow();
    expect(database.prepare('PRAGMA user_version').get()).toEqual({ user_version: 2 });
    expect(database.prepare("SELECT name FROM sqlite_schema WHERE name = 'half'").get()).toBeUndefined();
    migrate(database, { migrations: two, now, backUp: () => {} });
    expect(database.prepare('PRAGMA user_version').get()).toEqual({ user_version: 3 });
    database.close();
  });
});

describe('a database that is refused', () => {
  const openAt = (path: string) => () => openStore({ database: openSqlite(path), now, backUp: noBackUp });

  const refusals = [
    {
      name: 'newer',
      sql: fixture(head).replace(/user_version = \d+/, `user_version = ${head + 1}`),
      message: /Install the newer ola/,
    },
    { name: "another program's", sql: 'CREATE TABLE tasks (id TEXT)', message: /another program/ },
    { name: 'marked by another program', sql: 'PRAGMA application_id = 77', message: /another program/ },
  ];
  for (const { name, sql, message } of refusals) {
    test(`(${name}) is left byte for byte, with nothing beside it`, () => {
      const path = join(directory(), 'state.sqlite3');
      loaded(path, sql).close();
      const before = readFileSync(path);
      expect(openAt(path)).toThrow(
        expect.objectContaining({ code: 'persistence_unavailable', message: expect.stringMatching(message) }),
      );
      expect(readFileSync(path).equals(before)).toBe(true);
      expect(existsSync(`${path}-wal`)).toBe(false);
    });
  }

  test('(damaged) is left byte for byte: never a silent fresh one', () => {
    const path = join(directory(), 'state.sqlite3');
    writeFileSync(path, 'this is not a database, it only stands where one should be\n'.repeat(100));
    const before = readFileSync(path);
    expect(openAt(path)).toThrow(
      expect.objectContaining({ code: 'persistence_unavailable', message: expect.stringMatching(/ola restore FILE/) }),
    );
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test('(no place for it) says which path', () => {
    const path = join(directory(), 'missing', 'state.sqlite3');
    expect(openAt(path)).toThrow(
      expect.objectContaining({ code: 'persistence_unavailable', message: expect.stringContaining(path) }),
    );
  });
});

test('the file, its log and its shared memory are the owner’s alone, whatever the umask and the modes before', async () => {
  const path = join(directory(), 'state.sqlite3');
  const modes = () => ['', '-wal', '-shm'].map((suffix) => (statSync(path + suffix).mode & 0o777).toString(8));
  const umask = process.umask(0o277);
  try {
    const store = openStore({ database: openSqlite(path), now, backUp: noBackUp });
    await store.config.write(configWrite(revision(1)));
    expect(modes()).toEqual(['600', '600', '600']);
    process.umask(0);
    const other = openSqlite(path);
    expect(modes()).toEqual(['600', '600', '600']);
    other.close();
    store.close();
  } finally {
    process.umask(umask);
  }
});
