import { Database } from 'bun:sqlite';
import { describe, expect, test } from 'bun:test';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { localPrincipal } from '../../src/core/access.ts';
import { readSettings } from '../../src/core/settings.ts';
import { type OpenHome, openHome } from '../../src/home/home.ts';
import { backUp } from '../../src/upkeep/backup.ts';
import { restore } from '../../src/upkeep/restore.ts';
import { directories } from '../directories.ts';
import { killedEverywhere } from '../home/dying.ts';
import { homeOptions } from '../home/options.ts';
import { originalHome } from '../home/predecessor-home.ts';

const directory = directories();
const own = { principal: localPrincipal, requestId: null, clientIp: null, userAgent: null };
const passphrase = 'correct horse battery';
const apiKey = 'sk-fake-backup-canary-0001';
const placeOf = (home: string, environment: Readonly<Record<string, string>> = {}) => ({
  home,
  settings: readSettings(environment),
  configFile: null,
  now: Date.now,
});
/** On this machine, so that no name is looked up. */
const provider = (key: string) => ({ baseUrl: 'http://127.0.0.1:9/v1', allowLocal: true, apiKey: key });
const databaseOf = (home: string) => join(home, 'runtime_state.sqlite3');

/** A home with one secret and one token. */
async function homeWith(name: string): Promise<string> {
  const home = directory();
  const open = await openHome(homeOptions(home));
  await open.gateway.providers.put('mine', provider(apiKey), null, own);
  await open.gateway.tokens.create({ name, expiresAt: null }, own);
  await open.close();
  return home;
}

async function within<T>(home: string, work: (open: OpenHome) => Promise<T> | T): Promise<T> {
  const open = await openHome(homeOptions(home));
  try {
    return await work(open);
  } finally {
    await open.close();
  }
}

const tokensIn = (home: string) => within(home, ({ gateway }) => gateway.tokens.list().map(({ name }) => name));
const keyIn = (home: string) => within(home, ({ gateway }) => gateway.config.snapshot().open.providers?.['mine']?.apiKey ?? null);

async function refusal(work: Promise<unknown>): Promise<{ code: string; message: string }> {
  try {
    await work;
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown) return { code: String(thrown.code), message: thrown.message };
    throw thrown;
  }
  return expect.unreachable();
}

/** Names and contents; the lock's files come and go. */
function contents(home: string): Record<string, string> {
  const names = readdirSync(home).filter((name) => !name.startsWith('ola.lock') && statSync(join(home, name)).isFile());
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(home, name), 'latin1')]));
}

