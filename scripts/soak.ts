/**
 * What many streams leave behind: streams that are left, readers that stop, and many at once for a while. Run by hand over
 * the built binary (`bun scripts/soak.ts`, half a minute or more); prints a table, and ends with 1 when a limit is missed.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chunk, done, event, lastChunk, streamHead, upstream } from '../test/e2e/upstream.ts';
import { drained, openChat, type Wire } from '../test/e2e/wire.ts';
import { messageEvents } from './bench/messages.ts';

const token = 'soak-admin-token-0123456789-0123456789';
const binary = process.env['OLA_BINARY'] ?? join(import.meta.dir, '../dist/ola');
const megabyte = 1e6;

interface Result {
  readonly what: string;
  readonly measured: string;
  readonly limit: string;
  readonly holds: boolean;
}

/** Streams of an event a second. */
interface Slow {
  readonly what: string;
  /** As clients name it. */
  readonly model: string;
  readonly begin: string;
  readonly events: readonly string[];
  readonly end: string;
  /** Most memory that they may cost, all of them, in megabytes; null: it is not judged. */
  readonly mostMegabytes: number | null;
}

const seconds = 30;
const slowTexts = Array.from({ length: seconds }, (_, second) => `${second} `);
const chats: Slow = {
  what: 'streams',
  model: 'acme/slow',
  begin: '',
  events: slowTexts.map((text) => event(text)),
  end: done,
  mostMegabytes: null,
};
const { begin, content, end } = messageEvents({
  model: 'slow-messages',
  text: '',
  chunks: slowTexts,
  promptTokens: 1,
  completionTokens: seconds,
});
/** Chats that an upstream of Anthropic's protocol answers. */
const translated: Slow = {
  what: 'translated streams',
  model: 'foreign/slow-messages',
  begin,
  events: content,
  end,
  mostMegabytes: 150,
};

const home = mkdtempSync(join(tmpdir(), 'ola-soak-'));
const ola = Bun.spawn([binary, 'serve', '--port', '0'], {
  env: { PATH: process.env['PATH'] ?? '', HOME: home, OPEN_LLM_AUTH_HOME: home, OPEN_LLM_AUTH_TOKEN: token },
  cwd: home,
  stdio: ['ignore', 'pipe', 'inherit'],
});
const up = await upstream();

try {
  const port = await portOf(ola.stdout);
  await addProvider(port, 'acme', { baseUrl: up.baseUrl });
  await addProvider(port, 'foreign', { baseUrl: up.baseUrl.replace('/v1', ''), api: 'anthropic-messages' });
  const results = [
    await aborted(port, 10_000),
    await stalled(port, 50),
    await many(port, 1000, chats),
    await many(port, 1000, translated),
  ];
  print(results);
  process.exitCode = results.every(({ holds }) => holds) ? 0 : 1;
} finally {
  ola.kill('SIGKILL');
  await ola.exited;
  await up.close();
  rmSync(home, { recursive: true, force: true });
}

async function portOf(out: ReadableStream<Uint8Array>): Promise<number> {
  let text = '';
  for await (const bytes of out) {
    text += new TextDecoder().decode(bytes);
    const found = /listens on http:\/\/\S+:(\d+)/.exec(text)?.[1];
    if (found !== undefined) return Number(found);
  }
  throw new Error('the binary did not start');
}

async function addProvider(port: number, id: string, fields: object): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/config/providers/${id}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...fields, apiKey: 'soak-key-0123456789', allowLocal: true }),
  });
  if (!response.ok) throw new Error(`the provider was refused: ${response.status}`);
}

function ask(port: number, model: string): Promise<Wire> {
  return askOf(port, `acme/${model}`);
}

function askOf(port: number, model: string): Promise<Wire> {
  return openChat(port, token, { model, stream: true });
}

