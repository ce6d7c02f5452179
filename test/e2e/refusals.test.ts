/** When ola does not start, or cannot say something good: one clear message, an exit code, and nothing changed. */
import { Database } from 'bun:sqlite';
import { describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { type Ended, filesBelow, type Ola, onBinary, request, stage, until } from './stage.ts';

const { start, run, directory, upstream } = stage();

/** Three lines for people, no stack, no source. */
function expectRefusal(ended: Ended, code: number, ...words: readonly string[]): void {
  expect([ended.code, ended.out]).toEqual([code, '']);
  const lines = ended.err.trimEnd().split('\n');
  expect(lines.map((line) => line.split(' ').find((word) => word !== ''))).toEqual(['error:', 'why:', 'next:']);
  for (const word of words) expect(ended.err).toContain(word);
  expect(ended.err).not.toMatch(/\bat .*:\d+:\d+|\.ts\b|bunfs/);
}

const digests = (home: string) =>
  filesBelow(home)
    .filter(({ path }) => !path.includes('ola.lock'))
    .map(({ path, bytes }) => `${path} ${createHash('sha256').update(bytes).digest('hex')}`)
    .sort();

/** A home with a provider and a token in it, that nobody holds. */
async function usedHome(env: Readonly<Record<string, string>> = {}): Promise<string> {
  const ola = await start({ env });
  await ola.addProvider('acme', await upstream());
  await stopped(ola);
  return ola.home;
}

async function stopped(ola: Ola): Promise<void> {
  ola.kill('SIGTERM');
  expect(await ola.exited).toBe(0);
}

describe('a port that is taken', () => {
  test('by another ola: named with its process id', async () => {
    const ola = await start();
    const refused = await run(['serve', '--port', String(ola.port)]);
    expectRefusal(refused, 1, String(ola.port), `process id ${ola.pid}`, `next: ola serve --port ${ola.port + 1}`);
    const npm = await run(['serve', '--demo', '--port', String(ola.port)], { env: { npm_lifecycle_event: 'start' } });
    expectRefusal(npm, 1, `next: npm start -- --port ${ola.port + 1}`);
    expect((await request(`${ola.address}/health`)).status).toBe(200);
  });

  test('by another program: named with its process id, and no token is made and printed', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const home = directory();
    expectRefusal(await run(['serve', '--demo', '--port', String(port)], { home }), 1, String(port), `process id ${process.pid}`);
    expect((await run(['token', 'list', '--json'], { home })).out).toContain('"data": []');
    server.close();
  });
});

test('a home that another ola holds is refused, naming who and where, before a port is taken', async () => {
  const ola = await start();
  const before = digests(ola.home);
  const refused = await run(['serve', '--port', '0'], { home: ola.home });
  expectRefusal(refused, 1, ola.home, `process id ${ola.pid}`, ola.address);
  expect(digests(ola.home).filter((line) => !/-shm|-wal/.test(line))).toEqual(before.filter((line) => !/-shm|-wal/.test(line)));
});