describe('a backup', () => {
  test('brings back what was there, secrets and tokens, and the former state is kept beside it', async () => {
    const home = await homeWith('before');
    const file = join(directory(), 'ola.backup');
    const made = await backUp({ file, passphrase: null }, placeOf(home));
    expect(made).toMatchObject({
      file,
      bytes: statSync(file).size,
      secrets: 1,
      keySource: join(home, 'master.key'),
      withKey: false,
    });
    await within(home, async ({ gateway }) => {
      await gateway.tokens.create({ name: 'after', expiresAt: null }, own);
      await gateway.providers.put('mine', provider('sk-fake-other-0002'), null, own);
    });
    const restored = await restore({ file, passphrase: null }, placeOf(home));
    expect(restored).toMatchObject({ home, secrets: 1, keyId: made.keyId, keyWritten: null });
    expect(await tokensIn(home)).toEqual(['before']);
    expect(await keyIn(home)).toBe(apiKey);
    const kept = restored.replaced ?? '';
    expect(kept).toMatch(/runtime_state\.before-restore-.*\.sqlite3$/);
    expect(readdirSync(home).filter((name) => /-wal$|-shm$|\.tmp/.test(name))).toEqual([]);
    await restore({ file: kept, passphrase: null }, placeOf(home));
    expect(await tokensIn(home)).toEqual(['before', 'after']);
  });

  test('is its owner’s alone, has no secret in clear, and leaves the database as it was', async () => {
    const home = await homeWith('laptop');
    const file = join(directory(), 'ola.backup');
    const before = readFileSync(databaseOf(home));
    await backUp({ file, passphrase }, placeOf(home));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const [bytes, key] = [readFileSync(file, 'latin1'), readFileSync(join(home, 'master.key'), 'utf8').trim()];
    for (const secret of [apiKey, key, passphrase]) expect(bytes.includes(secret)).toBe(false);
    expect(readFileSync(databaseOf(home))).toEqual(before);
  });

  test('made while a server writes has every write that was acknowledged before it, whole', async () => {
    const home = await homeWith('first');
    const open = await openHome(homeOptions(home));
    const acknowledged: string[] = ['first'];
    let writing = true;
    const writes = (async () => {
      for (let n = 0; writing; n++) {
        await open.gateway.tokens.create({ name: `token-${n}`, expiresAt: null }, own);
        acknowledged.push(`token-${n}`);
        await Bun.sleep(1);
      }
    })();
    const folder = directory();
    const backups: { file: string; least: number }[] = [];
    for (let n = 0; n < 5; n++) {
      const [file, least] = [join(folder, `${n}.backup`), acknowledged.length];
      await Promise.all([backUp({ file, passphrase: null }, placeOf(home)), Bun.sleep(10)]);
      backups.push({ file, least });
    }
    writing = false;
    await writes;
    await open.close();
    for (const { file, least } of backups) {
      await restore({ file, passphrase: null }, placeOf(home));
      const found = await tokensIn(home);
      expect(found.length).toBeGreaterThanOrEqual(least);
      expect(found).toEqual(acknowledged.slice(0, found.length));
    }
  });

  test('with its key opens on a machine that has none, and there the key is in its file alone', async () => {
    const home = await homeWith('laptop');
    const file = join(directory(), 'ola.backup');
    const { keyId, withKey } = await backUp({ file, passphrase }, placeOf(home));
    expect(withKey).toBe(true);
    const other = join(directory(), 'home');
    expect(await refusal(restore({ file, passphrase: null }, placeOf(other)))).toMatchObject({ code: 'secret_required' });
    expect(await refusal(restore({ file, passphrase: 'wrong horse battery' }, placeOf(other)))).toMatchObject({
      code: 'invalid_field',
    });
    expect(contents(other)).toEqual({});
    const restored = await restore({ file, passphrase }, placeOf(other));
    expect(restored).toEqual({ home: other, replaced: null, secrets: 1, keyId, keyWritten: join(other, 'master.key') });
    expect(statSync(join(other, 'master.key')).mode & 0o777).toBe(0o600);
    expect(await keyIn(other)).toBe(apiKey);
    expect(readFileSync(databaseOf(other), 'latin1')).not.toContain('ola-sealed');
  });

  test('of keys that only the server was given is made all the same, and says so', async () => {
    const home = await homeWith('laptop');
    const key = readFileSync(join(home, 'master.key'), 'utf8').trim();
    rmSync(join(home, 'master.key'));
    const folder = directory();
    const made = await backUp({ file: join(folder, 'a'), passphrase: null }, placeOf(home));
    const known = await backUp({ file: join(folder, 'b'), passphrase }, placeOf(home, { OPEN_LLM_AUTH_MASTER_KEY: key }));
    expect(known).toMatchObject({ keyId: made.keyId, keySource: 'OPEN_LLM_AUTH_MASTER_KEY' });
    expect(made.keySource).not.toContain('master.key');
    const strange = { OPEN_LLM_AUTH_MASTER_KEY: Buffer.from(Array.from({ length: 32 }, (_, n) => n)).toString('base64') };
    expect((await refusal(backUp({ file: join(folder, 'c'), passphrase }, placeOf(home, strange)))).message).toContain(
      made.keyId,
    );
    expect(readdirSync(folder).sort()).toEqual(['a', 'b']);
  });

  test('goes nowhere where something is, or where ola would take it for something else', async () => {
    const home = await homeWith('laptop');
    const folder = directory();
    writeFileSync(join(folder, 'there'), 'precious');
    symlinkSync(join(folder, 'nowhere'), join(folder, 'link'));
    symlinkSync(home, join(folder, 'home'));
    mkdirSync(join(folder, 'folder'));
    const refused: readonly (readonly [string, string])[] = [
      [join(folder, 'there'), 'conflict'],
      [join(folder, 'link'), 'conflict'],
      [join(folder, 'folder'), 'conflict'],
      [join(folder, 'missing', 'ola.backup'), 'invalid_field'],
      [databaseOf(home), 'conflict'],
      [`${databaseOf(home)}-wal`, 'invalid_field'],
      [join(folder, 'home', 'runtime_state.sqlite3-journal'), 'invalid_field'],
      [join(home, 'config.json'), 'invalid_field'],
      [join(home, 'master.key.retired'), 'invalid_field'],
      [join(home, 'ola.place.json'), 'invalid_field'],
    ];
    const before = contents(home);
    for (const [file, code] of refused) {
      const thrown = await refusal(backUp({ file, passphrase: null }, placeOf(home)));
      expect([file, thrown.code]).toEqual([file, code]);
    }
    expect(await refusal(backUp({ file: join(folder, 'new'), passphrase: 'short' }, placeOf(home)))).toMatchObject({
      code: 'invalid_field',
    });
    expect(contents(home)).toEqual(before);
    expect(readFileSync(join(folder, 'there'), 'utf8')).toBe('precious');
    expect(readdirSync(folder).sort()).toEqual(['folder', 'home', 'link', 'there']);
    const nothing = await refusal(backUp({ file: join(folder, 'new'), passphrase: null }, placeOf(directory())));
    expect(nothing.message).toContain('nothing to back up');
    const foreign = directory();
    originalHome(foreign);
    expect((await refusal(backUp({ file: join(folder, 'new'), passphrase: null }, placeOf(foreign)))).message).toContain(
      'not a database of ola',
    );
    expect(existsSync(join(folder, 'new'))).toBe(false);
  });
});

