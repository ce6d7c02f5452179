import { afterEach, describe, expect, test } from 'bun:test';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Lock, takeDatabaseLock, takeHomeLock } from '../../src/runtime/lock.ts';
import { directories } from '../directories.ts';

const directory = directories();
const mine = { pid: process.pid, version: '1.0.0', address: null, configFile: null, startedAt: 5 };
const program = join(import.meta.dir, 'hold-lock.ts');

const children: ReturnType<typeof spawn>[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill('SIGKILL');
    await child.exited;
  }
});

function spawn(home: string) {
  return Bun.spawn([process.execPath, program, home], { stdin: 'pipe', stdout: 'pipe', stderr: 'inherit' });
}

/** Starts a holder and waits for its first line. */
async function holder(home: string) {
  const child = spawn(home);
  children.push(child);
  const { value } = await child.stdout.getReader().read();
  return { child, said: new TextDecoder().decode(value).trim() };
}

function taken(home: string): Lock {
  const lock = takeHomeLock(home, mine);
  if (!('release' in lock)) throw new Error('the lock is held');
  return lock;
}

describe('the lock of a home', () => {
  test('is held by one process, which is named to the others', async () => {
    const home = directory();
    const { child, said } = await holder(home);
    expect(said).toBe('held');
    const heldBy = { pid: child.pid, version: '1.2.3', address: 'http://127.0.0.1:8080', configFile: null, startedAt: 1 };
    expect(takeHomeLock(home, mine)).toEqual({ heldBy });
    expect((await holder(home)).said).toBe(JSON.stringify({ heldBy }));
  });

  test('ends with its process, also by kill -9', async () => {
    const home = directory();
    for (let round = 0; round < 3; round++) {
      const { child, said } = await holder(home);
      expect(said).toBe('held');
      child.kill('SIGKILL');
      await child.exited;
    }
    const lock = taken(home);
    expect(JSON.parse(readFileSync(join(home, 'ola.lock.json'), 'utf8'))).toEqual(mine);
    lock.release();
  });

  test('can be taken again once it is released, by this process and by another', async () => {
    const home = directory();
    const { child } = await holder(home);
    await child.stdin.write('leave\n');
    await child.stdin.end();
    await child.exited;
    expect(existsSync(join(home, 'ola.lock.json'))).toBe(false);
    taken(home).release();
    expect((await holder(home)).said).toBe('held');
  });

  test('is not given twice to one process, and survives the attempt', async () => {
    const home = directory();
    const lock = taken(home);
    expect(takeHomeLock(home, { ...mine, version: '2' })).toEqual({ heldBy: mine });
    expect((await holder(home)).said).toBe(JSON.stringify({ heldBy: mine }));
    lock.release();
  });

  test('names nobody when the facts are missing, broken, or of a process that is gone', async () => {
    const home = directory();
    const lock = taken(home);
    const dead = spawn(directory());
    dead.kill('SIGKILL');
    await dead.exited;
    for (const text of [
      '',
      '[]',
      '{"pid":"1"}',
      '{"pid":1,"version":"1","startedAt":1,"address":7}',
      JSON.stringify({ ...mine, pid: dead.pid }),
    ]) {
      writeFileSync(join(home, 'ola.lock.json'), text);
      expect(takeHomeLock(home, mine)).toEqual({ heldBy: null });
    }
    lock.release();
  });

  test('clears what a killed process left half written; one that is refused touches nothing', () => {
    const home = directory();
    const left = join(home, '.master.key.0123456789abcdef.tmp');
    writeFileSync(left, 'x');
    const lock = taken(home);
    expect(existsSync(left)).toBe(false);
    writeFileSync(left, 'x');
    takeHomeLock(home, mine);
    expect(existsSync(left)).toBe(true);
    lock.release();
  });

  test('keeps its files private', () => {
    const home = directory();
    const umask = process.umask(0);
    const lock = taken(home);
    process.umask(umask);
    expect(['ola.lock', 'ola.lock.json'].map((name) => statSync(join(home, name)).mode & 0o777)).toEqual([0o600, 0o600]);
    lock.release();
  });

  test('on a home that is not there says so', () => {
    expect(() => takeHomeLock(join(directory(), 'missing'), mine)).toThrow(
      expect.objectContaining({ code: 'persistence_unavailable' }),
    );
  });
});

test('the lock of a database keeps out whoever names the same one, and clears nothing beside it', () => {
  const folder = directory();
  const path = join(folder, 'state.sqlite3');
  const left = join(folder, '.other.0123456789abcdef.tmp');
  writeFileSync(left, 'x');
  const lock = takeDatabaseLock(path, mine);
  if (!('release' in lock)) throw new Error('the lock is held');
  expect(takeDatabaseLock(path, { ...mine, version: '2' })).toEqual({ heldBy: mine });
  expect('release' in takeHomeLock(folder, mine)).toBe(true);
  lock.release();
  expect(takeDatabaseLock(path, mine)).toHaveProperty('release');
  expect(existsSync(path)).toBe(false);
});
