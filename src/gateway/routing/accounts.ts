/**
 * Which of several interchangeable credentials takes a call: the one that has the conversation, because its provider holds the
 * prompt in a cache there, else the one that was not used for longest.
 */
import type { CooledCredential } from '../../core/cooldowns.ts';
import type { Candidate } from '../../credentials/candidates.ts';
import type { Attempt } from './routing.ts';

export interface Accounts {
  /**
   * @param attempt the first of them
   * @param equals attempts whose credentials are interchangeable and may be used
   * @param conversation the key of the conversation; null: it has none
   */
  choose(attempt: Attempt, equals: readonly Attempt[], conversation: string | null): Attempt;
  /**
   * The attempt answered, and has the conversation from now on. One that only rests after a rate limit keeps it.
   * @param isLimited asks for the account that the conversation had
   */
  answered(attempt: Attempt, conversation: string | null, isLimited: (credential: CooledCredential) => boolean): void;
}

/** Conversations that are remembered; the one that was silent for longest is forgotten first. */
const mostConversations = 10_000;

export function createAccounts(): Accounts {
  /** The number of the last call with each credential: a clock could not tell two calls of one millisecond apart. */
  const lastCalls = new WeakMap<Candidate, number>();
  /** In the order of the last call. */
  const homes = new Map<string, CooledCredential>();
  let calls = 0;

  return {
    choose(attempt, equals, conversation) {
      const home = conversation === null ? undefined : homes.get(conversation);
      const atHome = equals.find(({ cooledAs }) => home?.source === cooledAs.source && home.provider === cooledAs.provider);
      const chosen = atHome ?? leastRecent(attempt, equals);
      lastCalls.set(chosen.candidate, ++calls);
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

  function leastRecent(first: Attempt, equals: readonly Attempt[]): Attempt {
    let found = first;
    let least = lastCalls.get(first.candidate) ?? 0;
    for (const attempt of equals) {
      const last = lastCalls.get(attempt.candidate) ?? 0;
      if (last >= least) continue;
      found = attempt;
      least = last;
    }
    return found;
  }
}

function isOther(one: CooledCredential, other: CooledCredential): boolean {
  return one.source !== other.source || one.provider !== other.provider;
}
