/** Runs programs of the host as child processes: bounded in time and output, in a directory of their own, ended with all their children. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';
import process from 'node:process';
import type { Reply } from '../core/ports.ts';
import { type FoundProgram, type Programs, RunError, type RunRequest } from '../core/programs.ts';
import { environment } from './process.ts';

/** Milliseconds between the request to end and the end by force. */
const grace = 2000;
/** ola's own variables hold keys: a program that runs a model gets none of them. */
const passedVariables = ['PATH', 'HOME', 'LANG'] as const;

type Environment = Readonly<Record<string, string | undefined>>;

/** @param variables those of this process */
export function createPrograms(variables: Environment = environment): Programs {
  const passed = passedVariables.flatMap((name) => {
    const value = variables[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const env = Object.fromEntries(passed);
  return {
    find: (name) => findIn(variables['PATH'] ?? '', name),
    run: (request) => start(request, env),
  };
}

/** A relative directory in PATH would be one of the caller's choice. */
function findIn(path: string, name: string): FoundProgram | null {
  for (const directory of path.split(delimiter)) {
    if (!isAbsolute(directory)) continue;
    const file = join(directory, name);
    try {
      accessSync(file, constants.X_OK);
      const { size, mtimeMs, ino } = statSync(file);
      if (statSync(file).isFile()) return { path: file, stamp: `${file}:${ino}:${size}:${mtimeMs}` };
    } catch {
      // Not there, or not for this user: the next directory may have it.
    }
  }
  return null;
}

/** The runs that go on: none of them outlives this process. */
const running = new Set<Run>();
let watchesEnd = false;

function endAllWithThisProcess(): void {
  if (watchesEnd) return;
  watchesEnd = true;
  process.on('exit', () => {
    for (const run of running) run.endByForce();
  });
}

async function start(request: RunRequest, env: Readonly<Record<string, string>>): Promise<Reply> {
  request.signal?.throwIfAborted();
  endAllWithThisProcess();
  // Its mode is 0700 (mkdtemp(3)).
  const directory = mkdtempSync(join(tmpdir(), 'ola-run-'));
  let child: ChildProcessWithoutNullStreams;
  try {
    // A group of its own: its children end with it, and signals of this terminal do not reach it.
    child = spawn(request.path, request.arguments, { cwd: directory, env, detached: true, shell: false });
  } catch (cause) {
    remove(directory);
    throw new RunError('start', cause);
  }
  const run = new Run(child, directory, request);
  await run.started;
  return run;
}

function remove(directory: string): void {
  try {
    rmSync(directory, { recursive: true, force: true });
  } catch {
    // It is empty but for what the program left, and stands among the system's temporary files.
  }
}

class Run implements Reply {
  readonly status = 200;
  readonly started: Promise<void>;
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly directory: string;
  private readonly request: RunRequest;
  private readonly chunks: AsyncIterator<Uint8Array>;
  private readonly total: ReturnType<typeof setTimeout>;
  private readonly stopping: Promise<never>;
  private tellStopped: (reason: unknown) => void = () => undefined;
  private force: ReturnType<typeof setTimeout> | undefined;
  private hasEnded = false;
  private bytes = 0;

  constructor(child: ChildProcessWithoutNullStreams, directory: string, request: RunRequest) {
    this.child = child;
    this.directory = directory;
    this.request = request;
    this.stopping = new Promise((_, reject) => {
      this.tellStopped = reject;
    });
    this.stopping.catch(() => undefined);
    this.chunks = child.stdout[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
    this.total = setTimeout(() => this.stop(timedOut()), request.limits.total);
    running.add(this);
    request.signal?.addEventListener('abort', this.onAbort, { once: true });
    // What a program writes for people may name files of the host: it is read, so that the program can go on, and goes nowhere.
    child.stderr.resume();
    // A program that does not read its input to the end is no fault of ola's; an error without a listener would end ola.
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.on('error', () => undefined);
    child.once('exit', this.onExit);
    this.started = new Promise((resolve, reject) => {
      child.once('spawn', resolve);
      child.on('error', (cause) => {
        this.onExit();
        reject(new RunError('start', cause));
      });
    });
    child.stdin.end(request.input);
  }

  header(): null {
    return null;
  }

  headers(): Iterable<readonly [string, string]> {
    return [];
  }

  async read(): Promise<Uint8Array | null> {
    const { timeouts, outputBytes } = this.request.limits;
    const silence = setTimeout(() => this.stop(timedOut()), this.bytes === 0 ? timeouts.firstByte : timeouts.idle);
    try {
      const { done, value } = await Promise.race([this.chunks.next(), this.stopping]);
      if (done === true) {
        this.cancel();
        return null;
      }
      this.bytes += value.length;
      if (this.bytes <= outputBytes) return value;
      const tooMuch = new RunError('output');
      this.stop(tooMuch);
      throw tooMuch;
    } finally {
      clearTimeout(silence);
    }
  }

  readonly cancel = (): void => {
    if (this.hasEnded || this.force !== undefined) return;
    this.signal('SIGTERM');
    this.force = setTimeout(() => this.signal('SIGKILL'), grace);
  };

  endByForce(): void {
    this.signal('SIGKILL');
    remove(this.directory);
  }

  private stop(reason: unknown): void {
    this.tellStopped(reason);
    this.cancel();
  }

  private readonly onAbort = (): void => this.stop(this.request.signal?.reason);

  private readonly onExit = (): void => {
    if (this.hasEnded) return;
    this.hasEnded = true;
    clearTimeout(this.total);
    clearTimeout(this.force);
    this.request.signal?.removeEventListener('abort', this.onAbort);
    running.delete(this);
    // Its children are in its group and have nobody to end them.
    this.signal('SIGKILL');
    remove(this.directory);
  };

  /** To the whole group: the program leads one of its own. */
  private signal(name: 'SIGTERM' | 'SIGKILL'): void {
    const { pid } = this.child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, name);
    } catch {
      // None of the group is left.
    }
  }
}

function timedOut(): Error {
  return new DOMException('the program took too long', 'TimeoutError');
}
