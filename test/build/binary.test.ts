/** The compiled binary: the same bytes from the same sources, and deaf to the directory it is run in. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { chmod, cp, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileBinary } from '../../scripts/build.ts';

const root = join(import.meta.dir, '../..');
const binary = join(root, 'dist/ola');
const manifest = (await Bun.file(join(root, 'package.json')).json()) as { version: string };

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ola-build-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

function run(program: string, args: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}) {
  const { exitCode, stdout, stderr } = Bun.spawnSync([program, ...args], { cwd, env: { PATH: process.env['PATH'], ...env } });
  return { code: exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}

async function sha256(path: string): Promise<string> {
  const hash = new Bun.CryptoHasher('sha256');
  for await (const chunk of Bun.file(path).stream()) hash.update(chunk);
  return hash.digest('hex');
}

/** What a build reads: sources, settings, and the packages that are no tools. */
async function copySources(name: string): Promise<string> {
  const to = join(directory, name);
  const { packages } = (await Bun.file(join(root, 'package-lock.json')).json()) as {
    packages: Record<string, { dev?: true; optional?: true }>;
  };
  const bundled = Object.keys(packages).filter((path) => path !== '' && !packages[path]?.dev && !packages[path]?.optional);
  for (const path of ['package.json', 'tsconfig.json', 'bunfig.toml', 'scripts/build.ts', 'src', ...bundled]) {
    await cp(join(root, path), join(to, path), { recursive: true });
  }
  return to;
}

test('two directories, two moments, one binary', async () => {
  const built: string[] = [];
  for (const name of ['first', 'a/second/somewhere-else']) {
    const copy = await copySources(name);
    expect(run(process.execPath, ['scripts/build.ts'], copy)).toMatchObject({ code: 0, stderr: '' });
    expect(await readdir(join(copy, 'dist'))).toEqual(['ola']);
    expect(run(join(copy, 'dist/ola'), ['--version'], directory).stdout).toContain(manifest.version);
    built.push(await sha256(join(copy, 'dist/ola')));
    await rm(join(copy, 'dist'), { recursive: true });
  }
  expect(built[0]).toMatch(/^[0-9a-f]{64}$/);
  expect(built[1]).toBe(built[0]);
}, 600_000);

test('a build that fails leaves no older binary behind', async () => {
  const copy = await copySources('broken');
  await mkdir(join(copy, 'dist'));
  await Bun.write(join(copy, 'dist/ola'), 'older');
  await Bun.write(join(copy, 'src/main.ts'), "import './missing.ts';\n");
  expect(run(process.execPath, ['scripts/build.ts'], copy).code).not.toBe(0);
  expect(await readdir(join(copy, 'dist'))).toEqual([]);
});

/** A directory as a stranger would prepare it: what Bun would read there by itself. */
async function hostileDirectory(): Promise<string> {
  const hostile = join(directory, 'hostile');
  await mkdir(hostile, { recursive: true });
  await Bun.write(
    join(hostile, 'preload.ts'),
    "require('node:fs').writeFileSync('preload-ran', ''); console.log('PRELOAD RAN');\n",
  );
  await Bun.write(join(hostile, 'bunfig.toml'), 'preload = ["./preload.ts"]\n');
  await Bun.write(join(hostile, '.env'), 'PLANTED=from-env-file\n');
  await Bun.write(join(hostile, '.env.production'), 'PLANTED=from-env-file\n');
  await Bun.write(join(hostile, 'tsconfig.json'), '{"compilerOptions": {"paths": {"*": ["./preload.ts"]}}}\n');
  return hostile;
}

describe('.env, bunfig.toml and tsconfig.json of the working directory', () => {
  test('are ignored by a program built with the same flags', async () => {
    const entry = join(directory, 'probe.ts');
    await Bun.write(entry, "console.log(OLA_VERSION, OLA_COMMIT, process.env['PLANTED'] ?? 'not set');\n");
    const outfile = join(directory, 'probe');
    await compileBinary({ entry, outfile, version: '9.8.7', commit: 'abc' });
    const hostile = await hostileDirectory();
    expect(run(outfile, [], hostile)).toEqual({ code: 0, stdout: '9.8.7 abc not set\n', stderr: '' });
    expect(run(outfile, [], hostile, { PLANTED: 'by hand' }).stdout).toBe('9.8.7 abc by hand\n');
    expect(await Bun.file(join(hostile, 'preload-ran')).exists()).toBe(false);
    // The trap works: Bun itself falls into it.
    expect(run(process.execPath, [entry], hostile).stdout).toContain('PRELOAD RAN');
  });

  test('are ignored by ola', async () => {
    const hostile = await hostileDirectory();
    await rm(join(hostile, 'preload-ran'), { force: true });
    const elsewhere = run(binary, ['--version'], root);
    expect(elsewhere.stdout).toContain(manifest.version);
    expect(run(binary, ['--version'], hostile)).toEqual(elsewhere);
    expect(await Bun.file(join(hostile, 'preload-ran')).exists()).toBe(false);
  });
});

test('a binary moved elsewhere, read-only and without its sources still runs', async () => {
  const moved = join(directory, 'ola');
  await cp(binary, moved);
  await chmod(moved, 0o555);
  expect(run(moved, ['--version'], '/').stdout).toContain(manifest.version);
});