describe('after a rotation of the key', () => {
  test('an older backup comes back: its key is retired, not lost', async () => {
    const home = await homeWith('before');
    const folder = directory();
    const old = await backUp({ file: join(folder, 'old'), passphrase: null }, placeOf(home));
    const { keyId } = await within(home, ({ gateway }) => gateway.keys.rotate(own));
    expect(await restore({ file: join(folder, 'old'), passphrase: null }, placeOf(home))).toMatchObject({
      keyId: old.keyId,
      keyWritten: null,
    });
    expect(await keyIn(home)).toBe(apiKey);
    const made = await backUp({ file: join(folder, 'again'), passphrase: null }, placeOf(home));
    expect(made).toMatchObject({ keyId: old.keyId, keySource: join(home, 'master.key.retired') });
    await within(home, async ({ gateway }) => {
      await gateway.providers.put('other', provider('sk-fake-other-0002'), null, own);
    });
    const both = await backUp({ file: join(folder, 'both'), passphrase: null }, placeOf(home));
    expect(both).toMatchObject({
      keyId: `${keyId}, ${old.keyId}`,
      keySource: `${join(home, 'master.key')} and ${join(home, 'master.key.retired')}`,
    });
  });

  test('a backup with its key has the keys that its secrets need, and no other', async () => {
    const home = await homeWith('before');
    const folder = directory();
    const plain = join(folder, 'plain');
    await backUp({ file: plain, passphrase: null }, placeOf(home));
    const retired = readFileSync(join(home, 'master.key'), 'utf8');
    await within(home, ({ gateway }) => gateway.keys.rotate(own));
    const current = readFileSync(join(home, 'master.key'), 'utf8');
    expect(readFileSync(join(home, 'master.key.retired'), 'utf8')).toBe(retired);
    const keysAfterRestoreOf = async (file: string) => {
      const other = join(directory(), 'home');
      await restore({ file, passphrase }, placeOf(other));
      expect(await keyIn(other)).toBe(apiKey);
      return readFileSync(join(other, 'master.key'), 'utf8');
    };
    await backUp({ file: join(folder, 'new'), passphrase }, placeOf(home));
    expect(await keysAfterRestoreOf(join(folder, 'new'))).toBe(current);
    await restore({ file: plain, passphrase: null }, placeOf(home));
    await backUp({ file: join(folder, 'old'), passphrase }, placeOf(home));
    expect(await keysAfterRestoreOf(join(folder, 'old'))).toBe(retired);
  });
});

