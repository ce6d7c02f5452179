import { describe, expect, test } from 'bun:test';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { SqlDatabase } from '../../src/core/ports.ts';
import { openSqlite } from '../../src/runtime/sqlite.ts';
import { openStore } from '../../src/store/open.ts';
import { auditEvent, configWrite, revision, start, storeContract, tokenRecord, usageRow } from '../contract/store.ts';
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
    await store.config.write(configWrite(revision(1)));
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

  test('a checkpoint leaves nothing in the log, and says when another reader stands in its way', async () => {
    const path = join(directory(), 'state.sqlite3');
    const store = open(openSqlite(path));
    await store.tokens.create(tokenRecord('a'), auditEvent('token.create'));
    expect(statSync(`${path}-wal`).size).toBeGreaterThan(0);
    await store.checkpoint();
    expect(statSync(`${path}-wal`).size).toBe(0);
    const reader = openSqlite(path);
    reader.exec('BEGIN; SELECT count(*) FROM tokens');
    await store.tokens.create(tokenRecord('b'), auditEvent('token.create'));
    await expect(store.checkpoint()).rejects.toMatchObject({
      code: 'persistence_unavailable',
      message: expect.stringMatching(/another program/),
    });
    reader.exec('ROLLBACK');
    await store.checkpoint();
    reader.close();
    store.close();
  });

  test('usage has no secondary index', () => {
    const database = openHere();
    const store = open(database);
    expect(database.prepare("SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'usage'").all()).toEqual([]);
    store.close();
  });
});

