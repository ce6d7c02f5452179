/** The end: in order when asked, at once when asked twice, and without loss when killed. */
import { Database } from 'bun:sqlite';
import { describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { adminToken, expectError, type Ola, request, stage, until } from './stage.ts';
import { chunk, done, event, lastChunk, type Received, streamHead, type Upstream } from './upstream.ts';

const { run, start, upstream } = stage();

/** What the JSON log says on level info. */
const messagesOf = (ola: Ola) =>
  ola
    .err()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { level: string; message: string })
    .filter(({ level }) => level === 'info')
    .map(({ message }) => message);

interface Running {
  readonly ola: Ola;
  readonly up: Upstream;
  /** A stream that has had its first event and waits for more. */
  readonly held: Received;
  /** The whole text of that stream, when it has ended. */
  readonly text: Promise<string>;
}

async function streaming(...args: readonly string[]): Promise<Running> {
  const ola = await start({ args });
  const up = await upstream();
  await ola.addProvider('acme', up);
  up.modes.set('held', ({ socket }) => void socket.write(streamHead + chunk(event('first'))));
  const response = await fetch(`${ola.address}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'acme/held', messages: [{}], stream: true }),
  });
  const reader = response.body!.getReader();
  const decoder = new TextDecoder();
  let gathered = decoder.decode((await reader.read()).value);
  const text = (async () => {
    for (;;) {
      const next = await reader.read().catch(() => ({ done: true, value: undefined }));
      if (next.done) return gathered;
      gathered += decoder.decode(next.value);
    }
  })();
  return { ola, up, held: up.requestFor('held'), text };
}

const draining = (ola: Ola) => until('it drains', async () => (await request(`${ola.address}/health`)).status === 503);

interface Row {
  readonly model: string;
  readonly status: number;
  readonly error: string | null;
}

function usageRows(home: string): Row[] {
  const database = new Database(`${home}/runtime_state.sqlite3`, { readonly: true });
  const rows = database
    .query('SELECT model, status, error FROM usage JOIN usage_kinds kinds ON kinds.id = usage.kind ORDER BY usage.id')
    .all() as Row[];
  database.close();
  return rows;
}

describe.each(['SIGTERM', 'SIGINT'] as const)('%s', (signal) => {
  test('lets nothing new in, lets streams finish, writes usage, and exits 0', async () => {
    const { ola, held, text } = await streaming();
    ola.kill(signal);
    await draining(ola);
    expect(ola.err()).toContain('stopping: waiting for 1 call, 30 s at most; Ctrl-C again cuts it');
    const status = await run(['status'], { home: ola.home });
    expect(status).toMatchObject({ code: 1, out: expect.stringMatching(/^status +stopping\n/) });
    const health = await request(`${ola.address}/health`);
    expect(health.json as unknown).toMatchObject({ status: 'unavailable', checks: { server: 'draining', store: 'ok' } });
    const refused = await ola.chat('acme/new');
    expectError(refused, 503, 'shutting_down');
    expect(refused.headers.get('retry-after')).toBe('5');
    expectError(await ola.ask('GET', '/v1/models'), 503, 'shutting_down');
    held.socket.write(chunk(event('last') + done) + lastChunk);
    expect(await text).toBe(event('first') + event('last') + done);
    expect(await ola.exited).toBe(0);
    expect(usageRows(ola.home)).toEqual([{ model: 'held', status: 200, error: null }]);
    expect(existsSync(`${ola.home}/control.sock`)).toBe(false);
    expect(messagesOf(ola)).toEqual(['listening', expect.stringContaining('stopping'), 'stopped']);
  });

  test('with --grace 1 cuts what still streams, with an error event and no [DONE]', async () => {
    const { ola, held, text } = await streaming('--grace', '1');
    const asked = performance.now();
    ola.kill(signal);
    const whole = await text;
    // At least: a busy machine makes it longer, and nothing makes it shorter but a grace that is not kept.
    expect(performance.now() - asked).toBeGreaterThan(900);
    expect(whole).toStartWith(event('first'));
    expect(whole).toContain('"code":"shutting_down"');
    expect(whole).not.toContain('[DONE]');
    expect(await ola.exited).toBe(0);
    expect(held.closedAt()).not.toBeNull();
    expect(usageRows(ola.home)).toEqual([{ model: 'held', status: 503, error: 'shutting_down' }]);
  });

  test('with --grace 0 a call that has no answer yet is cut off, and recorded as that', async () => {
    const { ola, up } = await streaming('--grace', '0');
    up.modes.set('silent', () => undefined);
    const waiting = ola.chat('acme/silent').catch(() => null);
    await until('the upstream has it', () => up.for('silent').length === 1);
    ola.kill(signal);
    expect(await ola.exited).toBe(0);
    await waiting;
    expect(usageRows(ola.home).find(({ model }) => model === 'silent')).toMatchObject({ status: 503, error: 'shutting_down' });
  });

  test('a second time cuts what streams, with an error event, and ends it', async () => {
    const { ola, text } = await streaming('--grace', '3600');
    ola.kill(signal);
    await draining(ola);
    ola.kill(signal);
    expect(await ola.exited).toBe(130);
    expect(await text).toContain('"code":"shutting_down"');
    expect(await text).not.toContain('[DONE]');
    expect(usageRows(ola.home)).toEqual([{ model: 'held', status: 503, error: 'shutting_down' }]);
  });
});

test('without anything under way it does not wait for the end of its grace', async () => {
  // An hour is longer than a test may take.
  for (const grace of ['3600', '0']) {
    const args = ['--grace', grace];
    const ola = await start({ args });
    expect((await ola.ask('GET', '/v1/models')).status).toBe(200);
    ola.kill('SIGTERM');
    expect(await ola.exited).toBe(0);
  }
});

test('kill -9: what was acknowledged is there at the next start, and usage of more than a moment ago', async () => {
  const first = await start();
  const up = await upstream();
  await first.addProvider('acme', up);
  const { token } = (await first.ask('POST', '/config/tokens', { name: 'x' })).json as unknown as { token: string };
  expect((await first.chat('acme/before')).status).toBe(200);
  await until('its usage is written', () => usageRows(first.home).length === 1);
  // Acknowledged, and killed in the same moment.
  const { token: late } = (await first.ask('POST', '/config/tokens', { name: 'late' })).json as unknown as { token: string };
  first.kill('SIGKILL');
  await first.exited;
  const second = await start({ home: first.home });
  for (const each of [token, late]) {
    const answer = await request(`${second.address}/v1/models`, 'GET', { authorization: `Bearer ${each}` });
    expect(answer.status).toBe(200);
  }
  expect((await second.chat('acme/after')).status).toBe(200);
  expect(up.requestFor('after').headers.get('authorization')).toStartWith('Bearer key-of-acme');
  second.kill('SIGTERM');
  await second.exited;
  expect(usageRows(first.home).map(({ model }) => model)).toEqual(['before', 'after']);
});

test('a process that is stopped while it starts leaves a home that the next one can use', async () => {
  const ola = await start();
  for (const delay of [5, 15, 30, 45]) {
    ola.kill('SIGKILL');
    await ola.exited;
    const early = Bun.spawn([process.env['OLA_BINARY'] ?? 'dist/ola', 'serve', '--port', '0'], {
      env: { OPEN_LLM_AUTH_HOME: ola.home },
      stdio: ['ignore', 'ignore', 'ignore'],
    });
    await Bun.sleep(delay);
    early.kill('SIGKILL');
    await early.exited;
  }
  const next = await start({ home: ola.home });
  expect((await next.ask('GET', '/v1/models')).status).toBe(200);
});
