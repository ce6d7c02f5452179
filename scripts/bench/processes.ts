/** Owns the bench's children: started on given cores, heard by lines, ended by their process ids and no other's. */
import { fileURLToPath } from 'node:url';
import { jobEnvironment } from './job.ts';

/** Core numbers as `taskset` takes them, null where pinning is not possible. */
export type Cores = string | null;

export interface Child {
  readonly pid: number;
  /** Resolves with the exit code, or the number of the signal with 128 added. */
  readonly exited: Promise<number>;
  /** The first line of standard output, as JSON. @throws Error when it ends without one */
  answer<Answer>(): Promise<Answer>;
  /** Asks it to end, insists after some seconds, and waits until it is gone. */
  end(): Promise<void>;
}

export interface Command {
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly cores: Cores;
  readonly directory?: string;
  /** Where all output goes; without it standard output is read by `answer`. */
  readonly log?: string;
}

const alive = new Set<Child>();
const patienceMs = 5000;

export function start(command: Command): Child {
  const output = command.log === undefined ? null : Bun.file(command.log);
  const child = Bun.spawn([...pinned(command.cores), ...command.argv], {
    env: { PATH: process.env['PATH'] ?? '', ...command.environment },
    ...(command.directory === undefined ? {} : { cwd: command.directory }),
    stdin: 'pipe',
    stdout: output ?? 'pipe',
    stderr: output ?? 'inherit',
  });
  const started: Child = {
    pid: child.pid,
    exited: child.exited,
    answer: async <Answer>() => JSON.parse(await firstLine(child.stdout)) as Answer,
    async end() {
      child.kill('SIGTERM');
      const insist = setTimeout(() => child.kill('SIGKILL'), patienceMs);
      await child.exited;
      clearTimeout(insist);
    },
  };
  alive.add(started);
  void child.exited.then(() => alive.delete(started));
  return started;
}

/** Starts a part of the bench that lies beside this file. */
export function startPart(file: URL, job: object, cores: Cores): Child {
  return start({ argv: [process.execPath, fileURLToPath(file)], environment: jobEnvironment(job), cores });
}

/** Starts a part, waits for its one answer and its end. */
export async function runPart<Answer>(file: URL, job: object, cores: Cores): Promise<Answer> {
  const child = startPart(file, job, cores);
  const answer = await child.answer<Answer>();
  await child.exited;
  return answer;
}

export async function endAll(): Promise<void> {
  await Promise.all([...alive].map((child) => child.end()));
}

/** `taskset` replaces itself by the program, so that the process id is the program's. */
function pinned(cores: Cores): string[] {
  return cores === null ? [] : ['taskset', '-c', cores];
}

/** Moves a running process, all its threads. */
export function move(pid: number, cores: Cores): void {
  if (cores !== null) Bun.spawnSync(['taskset', '-acp', cores, String(pid)], { stdout: 'ignore' });
}

async function firstLine(output: ReadableStream<Uint8Array> | number | undefined): Promise<string> {
  if (!(output instanceof ReadableStream)) throw new Error('its output goes to a file');
  let text = '';
  const decoder = new TextDecoder();
  for await (const bytes of output) {
    text += decoder.decode(bytes, { stream: true });
    const end = text.indexOf('\n');
    if (end >= 0) return text.slice(0, end);
  }
  throw new Error('a part of the bench ended without an answer; its words are above');
}
