import { describe, expect, test } from 'bun:test';
import { type Call, now, ola } from '../ola.ts';

const cooldown = {
  id: 'env:GROQ_API_KEY m',
  credential: 'env:GROQ_API_KEY',
  provider: 'groq',
  model: 'm',
  reason: 'rate_limit',
  since: new Date(now).toISOString(),
  until: new Date(now + 120_000).toISOString(),
  probeAt: new Date(now + 120_000).toISOString(),
};
const page = (...data: unknown[]) => ({ object: 'list', data, hasMore: false, nextCursor: null });
const listing = (...data: unknown[]) => ({ answer: () => ({ status: 200, body: page(...data) }) });
const clearing = (ended: number) => ({ answer: (_: Call) => ({ status: 200, body: { status: 'ok', credential: 'x', ended } }) });

describe('auth cooldowns', () => {
  test('lists the credential, the model, the reason and the end', async () => {
    const { exit, out, calls } = await ola(
      ['auth', 'cooldowns'],
      listing(cooldown, { ...cooldown, model: null, reason: 'billing' }),
    );
    expect([exit, calls.map(({ method, path }) => [method, path.split('?')[0]])]).toEqual([0, [['GET', '/config/cooldowns']]]);
    expect(out.split('\n')[1]).toMatch(/^env:GROQ_API_KEY +groq +m +too many calls +in 2 minutes$/);
    expect(out.split('\n')[2]).toMatch(/^env:GROQ_API_KEY +groq +all +no credit +in 2 minutes$/);
  });

  test('says so when none cools down, and prints nothing', async () => {
    expect(await ola(['auth', 'cooldowns'], listing())).toMatchObject({ exit: 0, out: '', err: 'No credential cools down.\n' });
  });

  test('with --json prints the whole list', async () => {
    expect(JSON.parse((await ola(['auth', 'cooldowns', '--json'], listing(cooldown))).out)).toEqual(page(cooldown));
  });

  test('clear ends the cooldowns of a credential, whatever its id has in it', async () => {
    const { out, calls } = await ola(['auth', 'cooldowns', 'clear', 'acme:team/a'], clearing(2));
    expect([out, calls[0]?.method, calls[0]?.path]).toEqual([
      'acme:team/a: 2 cooldowns ended\n',
      'DELETE',
      '/config/cooldowns/acme%3Ateam%2Fa',
    ]);
    expect((await ola(['auth', 'cooldowns', 'clear', 'x'], clearing(0))).out).toBe('x: it did not cool down\n');
  });

  test('refuses another action, and an action without a credential', async () => {
    for (const words of [['end'], ['clear'], ['end', 'x']]) {
      const { exit, err, calls } = await ola(['auth', 'cooldowns', ...words], clearing(1));
      expect([exit, calls, err]).toEqual([2, [], expect.stringContaining('ola auth cooldowns')]);
    }
  });
});
