/** The sentences of 401, one for each thing that the client has to do. */
import { OlaError } from '../../core/errors.ts';
import type { Credentials } from './credentials.ts';

const refuse = (message: string) => new OlaError('invalid_api_key', message, { headers: { 'www-authenticate': 'Bearer' } });
const howToSend = 'Send one as `Authorization: Bearer TOKEN`; `ola token create NAME` creates one.';

export const refusals = {
  missing: refuse(`The request has no access token. ${howToSend}`),
  withoutBearer: refuse(`The Authorization header has no access token behind the word Bearer. ${howToSend}`),
  foreign: refuse(
    'This is not one of ola’s own access tokens (ola_...). If it begins like sk-, it looks like a provider’s key: ola keeps those, and clients send a token of ola. `ola token create NAME` creates one.',
  ),
  invalid: refuse(
    'The access token is unknown, revoked, switched off or has expired. `ola token list` lists the tokens; `ola token create NAME` creates one.',
  ),
  noTokenExists: refuse(
    'No access token exists yet, so every request is refused. Create one on this machine with `ola token create NAME`, or set OPEN_LLM_AUTH_TOKEN.',
  ),
  needless: refuse('No access token exists here, so this one cannot be valid. Send the request without a token.'),
  throughProxy: refuse(
    'A request without a token must come directly from this machine; this one came through a proxy. Create a token with `ola token create NAME` and send it.',
  ),
} as const;

export const conflictingCredentials = new OlaError(
  'conflicting_credentials',
  'The request has two different access tokens of ola. Send only one of them.',
);

/**
 * Chooses by the form of the credentials alone: a client cannot tell unknown, revoked, disabled and expired tokens apart.
 * @param hasOwn true when one of the values has the form of ola's tokens
 */
export function refusalOf({ values, withoutBearer }: Credentials, hasOwn: boolean): OlaError {
  if (hasOwn) return refusals.invalid;
  if (values.size > 0) return refusals.foreign;
  return withoutBearer ? refusals.withoutBearer : refusals.missing;
}