describe('a home that cannot be used', () => {
  test('the wrong master key: refused, nothing changed, and the right one still works', async () => {
    const keys = [1, 2].map((n) => Buffer.from(Array.from({ length: 32 }, (_, i) => i * n + 1)).toString('base64'));
    const [right = '', wrong = ''] = keys;
    const home = await usedHome({ OPEN_LLM_AUTH_MASTER_KEY: right });
    const before = digests(home);
    const refused = await run(['serve', '--port', '0'], { home, env: { OPEN_LLM_AUTH_MASTER_KEY: wrong } });
    expectRefusal(refused, 1, 'master key', 'OPEN_LLM_AUTH_MASTER_KEY');
    expect(refused.err).not.toContain(wrong);
    expect(digests(home)).toEqual(before);
    expectRefusal(await run(['serve', '--port', '0'], { home }), 1, 'master key');
    expect(digests(home)).toEqual(before);
    await stopped(await start({ home, env: { OPEN_LLM_AUTH_MASTER_KEY: right } }));
  });

  test('a master key that is none', async () => {
    for (const key of ['short', ' ', 'A'.repeat(44)]) {
      const home = directory();
      const refused = await run(['serve', '--port', '0'], { home, env: { OPEN_LLM_AUTH_MASTER_KEY: key } });
      expectRefusal(refused, 1, 'OPEN_LLM_AUTH_MASTER_KEY');
      expect(existsSync(join(home, 'master.key'))).toBe(false);
    }
  });

  test('a database of a newer ola', async () => {
    const home = await usedHome();
    const database = new Database(join(home, 'runtime_state.sqlite3'));
    database.run('PRAGMA user_version = 99');
    database.close();
    const before = digests(home);
    expectRefusal(await run(['serve', '--port', '0'], { home }), 1, 'schema 99', 'newer');
    expectRefusal(await run(['token', 'create', 'x'], { home }), 1, 'schema 99');
    expect(digests(home)).toEqual(before);
  });

  test('a database of another program', async () => {
    const home = directory();
    const database = new Database(join(home, 'runtime_state.sqlite3'));
    database.run('CREATE TABLE theirs (x)');
    database.close();
    const before = digests(home).filter((line) => line.includes('sqlite3'));
    expectRefusal(await run(['serve', '--port', '0'], { home }), 1, 'another program');
    expect(digests(home).filter((line) => line.includes('sqlite3'))).toEqual(before);
  });

  test.each(['no database at all\n'.repeat(500), 'SQLite format 3\0'.padEnd(8192, 'x')])(
    'a damaged database',
    async (content) => {
      const home = directory();
      writeFileSync(join(home, 'runtime_state.sqlite3'), content);
      expectRefusal(await run(['serve', '--port', '0'], { home }), 1, 'damaged', 'backup');
      expect(readFileSync(join(home, 'runtime_state.sqlite3'), 'utf8')).toBe(content);
    },
  );

  test('a damaged page in the middle does not end in a stack trace', async () => {
    const home = await usedHome();
    const path = join(home, 'runtime_state.sqlite3');
    const bytes = readFileSync(path);
    bytes.fill(0xff, 4096, bytes.length);
    writeFileSync(path, bytes);
    expectRefusal(await run(['serve', '--port', '0'], { home }), 1, 'damaged');
  });

  onBinary('a HOME that is no directory: Deno looks for npm’s settings in it and ends there', () => {
    test('a place that cannot be written', async () => {
      expectRefusal(await run(['serve', '--port', '0'], { home: '/proc/ola-home' }), 1, '/proc/ola-home', 'OPEN_LLM_AUTH_HOME');
      const file = join(directory(), 'file');
      writeFileSync(file, 'mine');
      for (const home of [file, join(file, 'below')])
        expectRefusal(await run(['serve', '--port', '0'], { home }), 1, 'not a directory', 'OPEN_LLM_AUTH_HOME');
      expect(readFileSync(file, 'utf8')).toBe('mine');
    });
  });

  test('a directory of other things that others can enter', async () => {
    const home = directory();
    mkdirSync(join(home, 'shared'), { mode: 0o755 });
    writeFileSync(join(home, 'shared', 'notes.txt'), 'mine');
    expectRefusal(await run(['serve', '--port', '0'], { home: join(home, 'shared') }), 1, 'chmod 700');
    expect(readdirSync(join(home, 'shared'))).toEqual(['notes.txt']);
  });
});

describe('what was typed cannot be meant', () => {
  test.each([
    [['serve', '--port', 'abc'], '--port'],
    [['serve', '--port', '65536'], '--port'],
    [['serve', '--host', 'http://x'], '--host'],
    [['serve', '--grace', '-1'], '--grace'],
    [['serve', '--nonsense'], '--nonsense'],
    [['serv'], 'serve'],
    [['token'], 'create'],
    [['token', 'create'], 'name'],
    [['token', 'revoke', 'ola_something'], 'id'],
  ])('%o', async (args, word) => {
    const home = directory();
    expectRefusal(await run(args, { home }), 2, word);
    expect(readdirSync(home)).toEqual([]);
  });

  test('an address that is not of this machine', async () => {
    expectRefusal(await run(['serve', '--host', '192.0.2.1', '--port', '0']), 1, '192.0.2.1', '--host');
  });

  test('a variable that is neither yes nor no, or a token that no header carries: named, and the value not shown', async () => {
    for (const [name, value] of [
      ['OPEN_LLM_AUTH_ALLOW_LOCALHOST_EGRESS', 'perhaps'],
      ['OPEN_LLM_AUTH_TOKEN', 'two words-of-secret'],
    ] as const) {
      const refused = await run(['serve', '--port', '0'], { env: { [name]: value } });
      expectRefusal(refused, 3, name);
      expect(refused.err).not.toContain(value);
    }
  });

  test('errors for scripts are one JSON object on stderr', async () => {
    const ended = await run(['token', 'revoke', 'nobody', '--json']);
    expect([ended.code, ended.out]).toEqual([1, '']);
    expect(JSON.parse(ended.err)).toMatchObject({ error: { code: 'not_found', next: 'ola token list' } });
  });
});

