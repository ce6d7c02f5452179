/** What a person at the terminal brings: answers, standard input, an edited file. */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import process from 'node:process';
import { isatty } from 'node:tty';
import { OlaError } from '../core/errors.ts';
import { errnoOf } from './files.ts';
import { standardError } from './output.ts';

const mostInputBytes = 4 * 1024 * 1024;

/** Where a person can be asked; null unless somebody reads what is asked and could answer. */
export function openDialogue() {
  return isatty(0) && standardError.interactive ? { input: process.stdin, output: standardError.stream() } : null;
}

/** Standard input to its end. @throws OlaError when it has more than 4 MiB or is not UTF-8 */
export async function readInput(): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of process.stdin as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > mostInputBytes) throw unreadable(`has more than ${mostInputBytes / 1024} KiB`);
    chunks.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch (cause) {
    throw unreadable('is not UTF-8 text', cause);
  }
}

function unreadable(what: string, cause?: unknown): OlaError {
  return new OlaError('invalid_request', `Standard input ${what}: send the text of one configuration.`, { cause });
}

/**
 * Lets a person edit a file with VISUAL, else EDITOR, else vi, split at spaces; no shell reads them.
 * @returns its exit code, 128 and more when a signal ended it
 * @throws OlaError when it cannot be started
 */
export async function runEditor(path: string): Promise<number> {
  const [program = 'vi', ...options] = (process.env['VISUAL']?.trim() || process.env['EDITOR']?.trim() || 'vi').split(/\s+/);
  try {
    return await exitCodeOf(spawn(program, [...options, path], { stdio: 'inherit', env: process.env }));
  } catch (cause) {
    const message = `The editor ${program} cannot be started (${errnoOf(cause)}): set VISUAL or EDITOR to one that is there.`;
    throw new OlaError('not_found', message, { cause });
  }
}

/** Rejects when it did not start. */
function exitCodeOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}
