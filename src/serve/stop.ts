/** The end of a server: running calls get the grace to finish, a second signal cuts them, and each step is told. */
import type { ExitCode } from '../cli/ports.ts';
import type { Log } from '../core/ports.ts';
import type { ServerHandle } from '../core/server.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { onStopSignal } from '../runtime/process.ts';

/** Time for error events to leave after a cut, in milliseconds: a client that does not read them delays the end by no more than this. */
const cutMs = 1000;
/** Pause between two looks at the number of running calls while the server drains, in milliseconds. */
const drainPollMs = 20;

/**
 * Resolves when the server may end. The first signal refuses new requests and gives running calls the grace; after it they
 * are cut with an error event. The second signal cuts them now. The third ends at once.
 */
export function untilStopped(server: ServerHandle, gateway: Gateway, graceSeconds: number, log: Log): Promise<ExitCode> {
  return new Promise((resolve) => {
    let signals = 0;
    const end = () => resolve(signals > 1 ? 130 : 0);
    onStopSignal((count) => {
      signals = count;
      if (count === 1) {
        gateway.drain();
        const calls = gateway.limits.inFlight();
        log.log('info', waiting(calls, graceSeconds), { calls, graceSeconds });
        void drained(server, gateway, graceSeconds).then(end);
      } else if (count === 2) void cut(server, gateway).then(end);
      else end();
    });
  });
}

function waiting(calls: number, graceSeconds: number): string {
  if (calls === 0) return 'stopping';
  return `stopping: waiting for ${calls} ${calls === 1 ? 'call' : 'calls'}, ${graceSeconds} s at most; Ctrl-C again cuts ${calls === 1 ? 'it' : 'them'}`;
}

async function drained(server: ServerHandle, gateway: Gateway, graceSeconds: number): Promise<void> {
  if (!(await within(graceSeconds * 1000, () => server.pending() === 0))) await cut(server, gateway);
}

/** Ends each open stream with an error event: a stream that only breaks off could look complete. */
async function cut(server: ServerHandle, gateway: Gateway): Promise<void> {
  gateway.cut();
  await within(cutMs, () => server.pending() === 0);
}

async function within(milliseconds: number, done: () => boolean): Promise<boolean> {
  const until = performance.now() + milliseconds;
  while (!done()) {
    if (performance.now() >= until) return false;
    await new Promise((resolve) => setTimeout(resolve, drainPollMs));
  }
  return true;
}
