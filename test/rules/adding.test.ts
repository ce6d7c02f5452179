/**
 * The README's table "to add", row by row, in a copy of the tree: such a thing is added, served from source, and found
 * whole by the checks; by half it is refused by the check that the row names.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Answer, adminToken, request, until } from '../e2e/stage.ts';
import { answer, type Upstream, upstream } from '../e2e/upstream.ts';
import { additionsOver } from './additions.ts';
import { type Addition, compiler, type Edit, type Half } from './edits.ts';

const root = join(import.meta.dir, '../..');
const copied = ['src', 'test', 'scripts', 'docs', 'README.md', 'package.json', 'bunfig.toml', 'tsconfig.json'];

let directory = '';
let vendor: Upstream;
let additions: readonly Addition[] = [];
const at = (path: string) => join(directory, path);
const home = () => ({ PATH: process.env['PATH'], HOME: directory, OPEN_LLM_AUTH_HOME: at('home'), NO_COLOR: '1' });
const editsOf = ({ edits, acting }: Addition): Edit[] => [...edits, ...(acting === undefined ? [] : [acting])];

/** Writes the file with those of the edits that are its own, or takes it away when nothing makes it. */
function write(path: string, edits: readonly Edit[]): void {
  const own = edits.filter((edit) => edit.path === path);
  const given = join(root, path);
  const text = existsSync(given) ? readFileSync(given, 'utf8') : null;
  if (own.length === 0 && text === null) rmSync(at(path), { force: true });
  else {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(
      at(path),
      own.reduce((before, { change }) => change(before), text ?? ''),
    );
  }
}

interface Ended {
  readonly code: number;
  readonly output: string;
}

function run(...words: string[]): Ended {
  const child = Bun.spawnSync([process.execPath, '--no-env-file', ...words], { cwd: directory, env: home(), timeout: 600_000 });
  return { code: child.exitCode, output: `${child.stdout}${child.stderr}` };
}

/** What of the tree does not have the types that it says, by the tree's own settings. */
function compile(path: string): Ended {
  writeFileSync(at('tsconfig.part.json'), JSON.stringify({ extends: './tsconfig.json', include: [path] }));
  return run('node_modules/typescript/bin/tsc', '-p', 'tsconfig.part.json');
}

const runTests = (path: string, names: string): Ended => run('test', '--timeout=300000', `./${path}`, '-t', names);

let server: Bun.Subprocess<'ignore', 'pipe', 'pipe'> | null = null;
let printed = '';
let logged = '';
let address = '';

async function gather(stream: ReadableStream<Uint8Array>, take: (text: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of stream) take(decoder.decode(chunk, { stream: true }));
}

async function serve(): Promise<void> {
  const variables = {
    OPEN_LLM_AUTH_TOKEN: adminToken,
    OPEN_LLM_AUTH_MOTTO: 'per aspera',
    ACME_API_KEY: 'key-of-acme-0123456789',
  };
  const child = Bun.spawn([process.execPath, '--no-env-file', 'src/main.ts', 'serve', '--port', '0'], {
    cwd: directory,
    env: { ...home(), ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  server = child;
  void gather(child.stdout, (text) => {
    printed += text;
  });
  void gather(child.stderr, (text) => {
    logged += text;
  });
  const listens = () => {
    if (child.exitCode !== null) throw new Error(`it does not start: ${printed}${logged}`);
    return /listens on (http:\/\/\S+)\n/.exec(printed)?.[1];
  };
  address = await until('it listens', listens, 60_000);
}

const ask = (method: string, path: string, body?: unknown): Promise<Answer> =>
  request(address + path, method, { authorization: `Bearer ${adminToken}` }, body);

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'ola-adding-'));
  for (const path of copied) cpSync(join(root, path), at(path), { recursive: true });
  symlinkSync(join(root, 'node_modules'), at('node_modules'));
  vendor = await upstream();
  additions = additionsOver(vendor.baseUrl);
  const all = additions.flatMap(editsOf);
  for (const { path } of all) write(path, all);
  await serve();
});
afterAll(async () => {
  server?.kill('SIGKILL');
  await server?.exited;
  await vendor.close();
  rmSync(directory, { recursive: true, force: true });
});

