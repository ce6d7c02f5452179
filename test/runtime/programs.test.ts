/** Programs of the host as child processes: what they are given, and that none of them outlives its run. */
import { describe, expect, test } from 'bun:test';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Reply } from '../../src/core/ports.ts';
import { RunError, type RunLimits } from '../../src/core/programs.ts';
import { createPrograms } from '../../src/runtime/programs.ts';
import { directories } from '../directories.ts';

const directory = directories();
const usual: RunLimits = { outputBytes: 1_000_000, timeouts: { firstByte: 60_000, idle: 60_000 }, total: 60_000 };
const variables = { PATH: process.env['PATH'], HOME: '/home/of-somebody', LANG: 'C.UTF-8', OPEN_LLM_AUTH_MASTER_KEY: 'CANARY' };
const programs = createPrograms(variables);
/** A program that ends neither when it is asked to, nor with its child. */
const stubborn = `trap '' TERM HUP INT; (trap '' TERM HUP INT; while :; do sleep 1; done) & echo $$ $!; while :; do sleep 1; done`;

function script(text: string): string {
  const path = join(directory(), 'program');
  writeFileSync(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return path;
}

interface Given {
  readonly arguments?: readonly string[];
  readonly input?: string;
  readonly limits?: Partial<RunLimits>;
  readonly signal?: AbortSignal;
}

function run(path: string, { arguments: words = [], input = '', limits = {}, signal }: Given = {}): Promise<Reply> {
  return programs.run({ path, arguments: words, input, limits: { ...usual, ...limits }, signal });
}

async function rest(reply: Reply): Promise<string> {
  const pieces: Uint8Array[] = [];
  for (let next = await reply.read(); next !== null; next = await reply.read()) pieces.push(next);
  return Buffer.concat(pieces).toString();
}

async function firstLine(reply: Reply): Promise<string> {
  return Buffer.from((await reply.read()) ?? [])
    .toString()
    .trim();
}

/** A zombie of this process lives: somebody forgot it. One of another's is for the system's first process to forget. */
function lives(one: number): boolean {
  try {
    process.kill(one, 0);
  } catch {
    return false;
  }
  const stat = existsSync(`/proc/${one}/stat`) ? readFileSync(`/proc/${one}/stat`, 'latin1') : '';
  const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return state !== 'Z' || Number(parent) === process.pid;
}

/** Waits until none of the processes is left, not as a zombie either. */
async function untilGone(processes: readonly number[]): Promise<void> {
  while (processes.some(lives)) await Bun.sleep(10);
}

const numbers = (line: string) => line.split(' ').map(Number);
const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );

describe('a program', () => {
  test('gets PATH, HOME and LANG, and no other variable', async () => {
    const told = (await rest(await run('/usr/bin/env'))).trim().split('\n').sort();
    expect(told).toEqual([`HOME=${variables.HOME}`, 'LANG=C.UTF-8', `PATH=${variables.PATH}`]);
  });

  test('gets its input and its arguments as they are, whatever is in them', async () => {
    const odd = ['$(touch x)', 'a b', '', `'"`, '--', '; exit 9'];
    const told = await rest(await run(script('printf "%s|" "$@"; cat'), { arguments: odd, input: 'in\u2028put $HOME' }));
    expect(told).toBe(`${odd.join('|')}|in\u2028put $HOME`);
  });

  test('may end without reading its input', async () => {
    expect(await rest(await run(script('echo done'), { input: 'x'.repeat(1_000_000) }))).toBe('done\n');
  });

  test('runs in an empty directory that is its user’s alone, and is removed with all that it left there', async () => {
    const text = 'pwd -P; stat -c %a .; ls -A | wc -l; mkdir left; echo left > left/file';
    const [path = '', mode, entries] = (await rest(await run(script(text)))).split('\n');
    expect([mode, entries?.trim()]).toEqual(['700', '0']);
    while (existsSync(path)) await Bun.sleep(5);
    expect(existsSync(path)).toBe(false);
  });

  test('writes more to the people’s output than a pipe holds, which nothing reads into an answer', async () => {
    const text = 'head -c 300000 /dev/zero >&2; echo said';
    expect(await rest(await run(script(text)))).toBe('said\n');
  });

  test('that cannot be started is said so', async () => {
    const path = join(directory(), 'absent');
    const failure = await failureOf(run(path));
    expect(failure).toBeInstanceOf(RunError);
    expect(failure).toMatchObject({ failure: 'start' });
  });
});

