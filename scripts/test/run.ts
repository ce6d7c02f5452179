/** Runs one part of a step and counts what came of it. */
import { closeSync, openSync } from 'node:fs';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { denoEnvironment, olaUnderDeno } from '../deno.ts';
import { root } from './files.ts';
import { bun, type Step } from './steps.ts';

/**
 * Longer than any command takes, and any test: what hangs is a failure, not a wait. Neither is a bar for speed, which the
 * bench has: a small machine that is busy takes ten times as long.
 */
const commandTimeoutMs = 3_600_000;
const testTimeout = '--timeout=300000';

export interface Tally {
  readonly passed: number;
  readonly failed: number;
}

export interface Outcome extends Tally {
  /** What failed commands and failed tests printed. */
  readonly output: string;
}

/** A share of a step's work, for one process at a time. */
export interface Part {
  readonly step: Step;
  readonly commands: readonly (readonly string[])[];
  /** Paths below the root; null for a step without tests. */
  readonly files: readonly string[] | null;
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

/** Outcomes of several parts as one. */
export function total(outcomes: readonly Outcome[]): Outcome {
  const sum = (count: (of: Outcome) => number): number => outcomes.reduce((all, each) => all + count(each), 0);
  return {
    passed: sum(({ passed }) => passed),
    failed: sum(({ failed }) => failed),
    output: outcomes.map(({ output }) => output).join(''),
  };
}

/** @param scratch a directory in which this part makes one of its own, for the home of the tests and the log */
export async function runPart(part: Part, scratch: string): Promise<Outcome> {
  try {
    const own = await mkdtemp(join(scratch, `${part.step.name}-`));
    const outcomes: Outcome[] = [];
    for (const command of part.commands) outcomes.push(await runCommand(part.step, command, own));
    if (part.files !== null) outcomes.push(await runTests(part.step, part.files, own));
    return total(outcomes);
  } catch (error) {
    return { passed: 0, failed: 1, output: `${part.step.name} could not be run: ${error}\n` };
  }
}

async function runCommand(step: Step, command: readonly string[], own: string): Promise<Outcome> {
  const environment = { ...process.env, ...(step.underDeno ? denoEnvironment : {}) };
  const { exitCode, output } = await run(command, environment, join(own, 'log'));
  return exitCode === 0 ? { passed: 1, failed: 0, output: '' } : { passed: 0, failed: 1, output };
}

async function runTests(step: Step, files: readonly string[], own: string): Promise<Outcome> {
  if (files.length === 0) return { passed: 0, failed: 1, output: 'no test files\n' };
  const home = join(own, 'home');
  await mkdir(home);
  const { exitCode, output } = await run(
    [...bun, '--no-orphans', 'test', '--only-failures', testTimeout, ...files.map((path) => `./${path}`)],
    testEnvironment(step, home),
    join(own, 'log'),
  );
  const counted = tally(output, exitCode, files.length);
  return { ...counted, output: counted.failed > 0 ? output : '' };
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

interface Ended {
  readonly exitCode: number;
  readonly output: string;
}

/** Runs a command in the root. Output goes to a file: a pipe would wait for whatever the command left running behind it. */
async function run(command: readonly string[], env: Readonly<Record<string, string | undefined>>, log: string): Promise<Ended> {
  const file = openSync(log, 'w');
  try {
    const child = Bun.spawn([...command], {
      cwd: root,
      env: { ...env, NO_COLOR: '1', FORCE_COLOR: undefined },
      stdio: ['ignore', file, file],
      timeout: commandTimeoutMs,
      killSignal: 'SIGKILL',
    });
    const exitCode = await child.exited;
    return { exitCode, output: await Bun.file(log).text() };
  } finally {
    closeSync(file);
  }
}
