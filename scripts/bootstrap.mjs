/**
 * From a bare Node and npm to a running ola: installs what is missing, finds the Bun binary, runs it.
 * Runs under plain Node 20 before anything is installed, so it imports Node's own modules alone.
 */
import { spawn } from 'node:child_process';
import { accessSync, constants as files, readFileSync, statSync } from 'node:fs';
import { constants as os } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** What each verb runs; `run` takes the script as its first argument. */
const verbs = {
  start: ['src/main.ts', 'serve', '--demo'],
  test: ['scripts/test.ts'],
  build: ['scripts/build.ts'],
  bench: ['scripts/bench.ts'],
  agents: ['scripts/agents.ts'],
  run: [],
};

/** What npm's error codes mean to the person who sees them. */
const advice = [
  [
    /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ENOTCACHED|ERR_SOCKET_TIMEOUT)\b/,
    'the package registry could not be reached. The first start needs it once: connect, or name a mirror in ~/.npmrc.',
  ],
  [/\bENOSPC\b/, 'the disk is full; the packages take about 350 MB.'],
  [/\b(EACCES|EPERM|EROFS)\b/, 'this folder may not be written to.'],
  [/\bEINTEGRITY\b/, 'a package differs from package-lock.json: nothing of it was installed. Try `npm cache verify`.'],
];

const libc = process.platform !== 'linux' ? undefined : hasGlibc() ? 'glibc' : 'musl';

function hasGlibc() {
  process.report.excludeNetwork = true;
  return process.report.getReport().header.glibcVersionRuntime !== undefined;
}

/** npm's `os`, `cpu` and `libc` fields: a list of names, `!name` excludes. */
function fits(list, value) {
  if (!list || value === undefined) return true;
  if (list.includes(`!${value}`)) return false;
  return list.includes(value) || list.every((name) => name.startsWith('!'));
}

function isFor({ os: systems, cpu, libc: libraries }) {
  return fits(systems, process.platform) && fits(cpu, process.arch) && fits(libraries, libc);
}

function readPackages(path) {
  try {
    return JSON.parse(readFileSync(join(root, path), 'utf8')).packages;
  } catch {
    return {};
  }
}

/**
 * Compares node_modules with package-lock.json. npm writes node_modules/.package-lock.json last, so an install that was
 * cut short has none or an older one; a package whose folder went missing later is found by its package.json.
 * @returns the first package that is missing or another version, null when all are there
 */
function findMissing() {
  const installed = readPackages('node_modules/.package-lock.json');
  for (const [path, wanted] of Object.entries(readPackages('package-lock.json'))) {
    if (path === '' || !isFor(wanted)) continue;
    const found = installed[path];
    // Optional without a platform: it belongs to an optional package of another platform.
    if (!found && wanted.optional && !wanted.os && !wanted.cpu) continue;
    if (found?.version !== wanted.version || found.integrity !== wanted.integrity) return path;
    if (!statSync(join(root, path, 'package.json'), { throwIfNoEntry: false })) return path;
  }
  return bunPath() === null ? 'bun' : null;
}

/**
 * The Bun binary inside the npm package of this platform. The package `bun` would link it in a postinstall script, and
 * install scripts are off here.
 * @returns null when it is not there, or not whole and executable
 */
function bunPath() {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const arch = process.arch === 'arm64' ? 'aarch64' : process.arch;
  const name = `bun-${system}-${arch}${libc === 'musl' ? '-musl' : ''}`;
  const path = join(root, 'node_modules/@oven', name, 'bin', process.platform === 'win32' ? 'bun.exe' : 'bun');
  try {
    accessSync(path, files.X_OK);
    return path;
  } catch {
    return null;
  }
}

/** Says it on stderr: stdout belongs to the program. */
function say(text) {
  process.stderr.write(`${text}\n`);
}

/** @returns whether the packages are installed now */
async function install(missing) {
  say(`Installing packages (${missing.replace(/^node_modules\//, '')} is missing or has changed); this takes a minute once ...`);
  const started = Date.now();
  const { code, output } = await npmInstall();
  if (code === 0 && findMissing() === null) {
    say(`Installed in ${Math.round((Date.now() - started) / 1000)} s.`);
    return true;
  }
  say(output.trimEnd());
  const known = advice.find(([pattern]) => pattern.test(output));
  const reason =
    known?.[1] ?? (code === 0 ? `there is no Bun for ${process.platform} ${process.arch}.` : 'npm failed, see above.');
  say(`\nCould not install: ${reason}\nThen run the same command again.`);
  return false;
}

/** `--include` because NODE_ENV=production or a user's `omit` would leave out Bun itself. */
const npmArguments = [
  'ci',
  '--ignore-scripts',
  '--include=dev',
  '--include=optional',
  '--no-audit',
  '--no-fund',
  '--loglevel=error',
];

/** @returns npm's exit code and everything it printed */
function npmInstall() {
  // Under `npm start` this is npm itself, as a script; by its path there is no shell to find it with on Windows.
  const script = process.env.npm_execpath?.endsWith('.js') ? process.env.npm_execpath : undefined;
  const options = { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], shell: !script && process.platform === 'win32' };
  const npm = script ? spawn(process.execPath, [script, ...npmArguments], options) : spawn('npm', npmArguments, options);
  return new Promise((resolve) => {
    let output = '';
    for (const stream of [npm.stdout, npm.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
    npm.on('error', (error) => resolve({ code: 1, output: `npm did not start: ${error.message}` }));
    npm.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

/** Runs Bun in the repository's root on this terminal. @returns its exit code, 128 and the signal's number when one ended it */
function runBun(args) {
  // The binary has its version stamped in; from source it is handed over.
  const version = process.env.npm_package_version;
  const stamp = version === undefined ? [] : ['--define', `OLA_VERSION=${JSON.stringify(version)}`];
  // What stands above the spawn is there before Bun can be: a signal or an end that came between would be missed, and Bun
  // would outlive this process.
  let bun;
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => bun.kill(signal));
  // Ctrl-C reaches the child through the terminal's process group: a second one from here would cut its graceful stop.
  process.on('SIGINT', () => {});
  // npm runs this through a shell, which dies of npm's SIGTERM without passing it on: the program would outlive `npm start`.
  const parent = process.ppid;
  bun = spawn(bunPath(), ['--no-env-file', ...stamp, ...args], { cwd: root, stdio: 'inherit' });
  const orphaned = () => process.env.npm_lifecycle_event !== undefined && process.ppid !== parent;
  setInterval(() => orphaned() && bun.kill('SIGTERM'), 500).unref();
  return new Promise((resolve) => {
    bun.on('error', (error) => {
      say(`Bun did not start: ${error.message}`);
      resolve(1);
    });
    bun.on('exit', (code, signal) => resolve(code ?? 128 + os.signals[signal]));
  });
}

async function main([verb, ...args]) {
  if (!Object.hasOwn(verbs, verb ?? '')) {
    say(`Usage: node scripts/bootstrap.mjs ${Object.keys(verbs).join('|')} [arguments]`);
    return 2;
  }
  const missing = findMissing();
  if (missing !== null && !(await install(missing))) return 1;
  return runBun([...verbs[verb], ...args]);
}

process.exitCode = await main(process.argv.slice(2));
