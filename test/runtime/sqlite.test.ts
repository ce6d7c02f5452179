import { expect, test } from 'bun:test';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { copySqliteFile, inspectSqlite, openSqlite } from '../../src/runtime/sqlite.ts';
import { directories } from '../directories.ts';

const directory = directories();

/** A directory whose name a careless URL would break. */
function place(): string {
  const path = join(directory(), 'a b?c#d%41é');
  mkdirSync(path);
  return path;
}

function opened(path: string) {
  const database = openSqlite(path);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA application_id = 77; PRAGMA user_version = 3;');
  database.exec('CREATE TABLE a (x TEXT) STRICT');
  return database;
}

const rows = (path: string) => {
  const database = openSqlite(path);
  const found = database.prepare('SELECT x FROM a ORDER BY rowid').all();
  database.close();
  return found.map(({ x }) => x);
};

test('a copy of a database in use has what was committed and nothing else, private, while writes go on', () => {
  const home = place();
  const [live, copy] = [join(home, 'live'), join(home, 'copy')];
  const database = opened(live);
  database.exec("INSERT INTO a VALUES ('committed')");
  database.exec("BEGIN IMMEDIATE; INSERT INTO a VALUES ('not yet')");
  copySqliteFile(live, copy);
  database.exec("COMMIT; INSERT INTO a VALUES ('later')");
  expect(rows(copy)).toEqual(['committed']);
  expect(statSync(copy).mode & 0o777).toBe(0o600);
  expect(inspectSqlite(copy)).toEqual({ applicationId: 77, schema: 3, verdict: 'ok' });
  database.close();
  expect(rows(live)).toEqual(['committed', 'not yet', 'later']);
});

test('what cannot be copied leaves nothing behind and says which file', () => {
  const home = place();
  const text = join(home, 'text');
  writeFileSync(text, 'not a database '.repeat(100));
  for (const from of [text, join(home, 'missing')]) {
    expect(() => copySqliteFile(from, join(home, 'copy'))).toThrow(
      expect.objectContaining({ code: 'persistence_unavailable', message: expect.stringContaining(from) }),
    );
  }
  expect(readdirSync(home)).toEqual(['text']);
});

test('a file tells what it is without being changed, and nothing is left beside it', () => {
  const home = place();
  const path = join(home, 'closed');
  const database = opened(path);
  database.exec(`INSERT INTO a VALUES ('${'x'.repeat(20_000)}')`);
  expect(inspectSqlite(path)).toEqual({ applicationId: 77, schema: 3, verdict: 'ok' });
  database.close();
  const bytes = readFileSync(path);
  expect(inspectSqlite(path)).toEqual({ applicationId: 77, schema: 3, verdict: 'ok' });
  expect(readFileSync(path).equals(bytes)).toBe(true);
  const damaged = join(home, 'damaged');
  writeFileSync(damaged, Buffer.from(bytes).fill(0xff, 4096, 4296));
  expect(inspectSqlite(damaged)).toMatchObject({ applicationId: 77, schema: 3, verdict: expect.not.stringMatching(/^ok$/) });
  writeFileSync(join(home, 'text'), 'not a database '.repeat(100));
  expect(inspectSqlite(join(home, 'text'))).toEqual({ applicationId: 0, schema: 0, verdict: 'file is not a database' });
  for (const missing of [join(home, 'missing'), home]) {
    expect(() => inspectSqlite(missing)).toThrow(expect.objectContaining({ code: 'persistence_unavailable' }));
  }
  expect(readdirSync(home).sort()).toEqual(['closed', 'damaged', 'text']);
});

test('a database that is abandoned keeps its log, one that is closed has none', () => {
  const path = join(place(), 'live');
  const database = opened(path);
  database.exec("INSERT INTO a VALUES ('in the log')");
  const [bytes, log] = [readFileSync(path), readFileSync(`${path}-wal`)];
  database.prepare('SELECT x FROM a').all();
  database.abandon();
  expect(readFileSync(path).equals(bytes)).toBe(true);
  expect(readFileSync(`${path}-wal`).equals(log)).toBe(true);
  expect(rows(path)).toEqual(['in the log']);
  expect(readdirSync(join(path, '..'))).toEqual(['live']);
});
