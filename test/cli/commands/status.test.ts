import { expect, test } from 'bun:test';
import { type Call, home, ola, server } from '../ola.ts';

const states = [
  { id: 'openai', usable: true, keys: ['OPENAI_API_KEY'], why: null },
  { id: 'groq', usable: true, keys: ['stored'], why: null },
  { id: 'local', usable: true, keys: [], why: null },
  { id: 'mistral', usable: false, keys: [], why: 'MY_MISTRAL_KEY is not set' },
];

const health = (status: string, code = 200, server = 'ok') => ({
  answer: ({ path }: Call) => {
    const checks = { store: 'ok', server };
    if (path === '/health') return { status: code, body: { status, version: '0.1.0', uptimeSeconds: 1, checks } };
    if (path === '/config/providers') return { status: 200, body: { providers: {}, states } };
    expect(path).toBe('/config/config-file-path');
    return { status: 200, body: { problem: status === 'degraded' ? '/etc/ola.json: it is not there' : null } };
  },
});

test('a healthy gateway exits 0 and is shown whole', async () => {
  const { exit, out, err } = await ola(['status'], health('ok'));
  expect([exit, err]).toEqual([0, '']);
  expect(out).toBe(
    [
      'status     ok',
      'address    http://127.0.0.1:9090',
      'process    4312',
      'version    0.1.0',
      'uptime     3 hours (since 2026-11-21T07:00:00Z)',
      'checks     store ok, server ok',
      'providers  openai (OPENAI_API_KEY), groq (stored), local; mistral: MY_MISTRAL_KEY is not set',
      `home       ${home}`,
      '',
    ].join('\n'),
  );
});

test('the file that governs is named', async () => {
  const running = { ...server, configFile: '/etc/ola/config.json' };
  const { out } = await ola(['status'], { ...health('ok'), running });
  expect(out).toContain('\nconfig     /etc/ola/config.json\n');
  const json = await ola(['status', '--json'], { ...health('ok'), running });
  expect(JSON.parse(json.out)).toMatchObject({ configFile: '/etc/ola/config.json' });
});

test('one that runs and is not healthy exits 1', async () => {
  expect(await ola(['status'], health('degraded'))).toMatchObject({
    exit: 1,
    out: expect.stringMatching(/^status +degraded\nproblem +\/etc\/ola.json: it is not there\n/),
    err: 'next: ola config validate\n',
  });
  expect(await ola(['status'], health('unavailable', 503))).toMatchObject({
    exit: 1,
    out: expect.stringContaining('unavailable'),
  });
  expect(await ola(['status'], health('unavailable', 503, 'draining'))).toMatchObject({
    exit: 1,
    out: expect.stringMatching(/^status +stopping\n/),
  });
});

test('one that holds the home and does not answer, or not as expected, is unreachable and exits 1', async () => {
  const dead = () => {
    throw new Error('connect ECONNREFUSED');
  };
  for (const answer of [dead, () => ({ status: 502, body: null }), () => ({ status: 200, body: 'ok' })]) {
    expect(await ola(['status'], { answer })).toMatchObject({ exit: 1, out: expect.stringContaining('status   unreachable') });
  }
});

test('nothing that runs exits 5, asks nobody, and says how to start it', async () => {
  expect(await ola(['status'], { running: null })).toMatchObject({
    exit: 5,
    out: `status  not running\nhome    ${home}\n`,
    err: 'next: ola serve\n',
    calls: [],
  });
});

test('--json has the same keys whether something runs or not', async () => {
  const up = await ola(['status', '--json'], health('ok'));
  expect([up.exit, up.err]).toEqual([0, '']);
  expect(JSON.parse(up.out)).toEqual({
    running: true,
    healthy: true,
    status: 'ok',
    address: server.address,
    configFile: null,
    pid: 4312,
    version: '0.1.0',
    startedAt: '2026-11-21T07:00:00.000Z',
    uptimeSeconds: 10_800,
    checks: { store: 'ok', server: 'ok' },
    providers: states,
    problem: null,
    home,
  });
  const down = await ola(['status', '--json'], { running: null });
  expect([down.exit, down.err]).toEqual([5, '']);
  expect(JSON.parse(down.out)).toMatchObject({ running: false, healthy: false, status: 'stopped', address: null, home });
  expect(Object.keys(JSON.parse(down.out))).toEqual(Object.keys(JSON.parse(up.out)));
});
