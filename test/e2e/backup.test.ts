/** `ola backup` and `ola restore`: everything durable in one file, and back, with the key or without it. */
import { describe, expect, test } from 'bun:test';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { binary, type Ended, filesBelow, type Ola, request, stage } from './stage.ts';
import type { Upstream } from './upstream.ts';

const { directory, run, start, upstream } = stage();

const words = 'correct horse battery staple';

function passphraseFile(text: string): string {
  const path = join(directory(), 'words.txt');
  writeFileSync(path, `${text}\n`, { mode: 0o600 });
  return path;
}

async function stopped(ola: Ola): Promise<void> {
  ola.kill('SIGTERM');
  expect(await ola.exited).toBe(0);
}

async function well(args: readonly string[], home: string, env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const ended = await run(args, { home, env });
  expect([args, ended.code, ended.code === 0 ? '' : ended.err]).toEqual([args, 0, '']);
  return ended;
}

let asked = 0;
async function keyUsed(ola: Ola, up: Upstream, provider = 'acme'): Promise<string> {
  const model = `m${++asked}`;
  const { status, text } = await ola.chat(`${provider}/${model}`);
  expect(`${status} ${text}`).toStartWith('200 ');
  return up.requestFor(model).headers.get('authorization')?.replace('Bearer ', '') ?? '';
}

/** What a home holds, but for the lock, which every command takes. */
const contents = (home: string) =>
  filesBelow(home)
    .filter(({ path }) => !path.includes('ola.lock'))
    .map(({ path, bytes }) => `${path} ${bytes.length} ${Bun.hash(bytes)}`)
    .sort();

/** A home with a provider, a token and a snapshot, stopped; and a backup of it with its key, and one without. */
async function backedUp() {
  const up = await upstream();
  const ola = await start();
  await ola.addProvider('acme', up, { headers: { 'x-secret': 'header-of-acme-0123456789' } });
  const token = String((await ola.ask('POST', '/config/tokens', { name: 'laptop', scopes: ['read'] })).json['token']);
  expect((await ola.ask('POST', '/config/profiles', { name: 'kept' })).status).toBe(200);
  const folder = directory();
  const files = { plain: join(folder, 'plain.backup'), withKey: join(folder, 'with-key.backup') };
  const plain = await well(['backup', files.plain], ola.home);
  const withKey = await well(['backup', files.withKey, '--with-key', '--passphrase-file', passphraseFile(words)], ola.home);
  await stopped(ola);
  return { up, home: ola.home, token, files, said: { plain, withKey } };
}
const made = backedUp();

/** That a home has what was backed up. */
async function expectWhole(home: string): Promise<void> {
  const { up, token } = await made;
  const ola = await start({ home });
  expect(ola.err()).not.toContain('cannot be opened');
  expect(await keyUsed(ola, up)).toBe('key-of-acme-0123456789');
  expect(up.received.at(-1)?.headers.get('x-secret')).toBe('header-of-acme-0123456789');
  expect((await request(`${ola.address}/v1/models`, 'GET', { authorization: `Bearer ${token}` })).status).toBe(200);
  expect((await ola.ask('GET', '/config/profiles')).json as unknown).toMatchObject([{ name: 'kept' }]);
  // Its history too: the way back to before there was anything.
  expect((await ola.ask('GET', '/config/revisions')).json['data'] as unknown).toMatchObject([{ number: 1 }]);
  await stopped(ola);
}

