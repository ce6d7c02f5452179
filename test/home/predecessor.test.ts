import { Database } from 'bun:sqlite';
import { describe, expect, test } from 'bun:test';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { localPrincipal } from '../../src/core/access.ts';
import type { SqlRow } from '../../src/core/ports.ts';
import { openHome } from '../../src/home/home.ts';
import { openSqlite } from '../../src/runtime/sqlite.ts';
import { directories } from '../directories.ts';
import { killedEverywhere } from './dying.ts';
import { homeOptions } from './options.ts';
import { originalHome, stateDatabase } from './predecessor-home.ts';

const directory = directories();

function made(options: Parameters<typeof originalHome>[1] = {}): string {
  const home = directory();
  originalHome(home, options);
  return home;
}

const backup = (home: string, name = '') => join(home, 'original-backup', name);
const own = { principal: localPrincipal, requestId: null, clientIp: null, userAgent: null };
const ciToken = 'fake-original-ci-token-0006-0123456789';

/** Every file below a directory, by its path from there; directories end in `/`. */
function treeOf(root: string): string[] {
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' });
  return names.map((name) => (statSync(join(root, name)).isDirectory() ? `${name}/` : name)).sort();
}

function rows(home: string, sql: string): SqlRow[] {
  const database = openSqlite(join(home, 'runtime_state.sqlite3'));
  const found = database.prepare(sql).all();
  database.close();
  return found;
}

/** What the import makes of the fixture, apart from ids and times. */
function imported(home: string) {
  return {
    revisions: rows(home, 'SELECT number, actor, summary, file FROM revisions'),
    tokens: rows(home, 'SELECT id, name, scopes FROM tokens ORDER BY id'),
    secrets: rows(home, 'SELECT origin, hint FROM secrets ORDER BY hint'),
    snapshots: rows(home, 'SELECT name FROM snapshots'),
    owners: rows(home, 'SELECT * FROM task_owners ORDER BY task_id'),
    actions: rows(home, 'SELECT * FROM task_actions ORDER BY id'),
    usage: rows(home, 'SELECT id, prompt_tokens, cost_micros FROM usage'),
    done: rows(home, "SELECT count(*) AS times FROM meta WHERE key = 'original_imported_at'"),
    events: rows(home, "SELECT action, actor FROM audit WHERE action = 'config.import'"),
  };
}

/** @returns what went wrong at the start */
async function refusal(home: string): Promise<Error> {
  try {
    await (await openHome(homeOptions(home))).close();
  } catch (thrown) {
    if (thrown instanceof Error) return thrown;
  }
  return expect.unreachable();
}

test('everything is taken over at the first start, works at once, and is kept aside as it was', async () => {
  const home = made();
  const before = Object.fromEntries(
    ['config.json', 'profiles/home.json'].map((name) => [name, readFileSync(join(home, name), 'utf8')]),
  );
  const open = await openHome(homeOptions(home));
  const { document, open: used } = open.gateway.config.snapshot();
  expect(used.authProfiles?.['openai:work']).toMatchObject({ key: 'sk-fake-original-profile-key-0001' });
  expect(used.providers?.['groq']).toMatchObject({ apiKey: 'gsk-fake-original-groq-0004' });
  expect(document['providers']).toMatchObject({ deepseek: { apiKey: `\${DEEPSEEK_API_KEY}` } });
  expect(document).not.toHaveProperty('activeProviderIds');
  expect(open.gateway.tokens.find(ciToken)).toMatchObject({ subject: 'ci', scopes: ['read', 'write'] });
  expect(open.predecessor.imported.join('\n')).toContain(
    '2 access tokens, 1 snapshots, 2 task owners, 2 actions on tasks, 1 usage records',
  );
  expect(open.predecessor.imported.join('\n')).toContain('profiles/broken.json is not imported');
  expect(open.predecessor.standing).toEqual([expect.stringContaining(`${backup(home)} holds`)]);
  await open.close();

  expect(imported(home)).toMatchObject({
    revisions: [{ number: 1, actor: 'local', file: null }],
    tokens: [{ id: 'boss-1' }, { id: 'ci' }],
    snapshots: [{ name: 'home' }],
    owners: [
      { provider: 'agent_bridge', task_id: 't1', owner: 'ci' },
      { task_id: 't2', owner: 'boss-1', created_by: 'ci' },
    ],
    actions: [{ outcome: 'applied' }, { outcome: 'failed', reason: 'no answer', task_id: null }],
    usage: [{ prompt_tokens: 10, cost_micros: 13 }],
    done: [{ times: 1 }],
    events: [{ action: 'config.import', actor: 'local' }],
  });
  expect(treeOf(backup(home))).toEqual([
    'config.json',
    'profiles/',
    'profiles/broken.json',
    'profiles/home.json',
    'runtime_state.sqlite3',
    'usage.sqlite3',
  ]);
  for (const [name, text] of Object.entries(before)) expect(readFileSync(backup(home, name), 'utf8')).toBe(text);
});

