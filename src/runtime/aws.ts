/** Files and programs that AWS's own tools share. */
import { spawn } from 'node:child_process';
import process from 'node:process';
import type { AwsPorts } from '../core/aws.ts';
import { OlaError } from '../core/errors.ts';
import { errnoOf, isErrno } from './files.ts';
import { readConfigFile } from './named-files.ts';
import { userHome } from './process.ts';

/** Milliseconds. A program may open a page in which a person signs in. */
const longestRun = 60_000;
/** Bytes. */
const longestOutput = 64 * 1024;

/** @param environment of the programs */
export function awsPorts(environment: Readonly<Record<string, string | undefined>>): AwsPorts {
  return { home: userHome, readText: readConfigFile, run: (program, options) => run(program, options, environment) };
}

/** No shell: a word of the files stays a word. */
function run(
  program: string,
  options: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  return new Promise((resolve, reject) => {
    // A group of its own, so that the programs that it starts end with it.
    const child = spawn(program, [...options], { stdio: ['ignore', 'pipe', 'ignore'], env: { ...environment }, detached: true });
    const pieces: Buffer[] = [];
    let length = 0;
    const giveUp = (what: string) => {
      endGroup(child.pid);
      child.stdout.destroy();
      reject(failed(what));
    };
    const late = setTimeout(() => giveUp(`was ended: it ran for more than ${longestRun / 1000} seconds`), longestRun);
    child.stdout.on('data', (piece: Buffer) => {
      length += piece.length;
      if (length > longestOutput) giveUp(`was ended: it said more than ${longestOutput / 1024} KiB`);
      else pieces.push(piece);
    });
    child.once('error', (cause) => {
      clearTimeout(late);
      reject(failed(`cannot be started (${errnoOf(cause)})`, cause));
    });
    child.once('close', (code, signal) => {
      clearTimeout(late);
      if (code === 0) resolve(Buffer.concat(pieces).toString('utf8'));
      else reject(failed(signal === null ? `failed with exit code ${code}` : `was ended by ${signal}`));
    });
  });
}

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch (error) {
    // It has ended by itself.
    if (!isErrno(error, 'ESRCH')) throw error;
  }
}

function failed(what: string, cause?: unknown): OlaError {
  return new OlaError('upstream_unreachable', `The credential_process of the AWS files ${what}.`, { cause });
}
