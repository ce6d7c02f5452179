/** A file governs: what is in it is in force, while it runs too, and nothing else changes it. */
import { describe, expect, test } from 'bun:test';
import { chmodSync, existsSync, mkdirSync, realpathSync, renameSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expectError, type Ola, request, stage, until } from './stage.ts';
import type { Upstream } from './upstream.ts';

const { directory, run, start, upstream } = stage();

/** The text of a file whose only provider is the upstream, with a comment, as a person writes it. */
function text({ baseUrl }: Upstream, more: object = {}): string {
  const provider = { baseUrl, apiKey: 'file:acme.key', allowLocal: true };
  return `// who may be called\n${JSON.stringify({ providers: { acme: provider }, ...more })}\n`;
}

function privately(path: string, content: string): string {
  writeFileSync(path, content);
  chmodSync(path, 0o600);
  return path;
}

/** A folder with the file and the key that it names. */
function folder(content: string): { readonly folder: string; readonly file: string } {
  const path = realpathSync(directory());
  privately(join(path, 'acme.key'), 'key-in-a-file-0123456789\n');
  return { folder: path, file: privately(join(path, 'config.json'), content) };
}

const health = async (ola: Ola) => (await request(`${ola.address}/health`)).json['status'];

describe('a file that governs', () => {
  test('is in force from the start, with the secret that its folder holds, and is named', async () => {
    const up = await upstream();
    const { file } = folder(text(up));
    const ola = await start({ args: ['--config', file] });
    expect((await ola.chat('acme/one')).status).toBe(200);
    expect(up.requestFor('one').headers.get('authorization')).toBe('Bearer key-in-a-file-0123456789');
    expect(ola.out()).toContain(`Configuration: ${file}`);
    const status = await run(['status', '--json'], { home: ola.home });
    expect(JSON.parse(status.out)).toMatchObject({ configFile: file, status: 'ok' });
    const { json } = await ola.ask('GET', '/config/config-file-path');
    expect(json).toMatchObject({ mode: 'file', configFile: file, config_file: file });
    expect((await ola.ask('GET', '/config')).text).not.toContain('key-in-a-file');
  });

  test('is not changed by the API, which still makes tokens', async () => {
    const { file } = folder(text(await upstream()));
    const ola = await start({ args: ['--config', file] });
    const refused = await ola.ask('PUT', '/config/providers/other', { baseUrl: 'https://api.example.com/v1' });
    expect(String(expectError(refused, 409, 'config_managed_by_file')['message'])).toContain(file);
    expect((await ola.ask('POST', '/config/tokens', { name: 'made in file mode' })).status).toBeLessThan(300);
  });

  test('takes effect when it is edited in place and when another is renamed over it', async () => {
    const up = await upstream();
    const { folder: path, file } = folder(text(up));
    const ola = await start({ args: ['--config', file] });
    const model = async () => (await ola.ask('GET', '/config')).json['defaultModel'];
    writeFileSync(file, text(up, { defaultModel: 'acme/two' }));
    await until('the edit is in force', async () => String(await model()) === 'acme/two');
    expect((await ola.chat('default')).status).toBe(200);
    renameSync(privately(join(path, 'next'), text(up, { defaultModel: 'acme/three' })), file);
    await until('the new file is in force', async () => String(await model()) === 'acme/three');
  });

  test('that cannot be used is told once, the last good one stays in force, and it recovers by itself', async () => {
    const up = await upstream();
    const { file } = folder(text(up));
    const ola = await start({ args: ['--config', file] });
    const degraded = () => until('it is degraded', async () => String(await health(ola)) === 'degraded');
    const well = () => until('it is well', async () => String(await health(ola)) === 'ok');
    const break_ = [
      () => writeFileSync(file, '{ "providers": '),
      () => writeFileSync(file, text(up).replace('file:acme.key', 'sk-canary-in-clear-0123456789')),
      () => chmodSync(file, 0o666),
      () => renameSync(file, `${file}.away`),
    ];
    for (const spoil of break_) {
      spoil();
      await degraded();
      if (existsSync(file)) utimesSync(file, new Date(), new Date());
      await Bun.sleep(200);
      expect((await ola.chat('acme/still')).status).toBe(200);
      privately(file, text(up));
      await well();
    }
    expect(ola.err()).not.toContain('canary');
    const lines = ola.err().split('\n');
    for (const problem of ['line 1, column', 'providers.acme.apiKey', 'can be written by other users']) {
      expect([problem, lines.filter((line) => line.includes(problem) && line.includes(file)).length]).toEqual([problem, 1]);
    }
  });
});

