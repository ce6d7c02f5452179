/** Input of a person at the terminal: answers to questions, standard input, an edited file. */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import process from 'node:process';
import { isatty } from 'node:tty';
import { OlaError } from '../core/errors.ts';
import { errnoOf } from './files.ts';
import { standardError } from './output.ts';

/** Largest text on standard input, in bytes. */
const maxInputBytes = 4 * 1024 * 1024;

/** The streams for questions; null unless standard input and standard error are both a terminal. */
export function openDialogue() {
  return isatty(0) && standardError.interactive ? { input: process.stdin, output: standardError.stream() } : null;
}

/** Reads standard input to its end. @throws OlaError when it has more than 4 MiB or is not UTF-8 */
export async function readInput(): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of process.stdin as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > maxInputBytes) throw unreadable(`has more than ${maxInputBytes / 1024} KiB`);
    chunks.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch (cause) {
    throw unreadable('is not UTF-8 text', cause);
  }
}

function unreadable(what: string, cause?: unknown): OlaError {
  return new OlaError('invalid_request', `Standard input ${what}. Send the text of one configuration or one value.`, { cause });
}

/**
 * Opens a file in the user's editor: VISUAL, else EDITOR, else vi. The variable is split at spaces and not read by a shell.
 * @returns the editor's exit code; 128 plus the signal's number when a signal ended it
 * @throws OlaError when the editor cannot be started
 */
export async function runEditor(path: string): Promise<number> {
  const [program = 'vi', ...options] = (process.env['VISUAL']?.trim() || process.env['EDITOR']?.trim() || 'vi').split(/\s+/);
  try {
    return await exitCodeOf(spawn(program, [...options, path], { stdio: 'inherit', env: process.env }));
  } catch (cause) {
    const message = `The editor ${program} cannot be started (${errnoOf(cause)}). Set VISUAL or EDITOR to an installed editor.`;
    throw new OlaError('not_found', message, { cause });
  }
}

/** Rejects when the process did not start. */
function exitCodeOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}
