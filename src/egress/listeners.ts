/** Recognises our own listeners: a call to one of them would come back to us in an endless circle. */
import { isLoopback, isSame, isUnspecified, parseAddress } from './addresses.ts';

export interface OwnListener {
  /** The address that the listener is bound to; `0.0.0.0` and `::` mean all addresses. */
  readonly address: string;
  readonly port: number;
}

/**
 * @param address in canonical form
 * @param localAddresses returns the addresses of this machine's interfaces; called only for a listener on all addresses and the same port
 */
export function isOwnListener(
  address: string,
  port: number,
  listeners: readonly OwnListener[],
  localAddresses: () => readonly string[],
): boolean {
  for (const listener of listeners) {
    if (listener.port === port && reaches(address, listener.address, localAddresses)) return true;
  }
  return false;
}

function reaches(address: string, bound: string, localAddresses: () => readonly string[]): boolean {
  const dialled = parseAddress(address);
  const own = parseAddress(bound.replace(/^\[|\]$|%.*$/g, ''));
  // A name in place of an address is `localhost` in practice. An unreadable bind counts as all addresses of this machine.
  if (dialled === null) return false;
  if (own !== null && !isUnspecified(own)) return isSame(dialled, own) || (isLoopback(dialled) && isLoopback(own));
  if (isLoopback(dialled)) return true;
  return localAddresses().some((text) => {
    const local = parseAddress(text.replace(/%.*$/, ''));
    return local !== null && isSame(dialled, local);
  });
}
