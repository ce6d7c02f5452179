/**
 * Which of several interchangeable credentials takes a call: the one that has the conversation, because its provider holds the
 * prompt in a cache there, else the one that was not used for longest.
 */
import type { CooledCredential } from '../../core/cooldowns.ts';
import type { Attempt } from './routing.ts';

export interface Accounts {
  /**
   * @param equals attempts whose credentials are interchangeable and may be used; at least one
   * @param conversation the key of the conversation; null: it has none
   */
  choose(equals: readonly [Attempt, ...Attempt[]], conversation: string | null): Attempt;
  /**
   * The attempt answered, and has the conversation from now on. One that only rests after a rate limit keeps it.
   * @param isLimited asks for the account that the conversation had
   */
  answered(attempt: Attempt, conversation: string | null, isLimited: (credential: CooledCredential) => boolean): void;
}

/** Conversations that are remembered; the one that was silent for longest is forgotten first. */
const mostConversations = 10_000;

const accountOf = ({ cooledAs }: Attempt): string => `${cooledAs.provider}\n${cooledAs.source}`;

export function createAccounts(): Accounts {
  /** The number of the last call of each account: a clock could not tell two calls of one millisecond apart. */
  const lastCalls = new Map<string, number>();
  /** In the order of the last call. */
  const homes = new Map<string, CooledCredential>();
  let calls = 0;

  return {
    choose(equals, conversation) {
      const home = conversation === null ? undefined : homes.get(conversation);
      const atHome = equals.find(({ cooledAs }) => home?.source === cooledAs.source && home.provider === cooledAs.provider);
      const chosen = atHome ?? equals.reduce((one, other) => (lastCall(other) < lastCall(one) ? other : one));
      lastCalls.set(accountOf(chosen), ++calls);
      // At once: the next request of the conversation may come before the answer.
      if (conversation !== null && home === undefined) remember(conversation, chosen.cooledAs);
      return chosen;
    },
    answered({ cooledAs }, conversation, isLimited) {
      if (conversation === null) return;
      const home = homes.get(conversation) ?? cooledAs;
      const returns = isOther(home, cooledAs) && isLimited(home);
      remember(conversation, returns ? home : cooledAs);
    },
  };

  function remember(conversation: string, home: CooledCredential): void {
    homes.delete(conversation);
    homes.set(conversation, home);
    const [oldest] = homes.keys();
    if (homes.size > mostConversations && oldest !== undefined) homes.delete(oldest);
  }

  function lastCall(attempt: Attempt): number {
    return lastCalls.get(accountOf(attempt)) ?? 0;
  }
}

function isOther(one: CooledCredential, other: CooledCredential): boolean {
  return one.source !== other.source || one.provider !== other.provider;
}