describe('ola status', () => {
  test('nothing runs: 5', async () => {
    const home = directory();
    expect(await run(['status'], { home })).toMatchObject({ code: 5, out: expect.stringContaining('not running') });
    const { code, out } = await run(['status', '--json'], { home });
    expect([code, JSON.parse(out)]).toEqual([5, expect.objectContaining({ running: false, healthy: false, home })]);
    expect(readdirSync(home)).toEqual([]);
  });

  test('healthy: 0; draining: 1; killed: 5', async () => {
    const ola = await start({ args: ['--grace', '20'] });
    const status = async () => {
      const { code, out } = await run(['status', '--json'], { home: ola.home });
      return { code, ...(JSON.parse(out) as Record<string, unknown>) };
    };
    expect(await status()).toMatchObject({
      code: 0,
      running: true,
      healthy: true,
      status: 'ok',
      address: ola.address,
      pid: ola.pid,
    });
    expect((await run(['status'], { home: ola.home })).out).toContain(ola.address);
    const up = await upstream();
    await ola.addProvider('acme', up);
    up.modes.set('held', () => undefined);
    const pending = ola.chat('acme/held').catch(() => null);
    await until('the upstream is asked', () => up.for('held').length === 1);
    ola.kill('SIGTERM');
    await until('it drains', async () => (await request(`${ola.address}/health`)).status === 503);
    expect(await status()).toMatchObject({ code: 1, running: true, healthy: false, status: 'stopping' });
    ola.kill('SIGKILL');
    await ola.exited;
    await pending;
    expect(await status()).toMatchObject({ code: 5, running: false });
  });
});

describe('a working directory and an environment that a stranger prepared', () => {
  onBinary('what it was compiled with', () => {
    test('.env and bunfig.toml there are not read, neither by --version nor by serve', async () => {
      const cwd = directory();
      writeFileSync(join(cwd, 'evil.ts'), "require('node:fs').writeFileSync('ran', '')\n");
      writeFileSync(join(cwd, 'bunfig.toml'), 'preload = ["./evil.ts"]\n');
      writeFileSync(
        join(cwd, '.env'),
        'OPEN_LLM_AUTH_TOKEN=evil-token-0123456789-0123456789-0123\nOPEN_LLM_AUTH_ALLOW_LOCALHOST_EGRESS=1\n',
      );
      const shown = await run(['--version'], { cwd });
      expect(shown).toMatchObject({ code: 0, err: '', out: expect.stringMatching(/^ola \d+\.\d+\.\d+ \(\S+\) bun \S+ \S+\n$/) });
      const ola = await start({ cwd, env: { OPEN_LLM_AUTH_TOKEN: '' } });
      const asEvil = await request(`${ola.address}/v1/models`, 'GET', {
        authorization: 'Bearer evil-token-0123456789-0123456789-0123',
      });
      expect(asEvil.status).toBe(401);
      expect(readdirSync(cwd).sort()).toEqual(['.env', 'bunfig.toml', 'evil.ts']);
    });
  });

  onBinary('how its allocator is told to keep for a while what is freed under load', () => {
    test.if(existsSync('/proc/self/environ'))(
      'the allocator keeps free memory for a while, whatever the variables say',
      async () => {
        const { pid } = await start({ env: { MIMALLOC_PURGE_DELAY: '0' } });
        const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
        for (const name of ['MIMALLOC_PURGE_DELAY', 'MIMALLOC_PURGE_HOLES_MIN_INTERVAL']) {
          expect(environment.filter((entry) => entry.startsWith(`${name}=`))).toEqual([`${name}=10000`]);
        }
      },
    );
  });

  test('no proxy is called, no request printed and no code loaded, whatever the variables say', async () => {
    const hits: string[] = [];
    const proxy = createServer((socket) => {
      socket.on('error', () => undefined).on('data', (data) => void hits.push(data.toString('latin1')));
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const at = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const cwd = directory();
    writeFileSync(join(cwd, 'evil.ts'), "require('node:fs').writeFileSync('ran', '')\n");
    const proxies = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'];
    const env = {
      ...Object.fromEntries(proxies.flatMap((name) => [name, name.toLowerCase()]).map((name) => [name, at])),
      BUN_CONFIG_VERBOSE_FETCH: 'curl',
      BUN_CONFIG_MAX_HTTP_REQUESTS: '1',
      BUN_INSPECT: '127.0.0.1:0',
      NODE_OPTIONS: '--require ./evil.ts',
      NODE_TLS_REJECT_UNAUTHORIZED: '0',
      SSLKEYLOGFILE: join(cwd, 'keys'),
    };
    const ola = await start({ cwd, env });
    const up = await upstream();
    await ola.addProvider('acme', up);
    expect((await Promise.all([ola.chat('acme/a'), ola.chat('acme/b', { stream: true })])).map(({ status }) => status)).toEqual([
      200, 200,
    ]);
    const created = await run(['token', 'create', 'x'], { home: ola.home, cwd, env });
    expect(created).toMatchObject({ code: 0, err: '' });
    expect(ola.err()).not.toMatch(/key-of-acme|curl|Bearer|ola_/);
    expect(hits).toEqual([]);
    expect(readdirSync(cwd)).toEqual(['evil.ts']);
    proxy.close();
  });
});