test('a file whose names do not resolve starts all the same, and stays well when it is touched', async () => {
  const { file } = folder(
    '{"providers": {"acme": {"baseUrl": "https://no-such-host-of-anybody.net/v1", "apiKey": "file:acme.key"}}}',
  );
  const ola = await start({ args: ['--config', file] });
  utimesSync(file, new Date(), new Date());
  await Bun.sleep(300);
  expect(String(await health(ola))).toBe('ok');
});

describe('a file that cannot govern', () => {
  const cases: readonly (readonly [string, (path: string) => void, string])[] = [
    ['is missing', () => undefined, 'There is no file'],
    ['is no JSON', (path) => void privately(path, '{ "providers": '), 'line 1'],
    ['others can write', (path) => chmodSync(privately(path, '{}'), 0o666), 'chmod go-w'],
    [
      'holds a key in clear',
      (path) => void privately(path, '{"providers":{"openai":{"apiKey":"sk-canary-0123456789"}}}'),
      'file:',
    ],
    ['does not fit', (path) => void privately(path, '{"egressPolicy":{"mode":"sometimes"}}'), 'egressPolicy.mode'],
  ];
  test.each(cases)('because it %s keeps the start from happening, in three lines', async (_, make, why) => {
    const file = join(directory(), 'config.json');
    make(file);
    const { code, out, err } = await run(['serve', '--port', '0', '--config', file]);
    expect([code, out]).toEqual([3, '']);
    expect(err).toMatch(/^error: .*\n {2}why: .*\n {2}next: ola config validate .*\n$/);
    expect(err).toContain(why);
    expect(err).toContain(file);
    expect(err).not.toContain('canary');
  });
});

describe('a database elsewhere', () => {
  test('is named by the file, from its folder, private, and one process has it', async () => {
    const up = await upstream();
    const { folder: path, file } = folder(text(up, { durableState: { dbPath: 'state/ola.sqlite3' } }));
    mkdirSync(join(path, 'state'), { mode: 0o700 });
    const ola = await start({ args: ['--config', file] });
    const database = join(path, 'state/ola.sqlite3');
    expect(statSync(database).mode & 0o777).toBe(0o600);
    expect(existsSync(join(ola.home, 'runtime_state.sqlite3'))).toBe(false);
    expect((await ola.ask('GET', '/config/config-file-path')).json).toMatchObject({ database });
    const second = await run(['serve', '--port', '0', '--config', file]);
    expect([second.code, second.err]).toEqual([1, expect.stringContaining(`The database ${database} is in use by ola`)]);
    expect(second.err).toContain(`process id ${ola.pid}`);
    ola.kill('SIGTERM');
    expect(await ola.exited).toBe(0);
    expect(existsSync(`${database}-wal`)).toBe(false);
  });

  test('is named by the environment before the file, from the home', async () => {
    const { file } = folder(text(await upstream(), { durableState: { dbPath: '/nowhere/state.sqlite3' } }));
    const ola = await start({ args: ['--config', file], env: { OPEN_LLM_AUTH_DB_PATH: 'mine.sqlite3' } });
    expect(existsSync(join(ola.home, 'mine.sqlite3'))).toBe(true);
  });

  test('in a directory that is not there keeps the start from happening', async () => {
    const env = { OPEN_LLM_AUTH_DB_PATH: '/nowhere/state.sqlite3' };
    const { code, err } = await run(['serve', '--port', '0'], { env });
    expect([code, err]).toEqual([3, expect.stringContaining('OPEN_LLM_AUTH_DB_PATH')]);
  });
});

describe('a command with --config', () => {
  test('works on the file when nothing runs, and refuses when something else governs what runs', async () => {
    const up = await upstream();
    const { file } = folder(text(up));
    const home = directory();
    const offline = await run(['config', 'get', 'providers.acme.baseUrl', '--config', file], { home });
    expect([offline.code, offline.out]).toEqual([0, `${up.baseUrl}\n`]);
    const ola = await start({ home, args: ['--config', file] });
    const same = await run(['config', 'get', 'providers.acme.baseUrl', '--config', file], { home });
    expect([same.code, same.out]).toEqual([0, `${up.baseUrl}\n`]);
    const other = await run(['config', 'get', 'providers', '--config', folder('{}').file], { home });
    expect([other.code, other.err]).toEqual([1, expect.stringContaining(`takes its configuration from the file ${file}`)]);
    ola.kill('SIGTERM');
    await ola.exited;
    const told = `The last server took its configuration from ${file}, and this command works on the database.`;
    const stored = await run(['config', 'set', 'defaultModel', 'acme/one'], { home });
    expect([stored.code, stored.err.split(told).length]).toEqual([0, 2]);
    expect((await run(['config', 'show'], { home })).err).toContain(`Give --config ${file}`);
    for (const typed of [
      ['token', 'list'],
      ['config', 'get', 'providers.acme.baseUrl', '--config', file],
    ])
      expect((await run(typed, { home })).err).not.toContain(told);
  });
});
