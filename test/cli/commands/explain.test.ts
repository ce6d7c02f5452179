import { describe, expect, test } from 'bun:test';
import { now, ola } from '../ola.ts';

const answering = (body: object) => ({ answer: () => ({ status: 200, body }) });
const explained = {
  model: 'groq/m',
  provider: 'groq',
  upstreamModel: 'm',
  attempts: [
    { provider: 'cerebras', model: 'n', credential: 'env:CEREBRAS_API_KEY', standing: 'ready', readyAt: null },
    {
      provider: 'groq',
      model: 'm',
      credential: 'env:GROQ_API_KEY',
      standing: 'cooling',
      readyAt: new Date(now + 120_000).toISOString(),
    },
  ],
  mostAttempts: 6,
  passed: [{ provider: 'groq', credential: 'provider-config:groq', reason: 'duplicate', why: 'has the same secret' }],
  fallbacks: [
    { model: 'cerebras/n', why: null },
    { model: 'nobody/x', why: "There is no provider 'nobody' here." },
  ],
  error: null,
};

describe('models explain', () => {
  test('shows the order, what cools down, what is not used and why', async () => {
    const { exit, out, calls } = await ola(['models', 'explain', 'groq/m'], answering(explained));
    expect([exit, calls[0]?.path]).toEqual([0, '/config/explain?model=groq%2Fm&operation=chat']);
    expect(out).toMatch(/^1 +cerebras +n +env:CEREBRAS_API_KEY +ready$/m);
    expect(out).toMatch(/^- +groq +m +env:GROQ_API_KEY +cools down, again in 2 minutes$/m);
    expect(out).toMatch(/^groq +provider-config:groq +has the same secret$/m);
    expect(out).toMatch(/^nobody\/x +There is no provider 'nobody' here\.$/m);
  });

  test('says why a model cannot be called', async () => {
    const refused = { ...explained, attempts: [], passed: [], fallbacks: [], error: { code: 'x', message: 'No key.' } };
    expect((await ola(['models', 'explain', 'groq/m'], answering(refused))).out).toBe('groq/m cannot be called: No key.\n');
  });

  test('with --json prints the answer of the API', async () => {
    expect(JSON.parse((await ola(['models', 'explain', '--json'], answering(explained))).out)).toEqual(explained);
  });
});

describe('explain', () => {
  const row = { started_at: 'T', token: 'tok_1', requested: 'groq/m', status: 200, error: null, latency_ms: 7, total_cost: 0.5 };
  const attempts = [
    { provider: 'groq', model: 'm', credential: 'env:GROQ_API_KEY', status: 429, error: 'upstream_http_error', milliseconds: 41 },
    { provider: 'groq', model: 'm', credential: 'groq:work', status: 200, error: null, milliseconds: null },
  ];

  test('shows every attempt with its status and time', async () => {
    const { out, calls } = await ola(['explain', 'req/1'], answering({ request: row, attempts, now: explained }));
    expect(calls[0]?.path).toBe('/config/requests/req%2F1');
    expect(out).toMatch(/^1 +groq +m +env:GROQ_API_KEY +429 +upstream_http_error +41 ms$/m);
    expect(out).toMatch(/^2 +groq +m +groq:work +200 +answered *$/m);
    expect(out).toContain('$0.5');
    expect(out).toMatch(/^The same call now:$/m);
    expect(out).toMatch(/^groq +provider-config:groq +has the same secret$/m);
  });
});
