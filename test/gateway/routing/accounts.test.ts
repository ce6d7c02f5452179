import { describe, expect, test } from 'bun:test';
import type { CooledCredential } from '../../../src/core/cooldowns.ts';
import { createAccounts } from '../../../src/gateway/routing/accounts.ts';
import type { Attempt } from '../../../src/gateway/routing/routing.ts';

const attempt = (source: string) => ({ cooledAs: { provider: 'acme', source, model: 'm' }, candidate: { source } }) as Attempt;
const [a, b, c] = [attempt('profile:acme:a'), attempt('profile:acme:b'), attempt('profile:acme:c')] as const;
const never = () => false;
const limited =
  (of: Attempt) =>
  (credential: CooledCredential): boolean =>
    credential.source === of.cooledAs.source;

describe('without a conversation', () => {
  test('calls go round: the account that was not used for longest is taken', () => {
    const accounts = createAccounts();
    expect(Array.from({ length: 7 }, () => accounts.choose(a, [a, b, c], null))).toEqual([a, b, c, a, b, c, a]);
  });

  test('an account that comes back is taken first', () => {
    const accounts = createAccounts();
    for (let n = 0; n < 4; n++) accounts.choose(a, [a, b], null);
    expect(accounts.choose(a, [a, b, c], null)).toBe(c);
  });
});

describe('a conversation', () => {
  test('stays on its account, whatever other calls do', () => {
    const accounts = createAccounts();
    const homes = new Map<string, Attempt>();
    for (let turn = 0; turn < 5; turn++) {
      for (let n = 0; n < 20; n++) {
        const key = `conversation ${n}`;
        const chosen = accounts.choose(a, [a, b, c], key);
        accounts.answered(chosen, key, never);
        expect(chosen).toBe(homes.get(key) ?? chosen);
        homes.set(key, chosen);
        accounts.choose(a, [a, b, c], null);
      }
    }
    // They are spread.
    expect(new Set(homes.values())).toEqual(new Set([a, b, c]));
  });

  test('escapes an account that rests after a limit, and returns', () => {
    const accounts = createAccounts();
    expect(accounts.choose(a, [a, b], 'x')).toBe(a);
    accounts.answered(a, 'x', never);
    expect(accounts.choose(b, [b], 'x')).toBe(b);
    accounts.answered(b, 'x', limited(a));
    expect(accounts.choose(a, [a, b], 'x')).toBe(a);
  });

  test('moves for good when its account cannot be used for another reason', () => {
    const accounts = createAccounts();
    accounts.answered(accounts.choose(a, [a, b], 'x'), 'x', never);
    accounts.answered(accounts.choose(b, [b], 'x'), 'x', never);
    for (let n = 0; n < 3; n++) expect(accounts.choose(a, [a, b], 'x')).toBe(b);
  });

  test('is forgotten after ten thousand others', () => {
    const accounts = createAccounts();
    accounts.answered(a, 'old', never);
    for (let n = 0; n < 10_000; n++) accounts.answered(b, `n${n}`, never);
    accounts.choose(a, [a], null);
    expect(accounts.choose(a, [a, b], 'old')).toBe(b);
  });
});
