import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { openSqlite } from '../../src/runtime/sqlite.ts';
import { openStore } from '../../src/store/open.ts';
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
}, 30_000);
