/** Programs of the AWS files, run without a shell. */
import { expect, test } from 'bun:test';
import { OlaError } from '../../src/core/errors.ts';
import { awsPorts } from '../../src/runtime/aws.ts';

const { run } = awsPorts({ PATH: process.env['PATH'], GIVEN: 'g' });

/** @returns the message of the failure */
async function failure(program: string, ...options: string[]): Promise<string> {
  try {
    await run(program, options);
  } catch (error) {
    if (error instanceof OlaError && error.code === 'upstream_unreachable') return error.message;
    throw error;
  }
  throw new Error('nothing failed');
}

test('a program gets its words as they are, and the environment that was handed in', async () => {
  expect(await run('printf', ['%s|', 'a b', '$(id)', '*', ';'])).toBe('a b|$(id)|*|;|');
  expect(await run('sh', ['-c', 'echo $GIVEN$HOME'])).toBe('g\n');
});

test('a program that is not there, fails, or says too much is told without its words', async () => {
  expect(await failure('/nowhere/program')).toContain('cannot be started (ENOENT)');
  expect(await failure('sh', '-c', 'echo CANARY; echo CANARY >&2; exit 3')).toEndWith('failed with exit code 3.');
  expect(await failure('sh', '-c', 'yes CANARY')).toContain('said more than 64 KiB');
  // A program that the program has started holds its output open.
  expect(await failure('sh', '-c', 'yes CANARY; true')).toContain('said more than 64 KiB');
});