describe('a backup', () => {
  test('is its owner’s alone, shows no secret and no key, and says where the key is', async () => {
    const { files, home, said, token } = await made;
    const key = readFileSync(join(home, 'master.key'), 'utf8').trim();
    for (const path of Object.values(files)) {
      expect([path, statSync(path).mode & 0o777]).toEqual([path, 0o600]);
      const text = readFileSync(path, 'latin1');
      for (const secret of [
        'key-of-acme-0123456789',
        'header-of-acme-0123456789',
        token,
        key,
        Buffer.from(key, 'base64').toString('latin1'),
        words,
      ])
        expect([path, text.includes(secret)]).toEqual([path, false]);
    }
    expect(said.plain.out).toMatch(/key +[0-9a-f]{8}, in .*master\.key; not in the backup/);
    expect(said.plain.err).toContain('Keep a copy of the master key in another place');
    expect(said.withKey.out).toContain('also in the backup, encrypted');
    expect(readdirSync(join(files.plain, '..')).sort()).toEqual(['plain.backup', 'with-key.backup']);
  });

  test('that is made while others write has every write that was acknowledged before, and is whole', async () => {
    const [ola, up] = [await start(), await upstream()];
    const acknowledged = { a: 0, b: 0 };
    let stop = false;
    const writer = async (id: 'a' | 'b') => {
      for (let number = 1; !stop; number++) {
        const body = { baseUrl: up.baseUrl, allowLocal: true, apiKey: `key-${id}-${number}-0123456789` };
        expect((await ola.ask('PUT', `/config/providers/${id}`, body)).status).toBe(200);
        acknowledged[id] = number;
      }
    };
    const writing = Promise.all([writer('a'), writer('b')]);
    const backups: { readonly path: string; readonly before: typeof acknowledged }[] = [];
    while (acknowledged.a < 3 || acknowledged.b < 3) await Bun.sleep(5);
    for (let index = 0; index < 3; index++) {
      const path = join(directory(), 'live.backup');
      const before = { ...acknowledged };
      await well(['backup', path], ola.home);
      backups.push({ path, before });
    }
    stop = true;
    await writing;
    await stopped(ola);
    for (const { path, before } of backups) {
      const home = directory();
      cpSync(join(ola.home, 'master.key'), join(home, 'master.key'));
      await well(['restore', path, '--yes'], home);
      const again = await start({ home });
      for (const id of ['a', 'b'] as const) {
        const number = Number((await keyUsed(again, up, id)).split('-')[2]);
        expect([id, number >= before[id] && number <= acknowledged[id]]).toEqual([id, true]);
      }
      await stopped(again);
    }
  });

  test('goes nowhere where something is, and leaves nothing when it fails', async () => {
    const { home, files } = await made;
    const folder = directory();
    for (const path of [
      files.plain,
      folder,
      join(folder, 'no/such/folder'),
      join(home, 'runtime_state.sqlite3'),
      join(home, 'master.key'),
    ]) {
      const before = contents(home);
      const { code, err } = await run(['backup', path], { home });
      expect([path, code === 0, err]).toEqual([path, false, expect.stringMatching(/^error: .*\n {2}why: .*\n {2}next: .*\n$/)]);
      expect(contents(home)).toEqual(before);
    }
    expect(readdirSync(folder)).toEqual([]);
  });

  test('of a database that a file has put elsewhere is of that database', async () => {
    const up = await upstream();
    const folder = directory();
    mkdirSync(join(folder, 'state'), { mode: 0o700 });
    writeFileSync(join(folder, 'acme.key'), 'key-of-a-file-0123456789', { mode: 0o600 });
    const provider = { baseUrl: up.baseUrl, allowLocal: true, apiKey: 'file:acme.key' };
    const document = { providers: { acme: provider }, durableState: { dbPath: 'state/elsewhere.sqlite3' } };
    const config = join(folder, 'ola.json');
    writeFileSync(config, JSON.stringify(document), { mode: 0o600 });
    const ola = await start({ args: ['--config', config] });
    const token = String((await ola.ask('POST', '/config/tokens', { name: 'laptop', scopes: ['read'] })).json['token']);
    const file = join(folder, 'file-mode.backup');
    await well(['backup', file], ola.home);
    await stopped(ola);
    const home = directory();
    cpSync(join(ola.home, 'master.key'), join(home, 'master.key'));
    const restored = join(home, 'elsewhere.sqlite3');
    await well(['restore', file, '--yes'], home, { OPEN_LLM_AUTH_DB_PATH: restored });
    expect(existsSync(restored)).toBe(true);
    const again = await start({ home, env: { OPEN_LLM_AUTH_DB_PATH: restored } });
    expect((await request(`${again.address}/v1/models`, 'GET', { authorization: `Bearer ${token}` })).status).toBe(200);
    await stopped(again);
  });
});

