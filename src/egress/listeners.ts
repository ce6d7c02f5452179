/** Whether a place is one of our own listeners: a call there would come back to us and go round for ever. */
import { isLoopback, isSame, isUnspecified, parseAddress } from './addresses.ts';

export interface OwnListener {
  /** The address it is bound to, `0.0.0.0` and `::` for all. */
  readonly address: string;
  readonly port: number;
}

/**
 * @param address canonical
 * @param localAddresses those of this machine's interfaces; asked only for a wildcard bind on the same port
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
  // A bound name is `localhost` in practice; what cannot be read is taken for everything on this machine.
  if (dialled === null) return false;
  if (own !== null && !isUnspecified(own)) return isSame(dialled, own) || (isLoopback(dialled) && isLoopback(own));
  if (isLoopback(dialled)) return true;
  return localAddresses().some((text) => {
    const local = parseAddress(text.replace(/%.*$/, ''));
    return local !== null && isSame(dialled, local);
  });
}
