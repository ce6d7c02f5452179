/** Calls of programs of the host: only a verified version is run, a few at a time, and each failure has words for the client. */
import { defaultTimeouts } from '../../core/egress.ts';
import { OlaError } from '../../core/errors.ts';
import type { Reply, Timeouts } from '../../core/ports.ts';
import {
  type FoundProgram,
  type OutputWatch,
  type ProgramCall,
  type Programs,
  RunError,
  type VerifiedVersions,
} from '../../core/programs.ts';
import { readAtMost } from './read-body.ts';

export interface ProgramCaller {
  readonly provider: string;
  readonly timeouts: Timeouts | undefined;
  readonly signal: AbortSignal;
}

export interface ProgramCalls {
  /** @throws OlaError `upstream_unreachable`, `upstream_timeout`; an abort of the signal rejects with its reason */
  run(call: ProgramCall, caller: ProgramCaller): Promise<Reply>;
}

/** Programs that run at a time: each takes some hundred megabytes of memory. */
const mostRuns = 8;
/** Bytes: as long as a whole answer may be. */
const longestOutput = 64 * 1024 * 1024;
/** Milliseconds. */
const longestRun = 30 * 60_000;
const versionLimits = { outputBytes: 4096, timeouts: { firstByte: 20_000, idle: 20_000 }, total: 20_000 };

export function createProgramCalls(programs: Programs): ProgramCalls {
  /** The version of a file, by its stamp: it is asked for once. */
  const versions = new Map<string, string>();
  let runs = 0;

  async function versionOf(found: FoundProgram, { signal }: ProgramCaller): Promise<string> {
    const known = versions.get(found.stamp);
    if (known !== undefined) return known;
    const reply = await programs.run({ path: found.path, arguments: ['--version'], input: '', limits: versionLimits, signal });
    const text = (await readAtMost(reply, { limit: versionLimits.outputBytes, first: null })) ?? '';
    const version = /\d+\.\d+\.\d+/.exec(text)?.[0] ?? '';
    versions.clear();
    versions.set(found.stamp, version);
    return version;
  }

  async function run(call: ProgramCall, caller: ProgramCaller): Promise<Reply> {
    const { provider, signal } = caller;
    const found = programs.find(call.program);
    if (found === null) throw unreachable(provider, `the program \`${call.program}\` is not installed on this host`);
    if (runs >= mostRuns) throw unreachable(provider, `${mostRuns} runs of \`${call.program}\` go on, which is the limit`);
    runs++;
    try {
      const version = await versionOf(found, caller);
      if (!isVerified(version, call.versions)) throw unreachable(provider, unverified(call, version));
      const { firstByte, idle } = caller.timeouts ?? defaultTimeouts;
      const limits = { outputBytes: longestOutput, timeouts: { firstByte, idle }, total: longestRun };
      const reply = await programs.run({ path: found.path, arguments: call.arguments, input: call.input, limits, signal });
      return watched(reply, call.watch?.() ?? null, {
        words: (thrown) => wordsFor(thrown, call, provider),
        ended: () => runs--,
      });
    } catch (thrown) {
      runs--;
      throw wordsFor(thrown, call, provider);
    }
  }

  return { run };
}

interface RunHooks {
  /** The error of ola's for what a run breaks with. */
  readonly words: (thrown: unknown) => unknown;
  /** Called once, when the output has ended or is given up. */
  readonly ended: () => void;
}

/** The reply of a run, which ends with the part of its output that is needed. */
function watched(reply: Reply, watch: OutputWatch | null, { words, ended }: RunHooks): Reply {
  let isOver = false;
  const end = () => {
    if (isOver) return;
    isOver = true;
    watch?.close();
    ended();
  };
  const cancel = () => {
    end();
    reply.cancel();
  };
  return {
    status: reply.status,
    header: () => null,
    headers: () => [],
    async read() {
      if (isOver) return null;
      try {
        const bytes = await reply.read();
        if (bytes === null) end();
        else if (watch?.isOver(bytes) === true) cancel();
        return bytes;
      } catch (thrown) {
        end();
        throw words(thrown);
      }
    },
    cancel,
  };
}

function wordsFor(thrown: unknown, { program }: ProgramCall, provider: string): unknown {
  if (thrown instanceof RunError && thrown.failure === 'start') {
    return unreachable(provider, `the program \`${program}\` could not be started`, thrown);
  }
  if (thrown instanceof RunError) {
    return new OlaError('provider_error', `The program of provider '${provider}' wrote more than ${longestOutput} bytes.`);
  }
  if (!(thrown instanceof Error) || thrown.name !== 'TimeoutError') return thrown;
  return new OlaError('upstream_timeout', `The program of provider '${provider}' did not answer in time.`, { cause: thrown });
}

function unreachable(provider: string, why: string, cause?: unknown): OlaError {
  const message = `Provider '${provider}' cannot answer: ${why}.`;
  return new OlaError('upstream_unreachable', message, cause === undefined ? {} : { cause });
}

function unverified({ program, versions }: ProgramCall, version: string): string {
  const own = version === '' ? `\`${program} --version\` names no version` : `\`${program}\` is version ${version}`;
  return `${own}, and ola runs it from ${versions.from} up to ${versions.before} alone, whose tools it can switch off`;
}

/** @returns whether a version of three numbers is one whose switches were tried */
export function isVerified(version: string, { from, before }: VerifiedVersions): boolean {
  return version !== '' && compare(version, from) >= 0 && compare(version, before) < 0;
}

function compare(one: string, other: string): number {
  const [left, right] = [one.split('.').map(Number), other.split('.').map(Number)];
  for (const [index, number] of left.entries()) {
    const difference = number - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
