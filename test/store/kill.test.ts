import { describe, expect, test } from 'bun:test';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SqlDatabase, SqlRow } from '../../src/core/ports.ts';
import { openSqlite } from '../../src/runtime/sqlite.ts';
import { migrate } from '../../src/store/migrate.ts';
import { openStore } from '../../src/store/open.ts';
import { migrations } from '../../src/store/schema.ts';
import { directories } from '../directories.ts';

const directory = directories();
const program = join(import.meta.dir, 'write-tokens.ts');

/** Lets a writer run until it has acknowledged some, then kills it in the middle of the next. */
async function acknowledgedUntilKilled(path: string, prefix: string, atLeast: number): Promise<string[]> {
  const child = Bun.spawn([process.execPath, program, path, prefix], { stdout: 'pipe', stderr: 'inherit' });
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of child.stdout) {
    text += decoder.decode(chunk, { stream: true });
    if (text.split('\n').length > atLeast) child.kill('SIGKILL');
  }
  await child.exited;
  return text.split('\n').slice(0, -1);
}

test('every token that was acknowledged is there after kill -9, with its event, and the database is sound', async () => {
  const path = join(directory(), 'state.sqlite3');
  const acknowledged: string[] = [];
  for (let round = 0; round < 10; round++) {
    acknowledged.push(...(await acknowledgedUntilKilled(path, `r${round}-`, 1 + Math.floor(Math.random() * 60))));
  }
  const database = openSqlite(path);
  const store = openStore({ database, now: Date.now, backUp: () => {} });
  const stored = new Set((await store.tokens.list()).map(({ id }) => id));
  expect(acknowledged.length).toBeGreaterThanOrEqual(10);
  expect(acknowledged.filter((id) => !stored.has(id))).toEqual([]);
  expect(await store.audit.list({ limit: 100_000 })).toHaveLength(stored.size);
  expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  store.close();
});

describe('killed at any statement', () => {
  const dying = join(import.meta.dir, 'die.ts');
  const fixture = (version: number) => readFileSync(join(import.meta.dir, 'fixtures', `schema-${version}.sql`), 'utf8');

  /** All rows of all tables, but for the mark of an open database. */
  function contents(database: SqlDatabase): Record<string, SqlRow[]> {
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all();
    const rows = (table: unknown) => database.prepare(`SELECT * FROM ${table} ORDER BY 1, 2`).all();
    const all = tables.map(({ name }): [string, SqlRow[]] => [String(name), rows(name).filter(({ key }) => key !== 'open')]);
    return Object.fromEntries(all);
  }

  function contentsOf(path: string): Record<string, SqlRow[]> {
    const database = openSqlite(path);
    const found = contents(database);
    expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    database.close();
    return found;
  }

  async function dieAt(path: string, thing: string, statement: number): Promise<string> {
    const child = Bun.spawn([process.execPath, dying, path, thing, String(statement)], { stdout: 'pipe', stderr: 'inherit' });
    const said = await new Response(child.stdout).text();
    await child.exited;
    expect(child.signalCode).toBe('SIGKILL');
    return said;
  }

  /** Does the thing to copies of a database, with one statement more each time, until it is done whole. */
  async function everywhere(before: string, thing: string): Promise<{ finished: string; survivors: string[] }> {
    const survivors: string[] = [];
    const home = directory();
    for (let statement = 1; ; statement += 2) {
      const pair = [statement, statement + 1].map(async (n) => {
        const path = join(home, `${n}.sqlite3`);
        copyFileSync(before, path);
        return { path, said: await dieAt(path, thing, n) };
      });
      for (const { path, said } of await Promise.all(pair)) {
        if (said === 'done') return { finished: path, survivors };
        survivors.push(path);
      }
    }
  }

  const made = async (sql: string) => {
    const path = join(directory(), 'before.sqlite3');
    const database = openSqlite(path);
    database.exec(sql);
    database.close();
    return path;
  };

  const things = [
    { thing: 'write', leastStatements: 12 },
    { thing: 'snapshot', leastStatements: 8 },
    { thing: 'reseal', leastStatements: 4 },
    { thing: 'import', leastStatements: 20 },
  ];
  for (const { thing, leastStatements } of things) {
    test(`(${thing}) it is done whole or not at all, and the database is sound and opens`, async () => {
      const before = await made(fixture(1));
      openStore({ database: openSqlite(before), now: () => 1_760_000_000_000, backUp: () => {} }).close();
      const { finished, survivors } = await everywhere(before, thing);
      expect(survivors.length).toBeGreaterThanOrEqual(leastStatements);
      const [old, whole] = [contentsOf(before), contentsOf(finished)];
      expect(old).not.toEqual(whole);
      for (const path of survivors) {
        expect([old, whole]).toContainEqual(contentsOf(path));
        openStore({ database: openSqlite(path), now: Date.now, backUp: () => {} }).close();
      }
    });
  }

  test('(migration) it has one of the schemas, whole, and the next start brings it to the end', async () => {
    const before = await made(fixture(1));
    const { finished, survivors } = await everywhere(before, 'open');
    const whole = contentsOf(finished);
    const steps = migrations.map((_, count) => {
      const path = join(directory(), 'step.sqlite3');
      copyFileSync(before, path);
      const database = openSqlite(path);
      migrate(database, { migrations: migrations.slice(0, count + 1), now: () => 1_760_000_000_000, backUp: () => {} });
      database.close();
      return contentsOf(path);
    });
    expect(steps.at(-1)).toEqual(whole);
    expect(survivors.length).toBeGreaterThan(20);
    for (const path of survivors) {
      expect(steps).toContainEqual(contentsOf(path));
      openStore({ database: openSqlite(path), now: () => 1_760_000_000_000, backUp: () => {} }).close();
      expect(contentsOf(path)).toEqual(whole);
    }
  });
});
