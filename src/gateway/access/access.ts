/** From a request's headers to a principal, before anything else of the request is looked at. */
import { may, type Principal, type RouteScope, scopes } from '../../core/access.ts';
import { OlaError } from '../../core/errors.ts';
import { digestOf, type Tokens } from './tokens.ts';

/** A token that the environment or the configuration holds in clear; compared as a digest like all others. */
export interface LegacyToken {
  readonly token: string;
  readonly principal: Principal;
}

export const legacyAdmin: Principal = { subject: 'legacy-admin', tokenId: null, project: null, scopes };
export const proxyKey: Principal = { subject: 'proxy-key', tokenId: null, project: null, scopes: ['read', 'write'] };

export const anonymous: Principal = { subject: 'anonymous', tokenId: null, project: null, scopes };

/** Whom ola lets in without a token; `newcomers`: everybody, until a token is configured. */
export type OpenTo = 'nobody' | 'newcomers' | 'everybody';

export interface Access {
  /** @returns who calls, or why nobody is let in; never throws */
  authenticate(headers: Headers): Principal | OlaError;
  /**
   * Replaces the tokens that stand in clear in the environment and the configuration.
   * @param named whether any is named there at all, also one that is not honoured
   */
  setLegacyTokens(tokens: readonly LegacyToken[], named: boolean): void;
  /** Whether anybody could authenticate at all. */
  configured(): boolean;
  /** For a listener that nobody but this machine reaches; `nobody` until it is said. */
  openTo(whom: OpenTo): void;
  /** Whether a request without a token is let in as it is now. */
  isOpen(): boolean;
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
  let legacyNamed = false;
  let open: OpenTo = 'nobody';

  const refuse = (message: string) => new OlaError('invalid_api_key', message, { headers: { 'www-authenticate': 'Bearer' } });
  const refusal = refuse('No valid access token. Send one as `Authorization: Bearer TOKEN`; `ola token create` makes one.');
  const closed = refuse(
    'No access token is configured, so nobody is let in. Make one on this machine with `ola token create`, or set OPEN_LLM_AUTH_TOKEN.',
  );
  const needless = refuse('No access token is configured here, so none is right: send the request without one.');
  const throughProxy = refuse(
    'Only requests that come straight from this machine are let in without a token, not those that came through a proxy. Make a token with `ola token create` and send it.',
  );
  const conflict = new OlaError('conflicting_credentials', 'The request carries two different credentials; send one.');

  /** By digest: the time it takes says nothing about a token that is close to one of them. */
  const find = (token: string) => {
    const digest = digestOf(token);
    return tokens.find(token, digest) ?? legacy.get(digest) ?? null;
  };
  const configured = () => legacy.size > 0 || tokens.configured();
  const isOpen = () => open === 'everybody' || (open === 'newcomers' && !legacyNamed && !configured());

  function authenticate(headers: Headers): Principal | OlaError {
    const token = presentedToken(headers);
    if (token === conflictingTokens) return conflict;
    const principal = token === null ? null : find(token);
    return principal ?? (configured() ? refusal : closed);
  }

  /** A proxy speaks for others than this machine, and a page of another port for whoever wrote it. */
  function admitAnonymous(headers: Headers): Principal | OlaError {
    if (cameThroughProxy(headers)) return throughProxy;
    if (open === 'newcomers' && credentialHeaders.some((name) => headers.has(name))) return needless;
    return sameOrigin.includes(headers.get('sec-fetch-site') ?? 'none') ? anonymous : foreignPage;
  }

  return {
    authenticate: (headers) => (open !== 'nobody' && isOpen() ? admitAnonymous(headers) : authenticate(headers)),
    setLegacyTokens(list, named) {
      // Of two that are the same the first one counts.
      legacy = new Map(list.toReversed().map(({ token, principal }) => [digestOf(token), principal]));
      legacyNamed = named;
    },
    configured,
    openTo(whom) {
      open = whom;
    },
    isOpen,
  };
}

const credentialHeaders = ['authorization', 'x-api-key', 'x-goog-api-key'] as const;
const sameOrigin: readonly string[] = ['same-origin', 'none'];
const foreignPage = new OlaError(
  'origin_not_allowed',
  'Without a token requests from pages of other origins are not accepted, of other ports of this machine neither.',
);

/** Not every proxy says so; those that do are not let pass. */
function cameThroughProxy(headers: Headers): boolean {
  if (headers.has('forwarded') || headers.has('via')) return true;
  for (const name of headers.keys()) if (name.startsWith('x-forwarded-')) return true;
  return false;
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