test('only the copy that is kept aside can be read, and by its owner alone', async () => {
  const home = made();
  await (await openHome(homeOptions(home))).close();
  for (const name of ['', ...treeOf(backup(home))]) {
    expect([name, statSync(backup(home, name)).mode & 0o777]).toEqual([name, name === '' || name.endsWith('/') ? 0o700 : 0o600]);
  }
  const canaries = readFileSync(backup(home, 'config.json'), 'utf8').match(/[\w-]*fake-original-[\w-]+/g) ?? [];
  expect(canaries.length).toBeGreaterThanOrEqual(8);
  const others = treeOf(home).filter((name) => !name.startsWith('original-backup') && !name.endsWith('/'));
  for (const name of others) {
    const text = readFileSync(join(home, name), 'latin1');
    expect([name, canaries.filter((canary) => text.includes(canary))]).toEqual([name, []]);
  }
});

test('behind links it is taken over too; what they lead to stays, and every start names it', async () => {
  const home = made();
  const elsewhere = directory();
  for (const name of ['config.json', 'profiles']) {
    renameSync(join(home, name), join(elsewhere, name));
    symlinkSync(relative(home, join(elsewhere, name)), join(home, name));
  }
  const text = readFileSync(join(elsewhere, 'config.json'), 'utf8');
  for (const start of ['first', 'second']) {
    const open = await openHome(homeOptions(home));
    const standing = open.predecessor.standing.join('\n');
    expect([start, standing]).toEqual([
      start,
      expect.stringContaining(`${join(elsewhere, 'config.json')}, to which a link pointed, still holds unencrypted keys`),
    ]);
    expect(standing).toContain(`${join(elsewhere, 'profiles')}, to which a link pointed, still holds unencrypted keys`);
    expect(open.gateway.config.snapshot().open.providers?.['groq']).toMatchObject({ apiKey: 'gsk-fake-original-groq-0004' });
    await open.close();
  }
  expect(readFileSync(join(elsewhere, 'config.json'), 'utf8')).toBe(text);
  expect(existsSync(join(home, 'config.json'))).toBe(false);
  expect(readFileSync(backup(home, 'config.json'), 'utf8')).toBe(text);
  expect(treeOf(backup(home))).toContain('profiles/');
  // Deleted, as it was told: nothing is said of it any more.
  rmSync(join(elsewhere, 'config.json'));
  rmSync(join(elsewhere, 'profiles'), { recursive: true });
  rmSync(backup(home), { recursive: true });
  const open = await openHome(homeOptions(home));
  expect(open.predecessor.standing).toEqual([]);
  await open.close();
});