/** Resident memory of the gateway, in bytes. */
function resident(): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${ola.pid}/status`, 'utf8'))?.[1]) * 1024;
}

async function until(holds: () => boolean, seconds: number): Promise<boolean> {
  const end = performance.now() + seconds * 1000;
  while (!holds()) {
    if (performance.now() > end) return false;
    await Bun.sleep(20);
  }
  return true;
}

/** Streams that flow, each left by its client after some events. */
async function aborted(port: number, count: number): Promise<Result> {
  const block = chunk(event('x'.repeat(200)).repeat(4));
  up.modes.set('flows', async ({ socket }) => {
    socket.write(streamHead);
    while (!socket.destroyed) {
      socket.write(block);
      await Bun.sleep(2);
    }
  });
  const leave = async () => {
    const wire = await ask(port, 'flows');
    await until(() => wire.received().includes('data:'), 10);
    if (Math.random() < 0.5) wire.socket.destroy();
    else wire.socket.resetAndDestroy();
    up.received.length = 0;
  };
  const leaveMany = (total: number) => {
    let left = total;
    const one = async () => {
      while (left-- > 0) await leave();
    };
    return Promise.all(Array.from({ length: 50 }, one));
  };
  await leaveMany(500);
  await until(() => up.open() === 0, 5);
  const before = resident();
  await leaveMany(count);
  const freed = await until(() => up.open() === 0, 5);
  await until(() => resident() - before < 40 * megabyte, 20);
  const grown = (resident() - before) / megabyte;
  return {
    what: `${count} streams left by their clients`,
    measured: `${grown.toFixed(1)} MB more, ${up.open()} upstream connections open`,
    limit: '40 MB, 0',
    holds: freed && grown < 40,
  };
}

/** Readers that take nothing of 64 MiB. */
async function stalled(port: number, count: number): Promise<Result> {
  const block = chunk(event('x'.repeat(32 * 1024)).repeat(4));
  let sent = 0;
  up.modes.set('flood', async ({ socket }) => {
    socket.write(streamHead);
    for (let own = 0; own < 64 << 20 && !socket.destroyed; own += block.length) {
      sent += block.length;
      if (!socket.write(block)) await drained(socket);
    }
  });
  const before = resident();
  const wires: Wire[] = [];
  for (let i = 0; i < count; i++) {
    const wire = await ask(port, 'flood');
    wire.socket.pause();
    wires.push(wire);
  }
  for (let last = -1; last !== sent; await Bun.sleep(2000)) last = sent;
  const most = (resident() - before) / megabyte / count;
  // What went through before it stood still is garbage for some seconds.
  await until(() => (resident() - before) / megabyte / count < 2, 20);
  const each = (resident() - before) / megabyte / count;
  for (const { socket } of wires) socket.destroy();
  const freed = await until(() => up.open() === 0, 5);
  return {
    what: `${count} readers that stop`,
    measured: `${each.toFixed(2)} MB each (${most.toFixed(2)} at first), ${(sent / count / megabyte).toFixed(1)} MB of 67 taken from each upstream`,
    limit: '2 MB',
    holds: freed && each < 2,
  };
}

async function many(port: number, count: number, slow: Slow): Promise<Result> {
  up.modes.set(slow.model.split('/')[1] ?? '', async ({ socket }) => {
    socket.write(streamHead);
    if (slow.begin !== '') socket.write(chunk(slow.begin));
    for (const each of slow.events) {
      if (socket.destroyed) return;
      socket.write(chunk(each));
      await Bun.sleep(1000);
    }
    socket.write(chunk(slow.end) + lastChunk);
  });
  const before = resident();
  const wires = await Promise.all(Array.from({ length: count }, () => askOf(port, slow.model)));
  const whole = (wire: Wire) => wire.replies()[0]?.whole === true && wire.received().includes('[DONE]');
  await Bun.sleep((seconds - 5) * 1000);
  const most = up.open();
  const cost = (resident() - before) / megabyte;
  await Bun.sleep(5000);
  await until(() => wires.every(whole), 30);
  const complete = wires.filter(whole).length;
  for (const { socket } of wires) socket.destroy();
  await until(() => up.open() === 0, 5);
  const { what, mostMegabytes: limit } = slow;
  return {
    what: `${count} ${what} of ${seconds} s`,
    measured: `${complete} complete, ${most} at once, ${cost.toFixed(0)} MB for them, ${(resident() / megabyte).toFixed(0)} MB in all`,
    limit: limit === null ? `${count}` : `${count}, ${limit} MB for them`,
    holds: complete === count && most === count && (limit === null || cost <= limit),
  };
}

function print(results: readonly Result[]): void {
  console.log('| what | measured | limit | |\n|---|---|---|---|');
  for (const { what, measured, limit, holds } of results)
    console.log(`| ${what} | ${measured} | ${limit} | ${holds ? 'ok' : 'MISSED'} |`);
}
