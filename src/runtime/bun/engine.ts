/** What Bun is, and how a server starts in an environment that it can trust. */
import process from 'node:process';

/** Name and version, for `ola --version`. */
export const engine = `bun ${Bun.version}`;

/** The version where none was stamped in: the binary and `npm start` have theirs. */
export const sourceVersion = '0.0.0-source';

/**
 * How long the allocator (mimalloc, as Bun has it) keeps what is free before it gives it back to the system: whole pages, and
 * the holes between what is in use. By itself it does so every few milliseconds, and under load all of it is wanted again at
 * once: the pages cost a fifth of each request's time, the holes a few per cent, and a quarter where requests come in bursts.
 */
const allocator = { MIMALLOC_PURGE_DELAY: '10000', MIMALLOC_PURGE_HOLES_MIN_INTERVAL: '10000' } as const;
const mark = 'OLA_CLEAN_START';

/**
 * Variables that make the runtime load code, print requests, open a debugger, skip certificate checks, or send traffic
 * elsewhere. None of them is ola's, so none of them is left when it serves.
 */
const unwanted =
  /^(?:BUN_OPTIONS|BUN_BE_BUN|BUN_INSPECT.*|BUN_CONFIG_.*|BUN_JSC_.*|NODE_OPTIONS|NODE_TLS_REJECT_UNAUTHORIZED|SSLKEYLOGFILE|(?:HTTPS?|ALL|NO)_PROXY)$/i;

/**
 * Starts this program anew in place (same process id) with a clean environment and an allocator that keeps its pages: both
 * the runtime and the allocator read the environment at their very start. Returns in the second life.
 */
export function startAnew(): void {
  if (process.env[mark] === String(process.pid)) {
    delete process.env[mark];
    return;
  }
  const clean: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && !unwanted.test(name)) clean[name] = value;
  }
  Object.assign(clean, allocator);
  // The process id, so that the mark is worth nothing to a child that inherits it.
  clean[mark] = String(process.pid);
  const own = Bun.isStandaloneExecutable === true ? process.argv.slice(2) : [...process.execArgv, ...process.argv.slice(1)];
  process.execve?.(process.execPath, [process.execPath, ...own], clean);
}
