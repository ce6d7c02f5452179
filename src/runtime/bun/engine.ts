/** Bun's name and version, and the restart of a server in a clean environment. */
import process from 'node:process';

/** Name and version, for `ola --version`. */
export const engine = `bun ${Bun.version}`;

/** The version of a run from source; the binary and `npm start` set their own. */
export const sourceVersion = '0.0.0-source';

/**
 * Time that the allocator (Bun's mimalloc) keeps free memory before it returns it to the system, in milliseconds: for whole
 * pages, and for the holes between used blocks. Its defaults are a few milliseconds, but under load the memory is needed
 * again at once. Returned pages cost a fifth of each request's time; returned holes cost a few per cent, and a quarter when
 * requests come in bursts.
 */
const allocator = { MIMALLOC_PURGE_DELAY: '10000', MIMALLOC_PURGE_HOLES_MIN_INTERVAL: '10000' } as const;
const mark = 'OLA_CLEAN_START';

/**
 * Variables that make the runtime load code, print requests, open a debugger, skip certificate checks or send traffic
 * elsewhere. ola uses none of them, so a server removes them all.
 */
const unwanted =
  /^(?:BUN_OPTIONS|BUN_BE_BUN|BUN_INSPECT.*|BUN_CONFIG_.*|BUN_JSC_.*|NODE_OPTIONS|NODE_TLS_REJECT_UNAUTHORIZED|SSLKEYLOGFILE|(?:HTTPS?|ALL|NO)_PROXY)$/i;

/**
 * Replaces this process by the same program (same process id) with a clean environment and the allocator's settings. Both
 * the runtime and the allocator read the environment only at their start. Returns in the restarted program.
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
  // The mark is the process id, so that a child that inherits the variable is not taken for restarted.
  clean[mark] = String(process.pid);
  const own = Bun.isStandaloneExecutable === true ? process.argv.slice(2) : [...process.execArgv, ...process.argv.slice(1)];
  process.execve?.(process.execPath, [process.execPath, ...own], clean);
}
