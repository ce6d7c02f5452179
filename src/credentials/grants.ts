/** Renewal of OAuth tokens: when they are due, the request that renews them, and the meaning of its answer. Pure. */
import { createHash } from 'node:crypto';
import type { Destination } from '../core/egress.ts';
import { isObject, type Json } from '../core/json.ts';
import { holdsToken } from '../core/tokens.ts';

/** How a token endpoint takes its fields: as a form (RFC 6749, 6) or, against it, as JSON. */
export type TokenStyle = 'form' | 'json';

/** Where tokens are renewed. */
export interface TokenEndpoint {
  readonly tokenUrl: string;
  /** The public client that the login was made with; null: the endpoint asks for none. */
  readonly clientId: string | null;
  readonly style: TokenStyle;
}

/** The tokens of an auth profile as they were entered. */
export interface EnteredTokens {
  readonly access: string | null;
  readonly refresh: string;
  /** Milliseconds since 1970; null: not known. */
  readonly expiresAt: number | null;
  readonly endpoint: TokenEndpoint;
}

/** An auth profile with the destination of its token endpoint. */
export interface EnteredGrant extends EnteredTokens {
  readonly profile: string;
  readonly destination: Destination;
}

/** The tokens that are in use. Times are milliseconds since 1970. */
export interface GrantTokens {
  readonly access: string | null;
  readonly refresh: string;
  /** Null: not known. */
  readonly obtainedAt: number | null;
  /** Null: not known. */
  readonly expiresAt: number | null;
}

/** Tokens that a renewal made. */
export interface RenewedTokens extends GrantTokens {
  /** The access token that the profile had then: another one was entered later. */
  readonly entered: string | null;
}

/** The tokens of one auth profile, kept fresh. */
export interface Grant {
  /**
   * The access token to send; renewed before when it is about to end. At once when it is not.
   * @param now milliseconds since 1970
   * @throws OlaError `upstream_unreachable` when no valid access token can be had: nothing was sent
   */
  access(now: number): string | Promise<string>;
  /**
   * Renews an access token that the upstream refuses.
   * @param refused the access token that was sent
   * @returns true when there is another one now
   */
  renew(refused: string, now: number): Promise<boolean>;
  /** Tokens that must never be shown. */
  secrets(): readonly string[];
}

/** The grants of all auth profiles. */
export interface Grants {
  /** The same grant for the same profile and refresh token. */
  open(entered: EnteredGrant): Grant;
  /** True when the token endpoint refused the refresh token for good. @param refresh as it was entered */
  needsLogin(profile: string, refresh: string): boolean;
}

/** Milliseconds before the end at which an access token is renewed; a tenth of its life when that is shorter. */
const margin = 300_000;
/** Milliseconds. Longer lives are an error of the unit, or can be asked for again after a day. */
const longestLife = 86_400_000;

/** From then on the access token is renewed before it is used; infinite when its end is not known. */
export function dueAt({ expiresAt, obtainedAt }: GrantTokens): number {
  if (expiresAt === null) return Number.POSITIVE_INFINITY;
  return expiresAt - (obtainedAt === null ? margin : Math.min(margin, (expiresAt - obtainedAt) / 10));
}

/** True while the access token may be sent. */
export function isValid({ access, expiresAt }: GrantTokens, now: number): boolean {
  return access !== null && (expiresAt === null || now < expiresAt);
}

/** The digest by which a grant is stored: it names the refresh token without telling it. */
export function grantId(profile: string, refresh: string): string {
  return createHash('sha256').update(`${profile}\n${refresh}`).digest('hex').slice(0, 32);
}

/** The renewed tokens, unless the profile was given an access token after the renewal that ends later. */
export function tokensInUse(entered: EnteredTokens, renewed: RenewedTokens | null): GrantTokens {
  const { access, refresh, expiresAt } = entered;
  if (renewed === null) return { access, refresh, obtainedAt: null, expiresAt };
  const isAnother = access !== null && access !== renewed.entered;
  const isLater = expiresAt !== null && renewed.expiresAt !== null && expiresAt > renewed.expiresAt;
  return isAnother && isLater ? { access, refresh: renewed.refresh, obtainedAt: null, expiresAt } : renewed;
}

/** Times below are seconds: in milliseconds they would be in 1973. */
const leastMilliseconds = 100_000_000_000;

/**
 * @param expires of a profile: milliseconds or, by its size, seconds since 1970; 0 or absent: not said
 * @returns milliseconds since 1970, from the access token where the profile says nothing; null: not known
 */
export function enteredExpiry(expires: number | undefined, access: string | null): number | null {
  if (expires !== undefined && expires > 0) return expires < leastMilliseconds ? expires * 1000 : expires;
  return access === null ? null : jwtExpiry(access);
}