describe('a restore', () => {
  test('into an empty home, with the key that is beside it', async () => {
    const { home: from, files } = await made;
    const home = directory();
    const refused = await run(['restore', files.plain, '--yes'], { home });
    expect([refused.code, refused.err]).toEqual([1, expect.stringMatching(/need master key [0-9a-f]{8}/)]);
    expect(readdirSync(home).filter((name) => !name.startsWith('ola.lock'))).toEqual([]);
    cpSync(join(from, 'master.key'), join(home, 'master.key'));
    const { out } = await well(['restore', files.plain, '--yes'], home);
    expect(out).toContain('there was none');
    await expectWhole(home);
  });

  test('into an empty home, with the key that is in it, for whoever has the words', async () => {
    const { home: from, files } = await made;
    const home = directory();
    for (const args of [[], ['--passphrase-file', passphraseFile('another horse altogether')]]) {
      const refused = await run(['restore', files.withKey, '--yes', ...args], { home });
      expect([args, refused.code === 0, refused.err]).toEqual([args, false, expect.stringContaining('passphrase')]);
      expect(readdirSync(home).filter((name) => !name.startsWith('ola.lock'))).toEqual([]);
    }
    const { out } = await well(['restore', files.withKey, '--yes', '--passphrase-file', passphraseFile(words)], home);
    expect(out).toContain(`written to ${join(home, 'master.key')}`);
    expect(statSync(join(home, 'master.key')).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(home, 'master.key'), 'utf8')).toBe(readFileSync(join(from, 'master.key'), 'utf8'));
    await expectWhole(home);
    // Nobody who has the words later finds the key in the database.
    expect(readFileSync(join(home, 'runtime_state.sqlite3'), 'latin1')).not.toContain('ola-sealed');
  });

  test('over what is there keeps that, from where it comes back in the same way', async () => {
    const { up, home: from, files } = await made;
    const home = join(directory(), 'home');
    cpSync(from, home, { recursive: true });
    let ola = await start({ home });
    await ola.addProvider('acme', up, { apiKey: 'key-that-came-later-0123456789' });
    const running = await run(['restore', files.plain, '--yes'], { home });
    expect([running.code, running.err]).toEqual([1, expect.stringContaining(`process id ${ola.pid}`)]);
    expect(await keyUsed(ola, up)).toBe('key-that-came-later-0123456789');
    ola.kill('SIGKILL');
    await ola.exited;
    await well(['restore', files.plain, '--yes'], home);
    await expectWhole(home);
    const [former] = readdirSync(home).filter((name) => name.includes('before-restore') && name.endsWith('.sqlite3'));
    expect(former).toBeDefined();
    await well(['restore', join(home, former ?? ''), '--yes'], home);
    ola = await start({ home });
    expect(await keyUsed(ola, up)).toBe('key-that-came-later-0123456789');
    await stopped(ola);
  });

  test('of what is no whole backup changes nothing', async () => {
    const { home: from, files } = await made;
    const home = join(directory(), 'home');
    cpSync(from, home, { recursive: true });
    const spoilt = join(directory(), 'spoilt');
    const { size } = statSync(files.plain);
    const spoil: readonly (readonly [string, () => void])[] = [
      ['missing', () => undefined],
      ['empty', () => writeFileSync(spoilt, '')],
      ['text', () => writeFileSync(spoilt, 'a letter to my aunt'.repeat(500))],
      ['cut', () => truncateSync(copied(), size - 4096 * 3)],
      ['overwritten', () => writeFileSync(copied(), readFileSync(files.plain).fill(0xa5, 4096 * 2, 4096 * 6))],
    ];
    const copied = () => {
      cpSync(files.plain, spoilt);
      return spoilt;
    };
    for (const [what, make] of spoil) {
      make();
      const before = contents(home);
      const { code, out, err } = await run(['restore', spoilt, '--yes'], { home });
      expect([what, code === 0, out, err]).toEqual([what, false, '', expect.stringContaining(spoilt)]);
      expect(contents(home)).toEqual(before);
    }
    const unasked = await run(['restore', files.plain], { home });
    expect([unasked.code, unasked.err]).toEqual([2, expect.stringContaining('--yes')]);
    await expectWhole(home);
  });

  test('that is killed leaves the old state or the new one, and can be repeated', async () => {
    const { up, home: from, files } = await made;
    for (let round = 0; round < 8; round++) {
      const home = join(directory(), 'home');
      cpSync(from, home, { recursive: true });
      await well(['config', 'set', 'defaultModel', 'acme/later'], home);
      const env = { HOME: home, OPEN_LLM_AUTH_HOME: home };
      const child = Bun.spawn([binary, 'restore', files.plain, '--yes'], { env, stdio: ['ignore', 'ignore', 'ignore'] });
      await Bun.sleep(45 + round * 6);
      child.kill('SIGKILL');
      await child.exited;
      const ola = await start({ home });
      const model = (await ola.ask('GET', '/config')).json['defaultModel'] as unknown;
      expect([undefined, 'acme/later']).toContain(model as string | undefined);
      expect(await keyUsed(ola, up)).toBe('key-of-acme-0123456789');
      await stopped(ola);
      if (round % 4 > 0) continue;
      await well(['restore', files.plain, '--yes'], home);
      await expectWhole(home);
    }
  });
});

test('a configuration moves to another machine with its secrets, which only the words open', async () => {
  const { up, home: from } = await made;
  const file = join(directory(), 'moved.json');
  const passphrase = ['--passphrase-file', passphraseFile(words)];
  await well(['config', 'export', file, '--with-secrets', ...passphrase], from);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readFileSync(file, 'utf8')).not.toMatch(/of-acme-0123456789/);
  const again = await run(['config', 'export', file, '--with-secrets', ...passphrase], { home: from });
  expect([again.code, again.err]).toEqual([1, expect.stringContaining('does not overwrite it')]);
  const ola = await start();
  for (const given of [[], ['--passphrase-file', passphraseFile('another horse altogether')]]) {
    const refused = await run(['config', 'import', file, ...given], { home: ola.home });
    expect([given, refused.code === 0, refused.err]).toEqual([given, false, expect.stringContaining('passphrase')]);
  }
  expect((await ola.ask('GET', '/config')).text).toBe('{}');
  await well(['config', 'import', file, ...passphrase], ola.home);
  expect(await keyUsed(ola, up)).toBe('key-of-acme-0123456789');
  expect(up.received.at(-1)?.headers.get('x-secret')).toBe('header-of-acme-0123456789');
  await stopped(ola);
});
