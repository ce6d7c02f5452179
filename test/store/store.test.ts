import { describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { SqlDatabase } from '../../src/core/ports.ts';
import { openSqlite } from '../../src/runtime/sqlite.ts';
import { openStore } from '../../src/store/open.ts';
import { auditEvent, revision, start, storeContract, tokenRecord, usageRow } from '../contract/store.ts';
import { directories } from '../directories.ts';

const directory = directories();
const open = (database: SqlDatabase) => openStore({ database, now: () => start, backUp: () => {} });
const openHere = () => openSqlite(join(directory(), 'state.sqlite3'));
const pragma = (database: SqlDatabase, name: string) => Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];

storeContract('sqlite', async () => open(openHere()));

describe('durability', () => {
  test('an acknowledged write waits for the disk, also after a batch that did not, also after one that failed', async () => {
    const database = openHere();
    const seen: unknown[] = [];
    const watched: SqlDatabase = {
      ...database,
      prepare: (sql) => {
        if (sql === 'COMMIT') seen.push(pragma(database, 'synchronous'));
        return database.prepare(sql);
      },
    };
    const store = open(watched);
    seen.length = 0;
    await store.usage.append([usageRow('a', start)]);
    await store.audit.append([auditEvent('a.b')]);
    const broken = usageRow('b', Number.POSITIVE_INFINITY);
    await expect(store.usage.append([broken])).rejects.toMatchObject({ code: 'persistence_unavailable' });
    await store.tokens.create(tokenRecord('a'), auditEvent('token.create'));
    await store.config.write(revision(1), [], auditEvent('config.update'));
    expect(seen).toEqual([1, 2, 2, 2]);
    store.close();
  });

  test('the connection is set up as the store needs it', () => {
    const database = openHere();
    const store = open(database);
    const settings = [
      'journal_mode',
      'synchronous',
      'foreign_keys',
      'trusted_schema',
      'secure_delete',
      'cell_size_check',
      'busy_timeout',
    ];
    expect(settings.map((name) => pragma(database, name))).toEqual(['wal', 2, 1, 0, 1, 1, 250]);
    store.close();
  });

  test('closed, it leaves one file: the log is folded in and nothing is held open', async () => {
    const path = join(directory(), 'state.sqlite3');
    const store = open(openSqlite(path));
    await store.tokens.create(tokenRecord('a'), auditEvent('token.create'));
    expect(existsSync(`${path}-wal`)).toBe(true);
    store.close();
    expect(existsSync(`${path}-wal`)).toBe(false);
  });

  test('usage has no secondary index', () => {
    const database = openHere();
    const store = open(database);
    expect(database.prepare("SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'usage'").all()).toEqual([]);
    store.close();
  });
});

describe('a disk that fails', () => {
  const faults = [
    {
      name: 'full',
      message: /free some space/,
      cause: (database: SqlDatabase) => database.exec(`PRAGMA max_page_count = ${pragma(database, 'page_count')}`),
      cure: (database: SqlDatabase) => database.exec('PRAGMA max_page_count = 1000000'),
    },
    {
      name: 'read-only',
      message: /cannot be written/,
      cause: (database: SqlDatabase) => database.exec('PRAGMA query_only = ON'),
      cure: (database: SqlDatabase) => database.exec('PRAGMA query_only = OFF'),
    },
  ];
  // Larger than the free part of any page, so that a full disk is met.
  const large = (id: string) => ({ ...tokenRecord(id), name: 'x'.repeat(20_000) });

  for (const { name, message, cause, cure } of faults) {
    test(`(${name}) refuses changes whole, still answers reads, and is usable once it is cured`, async () => {
      const database = openHere();
      const store = open(database);
      await store.tokens.create(tokenRecord('before'), auditEvent('token.create'));
      cause(database);
      for (const round of [1, 2]) {
        const refused = store.tokens.create(large(`during${round}`), auditEvent('token.create'));
        await expect(refused).rejects.toMatchObject({
          code: 'persistence_unavailable',
          message: expect.stringMatching(message),
          cause: expect.any(Error),
        });
      }
      expect((await store.tokens.list()).map(({ id }) => id)).toEqual(['before']);
      cure(database);
      await store.check();
      await store.tokens.create(large('after'), auditEvent('token.create'));
      expect((await store.tokens.list()).map(({ id }) => id)).toEqual(['before', 'after']);
      expect(await store.audit.list({ limit: 10 })).toHaveLength(2);
      store.close();
    });
  }

  test('fails the check', async () => {
    const database = openHere();
    const store = open(database);
    database.exec('PRAGMA query_only = ON');
    await expect(store.check()).rejects.toMatchObject({ code: 'persistence_unavailable' });
    store.close();
  });

  test('a lock of another program is reported soon, not waited for', async () => {
    const path = join(directory(), 'state.sqlite3');
    const store = open(openSqlite(path));
    const other = openSqlite(path);
    other.exec('BEGIN IMMEDIATE');
    const asked = performance.now();
    await expect(store.check()).rejects.toMatchObject({
      code: 'persistence_unavailable',
      message: expect.stringMatching(/another program/),
    });
    expect(performance.now() - asked).toBeLessThan(2000);
    other.exec('ROLLBACK');
    await store.check();
    other.close();
    store.close();
  });
});
