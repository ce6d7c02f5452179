/** What can go wrong under the configuration: kills, a full disk, a lost key, damage. What was acknowledged stays. */
import { Database } from 'bun:sqlite';
import { afterAll, describe, expect, test } from 'bun:test';
import { chmodSync, cpSync, mkdirSync, readFileSync, realpathSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Answer, expectError, filesBelow, type Ola, request, stage, until } from './stage.ts';
import type { Upstream } from './upstream.ts';

/** Taken away before the directories that they are on. */
const mounts: string[] = [];
afterAll(() => {
  for (const at of mounts) Bun.spawnSync(['umount', '-l', at]);
});

const { directory, run, start, upstream } = stage();

const databaseIn = (home: string) => join(home, 'runtime_state.sqlite3');

function rows<T>(home: string, sql: string): T[] {
  const database = new Database(databaseIn(home));
  try {
    return database.query(sql).all() as T[];
  } finally {
    database.close();
  }
}

/** Random, and the same at every run. */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

async function killed(ola: Ola): Promise<void> {
  ola.kill('SIGKILL');
  await ola.exited;
}

async function stopped(ola: Ola): Promise<void> {
  ola.kill('SIGTERM');
  expect(await ola.exited).toBe(0);
}

/** Null when the process died over it. */
const attempt = (work: Promise<Answer>): Promise<Answer | null> => work.catch(() => null);

let asked = 0;
async function keyUsed(ola: Ola, up: Upstream, provider: string): Promise<string> {
  const model = `key-${++asked}`;
  const { status, text } = await ola.chat(`${provider}/${model}`);
  expect(`${status} ${text}`).toStartWith('200 ');
  return up.requestFor(model).headers.get('authorization')?.replace('Bearer ', '') ?? '';
}

