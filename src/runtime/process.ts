/**
 * This process: what it was started with, how it ends, how it starts itself anew. Imports nothing that takes time to load: a
 * server runs it twice.
 */
import { homedir } from 'node:os';
import process from 'node:process';
import { engine, sourceVersion, startAnew } from '#platform/engine.ts';

/** Read once, at the start. */
export const environment: Readonly<Record<string, string | undefined>> = { ...process.env };

/** What was typed after the program's name. */
export const programArguments: readonly string[] = process.argv.slice(2);

export const platform = `${engine} ${process.platform}-${process.arch}`;
/** The version of a source that nobody stamped. */
export const unstampedVersion: string = sourceVersion;
export const processId = process.pid;

/**
 * Before anything is opened: on a platform that reads its environment at its very start, starts this program anew in place
 * (same process id) with one that a server can trust, and returns in the second life.
 */
export function startClean(): void {
  startAnew();
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

/** `~`, as the environment or the system's user database has it. */
export const userHome: string = homedir();
