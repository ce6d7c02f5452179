/** Answers of the resolver, kept for a short while: single flight, bounded, with the address that last worked. */
import type { Clock, Resolve } from '../core/ports.ts';

export interface ResolvedName {
  /** IPv4 first, else in the resolver's order. */
  readonly addresses: readonly string[];
  /** Clock time, milliseconds. */
  readonly expiresAt: number;
  /** The one that answered last: staying on it keeps its connections in use. */
  lastGood: string | null;
}

/** At most this long, so that a name that moves is followed; getaddrinfo tells no time to live. */
const keptMs = 30_000;
const mostNames = 256;

/** @returns a look-up that rejects as `resolve` does; a failure is not kept */
export function createNames(resolve: Resolve, now: Clock): (hostname: string) => ResolvedName | Promise<ResolvedName> {
  const known = new Map<string, ResolvedName>();
  const pending = new Map<string, Promise<ResolvedName>>();

  async function refresh(hostname: string): Promise<ResolvedName> {
    const addresses = inDialOrder(await resolve(hostname));
    const before = known.get(hostname)?.lastGood ?? null;
    const name = {
      addresses,
      expiresAt: now() + keptMs,
      lastGood: before !== null && addresses.includes(before) ? before : null,
    };
    known.delete(hostname);
    known.set(hostname, name);
    for (const oldest of known.keys()) {
      if (known.size <= mostNames) break;
      known.delete(oldest);
    }
    return name;
  }

  return (hostname) => {
    const name = known.get(hostname);
    const time = now();
    // A clock that was set back must not keep an answer for longer.
    if (name !== undefined && time < name.expiresAt && name.expiresAt - time <= keptMs) return name;
    const flight = pending.get(hostname);
    if (flight !== undefined) return flight;
    const started = refresh(hostname).finally(() => pending.delete(hostname));
    pending.set(hostname, started);
    return started;
  };
}

/** IPv4 first: a network that drops IPv6 silently would hold a request until the kernel gives up, minutes later. */
function inDialOrder(answers: readonly string[]): readonly string[] {
  return [...new Set(answers)].sort((a, b) => Number(a.includes(':')) - Number(b.includes(':')));
}
