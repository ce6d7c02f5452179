/**
 * The whole check, one line a step; the last line counts. Every step runs, also after one that failed.
 * `npm test -- --only unit,e2e` runs those steps; other words filter test files by path: `npm test -- store/tokens`.
 */
import { closeSync, openSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { denoCheck, denoEnvironment, hasDeno, olaUnderDeno } from './deno.ts';

const root = join(import.meta.dir, '..');

/** A step: commands that must succeed, a check each, then test files. */
interface Step {
  readonly name: string;
  readonly commands: readonly (readonly string[])[];
  /** Globs below test/, null for a step without tests; a `!` excludes. */
  readonly tests: readonly string[] | null;
  /** Ola runs from source under Deno, in place of the binary. */
  readonly underDeno?: true;
  /** Runs only when it is named by `--only`. */
  readonly onDemand?: true;
}

const bun = [process.execPath, '--no-env-file'];
/** A package's JavaScript, run by this Bun: the names in node_modules/.bin want Node or a shell. */
const tool = (path: string, ...args: string[]): string[] => [...bun, `node_modules/${path}`, ...args];

/** Stale patterns in knip.json are errors: an entry that matches nothing would let everything pass. */
const knipFlags = ['--no-progress', '--treat-config-hints-as-errors'];

/** Of the tests over HTTP, what a gateway is for; a process from source takes a second to start. */
const denoCore = 'chat,streams,providers,shutdown';
/** All that ask nothing of the binary itself; what single tests in them do ask is left out by `onBinary`. */
const denoWhole = `${denoCore},access,bad-input,canary,config,faults,file-mode,front-door,history,refusals`;

const steps: readonly Step[] = [
  { name: 'types', commands: [tool('typescript/bin/tsc', '-p', '.')], tests: null },
  { name: 'lint', commands: [tool('@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.')], tests: null },
  { name: 'rules', commands: [[...bun, 'scripts/rooms.ts']], tests: ['rules/**'] },
  {
    name: 'unused',
    // The second run leaves tests and scripts out: what in src only they reach is not part of ola.
    commands: [tool('knip/bin/knip.js', ...knipFlags), tool('knip/bin/knip.js', ...knipFlags, '--production')],
    tests: null,
  },
  { name: 'unit', commands: [], tests: ['**', '!rules/**', '!build/**', '!e2e/**', '!deno/**'] },
  { name: 'build', commands: [[...bun, 'scripts/build.ts']], tests: ['build/**'] },
  { name: 'e2e', commands: [], tests: ['e2e/**'] },
  ...denoSteps(),
];

function denoSteps(): readonly Step[] {
  if (!hasDeno) {
    console.error('Deno is not installed on this platform: its steps are left out.');
    return [];
  }
  return [
    { name: 'deno', commands: [denoCheck('src/main.ts')], tests: ['deno/**', `e2e/{${denoCore}}.test.ts`], underDeno: true },
    { name: 'deno-all', commands: [], tests: ['deno/**', `e2e/{${denoWhole}}.test.ts`], underDeno: true, onDemand: true },
  ];
}

/**
 * Longer than any step takes, and any test: what hangs is a failure, not a wait. Neither is a bar for speed, which the
 * bench has: a small machine that is busy takes ten times as long.
 */
const stepTimeoutMs = 3_600_000;
const testTimeout = '--timeout=300000';

export interface Tally {
  readonly passed: number;
  readonly failed: number;
}

/**
 * Reads the counts at the end of `bun test`. Skipped tests count as nothing.
 * A run that ended early, ran no test or fewer files than it was given, or failed without naming a test counts one failure.
 */
export function tally(output: string, exitCode: number, files: number): Tally {
  const count = (word: string): number => Number(new RegExp(`^\\s*(\\d+) ${word}$`, 'm').exec(output)?.[1] ?? 0);
  const ran = /^Ran (\d+) tests? across (\d+) files?\./m.exec(output);
  const passed = count('pass');
  const failed = count('fail') + count('errors?');
  const whole = ran !== null && Number(ran[2]) === files && passed + failed > 0 && (exitCode === 0 || failed > 0);
  return { passed, failed: whole ? failed : failed + 1 };
}

interface Ended {
  readonly exitCode: number;
  readonly output: string;
}

/** Runs a command in the root. Output goes to a file: a pipe would wait for whatever the command left running behind it. */
async function run(command: readonly string[], env: Readonly<Record<string, string | undefined>>, log: string): Promise<Ended> {
  const file = openSync(log, 'w');
  const child = Bun.spawn([...command], {
    cwd: root,
    env: { ...env, NO_COLOR: '1', FORCE_COLOR: undefined },
    stdio: ['ignore', file, file],
    timeout: stepTimeoutMs,
    killSignal: 'SIGKILL',
  });
  const exitCode = await child.exited;
  closeSync(file);
  return { exitCode, output: await Bun.file(log).text() };
}

/** @returns test files of the step whose path holds one of the filters (all when there is none), sorted */
function testFiles(step: Step, filters: readonly string[]): string[] {
  const globs = step.tests ?? [];
  const matches = (path: string, negated: boolean): boolean =>
    globs.some((glob) => glob.startsWith('!') === negated && new Bun.Glob(glob.replace('!', '')).match(path));
  return [...new Bun.Glob('**/*.test.ts').scanSync({ cwd: join(root, 'test') })]
    .map((path) => path.replaceAll(sep, '/'))
    .filter((path) => matches(path, false) && !matches(path, true))
    .map((path) => `test/${path}`)
    .filter((path) => filters.length === 0 || filters.some((filter) => path.includes(filter)))
    .sort();
}

/**
 * What tests see of the environment: neither keys of the developer, which would change what is configured, nor their home,
 * where the real ola lives.
 */
function testEnvironment(step: Step, home: string): Record<string, string | undefined> {
  const { PATH, TMPDIR, LANG, CI } = process.env;
  const common = { PATH, TMPDIR, LANG, CI, TZ: 'UTC', HOME: home };
  if (step.underDeno === true) return { ...common, ...denoEnvironment, OLA_BINARY: olaUnderDeno };
  return { ...common, OLA_BINARY: join(root, 'dist/ola') };
}

interface Outcome extends Tally {
  readonly output: string;
}

/** @param scratch an empty directory: the home of the tests, and the log */
async function runStep(step: Step, filters: readonly string[], scratch: string): Promise<Outcome> {
  const log = join(scratch, 'log');
  const home = join(scratch, 'home');
  const outcome = { passed: 0, failed: 0, output: '' };
  for (const command of step.commands) {
    const { exitCode, output } = await run(command, { ...process.env, ...(step.underDeno ? denoEnvironment : {}) }, log);
    outcome[exitCode === 0 ? 'passed' : 'failed'] += 1;
    if (exitCode !== 0) outcome.output += output;
  }
  if (step.tests === null) return outcome;
  const files = testFiles(step, filters);
  if (files.length === 0) return { ...outcome, failed: outcome.failed + 1, output: `${outcome.output}no test files\n` };
  const paths = files.map((path) => `./${path}`);
  await mkdir(home, { recursive: true });
  const { exitCode, output } = await run(
    [...bun, '--no-orphans', 'test', '--only-failures', testTimeout, ...paths],
    testEnvironment(step, home),
    log,
  );
  const tests = tally(output, exitCode, files.length);
  return {
    passed: outcome.passed + tests.passed,
    failed: outcome.failed + tests.failed,
    output: tests.failed > 0 ? outcome.output + output : outcome.output,
  };
}

/** The steps that the arguments ask for: named ones; with file filters those that have such files; else all. */
function chosenSteps(only: readonly string[] | null, filters: readonly string[]): readonly Step[] {
  if (only) return steps.filter((step) => only.includes(step.name));
  const usual = steps.filter(({ onDemand }) => onDemand !== true);
  return filters.length > 0 ? usual.filter((step) => testFiles(step, filters).length > 0) : usual;
}

async function main(args: readonly string[]): Promise<boolean> {
  const flag = args.indexOf('--only');
  const only = flag < 0 ? null : (args[flag + 1] ?? '').split(',');
  const filters = flag < 0 ? args : args.toSpliced(flag, 2);
  const chosen = chosenSteps(only, filters);
  const unknown = only?.filter((name) => !steps.some((step) => step.name === name)) ?? [];
  if (unknown.length > 0 || chosen.length === 0) {
    console.error(`Nothing to run. Steps: ${steps.map((step) => step.name).join(', ')}; other words filter test files by path.`);
    console.log('0 passed, 1 failed');
    return false;
  }
  const scratch = await mkdtemp(join(tmpdir(), 'ola-test-'));
  let passed = 0;
  let failed = 0;
  for (const step of chosen) {
    const started = performance.now();
    const outcome = await runStep(step, filters, scratch);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    const counts = `${outcome.passed} passed, ${outcome.failed} failed`;
    console.log(`${outcome.failed === 0 ? 'ok  ' : 'FAIL'} ${step.name.padEnd(7)} ${counts.padEnd(24)} ${seconds.padStart(6)} s`);
    if (outcome.failed > 0) console.log(outcome.output.trimEnd());
    passed += outcome.passed;
    failed += outcome.failed;
  }
  await rm(scratch, { recursive: true, force: true });
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0;
}

if (import.meta.main) process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1;