describe('is served', () => {
  test('a provider: it is in the catalog, its models are listed and asked, its key goes to it', async () => {
    const { json: builtin } = await ask('GET', '/config/builtin-providers');
    expect(builtin['providers']).toContainEqual(expect.objectContaining({ id: 'acme', aliases: ['acme-llm'], callable: true }));
    await ask('PUT', '/config/providers/acme-llm', { models: [{ id: 'large', contextWindow: 200_000 }] });
    const { json } = await ask('GET', '/v1/models/acme-llm/large');
    expect(json).toMatchObject({ id: 'acme/large', owned_by: 'acme', context_window: 200_000 });
    const { status, text } = await ask('POST', '/v1/chat/completions', {
      model: 'acme/large',
      messages: [{ role: 'user', content: 'hi' }],
    });
    expect([status, text]).toEqual([200, expect.stringContaining('"choices"')]);
    expect(vendor.requestFor('large').headers.get('authorization')).toBe('Bearer key-of-acme-0123456789');
  });

  test('a protocol: its route answers, over a provider that speaks it', async () => {
    vendor.modes.set('cave', answer(200, { text: 'hello', words: 1 }));
    const cave = { baseUrl: vendor.baseUrl, api: 'echo', apiKey: 'key-of-cave-0123456789', allowLocal: true };
    expect((await ask('PUT', '/config/providers/mountain', cave)).json['warnings']).toBeUndefined();
    const { status, text } = await ask('POST', '/v1/echo', { model: 'mountain/cave', text: 'hello' });
    expect([status, text]).toEqual([200, '{"text":"hello","words":1}']);
    expect(vendor.requestFor('cave').head).toStartWith('POST /v1/echo ');
    expect(JSON.parse(vendor.requestFor('cave').body)).toEqual({ model: 'cave', text: 'hello' });
  });

  test('a command: it runs, and stands in the help', () => {
    expect(run('src/main.ts', 'moon')).toEqual({ code: 0, output: 'full\n' });
    expect(run('src/main.ts', 'help').output).toContain('Show the phase of the moon');
  });

  test('a route: it answers, and the reference describes it', async () => {
    expect((await ask('GET', '/config/keys')).json).toEqual({ cipher: 'AES-256-GCM' } as never);
    expect((await request(`${address}/config/keys`)).status).toBe(401);
    expect((await ask('GET', '/docs/json')).json['paths']!['/config/keys']!['get']!['operationId']).toBe('getKeys' as never);
  });

  test('a key of the document: it is taken without a warning, and acts', async () => {
    const { status, json } = await ask('POST', '/config', { modelNote: 'large is slow today' });
    expect([status, json['warnings']]).toEqual([200, undefined as never]);
    expect((await ask('GET', '/v1/models')).json['note']).toBe('large is slow today' as never);
    expect((await ask('POST', '/config', { modelNote: 7 })).status).toBe(422);
  });

  test('a variable: it is read at the start', async () => {
    await until('it is logged', () => logged.includes('per aspera'));
  });
});

test('whole, all of them pass the checks', () => {
  const halves = additions.flatMap((addition) => addition.halves).filter(({ guard }) => guard !== compiler);
  for (const [guard, some] of Map.groupBy(halves, (half) => half.guard)) {
    const { code, output } = runTests(guard, some.map(({ tests }) => tests).join('|'));
    expect([guard, code, output]).toEqual([guard, 0, expect.stringMatching(/^ [1-9]\d* pass$/m)]);
  }
  expect(run('scripts/rooms-check.ts')).toEqual({ code: 0, output: expect.stringContaining(' 0 violations') });
  expect(compile('src')).toEqual({ code: 0, output: '' });
});

describe('by half, it is refused by a check', () => {
  for (const { row, halves } of additionsOver('')) {
    for (const half of halves) test(`${row}: ${half.what}`, () => expectRefused(row, half));
  }
});

function expectRefused(row: string, { leaveOut, instead, guard, tests, says }: Half): void {
  const all = additions.flatMap(editsOf);
  const own = additions.filter((addition) => addition.row === row).flatMap(editsOf);
  const left = all.filter((edit) => edit.path !== leaveOut || !own.includes(edit));
  expect(left.length).toBe(all.length - 1);
  try {
    write(leaveOut, instead === undefined ? left : [...left, { path: leaveOut, change: instead }]);
    const { code, output } = guard === compiler ? compile(leaveOut) : runTests(guard, tests);
    expect([code === 0, output]).toEqual([false, expect.stringContaining(says ?? '(fail)')]);
  } finally {
    write(leaveOut, all);
  }
}

describe('the table names the files that are touched, and the checks', () => {
  const table = readFileSync(join(root, 'README.md'), 'utf8').split('| to add |')[1]?.split('\n\n')[0] ?? '';
  const rows = [...table.matchAll(/^\| ([a-z][^|]*) \| ([^|]+) \| ([^|]+) \|$/gm)]
    .map(([, row = '', touch = '', fails = '']) => ({ row, touched: pathsOf(touch), checks: pathsOf(fails), fails }))
    .filter(({ row }) => row !== 'to add');

  test('and every row is carried out here', () => {
    expect(rows.map(({ row }) => row)).toEqual(additions.map(({ row }) => row));
  });

  for (const { row, touched, checks, fails } of rows) {
    test(row, () => {
      const addition = additions.find((each) => each.row === row);
      const nameOf = (path: string) => touched.find((name) => name === path) ?? touched.find((name) => isBelow(name, path));
      const edited = addition?.edits.map(({ path }) => nameOf(path) ?? `unnamed: ${path}`);
      expect([...new Set(edited)].sort()).toEqual([...touched].sort());
      const guards = new Set(addition?.halves.map(({ guard }) => guard));
      expect([...guards].filter((guard) => guard !== compiler).sort()).toEqual(checks.sort());
      expect(fails.includes(compiler)).toBe(guards.has(compiler));
    });
  }
});

const isBelow = (folder: string, path: string): boolean => folder.endsWith('/') && path.startsWith(folder);

function pathsOf(cell: string): string[] {
  return [...cell.matchAll(/`([\w./-]+)`/g)].map(([, path = '']) => path);
}