describe('killed at a random moment', () => {
  /** What was acknowledged, and the newest that may be there too because the answer was on its way. */
  interface Counter {
    acknowledged: number;
    tried: number;
  }

  test('while eight writers write, it starts again with all that was acknowledged and nothing half', async () => {
    const random = sequence(20_251_121);
    const [home, up] = [directory(), await upstream()];
    const counters = new Map<string, Counter>();
    const tokens = new Map<string, 'made' | 'revoking' | 'revoked'>();
    const snapshots = new Set<string>();
    const count = (name: string) =>
      counters.get(name) ?? counters.set(name, { acknowledged: 0, tried: 0 }).get(name) ?? expect.unreachable();

    const putter = (id: string) => async (ola: Ola) => {
      const counter = count(id);
      const number = ++counter.tried;
      // Otherwise whoever reads first and writes then would always come too late.
      await Bun.sleep(random() * 12);
      const body = {
        baseUrl: up.baseUrl,
        allowLocal: true,
        apiKey: `key-${id}-${number}-0123456789`,
        headers: { 'x-number': `${number}` },
      };
      const answer = await attempt(ola.ask('PUT', `/config/providers/${id}`, body));
      if (answer?.status === 200) counter.acknowledged = number;
      return answer;
    };
    const editor = async (ola: Ola) => {
      const read = await attempt(ola.ask('GET', '/config'));
      if (read === null) return null;
      const counter = count('document');
      const number = ++counter.tried;
      const next = { ...(read.json as object), defaultModel: `a/${number}`, serial: { number, of: `secret-of-${number}` } };
      const answer = await attempt(ola.ask('POST', '/config', next, { 'if-match': read.headers.get('etag') ?? '' }));
      if (answer?.status === 200) counter.acknowledged = number;
      return answer;
    };
    const maker = async (ola: Ola) => {
      const answer = await attempt(ola.ask('POST', '/config/tokens', { name: 'kept', scopes: ['read'] }));
      if (answer !== null && answer.status < 300) tokens.set(String(answer.json['token']), 'made');
      return answer;
    };
    const revoker = async (ola: Ola) => {
      const answer = await attempt(ola.ask('POST', '/config/tokens', { name: 'revoked', scopes: ['read'] }));
      if (answer === null || answer.status >= 300) return answer;
      const token = String(answer.json['token']);
      tokens.set(token, 'revoking');
      const gone = await attempt(ola.ask('DELETE', `/config/tokens/${String(answer.json['id'])}`));
      if (gone !== null && gone.status < 300) tokens.set(token, 'revoked');
      return gone;
    };
    const saver = async (ola: Ola) => {
      const name = `s${++count('snapshot').tried}`;
      const answer = await attempt(ola.ask('POST', '/config/profiles', { name }));
      if (answer?.status === 200) snapshots.add(name);
      return answer;
    };
    const writers = [putter('a'), putter('b'), putter('c'), editor, maker, maker, revoker, saver];
    // Nobody else changes the document: whoever reads it first and writes it then comes in time.
    const alone = [editor, maker, maker, revoker, saver];

    let ola = await start({ home });
    for (let round = 0; round < 15; round++) {
      const strange: string[] = [];
      // Counted, not timed: on a slow machine as much is written as on a fast one, and it is killed while others are under way.
      let left = Math.floor(random() * 60);
      await Promise.all(
        (round % 3 === 2 ? alone : writers).map(async (write) => {
          for (let answer = await write(ola); answer !== null; answer = await write(ola)) {
            if (answer.status >= 300 && answer.status !== 412) strange.push(`${answer.status} ${answer.text}`);
            if (left-- === 0) ola.kill('SIGKILL');
          }
        }),
      );
      await ola.exited;
      expect(strange).toEqual([]);
      ola = await start({ home });
      for (const id of ['a', 'b', 'c']) {
        const { acknowledged, tried } = count(id);
        if (acknowledged === 0) continue;
        const number = Number((await keyUsed(ola, up, id)).split('-')[2]);
        expect([id, number >= acknowledged && number <= tried]).toEqual([id, true]);
        expect(up.received.at(-1)?.headers.get('x-number')).toBe(`${number}`);
        // What was in flight is there or not, from here on for good.
        count(id).acknowledged = number;
      }
      const { json } = await ola.ask('GET', '/config');
      const serial = Number((json['serial'] as unknown as { number?: number } | undefined)?.number ?? 0);
      expect(serial).toBeGreaterThanOrEqual(count('document').acknowledged);
      if (serial > 0) expect(String(json['defaultModel'])).toBe(`a/${serial}`);
      for (const [token, state] of tokens) {
        const { status } = await request(`${ola.address}/v1/models`, 'GET', { authorization: `Bearer ${token}` });
        if (state !== 'revoking') expect([state, status]).toEqual([state, state === 'made' ? 200 : 401]);
      }
      const listed = (await ola.ask('GET', '/config/profiles')).json as unknown as { name: string }[];
      const names = new Set(listed.map(({ name }) => name));
      expect([...snapshots].filter((name) => !names.has(name))).toEqual([]);
      expect(ola.err()).not.toContain('cannot be opened');
    }
    await killed(ola);
    expect(rows(home, 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
    // A revision without its event, or a secret without its revision, would be half a write.
    const silent = `SELECT number FROM revisions WHERE number NOT IN
      (SELECT json_extract(details, '$.revision') FROM audit WHERE json_extract(details, '$.revision') IS NOT NULL)`;
    expect(rows(home, silent)).toEqual([]);
    expect(rows(home, 'SELECT id FROM secrets WHERE id NOT IN (SELECT secret FROM secret_uses)')).toEqual([]);
    const lost = `SELECT value FROM revisions, json_each(revisions.secrets) WHERE value NOT IN (SELECT id FROM secrets)
      UNION SELECT value FROM snapshots, json_each(snapshots.secrets) WHERE value NOT IN (SELECT id FROM secrets)`;
    expect(rows(home, lost)).toEqual([]);
    // In the other rounds others came between most of what was read and written back.
    for (const id of ['a', 'b', 'c']) expect([id, count(id).acknowledged > 3]).toEqual([id, true]);
    expect(count('document').acknowledged).toBeGreaterThan(3);
  });

  test('while the master key is rotated, every secret still opens, and the next rotation ends well', async () => {
    const random = sequence(7);
    const [home, up] = [directory(), await upstream()];
    const provider = (index: number) => ({ baseUrl: up.baseUrl, allowLocal: true, apiKey: `key-${index}-0123456789` });
    const ids = Array.from({ length: 400 }, (_, index) => [`p${index}`, provider(index)] as const);
    let ola = await start({ home });
    expect((await ola.ask('POST', '/config', { providers: Object.fromEntries(ids) })).status).toBe(200);
    let interrupted = 0;
    const since = performance.now();
    expect((await ola.ask('POST', '/config/keys/rotate', {})).status).toBe(200);
    const wholeMs = performance.now() - since;
    for (let round = 0; round < 10; round++) {
      const rotation = attempt(ola.ask('POST', '/config/keys/rotate', {}));
      // From the beginning of one to its end, as long as this machine takes for it.
      await Bun.sleep((wholeMs * round) / 10);
      await killed(ola);
      if ((await rotation) === null) interrupted++;
      ola = await start({ home });
      expect(ola.err()).not.toContain('cannot be opened');
      for (const index of [0, 399, Math.floor(random() * 400)])
        expect(await keyUsed(ola, up, `p${index}`)).toBe(`key-${index}-0123456789`);
    }
    expect(interrupted).toBeGreaterThan(0);
    const last = await run(['keys', 'rotate', '--json'], { home });
    expect([last.code, last.err]).toEqual([0, '']);
    const { keyId } = JSON.parse(last.out) as { keyId: string };
    expect(readFileSync(join(home, 'master.key'), 'utf8').trim().split('\n')).toHaveLength(1);
    await stopped(ola);
    const envelopes = rows<{ envelope: string }>(home, 'SELECT envelope FROM secrets');
    expect(envelopes.length).toBe(400);
    expect(new Set(envelopes.map(({ envelope }) => envelope.split('.')[1]))).toEqual(new Set([keyId]));
    ola = await start({ home });
    for (const index of [0, 200, 399]) expect(await keyUsed(ola, up, `p${index}`)).toBe(`key-${index}-0123456789`);
  });
});

test('a rotation that does not know of a database elsewhere leaves that one its key', async () => {
  const up = await upstream();
  const folder = directory();
  mkdirSync(join(folder, 'state'), { mode: 0o700 });
  const headers = { 'x-secret': 'header-in-a-file-0123456789' };
  const document = {
    durableState: { dbPath: 'state/elsewhere.sqlite3' },
    providers: { acme: { baseUrl: up.baseUrl, allowLocal: true, authHeader: false, headers } },
  };
  const config = join(folder, 'ola.json');
  writeFileSync(config, JSON.stringify(document), { mode: 0o600 });
  const ola = await start({ args: ['--config', config] });
  await stopped(ola);
  // Without a server, and without the file that names the database: only the home is known.
  await run(['keys', 'rotate'], { home: ola.home });
  const again = await start({ home: ola.home, args: ['--config', config] });
  expect((await again.chat('acme/one')).status).toBe(200);
  expect(up.requestFor('one').headers.get('x-secret')).toBe(headers['x-secret']);
});

/** A file system of a few MiB; null where this user may not mount one. */
function smallDisk(): string | null {
  const at = realpathSync(directory());
  const { exitCode } = Bun.spawnSync(['mount', '-t', 'tmpfs', '-o', 'size=4m,mode=700', 'tmpfs', at], { stderr: 'ignore' });
  if (exitCode !== 0) return null;
  mounts.push(at);
  return at;
}
const canMount = process.platform === 'linux' && smallDisk() !== null;

/** Takes all the room there is. */
function fill(disk: string): string {
  const path = join(disk, 'filler');
  Bun.spawnSync(['dd', 'if=/dev/zero', `of=${path}`, 'bs=4096'], { stderr: 'ignore' });
  return path;
}

describe.skipIf(!canMount)('a small disk (skipped where this user may not mount one)', () => {
  test('that is full keeps nothing from being read, called and authenticated; writes are refused until there is room', async () => {
    const disk = smallDisk() ?? expect.unreachable();
    const home = join(disk, 'home');
    mkdirSync(home, { mode: 0o700 });
    const up = await upstream();
    const ola = await start({ home });
    await ola.addProvider('acme', up);
    const made = await ola.ask('POST', '/config/tokens', { name: 'before', scopes: ['read', 'write'] });
    const filler = fill(disk);
    const text = 'x'.repeat(50_000);
    let acknowledged = await ola.ask('GET', '/config');
    let refused = 0;
    // The log of the database may have room of its own at first.
    for (let number = 0; refused < 3 && number < 100; number++) {
      const next = {
        ...(acknowledged.json as object),
        egressPolicy: { denyHosts: [`n${number}.example`] },
        serial: { number: [text] },
      };
      const answer = await ola.ask('POST', '/config', next);
      const now = await ola.ask('GET', '/config');
      if (answer.status === 200) acknowledged = now;
      else {
        refused++;
        expectError(answer, 503, 'persistence_unavailable');
        expect([now.text, now.headers.get('etag')]).toEqual([acknowledged.text, acknowledged.headers.get('etag')]);
      }
    }
    expect(refused).toBe(3);
    for (const [path, body] of [
      ['/config/profiles', { name: 'full' }],
      ['/config/tokens', { name: 'full' }],
    ] as const)
      expectError(await ola.ask('POST', path, body), 503, 'persistence_unavailable');
    expect(await keyUsed(ola, up, 'acme')).toBe('key-of-acme-0123456789');
    const authorization = `Bearer ${String(made.json['token'])}`;
    expect((await request(`${ola.address}/v1/models`, 'GET', { authorization })).status).toBe(200);
    expect((await request(`${ola.address}/v1/models`, 'GET', { authorization: 'Bearer wrong' })).status).toBe(401);

    rmSync(filler);
    const recovered = await ola.ask('POST', '/config', { ...(acknowledged.json as object), defaultModel: 'acme/recovered' });
    expect(`${recovered.status} ${recovered.text}`).toStartWith('200 ');
    expect((await ola.ask('POST', '/config/keys/rotate', {})).status).toBe(200);
    const last = await ola.ask('GET', '/config');
    // What was called while it was full is accounted for.
    const calls = () => rows<{ count: number }>(home, 'SELECT count(*) AS count FROM usage')[0]?.count;
    await until('the call is in the usage', () => calls() === 1);
    await killed(ola);
    const again = await start({ home });
    expect((await again.ask('GET', '/config')).text).toBe(last.text);
    expect(await keyUsed(again, up, 'acme')).toBe('key-of-acme-0123456789');
    await stopped(again);
    expect(rows(home, 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
  });

  test('that is full refuses a rotation of the key, and leaves the key as it was', async () => {
    const disk = smallDisk() ?? expect.unreachable();
    const home = join(disk, 'home');
    mkdirSync(home, { mode: 0o700 });
    const up = await upstream();
    const ola = await start({ home });
    await ola.addProvider('acme', up);
    const before = readFileSync(join(home, 'master.key'), 'utf8');
    const filler = fill(disk);
    const refused = await ola.ask('POST', '/config/keys/rotate', {});
    expect(readFileSync(join(home, 'master.key'), 'utf8')).toBe(before);
    expect(await keyUsed(ola, up, 'acme')).toBe('key-of-acme-0123456789');
    expectError(refused, 503, 'persistence_unavailable');
    rmSync(filler);
    expect((await ola.ask('POST', '/config/keys/rotate', {})).status).toBe(200);
    await killed(ola);
    expect(await keyUsed(await start({ home }), up, 'acme')).toBe('key-of-acme-0123456789');
  });

  test('that was full when the file that governs was changed takes the change as soon as there is room', async () => {
    const disk = smallDisk() ?? expect.unreachable();
    const home = join(disk, 'home');
    mkdirSync(home, { mode: 0o700 });
    const config = join(directory(), 'ola.json');
    const write = (number: number) =>
      writeFileSync(config, JSON.stringify({ defaultModel: `acme/${number}`, publicHosts: ['x'.repeat(60_000)] }), {
        mode: 0o600,
      });
    write(0);
    const ola = await start({ home, args: ['--config', config] });
    const model = async () => String((await ola.ask('GET', '/config')).json['defaultModel']);
    const filler = fill(disk);
    let number = 0;
    await until('the disk is full', async () => {
      write(++number);
      await Bun.sleep(100);
      return ola.err().includes('The configuration stays as it was');
    });
    expect(await model()).not.toBe(`acme/${number}`);
    rmSync(filler);
    await until('the change is in force', async () => (await model()) === `acme/${number}`);
    expect(String((await request(`${ola.address}/health`)).json['status'])).toBe('ok');
  });

  test('that is full or read-only keeps a start from happening, with what to do', async () => {
    const disk = smallDisk() ?? expect.unreachable();
    const home = join(disk, 'home');
    mkdirSync(home, { mode: 0o700 });
    const filler = fill(disk);
    const full = await run(['serve', '--port', '0'], { home });
    expect([full.code, full.out]).toEqual([1, '']);
    expect(full.err).toMatch(/^error: .*\n {2}why: .*(room|space|full).*\n {2}next: .*\n$/i);
    rmSync(filler);
    const ola = await start({ home });
    await ola.ask('POST', '/config', { defaultModel: 'acme/kept' });
    await stopped(ola);
    Bun.spawnSync(['mount', '-o', 'remount,ro', disk]);
    for (const args of [
      ['serve', '--port', '0'],
      ['config', 'set', 'defaultModel', 'acme/other'],
    ]) {
      const readOnly = await run(args, { home });
      expect([args, readOnly.code, readOnly.out]).toEqual([args, 1, '']);
      expect(readOnly.err).toMatch(/^error: .*\n {2}why: .*read-only.*\n {2}next: .*\n$/i);
    }
    Bun.spawnSync(['mount', '-o', 'remount,rw', disk]);
    expect((await run(['config', 'get', 'defaultModel'], { home })).out).toBe('acme/kept\n');
  });
});

describe('two at once', () => {
  test('one process has the home, whoever comes is told, and commands go through it', async () => {
    const home = directory();
    const others = await Promise.all(
      Array.from({ length: 4 }, () => start({ home }).catch((refused: unknown) => String(refused))),
    );
    const running = others.filter((each): each is Ola => typeof each !== 'string');
    expect(running).toHaveLength(1);
    const [ola] = running;
    if (ola === undefined) return expect.unreachable();
    for (const each of others) if (typeof each === 'string') expect(each).toContain('is in use by');
    const late = await run(['serve', '--port', '0'], { home });
    expect([late.code, late.err]).toEqual([1, expect.stringContaining(`process id ${ola.pid}`)]);
    const set = await Promise.all(
      ['publicHosts', 'activeProviderIds'].map((name) => run(['config', 'set', name, '["a.example"]'], { home })),
    );
    for (const each of set) expect([each.code, each.err.replace(/^warning: .*\n/, '')]).toEqual([0, '']);
    const { json } = await ola.ask('GET', '/config');
    expect(Object.keys(json).sort()).toEqual(['activeProviderIds', 'publicHosts']);
    const replaced = await run(['restore', databaseIn(home), '--yes'], { home });
    expect([replaced.code, replaced.err]).toEqual([1, expect.stringContaining(`process id ${ola.pid}`)]);
  });

  test('commands without a server take turns or are told, and what they acknowledged is there', async () => {
    const home = directory();
    const names = Array.from({ length: 6 }, (_, index) => `n${index}`);
    const ended = await Promise.all(names.map((name) => run(['token', 'create', name, '--json'], { home })));
    const made = names.filter((_, index) => ended[index]?.code === 0);
    expect(made.length).toBeGreaterThan(0);
    for (const each of ended) if (each.code !== 0) expect([each.code, each.err]).toEqual([1, expect.stringContaining('in use')]);
    const listed = (await run(['token', 'list', '--json'], { home })).out;
    expect(names.filter((name) => listed.includes(`"${name}"`))).toEqual(made);
  });
});

/** A home with two providers and their keys, stopped in good order. */
async function stoppedHome(up: Upstream, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const ola = await start({ env });
  for (const id of ['acme', 'beta']) await ola.addProvider(id, up, { headers: { 'x-secret': `header-of-${id}-0123456789` } });
  await stopped(ola);
  return ola.home;
}

/** Everything but the lock, which every start takes. */
const contents = (home: string) =>
  filesBelow(home)
    .filter(({ path }) => !path.includes('ola.lock'))
    .map(({ path, bytes }) => `${path} ${bytes.length} ${Bun.hash(bytes)}`)
    .sort();

async function expectRefused(home: string, why: RegExp, env: Readonly<Record<string, string>> = {}): Promise<void> {
  const before = contents(home);
  for (const args of [
    ['serve', '--port', '0'],
    ['config', 'show'],
    ['config', 'set', 'defaultModel', 'acme/x'],
    ['token', 'create', 'x'],
  ]) {
    const { code, out, err } = await run(args, { home, env });
    expect([args, code === 0, out]).toEqual([args, false, '']);
    expect(err).toMatch(/^error: .*\n {2}why: .*\n {2}next: .*\n$/);
    expect(err.replaceAll('\n', ' ')).toMatch(why);
    expect(contents(home)).toEqual(before);
  }
}

describe('a home that cannot be used is refused and left as it was', () => {
  const key = (fill: string) => Buffer.from(fill.repeat(32).slice(0, 32)).toString('base64');

  test('because its key is another one, or missing', async () => {
    const home = await stoppedHome(await upstream());
    await expectRefused(home, /master key [0-9a-f]{8}/, { OPEN_LLM_AUTH_MASTER_KEY: key('another-key ') });
    const own = readFileSync(join(home, 'master.key'));
    writeFileSync(join(home, 'master.key'), `${key('yet-another-key ')}\n`);
    await expectRefused(home, /master key [0-9a-f]{8}/);
    rmSync(join(home, 'master.key'));
    await expectRefused(home, /Put it back as .*master\.key/);
    writeFileSync(join(home, 'master.key'), own, { mode: 0o600 });
    expect((await run(['config', 'show'], { home })).code).toBe(0);
  });

  test('because its database is newer, of another program, cut, overwritten, or no database', async () => {
    const whole = await stoppedHome(await upstream());
    const size = statSync(databaseIn(whole)).size;
    const damage: readonly (readonly [string, (path: string) => void, RegExp])[] = [
      ['newer', (path) => withDatabase(path, 'PRAGMA user_version = 999'), /schema 999/],
      ['foreign', (path) => withDatabase(path, 'PRAGMA application_id = 7'), /another program/],
      ['cut', (path) => truncateSync(path, Math.floor(size / 2 / 4096) * 4096), /damaged/],
      ['overwritten', (path) => overwrite(path, 4096, size - 4096), /damaged/],
      ['no database', (path) => writeFileSync(path, 'a letter to my aunt'.repeat(100)), /not a database|no database|damaged/],
    ];
    for (const [what, spoil, why] of damage) {
      const home = join(directory(), what.replace(' ', '-'));
      cpSync(whole, home, { recursive: true });
      spoil(databaseIn(home));
      await expectRefused(home, why);
    }
  });
});

function withDatabase(path: string, sql: string): void {
  const database = new Database(path);
  database.run(sql);
  database.close();
}

function overwrite(path: string, from: number, length: number): void {
  const bytes = readFileSync(path);
  bytes.fill(0xa5, from, from + length);
  writeFileSync(path, bytes);
}

test('what others could read is theirs no more, and the start says so', async () => {
  const home = await stoppedHome(await upstream());
  const widened = ['', 'runtime_state.sqlite3', 'master.key'].map((name) => join(home, name));
  for (const path of widened) chmodSync(path, path === home ? 0o755 : 0o644);
  const ola = await start({ home });
  for (const path of widened) expect([path, statSync(path).mode & 0o077]).toEqual([path, 0]);
  for (const { path } of filesBelow(home)) expect([path, statSync(path).mode & 0o077]).toEqual([path, 0]);
  expect(ola.err()).toContain(`other users could read ${join(home, 'master.key')} (mode 644)`);
});

test('one damaged secret takes out its own provider, says so, and can be entered again', async () => {
  const up = await upstream();
  const home = await stoppedHome(up);
  const database = new Database(databaseIn(home));
  const hinted = database.query("SELECT id, envelope FROM secrets WHERE hint LIKE '%' ORDER BY rowid").all() as {
    id: string;
    envelope: string;
  }[];
  expect(hinted).toHaveLength(4);
  const [first] = hinted;
  if (first === undefined) return expect.unreachable();
  const { id, envelope } = first;
  const last = envelope.at(-10) === 'A' ? 'B' : 'A';
  database.query('UPDATE secrets SET envelope = ? WHERE id = ?').run(`${envelope.slice(0, -10)}${last}${envelope.slice(-9)}`, id);
  database.close();
  const ola = await start({ home });
  const broken = /"place":"providers\.(\w+)\./.exec(ola.err())?.[1] ?? 'none';
  const well = broken === 'acme' ? 'beta' : 'acme';
  expect(['acme', 'beta']).toContain(broken);
  expect(await keyUsed(ola, up, well)).toBe(`key-of-${well}-0123456789`);
  const called = up.received.length;
  expect((await ola.chat(`${broken}/x`)).status).not.toBe(200);
  expect(up.received.length).toBe(called);
  // Another change does not touch it, and it stays said.
  expect((await ola.ask('PUT', `/config/providers/${well}`, { baseUrl: up.baseUrl, allowLocal: true })).status).toBe(200);
  expect((await run(['keys', 'rotate'], { home })).code).toBe(0);
  await ola.addProvider(broken, up, { headers: { 'x-secret': 'entered-again-0123456789' } });
  expect(await keyUsed(ola, up, broken)).toBe(`key-of-${broken}-0123456789`);
  await stopped(ola);
  const again = await start({ home });
  expect(again.err()).not.toContain('cannot be opened');
  expect(await keyUsed(again, up, well)).toBe(`key-of-${well}-0123456789`);
});

test('one secret that names a key nobody has takes out its own provider; two that do are a missing key', async () => {
  const up = await upstream();
  const home = await stoppedHome(up);
  const rename = (count: number) =>
    withDatabase(
      databaseIn(home),
      `UPDATE secrets SET envelope = 'v1.00000000' || substr(envelope, 12) WHERE rowid IN (SELECT rowid FROM secrets ORDER BY rowid LIMIT ${count})`,
    );
  rename(1);
  const ola = await start({ home });
  const broken = /"place":"providers\.(\w+)\./.exec(ola.err())?.[1] ?? 'none';
  const well = broken === 'acme' ? 'beta' : 'acme';
  expect(['acme', 'beta']).toContain(broken);
  expect(await keyUsed(ola, up, well)).toBe(`key-of-${well}-0123456789`);
  await stopped(ola);
  rename(2);
  await expectRefused(home, /encrypted with master key 00000000/);
});
