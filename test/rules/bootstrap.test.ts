/** The way from bare Node and npm to a running Bun, on a made-up repository with a made-up npm and Bun. */
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { chmod, cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dir, '../..');
const arch = process.arch === 'arm64' ? 'aarch64' : process.arch;
const system = process.platform === 'win32' ? 'windows' : process.platform;

interface Locked {
  version: string;
  integrity: string;
  optional?: true;
  os?: string[];
  cpu?: string[];
  libc?: string[];
}
const here = { os: [process.platform], cpu: [process.arch] };
/** What package-lock.json asks for: one ordinary package, Bun for both C libraries and for a system that is not this one. */
const lock: Record<string, Locked> = {
  'node_modules/plain': { version: '1.0.0', integrity: 'sha512-plain' },
  [`node_modules/@oven/bun-${system}-${arch}`]: {
    version: '1.4.5',
    integrity: 'sha512-bun',
    optional: true,
    ...here,
    libc: ['glibc'],
  },
  [`node_modules/@oven/bun-${system}-${arch}-musl`]: {
    version: '1.4.5',
    integrity: 'sha512-musl',
    optional: true,
    ...here,
    libc: ['musl'],
  },
  'node_modules/@oven/bun-plan9-mips': { version: '1.4.5', integrity: 'sha512-p9', optional: true, os: ['plan9'], cpu: ['mips'] },
  'node_modules/of-another-platform': { version: '3.0.0', integrity: 'sha512-wasm', optional: true },
};
const forHere = Object.keys(lock).filter((path) => !/plan9|another/.test(path));

let repo = '';
const at = (path: string): string => join(repo, path);
const writeJson = (path: string, value: unknown) => Bun.write(at(path), JSON.stringify(value));

/** Prints what it was given, so that a test sees it; `sleep` waits for a signal, two minutes at most, `exit N` ends with N. */
const fakeBun = `#!/bin/sh
echo "bun $*"
case "$*" in
  *sleep*) trap 'echo stopped; exit 9' TERM; echo ready; i=0; while [ $i -lt 600 ]; do i=$((i+1)); sleep 0.2; done ;;
  *exit*) exit 5 ;;
esac
`;

async function writeInstalled(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    await writeJson(`${path}/package.json`, { version: lock[path]?.version });
    if (!path.includes('@oven')) continue;
    await Bun.write(at(`${path}/bin/bun`), fakeBun);
    await chmod(at(`${path}/bin/bun`), 0o755);
  }
  await writeJson('node_modules/.package-lock.json', { packages: Object.fromEntries(paths.map((path) => [path, lock[path]])) });
}

/** npm in this world: notes its arguments in `npm-ran`, then does what the test says. */
const writeNpm = (does: string) =>
  Bun.write(
    at('npm-cli.js'),
    `require('node:fs').appendFileSync(${JSON.stringify(at('npm-ran'))}, process.argv.slice(2).join(' ') + '\\n');\n${does}`,
  );
const npmRan = async (): Promise<string | null> =>
  (await Bun.file(at('npm-ran')).exists()) ? Bun.file(at('npm-ran')).text() : null;

const command = (args: readonly string[]): string[] => ['node', 'scripts/bootstrap.mjs', ...args];
const environment = () => ({ PATH: process.env['PATH'], HOME: repo, NODE_ENV: 'production', npm_execpath: at('npm-cli.js') });

function bootstrap(...args: string[]) {
  const { exitCode, stdout, stderr } = Bun.spawnSync(command(args), { cwd: repo, env: environment() });
  return { code: exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}

beforeEach(async () => {
  repo = await mkdtemp(join(tmpdir(), 'ola-bootstrap-'));
  await mkdir(at('scripts'));
  await cp(join(root, 'scripts/bootstrap.mjs'), at('scripts/bootstrap.mjs'));
  await writeJson('package-lock.json', { packages: { '': { version: '0.0.0' }, ...lock } });
  await writeNpm('process.exit(3);');
});
afterEach(() => rm(repo, { recursive: true, force: true }));

test('with everything in place npm is not asked, and arguments and exit code pass through', async () => {
  await writeInstalled(forHere);
  expect(bootstrap('start', '--port', '0')).toEqual({
    code: 0,
    stdout: 'bun --no-env-file src/main.ts serve --demo --port 0\n',
    stderr: '',
  });
  expect(bootstrap('test', '--only', 'unit').stdout).toBe('bun --no-env-file scripts/test.ts --only unit\n');
  expect(bootstrap('build').stdout).toBe('bun --no-env-file scripts/build.ts\n');
  expect(bootstrap('bench', 'quick').stdout).toBe('bun --no-env-file scripts/bench.ts quick\n');
  expect(bootstrap('agents').stdout).toBe('bun --no-env-file scripts/agents.ts\n');
  expect(bootstrap('run', 'exit').code).toBe(5);
  expect(await npmRan()).toBeNull();
});

test('an empty node_modules is filled by npm ci: no install scripts, Bun also under NODE_ENV=production, stdout left alone', async () => {
  await writeInstalled(forHere);
  // The made-up registry: what npm puts in place.
  await cp(at('node_modules'), at('registry'), { recursive: true });
  await rm(at('node_modules'), { recursive: true });
  await writeNpm("console.log('noise'); require('node:fs').cpSync('registry', 'node_modules', { recursive: true });");
  const { code, stdout, stderr } = bootstrap('build');
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'bun --no-env-file scripts/build.ts\n' });
  expect(stderr).toMatch(/^Installing packages \(plain is missing or has changed\).*\nInstalled in \d+ s\.\n$/);
  expect(await npmRan()).toMatch(/^ci --ignore-scripts --include=dev --include=optional .*\n$/);
});

