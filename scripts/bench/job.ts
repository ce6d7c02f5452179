/** Owns how the bench's processes talk: a job in the environment, one line of JSON back, and the end with the parent's. */
import type { Form, Kind } from './traffic.ts';

export interface UpstreamJob {
  /** The only key that it answers. */
  readonly key: string;
}

export type Passing = 'buffer' | 'stream';
export interface FloorJob {
  readonly upstreamPort: number;
  /** How the bodies go through: read whole, or handed on as they are. */
  readonly request: Passing;
  readonly answer: Passing;
}

export interface LoadJob {
  readonly port: number;
  readonly token: string;
  readonly model: string;
  readonly kind: Kind;
  readonly form: Form;
  readonly connections: number;
  readonly warmSeconds: number;
  /** How long is counted; with `once` the time by which every answer has to be there. */
  readonly seconds: number;
  /** One request a connection instead of as many as fit. */
  readonly once: boolean;
}

export interface LoadResult {
  /** Whole and right answers within the counted time. */
  readonly completed: number;
  /** Everything else, warm-up included. */
  readonly errors: number;
  readonly firstError: string | null;
  readonly perSecond: number;
  /** Microseconds from the request's first byte to the answer's last. */
  readonly p50: number;
  readonly p99: number;
}

export interface Listening {
  readonly port: number;
}

export interface StagesJob {
  /** An empty directory of its own, for a database. */
  readonly directory: string;
}

export interface Stage {
  readonly name: string;
  readonly microseconds: number;
}

const variable = 'OLA_BENCH_JOB';

/** The environment that carries a job: it may hold a token, and a command line is readable by everyone. */
export function jobEnvironment(job: object): Record<string, string> {
  return { [variable]: JSON.stringify(job) };
}

/** This process's job. @throws Error when it was started by hand */
export function readJob<Job>(): Job {
  const text = process.env[variable];
  if (text === undefined) throw new Error('this is a part of scripts/bench.ts; start that');
  return JSON.parse(text) as Job;
}

export function reply(answer: object): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

/** Standard input is a pipe from the parent: its end means that the parent is gone, however it went. */
export function endWithParent(): void {
  process.stdin.on('end', () => process.exit(0)).resume();
}
