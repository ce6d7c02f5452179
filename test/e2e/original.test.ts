/** A home that the original program left: taken over once, kept aside, and nothing of it lost or shown. */
import { Database } from 'bun:sqlite';
import { expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { originalHome } from '../home/predecessor-home.ts';
import { binary, filesBelow, type Ola, request, stage } from './stage.ts';
import type { Upstream } from './upstream.ts';

const { directory, run, start, upstream } = stage();

const usageRecords = 300;

/** The fixture's home, with a provider that can be called, and more usage than a moment's work. */
function leftBehind(up: Upstream): string {
  const home = join(directory(), 'home');
  originalHome(home);
  const path = join(home, 'config.json');
  const config = JSON.parse(readFileSync(path, 'utf8')) as { providers: Record<string, unknown> };
  const acme = {
    baseUrl: up.baseUrl,
    apiKey: 'sk-fake-original-acme-0123',
    allowLocal: true,
    headers: { 'x-team': 'fake-original-team-0123' },
  };
  writeFileSync(path, JSON.stringify({ ...config, providers: { ...config.providers, acme } }), { mode: 0o600 });
  const usage = new Database(join(home, 'usage.sqlite3'));
  const insert = usage.prepare(`INSERT INTO usage_records
    (ts, provider, model, endpoint, source, prompt_tokens, completion_tokens, total_tokens, latency_ms, cost)
    VALUES (?, 'openai', 'gpt-4o-mini', '/v1/chat/completions', 'profile', 3, 4, 7, 9, 0.000001)`);
  usage.transaction(() => {
    // Young enough for retention, which may run before the test looks.
    const first = Date.now() - 30 * 24 * 3_600_000;
    for (let index = 0; index < usageRecords; index++) insert.run(new Date(first + index * 60_000).toISOString());
    usage.run('UPDATE usage_records SET ts = ? WHERE id = 1', [new Date(first).toISOString()]);
  })();
  // An open statement would keep the database open.
  insert.finalize();
  usage.close();
  return home;
}

/** Every key in clear that the original program had written. */
function canariesOf(home: string): Set<string> {
  const texts = ['config.json', ...readdirSync(join(home, 'profiles')).map((name) => join('profiles', name))];
  return new Set(texts.flatMap((name) => readFileSync(join(home, name), 'utf8').match(/[\w-]*fake-original-[\w-]+/g) ?? []));
}

/** The new database, and that nothing of the original program's is left beside it. */
function imported(home: string) {
  const database = new Database(join(home, 'runtime_state.sqlite3'), { readonly: true });
  const all = (sql: string) => database.query(sql).all();
  const found = {
    integrity: all('PRAGMA integrity_check'),
    revisions: all('SELECT number, actor, file FROM revisions'),
    secrets: all('SELECT count(*) AS count FROM secrets'),
    unused: all('SELECT id FROM secrets WHERE id NOT IN (SELECT secret FROM secret_uses)'),
    tokens: all('SELECT id, name, scopes FROM tokens ORDER BY id'),
    snapshots: all('SELECT name FROM snapshots'),
    owners: all('SELECT task_id, owner FROM task_owners ORDER BY task_id'),
    actions: all('SELECT action, subject, outcome FROM task_actions ORDER BY id'),
    usage: all('SELECT count(*) AS count, sum(prompt_tokens) AS tokens, sum(cost_micros) AS cost FROM usage'),
    events: all("SELECT count(*) AS count FROM audit WHERE action = 'config.import'"),
  };
  database.close();
  return found;
}

const kept = ['config.json', 'profiles/broken.json', 'profiles/home.json', 'runtime_state.sqlite3', 'usage.sqlite3'];
const aside = (home: string) => kept.map((name) => [name, existsSync(join(home, 'original-backup', name))]);
const beside = (home: string) =>
  readdirSync(home).filter((name) => ['config.json', 'profiles', 'usage.sqlite3', 'original-import'].includes(name));

async function stopped(ola: Ola): Promise<void> {
  ola.kill('SIGTERM');
  expect(await ola.exited).toBe(0);
}

test('the first start takes everything over and says so; it works at once, and only the copy aside can be read', async () => {
  const up = await upstream();
  const home = leftBehind(up);
  const canaries = canariesOf(home);
  expect(canaries.size).toBeGreaterThan(8);
  const before = Object.fromEntries(
    kept.filter((name) => name.endsWith('.json')).map((name) => [name, readFileSync(join(home, name), 'utf8')]),
  );

  const ola = await start({ home, args: ['--log-level', 'debug'] });
  expect(ola.err()).toContain('Imported from the original program');
  expect(ola.err()).toMatch(/original-backup holds files .* unencrypted keys/);
  expect((await ola.chat('acme/one')).status).toBe(200);
  const { headers } = up.requestFor('one');
  expect([headers.get('authorization'), headers.get('x-team')]).toEqual([
    'Bearer sk-fake-original-acme-0123',
    'fake-original-team-0123',
  ]);
  const authorization = 'Bearer fake-original-ci-token-0006-0123456789';
  expect((await request(`${ola.address}/v1/models`, 'GET', { authorization })).status).toBe(200);

  const shown: string[] = [];
  for (const path of ['/config', '/config/revisions/1', '/config/providers', '/config/tokens', '/config/profiles/export/home'])
    shown.push((await ola.ask('GET', path)).text);
  for (const args of [['config', 'history'], ['config', 'show'], ['config', 'export'], ['token', 'list'], ['status']]) {
    const { code, out, err } = await run(args, { home });
    expect([args, code]).toEqual([args, 0]);
    shown.push(out + err);
  }
  expect(shown[5]).toContain('config.json of the original program');
  expect((await ola.ask('GET', '/config/profiles')).json as unknown).toMatchObject([{ name: 'home' }]);
  await stopped(ola);
  shown.push(ola.out() + ola.err());
  for (const text of shown)
    expect([text.slice(0, 200), [...canaries].filter((each) => text.includes(each))]).toEqual([text.slice(0, 200), []]);

  const found = imported(home);
  expect(found).toMatchObject({
    integrity: [{ integrity_check: 'ok' }],
    revisions: [{ number: 1, actor: 'local', file: null }],
    unused: [],
    tokens: [{ id: 'boss-1' }, { id: 'ci' }],
    snapshots: [{ name: 'home' }],
    owners: [{ owner: 'ci' }, { owner: 'boss-1' }],
    actions: [{ outcome: 'applied' }, { outcome: 'failed' }],
    events: [{ count: 1 }],
  });
  // One of the fixture's two, whose time is one; and the call above.
  expect(found.usage).toEqual([{ count: usageRecords + 2, tokens: usageRecords * 3 + 10 + 11, cost: usageRecords + 13 }]);
  expect(aside(home)).toEqual(kept.map((name) => [name, true]));
  expect(beside(home)).toEqual([]);
  const backup = join(home, 'original-backup');
  for (const path of [backup, join(backup, 'profiles')]) expect(statSync(path).mode & 0o777).toBe(0o700);
  for (const { path } of filesBelow(backup)) expect([path, statSync(path).mode & 0o777]).toEqual([path, 0o600]);
  for (const [name, text] of Object.entries(before)) expect(readFileSync(join(backup, name), 'utf8')).toBe(text);
  for (const { path, bytes } of filesBelow(home)) {
    if (path.startsWith(backup)) continue;
    const text = bytes.toString('latin1');
    expect([path, [...canaries].filter((each) => text.includes(each))]).toEqual([path, []]);
  }
});

test('the second start imports nothing, and goes on saying what is kept in clear until that is deleted', async () => {
  const home = leftBehind(await upstream());
  await stopped(await start({ home }));
  const first = imported(home);
  const ola = await start({ home });
  expect(ola.err()).not.toContain('Imported from');
  expect(ola.err()).toMatch(/original-backup holds files .* unencrypted keys/);
  // What was imported can be left behind like any other revision.
  await ola.ask('POST', '/config', {});
  expect((await run(['config', 'rollback'], { home })).code).toBe(0);
  expect((await ola.chat('acme/after')).status).toBe(200);
  await stopped(ola);
  expect({ ...imported(home), revisions: [], usage: [] }).toEqual({ ...first, revisions: [], usage: [] });
});

test('a command takes it over too, and says so', async () => {
  const home = leftBehind(await upstream());
  const shown = await run(['config', 'get', 'providers.acme.apiKey'], { home });
  expect([shown.code, shown.out]).toEqual([0, '[REDACTED]\n']);
  expect(shown.err).toContain('Imported from the original program');
  expect((await run(['config', 'history'], { home })).err).toBe('');
  expect(aside(home)).toEqual(kept.map((name) => [name, true]));
});

test('a configuration that cannot be taken over is named, and everything stays where it was', async () => {
  const home = leftBehind(await upstream());
  const path = join(home, 'config.json');
  const whole = readFileSync(path, 'utf8');
  const contents = () =>
    filesBelow(home)
      .filter((file) => !/ola\.lock/.test(file.path))
      .map((file) => `${file.path} ${Bun.hash(file.bytes)}`)
      .sort();
  for (const [text, why] of [
    [whole.slice(0, -20), 'line '],
    [whole.replace(/"defaultModel":"[^"]*"/, '"defaultModel":{"x":"sk-fake-original-odd-0123"}'), 'defaultModel'],
  ] as const) {
    writeFileSync(path, text);
    const before = contents();
    for (const args of [
      ['serve', '--port', '0'],
      ['config', 'show'],
    ]) {
      const { code, out, err } = await run(args, { home });
      expect([args, code === 0, out]).toEqual([args, false, '']);
      expect(err).toContain(path);
      expect(err).toContain(why);
      expect(err).not.toContain('fake-original');
      expect(contents()).toEqual(before);
    }
  }
  writeFileSync(path, whole);
  await stopped(await start({ home }));
});

/** Kills a start after so many milliseconds. */
async function killedStart(home: string, delay: number): Promise<void> {
  const child = Bun.spawn([binary, 'serve', '--port', '0'], {
    env: { HOME: home, OPEN_LLM_AUTH_HOME: home },
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  await Bun.sleep(delay);
  child.kill('SIGKILL');
  await child.exited;
}

test('killed at any moment of the first start, the next one ends with the same', async () => {
  const up = await upstream();
  const untouched = leftBehind(up);
  await stopped(await start({ home: untouched }));
  const expected = imported(untouched);
  for (let round = 0; round < 10; round++) {
    const home = leftBehind(up);
    // What a kill leaves is killed again.
    for (const delay of [50 + round * 5, 60 + round * 4]) await killedStart(home, delay);
    const ola = await start({ home });
    expect((await ola.chat(`acme/round-${round}`)).status).toBe(200);
    await stopped(ola);
    const found = imported(home);
    const [usage] = found.usage as { count: number }[];
    expect({ ...found, usage: usage?.count }).toEqual({ ...expected, usage: usageRecords + 2 });
    expect(aside(home)).toEqual(kept.map((name) => [name, true]));
    expect(beside(home)).toEqual([]);
  }
});
