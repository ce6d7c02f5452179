/** Candidates: the credentials of an endpoint as they sign requests. */
import { joinedLists } from '../core/header-lists.ts';
import type { HeaderMap } from '../core/ports.ts';
import type { AccountHeader, CredentialStyle, SecretForm } from '../core/providers.ts';
import { accountHeader } from './accounts.ts';
import type { Grant } from './grants.ts';
import type { Credential, CredentialKind } from './resolve.ts';

/** The request that is to be signed. */
export interface UnsignedRequest {
  readonly method: string;
  /** Behind the endpoint's base URL. */
  readonly path: string;
  readonly body: string | Uint8Array<ArrayBuffer>;
}

export interface Candidate {
  /** `profile:ID`, `env:NAME`, `provider-config`, `cli`, `none`: usage rows and `auth_source` name it. */
  readonly source: string;
  /** The auth profile that it comes from; null for a variable or the provider's own key. */
  readonly profile: string | null;
  readonly kind: CredentialKind;
  /**
   * Lower ranks are tried first, over all endpoints of a provider. Candidates of an equal rank are interchangeable: profiles of
   * one kind that no `authOrder` orders.
   */
  readonly rank: number;
  /** Milliseconds since 1970, from which on it must not be used; null: never. */
  readonly expiresAt: number | null;
  /** Secrets that must never be shown. */
  readonly secrets: readonly string[];
  /**
   * The headers with which a request goes out. A static credential returns the same object each time, so that whatever is
   * made of it is made once.
   * @param now milliseconds since 1970
   */
  sign(request: UnsignedRequest, now: number): HeaderMap | Promise<HeaderMap>;
  /**
   * Gets another secret after the upstream refused this one; absent where there is none to get.
   * @param refused the headers that `sign` returned
   * @param now milliseconds since 1970
   * @returns true when the same request may do better now
   */
  renew?(refused: HeaderMap, now: number): Promise<boolean>;
}

export interface StaticHeaders {
  /** The header that carries a secret of no special form. */
  readonly style: CredentialStyle;
  /** True: the configuration names the style, so that only the secret itself can ask for another one. */
  readonly isStyleConfigured: boolean;
  readonly forms: readonly SecretForm[];
  /** The header that names the account of a login; null: there is none. */
  readonly account: AccountHeader | null;
  /** The provider's configured headers. */
  readonly extra: HeaderMap;
  readonly userAgent: string;
  /** The `via` header of every call. */
  readonly via: string;
}

/** A secret that is sent as it is. */
export function staticCandidate(credential: Credential, given: StaticHeaders): Candidate {
  const { secret, renewable: _, aws: __, account: ___, gcp: ____, ...rest } = credential;
  const headers = headersWith(secret, credential, given);
  return { ...rest, secrets: secret === null ? [] : [secret], sign: () => headers };
}

/** The access token of a login. Its headers are made anew when it is. */
export function renewableCandidate(credential: Credential, given: StaticHeaders, grant: Grant): Candidate {
  const { secret: _, renewable: __, aws: ___, account: ____, gcp: _____, ...rest } = credential;
  let signed = { access: '', headers: {} as HeaderMap };
  const accessOf = new WeakMap<HeaderMap, string>();
  const headersFor = (access: string): HeaderMap => {
    if (signed.access === access) return signed.headers;
    signed = { access, headers: headersWith(access, credential, given) };
    accessOf.set(signed.headers, access);
    return signed.headers;
  };
  return {
    ...rest,
    get secrets() {
      return grant.secrets();
    },
    sign(_request, now) {
      const access = grant.access(now);
      return typeof access === 'string' ? headersFor(access) : access.then(headersFor);
    },
    renew: (refused, now) => grant.renew(accessOf.get(refused) ?? '', now),
  };
}

/** The login of a program of this host: the program uses it itself, and ola never sees it. */
export function programCandidate(): Candidate {
  return { source: 'cli', profile: null, kind: 'none', rank: 0, expiresAt: null, secrets: [], sign: () => noHeaders };
}
const noHeaders: HeaderMap = {};

/** The headers of a request; without a credential where there is no secret. */
export function headersWith(secret: string | null, credential: Credential, given: StaticHeaders): HeaderMap {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(given.extra)) headers[name.toLowerCase()] = value;
  headers['content-type'] = 'application/json';
  // Decompression has no upper bound: ask for none (and the dialer does none).
  headers['accept-encoding'] = 'identity';
  headers['user-agent'] ??= given.userAgent;
  headers['via'] = given.via;
  if (secret === null) return headers;
  const form = given.forms.find((each) => hasForm(each, secret, credential, given.isStyleConfigured));
  for (const [name, value] of Object.entries(form?.headers ?? {})) headers[name] = joinedLists(headers[name], value);
  const { style } = form ?? given;
  if (style === 'bearer') headers['authorization'] = `Bearer ${secret}`;
  else headers[style] = secret;
  const account = given.account === null ? null : accountHeader(given.account, secret, credential.account);
  if (account !== null) headers[account[0]] ??= account[1];
  return headers;
}

function hasForm(form: SecretForm, secret: string, { source, kind }: Credential, isStyleConfigured: boolean): boolean {
  const { prefix, variables = [], kinds = [] } = form;
  if (prefix !== undefined) return secret.startsWith(prefix);
  if (isStyleConfigured) return false;
  return variables.some((name) => source === `env:${name}`) || kinds.some((each) => each === kind);
}
