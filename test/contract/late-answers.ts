/** Calls to an upstream that now and then sends an answer twice, the second time a moment late. Runs under Bun and Deno. */
import type { Socket } from 'node:net';
import type { DialRequest } from '../../src/core/ports.ts';
import { createDialer } from '../../src/runtime/dial.ts';
import { textOf, upstream } from '../egress/upstream.ts';

export interface LateAnswers {
  readonly calls: number;
  /** Calls that got the answer to another request. */
  readonly wrong: number;
  /** Answers that were sent a second time. */
  readonly late: number;
  /** Times at which the dialer told of bytes that no request asked for. */
  readonly told: number;
}

const calls = 2000;
/** Requests between two answers that are sent twice. */
const everyNth = 50;

/** @param callers calls at a time */
export async function countLateAnswers(callers: number): Promise<LateAnswers> {
  let time = 0;
  let told = 0;
  let late = 0;
  let wrong = 0;
  let served = 0;
  const dial = createDialer(() => performance.now() + time);
  const reply = (head: string, socket: Socket) => {
    // Otherwise the system may hold the second answer back until the first is acknowledged, for 40 ms.
    socket.setNoDelay();
    const id = /^GET \/(\d+) /.exec(head)?.[1] ?? '';
    const text = `HTTP/1.1 200 OK\r\ncontent-length: ${id.length}\r\n\r\n${id}`;
    socket.write(text);
    if (++served % everyNth > 0) return;
    const again = () => {
      late++;
      socket.write(text);
    };
    if (late % 2 === 0) setImmediate(again);
    else setTimeout(again, 1);
  };
  using server = await upstream(reply);
  const ask = async (id: number) => {
    const request: DialRequest = {
      secure: false,
      hostname: '127.0.0.1',
      port: server.port,
      path: `/${id}`,
      method: 'GET',
      headers: {},
      body: null,
      signal: undefined,
      timeouts: { connect: 60_000, firstByte: Number.POSITIVE_INFINITY, idle: Number.POSITIVE_INFINITY },
      ca: undefined,
      onUnrequested() {
        told++;
        // The minutes pass at once: the place is trusted again, and the next late answer counts.
        time += 10 * 60_000;
      },
    };
    if ((await textOf(await dial(request, '127.0.0.1'))) !== String(id)) wrong++;
  };
  const ids = Array.from({ length: calls }, (_, id) => id).values();
  const caller = async () => {
    for (const id of ids) await ask(id);
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return { calls: served, wrong, late, told };
}