test('an import that was killed while it moved a link goes on', async () => {
  const home = made();
  const elsewhere = directory();
  renameSync(join(home, 'config.json'), join(elsewhere, 'config.json'));
  symlinkSync(join(elsewhere, 'config.json'), join(home, 'config.json'));
  await (await openHome(homeOptions(home))).close();
  const leftThere = backup(home, 'config.json');
  expect(readlinkSync(leftThere)).toBe(join(elsewhere, 'config.json'));
  // Both links are there, and the list of what is to be moved.
  symlinkSync(join(elsewhere, 'config.json'), join(home, 'config.json'));
  writeFileSync(join(home, 'original-import'), 'config.json\n', { mode: 0o600 });
  await (await openHome(homeOptions(home))).close();
  expect(readdirSync(home)).not.toContain('config.json');
  expect(readdirSync(home)).not.toContain('original-import');
});

test('a second start takes over nothing, and goes on saying what is kept', async () => {
  const home = made();
  await (await openHome(homeOptions(home))).close();
  const first = imported(home);
  const open = await openHome(homeOptions(home));
  expect(open.predecessor.imported).toEqual([]);
  expect(open.predecessor.standing).toHaveLength(1);
  await open.close();
  expect(imported(home)).toEqual(first);
});

test('what a killed process left in its log is taken over too', async () => {
  const home = made({ killed: true });
  expect(statSync(join(home, 'runtime_state.sqlite3-wal')).size).toBeGreaterThan(0);
  await (await openHome(homeOptions(home))).close();
  expect(imported(home).owners).toHaveLength(2);
  expect(readdirSync(backup(home)).filter((name) => name.includes('-'))).toEqual([]);
});

describe('the start is refused, and nothing is moved or written,', () => {
  test('while the original program runs', async () => {
    const home = made();
    rmSync(join(home, 'runtime_state.sqlite3'));
    const running = stateDatabase(join(home, 'runtime_state.sqlite3'));
    const before = treeOf(home);
    const { message } = await refusal(home);
    expect(message).toContain(join(home, 'runtime_state.sqlite3'));
    expect(message).toContain('Stop it');
    running.run("INSERT INTO idempotency_keys VALUES ('still', 'works')");
    expect(treeOf(home).filter((name) => !name.startsWith('ola.lock'))).toEqual(before);
    running.close();
    await (await openHome(homeOptions(home))).close();
    expect(imported(home).owners).toHaveLength(2);
  });

  for (const [what, text] of [
    ['no JSON', '{"serverToken": "sk-fake-canary"'],
    ['of the wrong shape', '{"providers": {"groq": {"apiKey": ["sk-fake-canary"]}}}'],
  ] as const) {
    test(`when config.json is ${what}`, async () => {
      const home = made();
      writeFileSync(join(home, 'config.json'), text);
      const before = treeOf(home);
      const state = readFileSync(join(home, 'runtime_state.sqlite3'));
      const { message } = await refusal(home);
      expect(message).toContain(join(home, 'config.json'));
      expect(message).not.toContain('canary');
      expect(treeOf(home).filter((name) => !name.startsWith('ola.lock'))).toEqual(before);
      expect(readFileSync(join(home, 'runtime_state.sqlite3'))).toEqual(state);
    });
  }

  test('when an earlier import left files of the same names', async () => {
    const home = made();
    mkdirSync(backup(home));
    writeFileSync(backup(home, 'runtime_state.sqlite3'), 'of before');
    expect((await refusal(home)).message).toContain(backup(home, 'runtime_state.sqlite3'));
    expect(readFileSync(backup(home, 'runtime_state.sqlite3'), 'utf8')).toBe('of before');
    expect(existsSync(join(home, 'config.json'))).toBe(true);
  });

  test('when the database is of neither program', async () => {
    const home = directory();
    const foreign = new Database(join(home, 'runtime_state.sqlite3'));
    foreign.run('CREATE TABLE notes (text TEXT)');
    foreign.close();
    expect((await refusal(home)).message).toContain('another program');
    expect(existsSync(backup(home))).toBe(false);
  });
});

