/** Files and programs that AWS's own tools share. */
import { spawn } from 'node:child_process';
import type { AwsPorts } from '../core/aws.ts';
import { OlaError } from '../core/errors.ts';
import { errnoOf } from './files.ts';
import { readConfigFile } from './named-files.ts';
import { userHome } from './process.ts';

/** Milliseconds. A program may open a page in which a person signs in. */
const longestRun = 60_000;
/** Bytes. */
const longestOutput = 64 * 1024;

/** @param environment of the programs. */
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
    const child = spawn(program, [...options], {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...environment },
      timeout: longestRun,
    });
    const pieces: Buffer[] = [];
    let length = 0;
    child.stdout.on('data', (piece: Buffer) => {
      length += piece.length;
      if (length > longestOutput) child.kill('SIGKILL');
      else pieces.push(piece);
    });
    child.once('error', (cause) => reject(failed(`cannot be started (${errnoOf(cause)})`, cause)));
    child.once('close', (code, signal) => {
      if (code === 0) resolve(Buffer.concat(pieces).toString('utf8'));
      else reject(failed(signal === null ? `failed with exit code ${code}` : `was ended by ${signal}: it ran or said too long`));
    });
  });
}

function failed(what: string, cause?: unknown): OlaError {
  return new OlaError('upstream_unreachable', `The credential_process of the AWS files ${what}.`, { cause });
}
