/** The test runner counts what happened: a run that did not happen is a failure. Its steps run side by side. */
import { describe, expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasDeno } from '../../scripts/deno.ts';
import { divide, testFiles } from '../../scripts/test/files.ts';
import { type Job, runJobs } from '../../scripts/test/pool.ts';
import { tally, total } from '../../scripts/test/run.ts';
import { steps } from '../../scripts/test/steps.ts';

const root = join(import.meta.dir, '../..');

/** What Bun itself prints for these files, and how the gate counts it. */
async function bunTest(files: Record<string, string>, given = Object.keys(files).length) {
  const directory = await mkdtemp(join(tmpdir(), 'ola-gate-'));
  try {
    for (const [name, source] of Object.entries(files)) await Bun.write(join(directory, name), source);
    const command = [process.execPath, 'test', '--only-failures', ...Object.keys(files).map((name) => `./${name}`)];
    const { exitCode, stdout, stderr } = Bun.spawnSync(command, {
      cwd: directory,
      env: { ...process.env, NO_COLOR: '1', CI: '' },
    });
    return tally(`${stdout}${stderr}`, exitCode, given);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const good = "import { test } from 'bun:test'; test('a', () => {}); test('b', () => {});";
const bad = "import { test } from 'bun:test'; test('c', () => { throw new Error('c'); });";

test('passed and failed tests are counted', async () => {
  expect(await bunTest({ 'a.test.ts': good })).toEqual({ passed: 2, failed: 0 });
  expect(await bunTest({ 'a.test.ts': good, 'b.test.ts': bad })).toEqual({ passed: 2, failed: 1 });
});

test('a file that does not load is a failure', async () => {
  const { passed, failed } = await bunTest({ 'a.test.ts': good, 'b.test.ts': "import './missing.ts';" });
  expect(passed).toBe(2);
  expect(failed).toBeGreaterThan(0);
});

test('an error between tests is a failure', async () => {
  const { failed } = await bunTest({
    'a.test.ts': `${good} setTimeout(() => { throw new Error('late'); }, 0); test('d', () => Bun.sleep(20));`,
  });
  expect(failed).toBeGreaterThan(0);
});

test('zero tests, skipped tests alone, too few files are failures', async () => {
  expect((await bunTest({ 'a.test.ts': 'export {};' })).failed).toBeGreaterThan(0);
  expect((await bunTest({ 'a.test.ts': "import { test } from 'bun:test'; test.skip('a', () => {});" })).failed).toBeGreaterThan(
    0,
  );
  expect(await bunTest({ 'a.test.ts': good }, 2)).toEqual({ passed: 2, failed: 1 });
});

test('a runner that ends in the middle is a failure', async () => {
  expect((await bunTest({ 'a.test.ts': `${good} test('d', () => process.exit(0));` })).failed).toBeGreaterThan(0);
  expect(
    (await bunTest({ 'a.test.ts': `${good} test('d', () => process.kill(process.pid, 'SIGKILL'));` })).failed,
  ).toBeGreaterThan(0);
  expect(tally('', 0, 1)).toEqual({ passed: 0, failed: 1 });
  expect(tally(' 3 pass\n 0 fail\nRan 3 tests across 1 file. [1.00ms]\n', 1, 1)).toEqual({ passed: 3, failed: 1 });
});

describe('steps side by side', () => {
  /** Jobs that end when the test says so, and what has begun. */
  function stagedJobs(...named: readonly (readonly [step: string, ...needs: string[]])[]) {
    const begun: string[] = [];
    const ends: (() => void)[] = [];
    const jobs: Job[] = named.map(([step, ...needs], index) => ({
      step,
      needs,
      run() {
        begun.push(step);
        return new Promise<void>((resolve) => {
          ends[index] = resolve;
        });
      },
    }));
    return { jobs, begun, end: (index: number) => ends[index]?.() };
  }

  test('are as many as the width, in their order; the next begins when one has ended', async () => {
    const { jobs, begun, end } = stagedJobs(['a'], ['b'], ['c'], ['d']);
    const all = runJobs(jobs, 2);
    expect(begun).toEqual(['a', 'b']);
    end(1);
    await Bun.sleep(0);
    expect(begun).toEqual(['a', 'b', 'c']);
    end(0);
    end(2);
    await Bun.sleep(0);
    expect(begun).toEqual(['a', 'b', 'c', 'd']);
    end(3);
    await all;
  });

  test('wait for every part of a step that they need, and let others go first', async () => {
    const { jobs, begun, end } = stagedJobs(['build'], ['build'], ['e2e', 'build'], ['unit']);
    const all = runJobs(jobs, 3);
    expect(begun).toEqual(['build', 'build', 'unit']);
    end(0);
    end(3);
    await Bun.sleep(0);
    expect(begun).toEqual(['build', 'build', 'unit']);
    end(1);
    await Bun.sleep(0);
    expect(begun).toEqual(['build', 'build', 'unit', 'e2e']);
    end(2);
    await all;
  });

  test('do not wait for a step that is not run, and fail when they wait for each other', async () => {
    const alone = stagedJobs(['e2e', 'build']);
    const all = runJobs(alone.jobs, 2);
    alone.end(0);
    await all;
    expect(runJobs(stagedJobs(['a', 'b'], ['b', 'a']).jobs, 2)).rejects.toThrow('wait for each other: a, b');
  });

  test('are counted together, and what each part printed stands together', () => {
    const outcomes = [
      { passed: 2, failed: 0, output: '' },
      { passed: 1, failed: 1, output: 'one\n' },
      { passed: 0, failed: 2, output: 'two\n' },
    ];
    expect(total(outcomes)).toEqual({ passed: 3, failed: 3, output: 'one\ntwo\n' });
  });
});

describe('the test files', () => {
  test('of a step are divided whole, each once, the largest apart', () => {
    const sizes: Record<string, number> = { a: 9, b: 8, c: 3, d: 2, e: 2 };
    const sizeOf = (file: string) => sizes[file] ?? 0;
    expect(divide(Object.keys(sizes), 2, sizeOf)).toEqual([
      ['a', 'd', 'e'],
      ['b', 'c'],
    ]);
    expect(divide(['e', 'd', 'c', 'b', 'a'], 2, sizeOf)).toEqual(divide(Object.keys(sizes), 2, sizeOf));
    expect(divide(['a'], 4, sizeOf)).toEqual([['a']]);
    expect(divide([], 4, sizeOf)).toEqual([]);
  });

  test('are all in one step, and no step is without', () => {
    const underDeno = (path: string) => path.startsWith('test/deno/');
    const all = [...new Bun.Glob('test/**/*.test.ts').scanSync({ cwd: root })].filter((path) => !underDeno(path)).sort();
    const usual = steps.filter(({ tests, underDeno: deno }) => tests !== undefined && deno !== true);
    expect(usual.flatMap((step) => testFiles(step, [])).sort()).toEqual(all);
    for (const step of steps.filter(({ tests }) => tests !== undefined)) expect(testFiles(step, []), step.name).not.toEqual([]);
  });

  test('under Deno are asked by hand in whole, and the gate has the smoke of them', () => {
    const files = (name: string) => steps.filter((step) => step.name === name).flatMap((step) => testFiles(step, []));
    const whole = [...new Bun.Glob('test/deno/*.test.ts').scanSync({ cwd: root })].sort();
    if (!hasDeno) return;
    expect(files('deno')).toEqual(['test/deno/smoke.test.ts']);
    expect(files('deno-all').filter((path) => path.startsWith('test/deno/'))).toEqual(whole);
  });
});

test('a step that does not exist is a failure with the names of those that do', () => {
  const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, 'scripts/test.ts', '--only', 'unti'], { cwd: root });
  expect(exitCode).toBe(1);
  expect(stdout.toString()).toBe('0 passed, 1 failed\n');
  expect(stderr.toString()).toContain('build, types, lint, unused, rules, unit, e2e');
});