const incomplete: Record<string, () => Promise<unknown>> = {
  'a cut-short install, which has no record': () => rm(at('node_modules/.package-lock.json')),
  'a half-written record': () => Bun.write(at('node_modules/.package-lock.json'), '{"packages": {"node_mod'),
  'another version': () =>
    writeJson('package-lock.json', {
      packages: { ...lock, 'node_modules/plain': { version: '1.0.1', integrity: 'sha512-plain' } },
    }),
  'another checksum': () =>
    writeJson('package-lock.json', { packages: { ...lock, 'node_modules/plain': { version: '1.0.0', integrity: 'sha512-x' } } }),
  'a new package': () =>
    writeJson('package-lock.json', { packages: { ...lock, 'node_modules/new': { version: '1.0.0', integrity: 'sha512-n' } } }),
  'a package whose folder is gone': () => rm(at('node_modules/plain'), { recursive: true }),
  'a Bun without its binary': () => Promise.all(forHere.map((path) => rm(at(`${path}/bin`), { recursive: true, force: true }))),
  'a Bun that may not be run': () =>
    Promise.all(forHere.filter((path) => path.includes('@oven')).map((path) => chmod(at(`${path}/bin/bun`), 0o644))),
};
for (const [name, damage] of Object.entries(incomplete)) {
  test(`${name} is noticed`, async () => {
    await writeInstalled(forHere);
    await damage();
    expect(bootstrap('build')).toMatchObject({ code: 1, stdout: '' });
    expect(await npmRan()).not.toBeNull();
  });
}

test('a failed install shows what npm said and what to do, and runs nothing', async () => {
  const failures = {
    'npm error code ENOTFOUND': 'the package registry could not be reached',
    'npm error code EAI_AGAIN': 'the package registry could not be reached',
    'npm error code ENOSPC': 'the disk is full',
    'npm error code EACCES': 'may not be written to',
    'npm error code EINTEGRITY': 'differs from package-lock.json',
    'npm error something else': 'npm failed, see above',
  };
  for (const [said, advice] of Object.entries(failures)) {
    await writeNpm(`console.error(${JSON.stringify(said)}); process.exit(1);`);
    const { code, stdout, stderr } = bootstrap('start');
    expect({ code, stdout }, said).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(said);
    expect(stderr).toContain(advice);
  }
  await writeNpm('');
  expect(bootstrap('start').stderr).toContain('there is no Bun for');
});

test('SIGTERM reaches the program, and its exit code comes back', async () => {
  await writeInstalled(forHere);
  const wrapper = Bun.spawn(command(['run', 'sleep']), { cwd: repo, env: environment(), stdout: 'pipe', stderr: 'inherit' });
  let output = '';
  for await (const chunk of wrapper.stdout) {
    output += Buffer.from(chunk).toString();
    if (output.includes('ready') && !output.includes('stopped')) wrapper.kill('SIGTERM');
  }
  expect(await wrapper.exited).toBe(9);
  expect(output).toEndWith('ready\nstopped\n');
});

test('the program does not outlive npm, whose shell passes no signal on', async () => {
  await writeInstalled(forHere);
  const shell = Bun.spawn(['sh', '-c', `${command(['run', 'sleep']).join(' ')}; true`], {
    cwd: repo,
    env: { ...environment(), npm_lifecycle_event: 'start' },
    stdout: 'pipe',
    stderr: 'inherit',
  });
  let output = '';
  // The pipe ends when the last of them has.
  for await (const chunk of shell.stdout) {
    output += Buffer.from(chunk).toString();
    if (output.includes('ready') && !output.includes('stopped')) shell.kill('SIGTERM');
  }
  expect(output).toEndWith('ready\nstopped\n');
});

test('a program ended by a signal gives 128 and its number', async () => {
  await writeInstalled(forHere);
  for (const path of forHere.filter((name) => name.includes('@oven')))
    await Bun.write(at(join(path, 'bin/bun')), '#!/bin/sh\nkill -KILL $$\n');
  expect(bootstrap('build').code).toBe(137);
});

test('an unknown verb names those that are known', () => {
  expect(bootstrap('strat')).toEqual({
    code: 2,
    stdout: '',
    stderr: 'Usage: node scripts/bootstrap.mjs start|test|build|bench|agents|run [arguments]\n',
  });
});

test('it stands on Node alone', async () => {
  const source = await Bun.file(join(root, 'scripts/bootstrap.mjs')).text();
  const imports = new Bun.Transpiler({ loader: 'js' }).scanImports(source).map(({ path }) => path);
  expect(imports.length).toBeGreaterThan(2);
  for (const path of imports) expect(path).toStartWith('node:');
});
