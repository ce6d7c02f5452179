import { describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { localPrincipal } from '../../src/core/access.ts';
import { readSettings } from '../../src/core/settings.ts';
import { lastConfigFile } from '../../src/home/database-note.ts';
import { openHome } from '../../src/home/home.ts';
import { backUp } from '../../src/upkeep/backup.ts';
import { restore } from '../../src/upkeep/restore.ts';
import { directories } from '../directories.ts';
import { homeOptions } from './options.ts';

const directory = directories();
const own = { principal: localPrincipal, requestId: null, clientIp: null, userAgent: null };
const apiKey = 'sk-fake-place-canary-0001';

interface Told {
  readonly environment?: Readonly<Record<string, string>>;
  readonly configFile?: string | null;
}

const optionsOf = (home: string, { environment = {}, configFile = null }: Told) => ({
  ...homeOptions(home, environment),
  configFile,
});
const noteIn = (home: string) => join(home, 'ola.place.json');

/** As `ola serve` does it. */
async function served(home: string, told: Told = {}): Promise<void> {
  await (await openHome(optionsOf(home, told))).close();
}

/** As a command does it that finds no server. */
async function asCommand(home: string, told: Told = {}): Promise<{ readonly apiKey: unknown; readonly database: string }> {
  const open = await openHome({ ...optionsOf(home, told), by: 'command' });
  try {
    const { providers } = open.gateway.config.snapshot().open;
    return { apiKey: providers?.['acme']?.headers?.['x-key'], database: open.gateway.place.database };
  } finally {
    await open.close();
  }
}

async function refusal(work: Promise<unknown>): Promise<{ code: unknown; message: string }> {
  const thrown = await work.then(
    () => expect.unreachable(),
    (error: unknown) => error,
  );
  return thrown instanceof Error && 'code' in thrown ? { code: thrown.code, message: thrown.message } : expect.unreachable();
}

/** A file that puts the database elsewhere, with a secret that will be sealed there. */
function governing(): { configFile: string; database: string } {
  const folder = directory();
  mkdirSync(join(folder, 'state'), { mode: 0o700 });
  const configFile = join(folder, 'ola.json');
  const acme = { baseUrl: 'http://127.0.0.1:9/v1', allowLocal: true, authHeader: false, headers: { 'x-key': apiKey } };
  const document = { durableState: { dbPath: 'state/elsewhere.sqlite3' }, providers: { acme } };
  writeFileSync(configFile, JSON.stringify(document), { mode: 0o600 });
  return { configFile, database: join(folder, 'state/elsewhere.sqlite3') };
}

describe('a home that was served with a database elsewhere', () => {
  test('keeps commands away from any other one, and says which file to give', async () => {
    const home = directory();
    const { configFile, database } = governing();
    await served(home, { configFile });
    expect(statSync(noteIn(home)).mode & 0o777).toBe(0o600);
    const place = { home, settings: readSettings({}), configFile: null, now: Date.now };
    const backup = join(directory(), 'ola.backup');
    for (const work of [asCommand(home), backUp({ file: backup, passphrase: null }, place)]) {
      const { code, message } = await refusal(work);
      expect([code, message]).toEqual(['conflict', expect.stringContaining(`give --config ${configFile}`)]);
      expect(message).toContain(database);
    }
    expect(existsSync(join(home, 'runtime_state.sqlite3'))).toBe(false);
    expect(existsSync(backup)).toBe(false);

    expect(await asCommand(home, { configFile })).toEqual({ apiKey, database });
    expect(await backUp({ file: backup, passphrase: null }, { ...place, configFile })).toMatchObject({ secrets: 1 });
    const { code } = await refusal(restore({ file: backup, passphrase: null }, place));
    expect(code).toBe('conflict');
    expect(existsSync(join(home, 'runtime_state.sqlite3'))).toBe(false);
    const restored = await restore({ file: backup, passphrase: null }, { ...place, configFile });
    expect(restored.replaced).toStartWith(join(database, '../elsewhere.before-restore-'));
    expect(await asCommand(home, { configFile })).toEqual({ apiKey, database });
  });

  test('by a variable that only the server was given says which one to set', async () => {
    const home = directory();
    const database = join(directory(), 'elsewhere.sqlite3');
    const environment = { OPEN_LLM_AUTH_DB_PATH: database };
    await served(home, { environment });
    expect((await refusal(asCommand(home))).message).toContain(`set OPEN_LLM_AUTH_DB_PATH=${database}`);
    expect(await asCommand(home, { environment })).toMatchObject({ database });
    const other = { OPEN_LLM_AUTH_DB_PATH: join(directory(), 'other.sqlite3') };
    expect((await refusal(asCommand(home, { environment: other }))).code).toBe('conflict');
    expect(existsSync(other.OPEN_LLM_AUTH_DB_PATH)).toBe(false);
  });

  test('is free again once it is served with its own, and obeys a note that cannot be read by refusing', async () => {
    const home = directory();
    const { configFile } = governing();
    await served(home, { configFile });
    await served(home);
    expect(existsSync(noteIn(home))).toBe(false);
    expect(await asCommand(home)).toMatchObject({ database: join(home, 'runtime_state.sqlite3') });
    writeFileSync(noteIn(home), '{"database": 7}', { mode: 0o600 });
    const { code, message } = await refusal(asCommand(home));
    expect([code, message]).toEqual(['conflict', expect.stringContaining(noteIn(home))]);
  });

  test('in file mode with its own database is free for commands, which can tell that a file governed', async () => {
    const home = directory();
    const configFile = join(directory(), 'ola.json');
    writeFileSync(configFile, '{}', { mode: 0o600 });
    await served(home, { configFile });
    expect(lastConfigFile(home)).toBe(configFile);
    expect(await asCommand(home)).toMatchObject({ database: join(home, 'runtime_state.sqlite3') });
    await served(home);
    expect(lastConfigFile(home)).toBeNull();
  });

  test('keeps the key of that database through a rotation that does not know of it', async () => {
    const home = directory();
    const { configFile, database } = governing();
    await served(home, { configFile });
    // A server is told where its database is, so nothing keeps it away: only the retired key helps here.
    const open = await openHome(homeOptions(home));
    const { dropped } = await open.gateway.keys.rotate(own);
    expect(dropped).toHaveLength(1);
    await open.close();
    const again = await openHome(optionsOf(home, { configFile }));
    expect(again.gateway.config.snapshot().open.providers?.['acme']?.headers).toEqual({ 'x-key': apiKey });
    expect(await again.gateway.keys.rotate(own)).toMatchObject({ resealed: 1, damaged: [] });
    await again.close();
    expect(await asCommand(home, { configFile })).toEqual({ apiKey, database });
  });
});
