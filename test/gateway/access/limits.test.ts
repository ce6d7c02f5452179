import { describe, expect, test } from 'bun:test';
import { localPrincipal, type Principal } from '../../../src/core/access.ts';
import { noTokenCounts } from '../../../src/core/usage.ts';
import { createLimits } from '../../../src/gateway/access/limits.ts';
import { createHealth } from '../../../src/gateway/health.ts';
import { directories } from '../../directories.ts';
import { open } from '../scene.ts';

const directory = directories();

describe('calls under way', () => {
  const holder: Principal = { subject: 'tok_1', tokenId: 'tok_1', project: null, scopes: ['write'] };

  const estimate = { tokens: 10, costMicros: null };
  const used = { tokens: noTokenCounts, costMicros: null };

  test('are counted until they are settled, and so are the uses of a token', () => {
    const uses: string[] = [];
    const limits = createLimits({ used: (id) => void uses.push(id) });
    for (const caller of [holder, localPrincipal]) limits.admit(caller);
    const [first, second] = [limits.reserve(estimate), limits.reserve(estimate)];
    expect(limits.inFlight()).toBe(2);
    for (const each of [first, second]) each.settle(used);
    expect(limits.inFlight()).toBe(0);
    expect(uses).toEqual(['tok_1']);
  });

  test('go on when it is closed, and no new one comes in', () => {
    const uses: string[] = [];
    const limits = createLimits({ used: (id) => void uses.push(id) });
    const running = limits.reserve(estimate);
    limits.close();
    expect(() => limits.admit(holder)).toThrow(expect.objectContaining({ code: 'shutting_down', status: 503 }));
    expect(uses).toEqual([]);
    expect(limits.inFlight()).toBe(1);
    running.settle(used);
    expect(limits.inFlight()).toBe(0);
  });
});

describe('health', () => {
  test('is ok with the version and whole seconds since the start', async () => {
    await using scene = await open(directory());
    scene.now += 2900;
    expect(await scene.gateway.health.report()).toEqual({
      status: 'ok',
      version: '0.1.0',
      uptimeSeconds: 2,
      checks: { store: 'ok', config: 'ok', server: 'ok' },
    });
  });

  test('is unavailable while draining, and nothing new comes in', async () => {
    await using scene = await open(directory());
    scene.gateway.drain();
    expect(await scene.gateway.health.report()).toMatchObject({
      status: 'unavailable',
      checks: { store: 'ok', config: 'ok', server: 'draining' },
    });
    expect(() => scene.gateway.limits.admit(localPrincipal)).toThrow(expect.objectContaining({ code: 'shutting_down' }));
  });

  test('is unavailable while the store cannot be written to, and ok again once it can; it asks once a second', async () => {
    let works = true;
    let asked = 0;
    const clock = { now: 0 };
    const store = {
      check: async () => {
        asked++;
        if (!works) throw new Error('disk full');
      },
    };
    const health = createHealth({ store, config: { problem: () => null }, version: '1', now: () => clock.now });
    const at = async (now: number, working: boolean) => {
      clock.now = now;
      works = working;
      return (await health.report()).status;
    };
    expect(await at(0, true)).toBe('ok');
    expect(await at(999, false)).toBe('ok');
    expect(asked).toBe(1);
    expect(await at(1000, false)).toBe('unavailable');
    expect(await at(1500, true)).toBe('unavailable');
    expect(await at(2000, true)).toBe('ok');
    expect(asked).toBe(3);
  });
});
