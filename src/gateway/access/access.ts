/** Authenticates a request by its headers, before any other part of it is read. */
import { localPrincipal, may, type Principal, type RouteScope, scopes } from '../../core/access.ts';
import { OlaError } from '../../core/errors.ts';
import { tokenPrefix } from '../../core/tokens.ts';
import { credentialHeaders, presentedCredentials, soleBearer } from './credentials.ts';
import { conflictingCredentials, refusalOf, refusals } from './refusals.ts';
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
  if (scope !== 'none' && scope !== 'any' && !may(caller, scope)) {
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

  /** Finds the caller by digest: the time of the comparison then reveals nothing about a token that is nearly right. */
  const find = (token: string) => {
    const digest = digestOf(token);
    return tokens.find(token, digest) ?? legacy.get(digest) ?? null;
  };
  const seen = (principal: Principal) => {
    if (principal.tokenId !== null) tokens.seen(principal.tokenId);
    return principal;
  };
  const configured = () => legacy.size > 0 || tokens.configured();
  const isOpen = () => anonymousAccess === 'always' || (anonymousAccess === 'until first token' && !legacyNamed && !configured());

  /**
   * Credentials are the values with the form of ola's own tokens and the legacy tokens. A foreign value beside one is
   * ignored: desktop clients and proxies send session tokens of their own.
   */
  function authenticate(headers: Headers): Principal | OlaError {
    // Nearly every request has one value, and it is a valid token.
    const only = soleBearer(headers);
    const principal = only === null ? null : find(only);
    if (principal !== null) return seen(principal);
    const presented = presentedCredentials(headers);
    const own = [...presented.values].filter((value) => value.startsWith(tokenPrefix) || find(value) !== null);
    const [token] = own;
    if (own.length > 1) return conflictingCredentials;
    const caller = token === undefined ? null : find(token);
    if (caller !== null) return seen(caller);
    return configured() ? refusalOf(presented, own.length > 0) : refusals.noTokenExists;
  }

  /** Refuses proxies, which forward requests of other machines, and pages of other origins, whose author is not the user. */
  function admitAnonymous(headers: Headers): Principal | OlaError {
    if (cameThroughProxy(headers)) return refusals.throughProxy;
    if (anonymousAccess === 'until first token' && credentialHeaders.some((name) => headers.has(name))) return refusals.needless;
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
