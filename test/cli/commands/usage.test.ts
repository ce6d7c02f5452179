import { describe, expect, test } from 'bun:test';
import { usageRow } from '../../contract/store.ts';
import { directories } from '../../directories.ts';
import { own, start } from '../../gateway/scene.ts';
import { open } from '../gateway.ts';
import { now, ola } from '../ola.ts';

const directory = directories();
const tokens = (prompt: number, completion: number) => ({
  prompt,
  completion,
  cacheRead: null,
  cacheWrite: null,
  reasoning: null,
});

/** A gateway with some calls behind it. */
async function used() {
  const scene = await open(directory());
  const { gateway } = scene.gateway;
  const { view } = await gateway.tokens.create({ name: 'editor', expiresAt: null }, own);
  const by = { tokenId: view.id, subject: view.id, tokens: tokens(1000, 200) };
  for (let n = 0; n < 8; n++) gateway.usage.record(usageRow('r', start, { ...by, costMicros: 150_000, latencyMs: 800 }));
  for (const provider of ['groq', 'groq', null]) {
    const failed = provider === null ? { status: 404, error: 'model_not_found', model: null } : { model: 'llama' };
    gateway.usage.record(
      usageRow('r', start - 3_600_000, {
        provider,
        project: 'site',
        costMicros: null,
        latencyMs: 100,
        tokens: tokens(1, 1),
        ...failed,
      }),
    );
  }
  return scene;
}

describe('ola usage', () => {
  test('shows sums and a table in plain text when piped', async () => {
    await using scene = await used();
    const { exit, out, err } = await scene.run(['usage']);
    expect([exit, err]).toEqual([0, '']);
    expect(out).toBe(
      [
        'Usage in the last 7 days',
        '',
        'requests  11, 1 with an error',
        'tokens    8,003 in, 1,603 out',
        'cost      $1.20, without 2 of unknown price',
        'latency   609 ms on average',
        '',
        'PROVIDER  REQUESTS  ERRORS  TOKENS IN  TOKENS OUT   COST  LATENCY',
        'openai           8       0      8,000       1,600  $1.20   800 ms',
        'groq             2       0          2           2      -   100 ms',
        '(none)           1       1          1           1      -   100 ms',
        '',
      ].join('\n'),
    );
  });

  test('draws bars on a terminal as far as it is wide, in the characters that it shows', async () => {
    await using scene = await used();
    const wide = await scene.run(['usage', '--days', '1'], { interactive: true, columns: 100 });
    expect(wide.out).toContain('by hour   ▁');
    expect(wide.out).toContain('8 in the busiest hour');
    expect(wide.out).toMatch(/^openai .* 800 ms {2}█{30}$/m);
    expect(wide.out).toMatch(/^groq .* 100 ms {2}█{7}▌$/m);
    const ascii = await scene.run(['usage'], { interactive: true, columns: 80, unicode: false });
    expect(ascii.out).toMatch(/^openai .* 800 ms {2}#{13}$/m);
    expect(ascii.out).toMatch(/^[\x20-\x7e\n]*$/);
    for (const columns of [40, 70, 72, 80, 100, 200]) {
      const { out } = await scene.run(['usage'], { interactive: true, columns });
      const most = Math.max(...out.split('\n').map((line) => Bun.stringWidth(line)));
      expect([columns, most <= Math.max(columns, 66)]).toEqual([columns, true]);
    }
  });

  test.each([
    ['model', ['openai/gpt-5', 'groq/llama', '(none)']],
    ['token', ['editor', 'tok_1']],
    ['project', ['(none)', 'site']],
  ])('has a line for each %s', async (by, labels) => {
    await using scene = await used();
    const { out } = await scene.run(['usage', '--by', by]);
    const lines = out.split('\n').slice(7, -1);
    expect(lines[0]).toStartWith(by.toUpperCase());
    expect(lines.slice(1).map((line) => line.split(/ {2,}/)[0])).toEqual(labels);
  });

  test("with --json prints the API's answer and nothing else", async () => {
    await using scene = await used();
    const { out, calls } = await scene.run(['usage', '--days', '30', '--by', 'model', '--json']);
    expect(calls.map(({ path }) => path)).toEqual(['/config/usage/overview?days=30&recent_limit=1']);
    expect(JSON.parse(out)).toMatchObject({ days: 30, summary: { requests: 11, errors: 1 }, models: expect.any(Array) });
  });

  test('--today begins at the midnight of this machine', async () => {
    const { calls } = await ola(['usage', '--today']);
    const midnight = new Date(now);
    midnight.setHours(0, 0, 0, 0);
    expect(calls[0]?.path).toBe(`/config/usage/overview?days=1&since=${midnight.toISOString()}&recent_limit=1`);
    expect(await ola(['usage', '--today', '--days', '7'])).toMatchObject({ exit: 2, calls: [] });
  });

  test('of nothing says so, and is zeros for scripts', async () => {
    await using scene = await open(directory());
    expect(await scene.run(['usage', '--days', '1'])).toMatchObject({
      exit: 0,
      out: '',
      err: 'No requests in the last 24 hours.\n',
    });
    expect(JSON.parse((await scene.run(['usage', '--json'])).out)).toMatchObject({ summary: { requests: 0, total_cost: null } });
  });

  test('shows twenty lines, and tells of the others', async () => {
    await using scene = await open(directory());
    const { usage } = scene.gateway.gateway;
    for (let n = 0; n < 23; n++) usage.record(usageRow('r', start, { provider: `p${n}` }));
    const { out } = await scene.run(['usage']);
    expect(out.match(/^p\d+ /gm)).toHaveLength(20);
    expect(out).toEndWith('and 3 more; --json prints all\n');
  });

  test('lets no name drive the terminal', async () => {
    await using scene = await open(directory());
    scene.gateway.gateway.usage.record(usageRow('r', start, { provider: 'a\u001b]0;b\u0007\n\u202ec' }));
    const { out } = await scene.run(['usage'], { interactive: true, columns: 100 });
    expect(out).not.toMatch(/[^\n\P{Cc}]|\p{Cf}/u);
  });

  test('says so when the answer is not one of usage', async () => {
    const summary = { requests: 1 };
    for (const body of [null, {}, { summary, chart: { labels: [], requests: [] }, providers: [] }, { summary }]) {
      const ended = await ola(['usage'], { answer: () => ({ status: 200, body }) });
      expect(ended).toMatchObject({ exit: 1, out: '', err: expect.stringContaining('the usage cannot be shown') });
    }
  });
});