describe('no program outlives its run', () => {
  test('when its output is given up, though it and its child ignore every request to end', async () => {
    const reply = await run(script(stubborn));
    const processes = numbers(await firstLine(reply));
    expect(processes.map(lives)).toEqual([true, true]);
    reply.cancel();
    await untilGone(processes);
  });

  test('when its client leaves', async () => {
    const client = new AbortController();
    const reply = await run(script(stubborn), { signal: client.signal });
    const processes = numbers(await firstLine(reply));
    const next = failureOf(reply.read() as Promise<unknown>);
    client.abort(new Error('the client left'));
    expect(await next).toMatchObject({ message: 'the client left' });
    await untilGone(processes);
  });

  test('when its client has left before', async () => {
    const failure = await failureOf(run(script('echo no'), { signal: AbortSignal.abort(new Error('left')) }));
    expect(failure).toMatchObject({ message: 'left' });
  });

  test('when it is silent for too long, or runs for too long', async () => {
    const quiet = await run(script(`echo $$; ${stubborn}`), { limits: { timeouts: { firstByte: 60_000, idle: 50 } } });
    const [own = 0] = numbers(await firstLine(quiet));
    expect(await failureOf(rest(quiet))).toMatchObject({ name: 'TimeoutError' });
    const busy = await run(script('while :; do echo busy; sleep 0.01; done'), { limits: { total: 100 } });
    expect(await failureOf(rest(busy))).toMatchObject({ name: 'TimeoutError' });
    const mute = await run(script('sleep 60'), { limits: { timeouts: { firstByte: 50, idle: 60_000 } } });
    expect(await failureOf(rest(mute))).toMatchObject({ name: 'TimeoutError' });
    await untilGone([own]);
  });

  test('when it writes without end', async () => {
    const reply = await run(script('echo $$; exec yes'), { limits: { outputBytes: 200_000 } });
    const [own = 0] = numbers((await firstLine(reply)).split('\n')[0] ?? '');
    expect(await failureOf(rest(reply))).toMatchObject({ failure: 'output' });
    await untilGone([own]);
  });

  test('when it ends itself and leaves a child behind', async () => {
    const reply = await run(script('sleep 1000 & echo $!'));
    const [child = 0] = numbers(await firstLine(reply));
    expect(await reply.read()).toBeNull();
    await untilGone([child]);
  });

  test('when ola ends', async () => {
    const ola = Bun.spawn([process.execPath, join(import.meta.dir, 'program-child.ts'), script(stubborn)], { stdout: 'pipe' });
    const processes = numbers((await new Response(ola.stdout).text()).trim());
    expect(await ola.exited).toBe(0);
    expect(processes).toHaveLength(2);
    await untilGone(processes);
  });
});

describe('a program is looked for', () => {
  test('in the absolute directories of PATH alone, and must be a file that can be run', () => {
    const [first, second, third] = [directory(), directory(), directory()];
    mkdirSync(join(first, 'tool'));
    writeFileSync(join(second, 'tool'), '', { mode: 0o644 });
    writeFileSync(join(third, 'tool'), '#!/bin/sh\n', { mode: 0o755 });
    const found = createPrograms({ PATH: `.::relative:${first}:${second}:${third}` });
    const before = found.find('tool');
    expect(before?.path).toBe(join(third, 'tool'));
    expect(createPrograms({ PATH: `.:relative:${first}` }).find('tool')).toBeNull();
    expect(createPrograms({}).find('tool')).toBeNull();
  });

  test('and is known as another one after a change', () => {
    const bin = directory();
    const path = join(bin, 'tool');
    writeFileSync(path, '#!/bin/sh\n', { mode: 0o755 });
    const found = createPrograms({ PATH: bin });
    const before = found.find('tool');
    writeFileSync(path, '#!/bin/sh\necho another\n');
    chmodSync(path, 0o755);
    expect(found.find('tool')?.path).toBe(path);
    expect(found.find('tool')?.stamp).not.toBe(before?.stamp);
  });
});