test('in file mode its tasks and usage are taken over; its configuration stays where it is', async () => {
  const home = made();
  const configFile = join(home, 'config.json');
  writeFileSync(configFile, '{"defaultModel": "openai/gpt-4o-mini"}');
  await (await openHome({ ...homeOptions(home), configFile })).close();
  expect(imported(home)).toMatchObject({ owners: [{}, {}], usage: [{}], snapshots: [], revisions: [{ file: configFile }] });
  expect(treeOf(backup(home))).toEqual(['runtime_state.sqlite3', 'usage.sqlite3']);
});

describe('a config.json that is none of the original program is left alone:', () => {
  const text = '{"defaultModel": "openai/gpt-4o-mini"}';

  async function leaves(home: string): Promise<readonly string[]> {
    const open = await openHome(homeOptions(home));
    const { revision, open: used } = open.gateway.config.snapshot();
    expect({ revision, model: used.defaultModel, imported: open.predecessor.imported }).toMatchObject({ imported: [] });
    expect(used.defaultModel).not.toBe('openai/gpt-4o-mini');
    await open.close();
    expect(readFileSync(join(home, 'config.json'), 'utf8')).toBe(text);
    expect(existsSync(backup(home))).toBe(false);
    return open.predecessor.standing;
  }

  test('one that has governed, by a command that does not name it', async () => {
    const home = directory();
    const configFile = join(home, 'config.json');
    writeFileSync(configFile, text);
    await (await openHome({ ...homeOptions(home), configFile })).close();
    expect(await leaves(home)).toEqual([]);
  });

  test('one beside a configuration in the database, and every start says that it is not read', async () => {
    const home = directory();
    const open = await openHome(homeOptions(home));
    await open.gateway.providers.put('mine', { baseUrl: 'http://127.0.0.1:9/v1', allowLocal: true, apiKey: 'k' }, null, own);
    await open.close();
    writeFileSync(join(home, 'config.json'), text);
    expect(await leaves(home)).toEqual([expect.stringContaining(`${join(home, 'config.json')} is not read`)]);
  });
});

test('tasks that its configuration keeps elsewhere are read there and left there', async () => {
  const [home, elsewhere] = [directory(), directory()];
  const dbPath = join(elsewhere, 'tasks.sqlite3');
  stateDatabase(dbPath).close();
  writeFileSync(join(home, 'config.json'), JSON.stringify({ durableState: { dbPath } }));
  await (await openHome(homeOptions(home))).close();
  expect(imported(home).owners).toHaveLength(2);
  expect(readdirSync(elsewhere)).toEqual(['tasks.sqlite3']);
});

test('a config.json that comes later is left alone, and every start says that it is not read', async () => {
  const home = made();
  await (await openHome(homeOptions(home))).close();
  writeFileSync(join(home, 'config.json'), '{"defaultModel": "openai/other"}');
  const open = await openHome(homeOptions(home));
  expect(open.predecessor.standing.join('\n')).toContain(`${join(home, 'config.json')} is not read`);
  expect(open.gateway.config.snapshot().open.defaultModel).toBe('openai/gpt-4o-mini');
  await open.close();
  expect(readFileSync(join(home, 'config.json'), 'utf8')).toContain('other');
});

test('killed anywhere, the next start ends with the same and loses nothing', async () => {
  const [whole, template] = [made(), made()];
  await (await openHome(homeOptions(whole))).close();
  const killed = await killedEverywhere(join(import.meta.dir, 'open-dying.ts'), () => {
    const home = join(directory(), 'home');
    cpSync(template, home, { recursive: true });
    const check = async (change: number) => {
      await (await openHome(homeOptions(home))).close();
      expect([change, imported(home)]).toEqual([change, imported(whole)]);
      expect([change, treeOf(backup(home))]).toEqual([change, treeOf(backup(whole))]);
    };
    return { args: [home], check };
  });
  expect(killed).toBeGreaterThan(20);
});
