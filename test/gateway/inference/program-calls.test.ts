/** Which programs are run, how many at a time, and the words for those that are not. */
import { describe, expect, test } from 'bun:test';
import { OlaError } from '../../../src/core/errors.ts';
import type { Reply } from '../../../src/core/ports.ts';
import { type ProgramCall, type Programs, RunError, type RunRequest } from '../../../src/core/programs.ts';
import { createProgramCalls, isVerified, type ProgramCaller } from '../../../src/gateway/inference/program-calls.ts';

const versions = { from: '2.1.197', before: '3.0.0' };
const call: ProgramCall = { program: 'tool', arguments: ['--print'], input: 'in', versions };
const caller: ProgramCaller = { provider: 'tool-cli', timeouts: undefined, signal: new AbortController().signal };

/** @param output the pieces of a run; an Error among them is thrown */
function reply(output: readonly (string | Error)[]): Reply {
  const left = [...output];
  return {
    status: 200,
    header: () => null,
    headers: () => [],
    async read() {
      const next = left.shift();
      if (next instanceof Error) throw next;
      return next === undefined ? null : new TextEncoder().encode(next);
    },
    cancel: () => undefined,
  };
}

/** @param run answers each run that is not the question for the version */
function programsOf(run: (request: RunRequest) => Reply | Error): Programs & { readonly asked: RunRequest[] } {
  const asked: RunRequest[] = [];
  return {
    asked,
    find: () => ({ path: '/bin/tool', stamp: '1' }),
    async run(request) {
      asked.push(request);
      if (request.arguments[0] === '--version') return reply(['2.1.', '200 (Tool)\n']);
      const answer = run(request);
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
}

async function refusal(promise: Promise<unknown>): Promise<OlaError> {
  const thrown: unknown = await promise.catch((error: unknown) => error);
  if (thrown instanceof OlaError) return thrown;
  throw new Error(`it was not refused: ${String(thrown)}`);
}

test('a version is verified from the first one up to the last, by numbers and not by letters', () => {
  const verified = ['2.1.197', '2.1.198', '2.1.1000', '2.2.0', '2.10.0', '2.999.0'];
  const others = ['2.1.196', '2.1.20', '2.0.999', '1.9.9', '3.0.0', '3.0.1', '10.0.0', ''];
  expect(verified.filter((version) => !isVerified(version, versions))).toEqual([]);
  expect(others.filter((version) => isVerified(version, versions))).toEqual([]);
});

describe('eight runs at a time', () => {
  async function fill(calls: ReturnType<typeof createProgramCalls>): Promise<Reply[]> {
    const replies: Reply[] = [];
    for (let run = 0; run < 8; run++) replies.push(await calls.run(call, caller));
    return replies;
  }

  test('are the most: another one is refused, and starts nothing', async () => {
    const programs = programsOf(() => reply(['x']));
    const calls = createProgramCalls(programs);
    await fill(calls);
    const before = programs.asked.length;
    const { code, message } = await refusal(calls.run(call, caller));
    expect([code, message.includes('8 runs'), programs.asked.length]).toEqual(['upstream_unreachable', true, before]);
  });

  test('count until they are read to the end, given up or broken, once each', async () => {
    const broken = new DOMException('late', 'TimeoutError');
    for (const end of ['read', 'cancelled', 'both', 'broken'] as const) {
      const calls = createProgramCalls(programsOf(() => reply(end === 'broken' ? [broken] : [])));
      const [first] = await fill(calls);
      if (end === 'read' || end === 'both') await first?.read();
      if (end === 'cancelled' || end === 'both') first?.cancel();
      if (end === 'broken') await refusal(first?.read() as Promise<unknown>);
      expect([end, (await calls.run(call, caller)).status]).toEqual([end, 200]);
      expect([end, (await refusal(calls.run(call, caller))).code]).toEqual([end, 'upstream_unreachable']);
    }
  });

  test('are not used up by runs that do not start', async () => {
    const calls = createProgramCalls(programsOf(() => new RunError('start')));
    for (let run = 0; run < 10; run++) {
      expect((await refusal(calls.run(call, caller))).message).toContain('could not be started');
    }
  });
});

describe('what a run breaks with', () => {
  test('has words, without those of the program', async () => {
    for (const [thrown, code] of [
      [new RunError('output', new Error('CANARY')), 'provider_error'],
      [new DOMException('CANARY', 'TimeoutError'), 'upstream_timeout'],
    ] as const) {
      const run = await createProgramCalls(programsOf(() => reply([thrown]))).run(call, caller);
      const error = await refusal(run.read() as Promise<unknown>);
      expect([error.code, error.message.includes('CANARY')]).toEqual([code, false]);
    }
  });

  test('is the reason of the client’s own end', async () => {
    const reason = new OlaError('client_closed_request', 'The client closed the connection.');
    const run = await createProgramCalls(programsOf(() => reply([reason]))).run(call, caller);
    expect(await refusal(run.read() as Promise<unknown>)).toBe(reason);
  });
});