/** `exp` of a JSON Web Token (RFC 7519, 4.1.4) in milliseconds since 1970; null for any other token. It is not verified. */
export function jwtExpiry(token: string): number | null {
  const claims = claimsOf(token);
  const exp = isObject(claims) ? claims['exp'] : null;
  return typeof exp === 'number' && exp > 0 && exp < leastMilliseconds ? exp * 1000 : null;
}

/** The claims of a JSON Web Token; null for any other token. They are not verified. */
export function claimsOf(token: string): unknown {
  const payload = /^[\w-]+\.([\w-]+)\.[\w-]*$/.exec(token)?.[1];
  return payload === undefined ? null : parsed(Buffer.from(payload, 'base64url').toString('utf8'));
}

/** The headers and the body that ask for a renewal (RFC 6749, 6). */
export function renewalRequest({ clientId, style }: TokenEndpoint, refresh: string) {
  const fields = {
    grant_type: 'refresh_token',
    refresh_token: refresh,
    ...(clientId === null ? {} : { client_id: clientId }),
  };
  const accept = { accept: 'application/json', 'accept-encoding': 'identity' };
  return style === 'json'
    ? { headers: { ...accept, 'content-type': 'application/json' }, body: JSON.stringify(fields) }
    : {
        headers: { ...accept, 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(fields).toString(),
      };
}

/** An answer of a token endpoint. */
export interface TokenAnswer {
  readonly status: number;
  readonly text: string;
}

export type Renewal =
  | {
      readonly kind: 'renewed';
      readonly access: string;
      /** Null: the refresh token stays as it is. */
      readonly refresh: string | null;
      /** Milliseconds since 1970; null: not known. */
      readonly expiresAt: number | null;
      /** The endpoint named a longer life than a day. */
      readonly isCapped: boolean;
    }
  | { readonly kind: 'refused' | 'failed' /** The end of a sentence that begins with the endpoint. */; readonly reason: string };

/** @param now milliseconds since 1970, when the answer came */
export function readRenewal({ status, text }: TokenAnswer, now: number): Renewal {
  const body = parsed(text);
  const fields = isObject(body) ? body : {};
  const error = typeof fields['error'] === 'string' ? fields['error'] : null;
  // Only this code says that the refresh token is of no use any more (RFC 6749, 5.2); a server's own fault does not.
  if (error === 'invalid_grant' && status < 500) return { kind: 'refused', reason: 'refuses the refresh token (invalid_grant)' };
  if (status < 200 || status > 299 || error !== null) {
    const code = error !== null && errorCode.test(error) ? ` (${error})` : '';
    return { kind: 'failed', reason: `answered HTTP ${status}${code}` };
  }
  const access = fields['access_token'];
  if (typeof access !== 'string' || !tokenText.test(access) || holdsToken(access)) {
    return { kind: 'failed', reason: `answered HTTP ${status} without an access token` };
  }
  const refresh = fields['refresh_token'];
  return {
    kind: 'renewed',
    access,
    refresh: typeof refresh === 'string' && refresh.trim() !== '' ? refresh : null,
    ...lifeOf(fields['expires_in'], access, now),
  };
}

const errorCode = /^[a-z_]{1,40}$/;
/** What a header can carry. */
const tokenText = /^[\x21-\x7e]+$/;

/** A life that is no number of seconds from one on counts as not said, or every request would renew. */
function lifeOf(expiresIn: unknown, access: string, now: number) {
  const isNumeric =
    typeof expiresIn === 'number' || (typeof expiresIn === 'string' && /^\s*\d{1,15}(?:\.\d+)?\s*$/.test(expiresIn));
  const told = isNumeric ? Number(expiresIn) * 1000 : 0;
  const life = told >= 1000 ? told : (jwtExpiry(access) ?? 0) - now;
  if (life <= 0) return { expiresAt: null, isCapped: false };
  return { expiresAt: now + Math.min(life, longestLife), isCapped: told > longestLife };
}

/** Milliseconds. */
const firstPause = 5_000;
const longestPause = 60_000;
/** The longest wait that an endpoint may ask for. */
const longestWait = 600_000;

/**
 * Milliseconds until a renewal that failed is tried again.
 * @param failures in a row, this one too
 * @param waitMs that the endpoint asked for; null: none
 */
export function pauseAfter(failures: number, waitMs: number | null): number {
  const pause = Math.min(longestPause, firstPause * 2 ** Math.min(failures - 1, 10));
  return Math.max(pause, Math.min(waitMs ?? 0, longestWait));
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