describe('a restore is refused, and changes nothing,', () => {
  async function stage() {
    const home = await homeWith('here');
    const file = join(directory(), 'ola.backup');
    await backUp({ file, passphrase: null }, placeOf(home));
    return { home, file };
  }

  async function refused(home: string, file: string, given: string | null = null) {
    const before = contents(home);
    const thrown = await refusal(restore({ file, passphrase: given }, placeOf(home)));
    expect(contents(home)).toEqual(before);
    return thrown;
  }

  test('while a server runs: it is named', async () => {
    const { home, file } = await stage();
    const open = await openHome(homeOptions(home));
    const thrown = await refusal(restore({ file, passphrase: null }, placeOf(home)));
    expect(thrown).toMatchObject({ code: 'conflict', message: expect.stringContaining(String(process.pid)) });
    await open.close();
    expect(await tokensIn(home)).toEqual(['here']);
  });

  test('while another program reads the database', async () => {
    const { home, file } = await stage();
    const reader = new Database(databaseOf(home));
    reader.run('BEGIN');
    reader.query('SELECT * FROM tokens').all();
    expect(await refused(home, file)).toMatchObject({ code: 'conflict', message: expect.stringContaining(databaseOf(home)) });
    reader.close();
    await restore({ file, passphrase: null }, placeOf(home));
  });

  test('when the file is missing, a directory, text, cut off, damaged, of another program or of a newer ola', async () => {
    const { home, file } = await stage();
    const folder = directory();
    const make = (name: string, work: (path: string) => void) => {
      const path = join(folder, name);
      cpSync(file, path);
      work(path);
      return path;
    };
    const sql = (text: string) => (path: string) => {
      const database = new Database(path);
      database.run(text);
      database.close();
    };
    const bytes = readFileSync(file);
    // A page of a table that a start after a clean end does not read through.
    const database = new Database(file, { readonly: true });
    const page = Number(
      database.query<{ n: number }, []>("SELECT rootpage AS n FROM sqlite_schema WHERE name = 'audit'").get()?.n,
    );
    database.close();
    const torn = Buffer.from(bytes);
    torn.fill(0xff, 4096 * (page - 1), 4096 * page);
    const files: readonly (readonly [string, string])[] = [
      [join(folder, 'missing'), 'does not exist'],
      [folder, 'not a regular file'],
      [make('export.json', (path) => writeFileSync(path, '{"providers": {}}\n')), '`ola config import'],
      [make('text', (path) => writeFileSync(path, 'hello '.repeat(1000))), 'no database'],
      [make('empty', (path) => writeFileSync(path, '')), 'another program'],
      [make('cut', (path) => writeFileSync(path, bytes.subarray(0, bytes.length / 2))), 'damaged'],
      [make('torn', (path) => writeFileSync(path, torn)), 'use another backup'],
      [make('foreign', sql('PRAGMA application_id = 7')), 'another program'],
      [make('newer', sql('PRAGMA user_version = 999')), 'newer'],
      [make('open', (path) => writeFileSync(`${path}-wal`, 'log')), 'in use'],
      [databaseOf(home), 'the database itself'],
    ];
    for (const [path, words] of files) {
      expect([path, (await refused(home, path)).message]).toEqual([path, expect.stringContaining(words)]);
    }
  });

  test('when a passphrase is wrong or has no use, though the key here would do', async () => {
    const { home, file } = await stage();
    const sealed = join(directory(), 'sealed.backup');
    await backUp({ file: sealed, passphrase }, placeOf(home));
    expect(await refused(home, sealed, 'wrong horse battery')).toMatchObject({ code: 'invalid_field' });
    expect((await refused(home, file, passphrase)).message).toContain('The backup has no key in it');
    await restore({ file: sealed, passphrase }, placeOf(home));
  });

  test('when its secrets need a key that is neither here nor in it, or another one is here', async () => {
    const { home, file } = await stage();
    const sealed = join(directory(), 'sealed.backup');
    const { keyId } = await backUp({ file: sealed, passphrase }, placeOf(home));
    renameSync(join(home, 'master.key'), join(home, 'other.key'));
    expect((await refused(home, file)).message).toContain(keyId);
    const other = await homeWith('other');
    expect((await refused(other, file)).message).toContain(keyId);
    expect(await refused(other, sealed)).toMatchObject({ code: 'secret_required' });
    const thrown = await refused(other, sealed, passphrase);
    expect(thrown).toMatchObject({ code: 'conflict', message: expect.stringContaining(join(other, 'master.key')) });
  });
});

