/** This process: what it was started with, how it ends, how it starts itself anew. Imports nothing of ours. */
import { homedir } from 'node:os';
import process from 'node:process';

/** Read once, at the start. */
export const environment: Readonly<Record<string, string | undefined>> = { ...process.env };

/** Whether this is the compiled binary. */
export const compiled: boolean = Bun.isStandaloneExecutable === true;

/** What was typed after the program's name. */
export const programArguments: readonly string[] = process.argv.slice(2);

export const platform = `bun ${Bun.version} ${process.platform}-${process.arch}`;
export const processId = process.pid;

/**
 * How long the allocator keeps pages that are free before it gives them back. Its own 10 ms give back, under load, what is
 * wanted again at once: a fifth of the time of each request.
 */
const purgeVariable = 'MIMALLOC_PURGE_DELAY';
const purgeDelayMs = '5000';
const mark = 'OLA_CLEAN_START';

/**
 * Variables that make the runtime load code, print requests, open a debugger, skip certificate checks, or send traffic
 * elsewhere. None of them is ola's, so none of them is left when it serves.
 */
const unwanted =
  /^(?:BUN_OPTIONS|BUN_BE_BUN|BUN_INSPECT.*|BUN_CONFIG_.*|BUN_JSC_.*|NODE_OPTIONS|NODE_TLS_REJECT_UNAUTHORIZED|SSLKEYLOGFILE|(?:HTTPS?|ALL|NO)_PROXY)$/i;

/**
 * Starts this program anew in place (same process id) with a clean environment and an allocator that keeps its pages: both
 * the runtime and the allocator read the environment at their very start. Returns in the second life.
 */
export function startClean(): void {
  if (process.env[mark] === String(process.pid)) {
    delete process.env[mark];
    return;
  }
  const clean: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && !unwanted.test(name)) clean[name] = value;
  }
  clean[purgeVariable] = purgeDelayMs;
  // The process id, so that the mark is worth nothing to a child that inherits it.
  clean[mark] = String(process.pid);
  const own = compiled ? process.argv.slice(2) : [...process.execArgv, ...process.argv.slice(1)];
  process.execve?.(process.execPath, [process.execPath, ...own], clean);
}

/** Takes what was secret in the environment away from children and crash reports. */
export function forget(names: readonly string[]): void {
  for (const name of names) delete process.env[name];
}

export function exit(code: number): never {
  process.exit(code);
}

/** Calls back with the first and every further SIGTERM, SIGINT. */
export function onStopSignal(listener: (count: number) => void): void {
  let count = 0;
  const heard = () => listener(++count);
  process.on('SIGTERM', heard);
  process.on('SIGINT', heard);
}

/** An error that nobody caught ends the process with one line: a stack would show source text, and maybe more. */
export function onCrash(report: (message: string) => void): void {
  const crash = (cause: unknown) => {
    report(cause instanceof Error ? `${cause.name}: ${cause.message}` : 'unknown error');
    process.exit(70);
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
}

export const standardOutput = {
  interactive: process.stdout.isTTY === true,
  write: (text: string): void => write(process.stdout, text),
};

export const standardError = {
  interactive: process.stderr.isTTY === true,
  write: (text: string): void => write(process.stderr, text),
};

/** A reader that has had enough (`ola token list | head -1`) is no failure. */
function write(stream: NodeJS.WriteStream, text: string): void {
  stream.write(text);
}
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
  });
}

/** `~`, as the environment or the system's user database has it. */
export const userHome: string = homedir();
