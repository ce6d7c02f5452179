/** Programs of the host that answer in place of a server: how one is called, and the port that runs it. */
import type { Reply, Timeouts } from './ports.ts';

/** A call of a program. The conversation goes to its standard input: other users of the host can read a command line. */
export interface ProgramCall {
  /** The name of a program in PATH, a constant of the protocol. */
  readonly program: string;
  /** Constants, and the id of a model that its provider lists. */
  readonly arguments: readonly string[];
  /** Standard input. */
  readonly input: string;
  readonly versions: VerifiedVersions;
  /**
   * Made for a run whose output is read as a whole: the program may wait, or go on, long after its answer has ended or failed.
   * Absent: all of the output is read.
   */
  readonly watch?: () => OutputWatch;
}

export interface OutputWatch {
  /** Takes the next bytes of the output. @returns true when no later ones are needed */
  isOver(bytes: Uint8Array): boolean;
  /** Frees the bytes that are held. */
  close(): void;
}

/** The versions of a program whose switches were tried: it runs without tools. */
export interface VerifiedVersions {
  /** The oldest one: `2.1.197`. */
  readonly from: string;
  /** The first one that is not used: `3.0.0`. */
  readonly before: string;
}

export interface FoundProgram {
  /** Absolute. */
  readonly path: string;
  /** Another one after each change of the file. */
  readonly stamp: string;
}

export interface RunLimits {
  /** Most bytes of standard output. */
  readonly outputBytes: number;
  /** Milliseconds from the start to the first byte, and the longest silence after it. */
  readonly timeouts: Pick<Timeouts, 'firstByte' | 'idle'>;
  /** Milliseconds of the whole run. */
  readonly total: number;
}

export interface RunRequest {
  /** Absolute. */
  readonly path: string;
  readonly arguments: readonly string[];
  readonly input: string;
  readonly limits: RunLimits;
  readonly signal: AbortSignal | undefined;
}

/** `start`: it could not be started. `output`: it wrote more than the limit. */
export type RunFailure = 'start' | 'output';

export class RunError extends Error {
  readonly failure: RunFailure;

  constructor(failure: RunFailure, cause?: unknown) {
    super(`program: ${failure}`, { cause });
    this.name = 'RunError';
    this.failure = failure;
  }
}

/** Runs programs of the host. */
export interface Programs {
  /** Looks a name up in the absolute directories of PATH. @returns null when no file of that name can be run */
  find(name: string): FoundProgram | null;
  /**
   * Runs a program in an empty directory of its own, with the environment variables PATH, HOME and LANG and no others. The
   * body of the reply is its standard output; its exit status says nothing that the output does not. `cancel`, the signal and
   * every limit end the program and its children.
   * Rejects, as `read` does, with RunError, with the reason of the signal, or with an error named `TimeoutError`.
   */
  run(request: RunRequest): Promise<Reply>;
}
