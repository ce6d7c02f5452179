import { beforeEach, describe, expect, test } from 'bun:test';
import type { Cooldown, CooldownStore, CooledCredential } from '../../../src/core/cooldowns.ts';
import { allCooling, type Cooldowns, loadCooldowns } from '../../../src/gateway/routing/cooldowns.ts';

const one: CooledCredential = { provider: 'acme', source: 'env:ACME_API_KEY', model: 'm' };
const otherModel: CooledCredential = { ...one, model: 'n' };
const otherCredential: CooledCredential = { ...one, source: 'provider-config' };
const limited = { reason: 'rate_limit', waitMs: 5000, isLast: false } as const;

/** Stands for the table: what is saved comes back. */
function memory(): CooldownStore & { readonly rows: Map<string, Cooldown> } {
  const rows = new Map<string, Cooldown>();
  const keyOf = ({ provider, source, model }: CooledCredential) => JSON.stringify([provider, source, model]);
  return {
    rows,
    list: async () => [...rows.values()],
    save: async (cooldowns) => {
      for (const each of cooldowns) rows.set(keyOf(each), each);
    },
    remove: async (credentials) => {
      for (const each of credentials) rows.delete(keyOf(each));
    },
  };
}

let now: number;
let store: ReturnType<typeof memory>;
let cooldowns: Cooldowns;
const load = () => loadCooldowns({ store, now: () => now, log: { log: () => undefined } });
beforeEach(async () => {
  now = 1_000_000;
  store = memory();
  cooldowns = await load();
});

describe('a credential', () => {
  test('is ready at first, and nothing need be asked', () => {
    expect([cooldowns.quiet(), cooldowns.standing(one)]).toEqual([true, 'ready']);
  });

  test('openclaw#13623: cools down for the model that was limited, and for no other', () => {
    cooldowns.failed(one, limited);
    expect([one, otherModel, otherCredential].map(cooldowns.standing)).toEqual(['cooling', 'ready', 'ready']);
    expect([cooldowns.quiet(), cooldowns.readyAt(one) - now]).toEqual([false, 5000]);
  });

  test.each(['auth', 'billing'] as const)('that is dead (%s) cools down for every model', (reason) => {
    cooldowns.failed(one, { ...limited, reason });
    expect([one, otherModel, otherCredential].map(cooldowns.standing)).toEqual(['cooling', 'cooling', 'ready']);
  });

  test('is probed by one call when its window ends; the others wait for that', () => {
    cooldowns.failed(one, limited);
    now += 5000;
    expect(cooldowns.standing(one)).toBe('probe');
    cooldowns.begun(one);
    expect(cooldowns.standing(one)).toBe('cooling');
  });

  test('is ready again after a probe that succeeds', () => {
    cooldowns.failed(one, limited);
    now += 5000;
    cooldowns.begun(one);
    cooldowns.succeeded(one, now);
    expect([cooldowns.standing(one), cooldowns.quiet()]).toEqual(['ready', true]);
  });

  test('is not ready again by the answer to a call that had begun before the limit', () => {
    const begun = now;
    now += 10;
    cooldowns.failed(one, limited);
    cooldowns.succeeded(one, begun);
    expect(cooldowns.standing(one)).toBe('cooling');
  });

  test('cools down anew after a probe that fails', () => {
    cooldowns.failed(one, limited);
    now += 5000;
    cooldowns.begun(one);
    cooldowns.failed(one, { ...limited, waitMs: null });
    expect([cooldowns.standing(one), cooldowns.readyAt(one) - now]).toEqual(['cooling', 60_000]);
  });

  test('may be probed by the next call when the client of the probe left', () => {
    cooldowns.failed(one, limited);
    now += 5000;
    cooldowns.begun(one);
    cooldowns.ended(one);
    expect(cooldowns.standing(one)).toBe('probe');
  });

  test('may be probed again five minutes after a probe whose end nobody told', () => {
    cooldowns.failed(one, limited);
    now += 5000;
    cooldowns.begun(one);
    now += 300_001;
    expect(cooldowns.standing(one)).toBe('probe');
  });

  test('of an upstream that fails is taken last for ten seconds, and never less usable', () => {
    cooldowns.unsteady(one);
    expect([cooldowns.standing(one), cooldowns.list()]).toEqual(['last', []]);
    now += 9999;
    expect(cooldowns.standing(one)).toBe('last');
    now += 1;
    expect([cooldowns.standing(one), cooldowns.quiet()]).toEqual(['ready', true]);
  });
});

describe('an administrator', () => {
  test('forces a cooldown that no success ends, and clears it', () => {
    const everyModel = { ...one, model: null };
    cooldowns.force(everyModel, 60_000);
    cooldowns.succeeded(one, now);
    expect(cooldowns.standing(otherModel)).toBe('cooling');
    expect(cooldowns.clear(one)).toBe(1);
    expect([cooldowns.standing(otherModel), cooldowns.quiet()]).toEqual(['ready', true]);
  });

  test('clears the cooldowns of every model of a credential at once', () => {
    cooldowns.failed(one, limited);
    cooldowns.failed(otherModel, limited);
    cooldowns.failed(otherCredential, limited);
    cooldowns.unsteady(one);
    expect(cooldowns.clear(one)).toBe(2);
    expect(cooldowns.list().map(({ source }) => source)).toEqual(['provider-config']);
  });
});

describe('a restart', () => {
  test('in the middle of a cooldown changes nothing of it', async () => {
    cooldowns.failed(one, limited);
    cooldowns.failed(otherCredential, { ...limited, reason: 'billing' });
    await cooldowns.flush();
    now += 1000;
    const again = await load();
    expect(again.list()).toEqual(cooldowns.list());
    expect([again.standing(one), again.readyAt(one) - now]).toEqual(['cooling', 4000]);
  });

  test('finds nothing of a cooldown that ended', async () => {
    cooldowns.failed(one, limited);
    now += 5000;
    cooldowns.succeeded(one, now);
    await cooldowns.flush();
    expect((await load()).quiet()).toBe(true);
  });

  test('does not need a store that can be written: the cooldown is kept in memory and the log says so', async () => {
    const said: unknown[] = [];
    store.save = () => Promise.reject(new Error('the disk is full'));
    const kept = await loadCooldowns({ store, now: () => now, log: { log: (level, message) => said.push([level, message]) } });
    kept.failed(one, limited);
    await kept.flush();
    expect(kept.standing(one)).toBe('cooling');
    expect(said).toEqual([['error', 'a cooldown could not be written; it is kept in memory']]);
  });
});

test('when all credentials of a plan cool down, the error names the first that may be tried', () => {
  cooldowns.failed(one, { ...limited, waitMs: 90_500 });
  cooldowns.failed(otherCredential, { ...limited, waitMs: 60_000 });
  const plan = { provider: { id: 'acme' }, model: 'm', attempts: [{ cooledAs: one }, { cooledAs: otherCredential }] };
  const error = allCooling(plan, cooldowns, now);
  expect([error.code, error.status, error.facts.headers]).toEqual(['all_credentials_cooling_down', 429, { 'retry-after': '60' }]);
  expect(error.facts.details).toEqual({
    provider: 'acme',
    model: 'm',
    until: new Date(now + 60_000).toISOString(),
    credentials: 2,
  });
});