test('a damaged database is replaced, and kept with its log, which is not played into the new one', async () => {
  const home = await homeWith('here');
  const file = join(directory(), 'ola.backup');
  await backUp({ file, passphrase: null }, placeOf(home));
  const log = `${databaseOf(home)}-wal`;
  const whole = await within(home, async ({ gateway }) => {
    await gateway.tokens.create({ name: 'ghost', expiresAt: null }, own);
    return readFileSync(log);
  });
  // The last writes alone: with the first page in it the log would be a database of its own.
  writeFileSync(databaseOf(home), 'no database any more '.repeat(5000));
  writeFileSync(log, whole);
  const { replaced } = await restore({ file, passphrase: null }, placeOf(home));
  expect(existsSync(log)).toBe(false);
  expect(existsSync(`${replaced}-wal`)).toBe(true);
  expect(readFileSync(replaced ?? '', 'utf8')).toStartWith('no database any more');
  expect(await tokensIn(home)).toEqual(['here']);
});

test('killed anywhere, a restore has left the old state or the new one, whole, and can be repeated', async () => {
  const source = await homeWith('new');
  const file = join(directory(), 'ola.backup');
  await backUp({ file, passphrase: null }, placeOf(source));
  const template = directory();
  cpSync(join(source, 'master.key'), join(template, 'master.key'));
  await within(template, ({ gateway }) => gateway.tokens.create({ name: 'old', expiresAt: null }, own));
  const killed = await killedEverywhere(join(import.meta.dir, 'restore-dying.ts'), () => {
    const home = join(directory(), 'home');
    cpSync(template, home, { recursive: true });
    const check = async (change: number) => {
      const kept = readdirSync(home).filter((name) => name.includes('before-restore'));
      const found = await tokensIn(home);
      const left = readdirSync(home).filter((name) => name.includes('.tmp') || name.endsWith('-wal'));
      expect([change, left]).toEqual([change, []]);
      if (found[0] === 'new') expect([change, kept.length]).toEqual([change, 1]);
      else {
        expect([change, found]).toEqual([change, ['old']]);
        await restore({ file, passphrase: null }, placeOf(home));
      }
      expect([change, await keyIn(home)]).toEqual([change, apiKey]);
    };
    return { args: [home, file], check };
  });
  expect(killed).toBeGreaterThan(15);
});

test('the key that is in a backup is written before the database that needs it takes its place', async () => {
  const source = await homeWith('new');
  const file = join(directory(), 'ola.backup');
  await backUp({ file, passphrase }, placeOf(source));
  const home = directory();
  await (await openHome(homeOptions(home))).close();
  rmSync(join(home, 'master.key'));
  // In the way of the last step.
  writeFileSync(join(home, 'runtime_state.before-restore-2026-11-21T10-00-00-000Z.sqlite3'), 'precious');
  const place = { ...placeOf(home), now: () => Date.parse('2026-11-21T10:00:00Z') };
  expect(await refusal(restore({ file, passphrase }, place))).toMatchObject({ code: 'persistence_unavailable' });
  expect(readFileSync(join(home, 'master.key'), 'utf8')).toBe(readFileSync(join(source, 'master.key'), 'utf8'));
  expect(await keyIn(home)).toBeNull();
});

test('a backup of an older database has no renewed tokens in it, and one of a newer names the key that sealed them', async () => {
  const home = await homeWith('kept');
  const database = new Database(databaseOf(home));
  const grant = `v1.0123abcd.${Buffer.alloc(12).toString('base64url')}.${Buffer.alloc(20).toString('base64url')}`;
  database.run(`INSERT INTO oauth_grants VALUES ('g', 'mine:login', 1, '${grant}', 1, 2, 'ready', NULL, NULL, 0, 0, NULL, 0, 1)`);
  database.close();
  const report = await backUp({ file: join(directory(), 'new.sqlite3'), passphrase: null }, placeOf(home));
  expect([report.secrets, report.keyId.split(', ')]).toEqual([2, [expect.any(String), '0123abcd']]);
  const older = new Database(databaseOf(home));
  older.run('DROP TABLE oauth_grants');
  older.run('PRAGMA user_version = 5');
  older.close();
  expect((await backUp({ file: join(directory(), 'old.sqlite3'), passphrase: null }, placeOf(home))).secrets).toBe(1);
});
