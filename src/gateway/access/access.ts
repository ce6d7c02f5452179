/** Authenticates a request by its headers, before any other part of it is read. */
import { localPrincipal, may, type Principal, type RouteScope, scopes } from '../../core/access.ts';
import { OlaError } from '../../core/errors.ts';
import { digestOf, type Tokens } from './tokens.ts';

/** A token that the environment or the configuration holds in clear. It is compared by digest, like every other token. */
export interface LegacyToken {
  readonly token: string;
  readonly principal: Principal;
}

export const legacyAdmin: Principal = { subject: 'legacy-admin', tokenId: null, project: null, scopes };
export const proxyKey: Principal = { subject: 'proxy-key', tokenId: null, project: null, scopes: ['read', 'write'] };

export const anonymous: Principal = { subject: 'anonymous', tokenId: null, project: null, scopes };

/** When a request without a token is accepted. */
export type AnonymousAccess = 'never' | 'until first token' | 'always';

export interface Access {
  /** @returns the caller, or the error that refuses the request. Never throws */
  authenticate(headers: Headers): Principal | OlaError;
  /**
   * Replaces the tokens that the environment and the configuration hold in clear.
   * @param named true when they name any token, even one that is not accepted
   */
  setLegacyTokens(tokens: readonly LegacyToken[], named: boolean): void;
  /** True when an accepted caller would still be accepted: its token may have been revoked or have expired since. */
  holds(principal: Principal): boolean;
  /** True when a token exists; an expired one counts. */
  configured(): boolean;
  /** Sets anonymous access; `never` at the start. Only for a listener that no other machine reaches. */
  allowAnonymous(when: AnonymousAccess): void;
  /** True when a request without a token would be accepted now. */
  isOpen(): boolean;
}

/** The error that ends a stream whose caller would no longer be accepted. */
export function withdrawn(): OlaError {
  return new OlaError(
    'invalid_api_key',
    'The access token of this request was revoked or disabled, or it has expired, after the request had begun.',
  );
}

/** @throws OlaError `invalid_api_key`, `conflicting_credentials` or `insufficient_scope` */
export function authorize(caller: Principal | OlaError, scope: RouteScope): Principal {
  if (caller instanceof OlaError) throw caller;
  if (scope !== 'none' && !may(caller, scope)) {
    throw new OlaError(
      'insufficient_scope',
      `This request needs a token with the scope '${scope}'. Create one with \`ola token create NAME\`.`,
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
  let anonymousAccess: AnonymousAccess = 'never';

  const refuse = (message: string) => new OlaError('invalid_api_key', message, { headers: { 'www-authenticate': 'Bearer' } });
  const refusal = refuse(
    'The request has no valid access token. Send one as `Authorization: Bearer TOKEN`; `ola token create NAME` creates one.',
  );
  const noToken = refuse(
    'No access token exists yet, so every request is refused. Create one on this machine with `ola token create NAME`, or set OPEN_LLM_AUTH_TOKEN.',
  );
  const needless = refuse('No access token exists here, so this one cannot be valid. Send the request without a token.');
  const throughProxy = refuse(
    'A request without a token must come directly from this machine; this one came through a proxy. Create a token with `ola token create NAME` and send it.',
  );
  const conflict = new OlaError('conflicting_credentials', 'The request has two different credentials. Send only one of them.');

  /** Finds the caller by digest: the time of the comparison then reveals nothing about a token that is nearly right. */
  const find = (token: string) => {
    const digest = digestOf(token);
    return tokens.find(token, digest) ?? legacy.get(digest) ?? null;
  };
  const configured = () => legacy.size > 0 || tokens.configured();
  const isOpen = () => anonymousAccess === 'always' || (anonymousAccess === 'until first token' && !legacyNamed && !configured());

  function authenticate(headers: Headers): Principal | OlaError {
    const token = presentedToken(headers);
    if (token === conflictingTokens) return conflict;
    const principal = token === null ? null : find(token);
    return principal ?? (configured() ? refusal : noToken);
  }

  /** Refuses proxies, which forward requests of other machines, and pages of other origins, whose author is not the user. */
  function admitAnonymous(headers: Headers): Principal | OlaError {
    if (cameThroughProxy(headers)) return throughProxy;
    if (anonymousAccess === 'until first token' && credentialHeaders.some((name) => headers.has(name))) return needless;
    return sameOrigin.includes(headers.get('sec-fetch-site') ?? 'none') ? anonymous : foreignPage;
  }

  return {
    authenticate: (headers) => (anonymousAccess !== 'never' && isOpen() ? admitAnonymous(headers) : authenticate(headers)),
    setLegacyTokens(list, named) {
      // The first of two equal tokens counts.
      legacy = new Map(list.toReversed().map(({ token, principal }) => [digestOf(token), principal]));
      legacyNamed = named;
    },
    holds(principal) {
      const { subject, tokenId } = principal;
      if (tokenId !== null) return tokens.holds(tokenId);
      if (subject === anonymous.subject) return isOpen();
      if (subject === localPrincipal.subject) return true;
      return [...legacy.values()].some((each) => each.subject === subject);
    },
    configured,
    allowAnonymous(when) {
      anonymousAccess = when;
    },
    isOpen,
  };
}

const credentialHeaders = ['authorization', 'x-api-key', 'x-goog-api-key'] as const;
const sameOrigin: readonly string[] = ['same-origin', 'none'];
const foreignPage = new OlaError(
  'origin_not_allowed',
  'A page of another origin needs a token for its requests; another port of this machine is another origin.',
);

/** True when a header names a proxy. A proxy that adds no such header is not recognised. */
function cameThroughProxy(headers: Headers): boolean {
  if (headers.has('forwarded') || headers.has('via')) return true;
  for (const name of headers.keys()) if (name.startsWith('x-forwarded-')) return true;
  return false;
}

const conflictingTokens = Symbol('two different credentials');
const bearer = /^bearer +([^\s,]+)$/i;

/** The token of a request, from `Authorization`, `x-api-key` or `x-goog-api-key`; never from the query. */
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
  // Several headers of one name arrive joined by a comma, which no token contains.
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
