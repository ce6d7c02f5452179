/** From a request's headers to a principal, before anything else of the request is looked at. */
import { may, type Principal, type RouteScope, scopes } from '../core/access.ts';
import { OlaError } from '../core/errors.ts';
import { digestOf, type Tokens } from './tokens.ts';

/** A token that the environment or the configuration holds in clear; compared as a digest like all others. */
export interface LegacyToken {
  readonly token: string;
  readonly principal: Principal;
}

export const legacyAdmin: Principal = { subject: 'legacy-admin', tokenId: null, project: null, scopes };
export const proxyKey: Principal = { subject: 'proxy-key', tokenId: null, project: null, scopes: ['read', 'write'] };

export interface Access {
  /** @returns who calls, or why nobody is let in; never throws */
  authenticate(headers: Headers): Principal | OlaError;
  /** Replaces the tokens that stand in clear in the environment and the configuration. */
  setLegacyTokens(tokens: readonly LegacyToken[]): void;
  /** Whether anybody could authenticate at all. */
  configured(): boolean;
}

/** @throws OlaError `invalid_api_key`, `conflicting_credentials` or `insufficient_scope` */
export function authorize(caller: Principal | OlaError, scope: RouteScope): Principal {
  if (caller instanceof OlaError) throw caller;
  if (scope !== 'none' && !may(caller, scope)) {
    throw new OlaError(
      'insufficient_scope',
      `This needs a token with the scope '${scope}'; make one with \`ola token create\`.`,
      {
        details: { required: scope },
      },
    );
  }
  return caller;
}

export function createAccess(tokens: Tokens): Access {
  let legacy: ReadonlyMap<string, Principal> = new Map();

  const refuse = (message: string) => new OlaError('invalid_api_key', message, { headers: { 'www-authenticate': 'Bearer' } });
  const refusal = refuse('No valid access token. Send one as `Authorization: Bearer TOKEN`; `ola token create` makes one.');
  const closed = refuse(
    'No access token is configured, so nobody is let in. Make one on this machine with `ola token create`, or set OPEN_LLM_AUTH_TOKEN.',
  );
  const conflict = new OlaError('conflicting_credentials', 'The request carries two different credentials; send one.');

  /** By digest: the time it takes says nothing about a token that is close to one of them. */
  const find = (token: string) => tokens.find(token) ?? (legacy.size > 0 ? (legacy.get(digestOf(token)) ?? null) : null);
  const configured = () => legacy.size > 0 || tokens.configured();

  return {
    authenticate(headers) {
      const token = presentedToken(headers);
      if (token === conflictingTokens) return conflict;
      const principal = token === null ? null : find(token);
      return principal ?? (configured() ? refusal : closed);
    },
    setLegacyTokens(list) {
      // Of two that are the same the first one counts.
      legacy = new Map(list.toReversed().map(({ token, principal }) => [digestOf(token), principal]));
    },
    configured,
  };
}

const conflictingTokens = Symbol('two different credentials');
const bearer = /^bearer +([^\s,]+)$/i;

/** The one token of a request, from `Authorization`, `x-api-key` or `x-goog-api-key`; never from the query. */
function presentedToken(headers: Headers): string | null | typeof conflictingTokens {
  const authorization = headers.get('authorization');
  const apiKey = headers.get('x-api-key') || null;
  const googleKey = headers.get('x-goog-api-key') || null;
  if (apiKey === null && googleKey === null) {
    if (authorization === null) return null;
    const token = bearer.exec(authorization)?.[1];
    if (token !== undefined) return token;
  }
  const found = new Set<string>();
  // Headers of one name arrive as one, joined by a comma, which no token contains.
  for (const part of authorization?.split(',') ?? []) {
    const token = bearer.exec(part.trim())?.[1];
    if (token === undefined) return null;
    found.add(token);
  }
  for (const key of [apiKey, googleKey]) for (const part of key?.split(',') ?? []) found.add(part.trim());
  if (found.size > 1) return conflictingTokens;
  const [token] = found;
  return token ?? null;
}