describe('a usage kind', () => {
  /** A store, and the text of every statement that it asked for. */
  function watched() {
    const database = openHere();
    const texts: string[] = [];
    const prepare = (sql: string) => {
      texts.push(sql);
      return database.prepare(sql);
    };
    return { texts, database, store: open({ ...database, prepare }) };
  }

  test('is written once, nulls and all: over batches, over a failure, over a restart, and when it was forgotten', async () => {
    const path = join(directory(), 'state.sqlite3');
    const kinds = (database: SqlDatabase) => database.prepare('SELECT count(*) AS kinds FROM usage_kinds').get()?.['kinds'];
    for (const session of [1, 2]) {
      const database = openSqlite(path);
      const store = open(database);
      const row = usageRow(`r${session}`, start);
      await store.usage.append([row, row]);
      await expect(store.usage.append([usageRow('broken', Number.POSITIVE_INFINITY)])).rejects.toThrow();
      await store.usage.append([row, { ...row, stream: false }]);
      expect(kinds(database)).toBe(session === 1 ? 2 : 4102);
      const many = Array.from({ length: 4100 }, (_, n) => usageRow(`m${n}`, start + n, { requested: `m${n}` }));
      await store.usage.append([...many, row]);
      expect(kinds(database)).toBe(4102);
      store.close();
    }
  });

  test('is asked of the table once while it is kept in mind, and no more than 4096 are', async () => {
    const { texts, store } = watched();
    const asked = () => texts.filter((sql) => sql.startsWith('INSERT INTO usage_kinds')).length;
    const row = usageRow('r', start);
    await store.usage.append([row, row]);
    await store.usage.append([row]);
    expect(asked()).toBe(1);
    const others = Array.from({ length: 4096 }, (_, n) => usageRow(`m${n}`, start + n, { requested: `m${n}` }));
    await store.usage.append([...others, row]);
    expect(asked()).toBe(4098);
    store.close();
  });

  test('is dropped with the last of its rows, in small steps, and its id is not given out any more', async () => {
    const database = openHere();
    const store = open(database);
    const day = 86_400_000;
    const rows = Array.from({ length: 900 }, (_, n) => usageRow(`r${n}`, start + n, { requested: `m${n % 600}` }));
    const later = usageRow('later', start + 9 * day, { requested: 'm7' });
    await store.usage.append([...rows, later]);
    const kinds = () => database.prepare('SELECT requested FROM usage_kinds').all();
    const kept: number[] = [];
    while (await store.retain({ usageBefore: start + 5 * day, auditBefore: null })) kept.push(kinds().length);
    expect(kinds()).toEqual([{ requested: 'm7' }]);
    expect(new Set(kept).size).toBeGreaterThan(2);
    const again = usageRow('again', start + 9 * day + 1, { requested: 'm8' });
    await store.usage.append([again]);
    expect(await store.usage.recent(5)).toEqual([again, later]);
    expect(database.prepare('PRAGMA foreign_key_check').all()).toEqual([]);
    expect(pragma(database, 'foreign_keys')).toBe(1);
    store.close();
  });

  test('is looked up by its last day, not by a walk through the calls', async () => {
    const database = openHere();
    const asked: [string, unknown][] = [];
    const prepare = (sql: string) => {
      if (sql.startsWith('DELETE')) asked.push([sql, pragma(database, 'foreign_keys')]);
      return database.prepare(sql);
    };
    const store = open({ ...database, prepare });
    await store.retain({ usageBefore: start, auditBefore: start });
    const plans = asked.flatMap(([sql, foreignKeys]) => {
      // A check of references, where it is on, reads through a table too.
      database.exec(`PRAGMA foreign_keys = ${foreignKeys}`);
      const plan = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(1);
      return plan.map(({ detail }) => String(detail));
    });
    expect(plans.filter((plan) => plan.startsWith('SEARCH'))).toHaveLength(7);
    // The first rows of it alone: LIMIT ends the scan.
    expect(plans.filter((plan) => /SCAN|TEMP B-TREE/.test(plan))).toEqual(['SCAN audit']);
    store.close();
  });

  test('is found from the newest row on: nothing is sorted, no table is read through', async () => {
    const { texts, store, database } = watched();
    await store.usage.recent(1);
    const plan = database.prepare(`EXPLAIN QUERY PLAN ${texts.at(-1)}`).all(Number.MAX_SAFE_INTEGER, 1);
    expect(plan.map(({ detail }) => detail)).toEqual([
      'SEARCH usage USING INTEGER PRIMARY KEY (rowid<?)',
      'SEARCH usage_kinds USING INTEGER PRIMARY KEY (rowid=?)',
    ]);
    store.close();
  });

  test('is added up by the hour: a slice begins at its place in the key, sorts nothing and reads no call', async () => {
    const { texts, store, database } = watched();
    await store.usage.hours({ hour: 0, kind: 0 }, 1);
    const plan = database.prepare(`EXPLAIN QUERY PLAN ${texts.at(-1)}`).all(1, 1, 1);
    expect(plan.map(({ detail }) => detail)).toEqual([
      'SEARCH usage_hours USING PRIMARY KEY ((hour,kind)>(?,?))',
      'SEARCH usage_kinds USING INTEGER PRIMARY KEY (rowid=?)',
    ]);
    store.close();
  });

  test('takes as many sums as there are hours and kinds, however many calls there were', async () => {
    const database = openHere();
    const store = open(database);
    const hour = 3_600_000;
    const rows = Array.from({ length: 100_000 }, (_, n) => usageRow(`r${n}`, start + (n % 240) * hour, { model: `m${n % 3}` }));
    for (let at = 0; at < rows.length; at += 5000) await store.usage.append(rows.slice(at, at + 5000));
    const sums = await store.usage.hours({ hour: 0, kind: 0 }, 100_000);
    expect(sums).toHaveLength(240);
    expect(sums.reduce((sum, { requests }) => sum + requests, 0)).toBe(100_000);
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

  test('a lock of another program is reported; once the start is over it is waited for but a moment', async () => {
    const path = join(directory(), 'state.sqlite3');
    const database = openSqlite(path);
    const store = open(database);
    const other = openSqlite(path);
    other.exec('BEGIN IMMEDIATE');
    await expect(store.check()).rejects.toMatchObject({
      code: 'persistence_unavailable',
      message: expect.stringMatching(/another program/),
    });
    // In milliseconds: the wait stops every stream.
    expect(database.prepare('PRAGMA busy_timeout').get()).toEqual({ timeout: 250 });
    other.exec('ROLLBACK');
    await store.check();
    other.close();
    store.close();
  });
});
