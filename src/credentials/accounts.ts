/** The account that an access token is of, for vendors that want it named in a header of its own. Pure. */
import { isObject } from '../core/json.ts';
import type { AccountHeader } from '../core/providers.ts';
import { claimsOf } from './grants.ts';

/** Visible ASCII: the value of a header. */
const headerSafe = /^[\x21-\x7e]{1,256}$/;

/**
 * The header that names the account of a secret; null where the account is not known.
 * @param account as the configuration names it; absent: the claims of the token tell it, which are not verified
 */
export function accountHeader(
  { name, claims }: AccountHeader,
  secret: string,
  account: string | undefined,
): [string, string] | null {
  const value = account ?? claimIn(claimsOf(secret), claims);
  return value !== null && headerSafe.test(value) ? [name, value] : null;
}

/** @param paths of claims, the first that is there counts */
function claimIn(token: unknown, paths: AccountHeader['claims']): string | null {
  for (const path of paths) {
    let value: unknown = token;
    for (const name of path) value = Array.isArray(value) ? value[Number(name)] : isObject(value) ? value[name] : null;
    if (typeof value === 'string' && value !== '') return value;
  }
  return null;
}
