/** The test runner counts what happened: a run that did not happen is a failure. */
import { expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tally } from '../../scripts/test.ts';

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

test('a step that does not exist is a failure with the names of those that do', () => {
  const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, 'scripts/test.ts', '--only', 'unti'], { cwd: root });
  expect(exitCode).toBe(1);
  expect(stdout.toString()).toBe('0 passed, 1 failed\n');
  expect(stderr.toString()).toContain('types, lint, rules, unused, unit, build, e2e');
});
