/**
 * This process: its environment and arguments, its end, its clean restart. Imports nothing that is slow to load, because a
 * server loads it twice.
 */
import { homedir } from 'node:os';
import process from 'node:process';
import { engine, sourceVersion, startAnew } from '#platform/engine.ts';

/** The environment, read once at the start. */
export const environment: Readonly<Record<string, string | undefined>> = { ...process.env };

/** The words typed after the program's name. */
export const programArguments: readonly string[] = process.argv.slice(2);

/** True when the locale says that text is UTF-8. The first variable that is set counts (POSIX, 8.2). */
export const unicode: boolean = /utf-?8/i.test(environment['LC_ALL'] || environment['LC_CTYPE'] || environment['LANG'] || '');

export const platform = `${engine} ${process.platform}-${process.arch}`;
/** The version of a run from source, which no build has set. */
export const unstampedVersion: string = sourceVersion;
export const processId = process.pid;

/**
 * Restarts this program (same process id) with a clean environment, on platforms that read the environment only at their
 * start. Call it before anything is opened. Returns in the restarted program.
 */
export function startClean(): void {
  startAnew();
}

/** Removes secrets from the environment, so that children and crash reports do not get them. */
export function forget(names: readonly string[]): void {
  for (const name of names) delete process.env[name];
}

export function exit(code: number): never {
  process.exit(code);
}

/** Calls the listener at every SIGTERM and SIGINT with the number of signals so far. */
export function onStopSignal(listener: (count: number) => void): void {
  let count = 0;
  const heard = () => listener(++count);
  process.on('SIGTERM', heard);
  process.on('SIGINT', heard);
}

/** Ends the process with one line when an error is not caught. A stack trace would show source text and perhaps secrets. */
export function onCrash(report: (message: string) => void): void {
  const crash = (cause: unknown) => {
    report(cause instanceof Error ? `${cause.name}: ${cause.message}` : 'unknown error');
    process.exit(70);
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
}

/** The user's home directory, from the environment or the system's user database. */
export const userHome: string = homedir();
