/** The dialer under Deno, as one to be called from here: each call is carried over to a process of its. */
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { denoCommand, denoEnvironment } from '../../scripts/deno.ts';
import { type Dial, DialError, type Reply } from '../../src/core/ports.ts';
import type { Outcome, Step } from './steps.ts';

export interface RemoteDialer {
  readonly dial: Dial;
  /** Puts the clock of the process forward. */
  advance(ms: number): Promise<void>;
  stop(): Promise<void>;
}

type Asked<T = Step> = T extends Step ? Omit<T, 'id'> : never;

/** @param args `still` for a dialer whose clock moves by `advance` alone */
export function remoteDialer(...args: readonly 'still'[]): RemoteDialer {
  const child = Bun.spawn([...denoCommand('test/deno/dialer.ts'), ...args], {
    env: { ...process.env, ...denoEnvironment },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const waiting = new Map<number, (outcome: Outcome) => void>();
  let steps = 0;
  let calls = 0;
  void listenTo(child.stdout, ({ id, ...outcome }) => waiting.get(id)?.(outcome));

  function ask(step: Asked): Promise<Outcome> {
    const id = ++steps;
    child.stdin.write(`${JSON.stringify({ id, ...step })}\n`);
    void child.stdin.flush();
    return new Promise((resolve) => waiting.set(id, resolve));
  }

  return {
    async dial({ signal, ...request }, address) {
      const call = ++calls;
      const wanted = async (step: Asked): Promise<Outcome> => {
        const outcome = await ask(step);
        if (outcome.name !== undefined) throw signal?.aborted === true ? signal.reason : errorOf(outcome);
        return outcome;
      };
      signal?.throwIfAborted();
      signal?.addEventListener('abort', () => void ask({ call, do: 'abort' }), { once: true });
      const { status = 0, headers = {} } = await wanted({ call, do: 'dial', request, address });
      const reply: Reply = {
        status,
        header: (name) => headers[name] ?? null,
        headers: () => Object.entries(headers).flatMap(([name, value]) => (value === null ? [] : [[name, value] as const])),
        async read() {
          const { bytes = null } = await wanted({ call, do: 'read' });
          return bytes === null ? null : new Uint8Array(Buffer.from(bytes, 'base64'));
        },
        cancel: () => void ask({ call, do: 'cancel' }),
      };
      return reply;
    },
    async advance(ms) {
      await ask({ call: 0, do: 'advance', ms });
    },
    async stop() {
      await child.stdin.end();
      await child.exited;
    },
  };
}

async function listenTo(output: ReadableStream<Uint8Array>, told: (outcome: Outcome & { id: number }) => void): Promise<void> {
  for await (const line of createInterface({ input: Readable.from(output) })) told(JSON.parse(line));
}

function errorOf({ failure, detail = null, name = '' }: Outcome): Error {
  if (failure !== undefined) return new DialError(failure, new Error('told by another process'), detail);
  return Object.assign(new Error('told by another process'), { name });
}
