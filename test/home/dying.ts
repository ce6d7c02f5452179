/** A process that ends as by a power cut at a chosen moment. */
import { Database } from 'bun:sqlite';
import { createRequire } from 'node:module';

/** What gives a file its name or takes it away: before it has one nobody sees it. */
const changing = ['renameSync', 'linkSync', 'rmSync', 'mkdirSync', 'copyFileSync'];

/**
 * Makes this process kill itself before its nth change of the file system, or script of SQL, counted from when it holds
 * the lock: until then it touches nothing. To be called before anything of ola is imported.
 */
export function dieBefore(change: number): void {
  let count: number | null = null;
  const step = (name: string, target: unknown) => {
    if (name === 'renameSync' && String(target).endsWith('ola.lock.json')) count = 0;
    else if (count !== null) count += 1;
    if (count === change) process.kill(process.pid, 'SIGKILL');
  };
  const fs: Record<string, (...given: unknown[]) => unknown> = createRequire(import.meta.url)('node:fs');
  for (const name of changing) {
    const original = fs[name];
    if (original === undefined) throw new Error(`node:fs has no ${name}`);
    fs[name] = (...given) => {
      step(name, given[1]);
      return original(...given);
    };
  }
  const { run } = Database.prototype;
  Database.prototype.run = function (this: Database, ...given: Parameters<typeof run>) {
    step('run', null);
    return run.apply(this, given);
  };
}

/**
 * Runs a program with 1, 2, 3, ... as its last argument, each on what `prepare` makes, until it is not killed any more.
 * @returns how often it was killed
 */
export async function killedEverywhere(
  program: string,
  prepare: () => { readonly args: readonly string[]; readonly check: (change: number) => Promise<void> },
): Promise<number> {
  const run = async (change: number) => {
    const { args, check } = prepare();
    const child = Bun.spawn([process.execPath, program, ...args, String(change)], { stdout: 'pipe', stderr: 'inherit', env: {} });
    const said = await new Response(child.stdout).text();
    await child.exited;
    if (said !== 'done' && child.signalCode !== 'SIGKILL') throw new Error(`${program} failed at ${change}`);
    await check(change);
    return said === 'done';
  };
  for (let change = 1, killed = 0; ; change += 3) {
    const ended = await Promise.all([0, 1, 2].map((more) => run(change + more)));
    killed += ended.filter((done) => !done).length;
    if (ended.includes(true)) return killed;
  }
}
