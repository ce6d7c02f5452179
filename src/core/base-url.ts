/**
 * Base URLs of providers: the part that is dialled, the query that goes behind the path of each call, and the mistakes that
 * people make in them. Pure.
 */

export interface SplitUrl {
  /** Without query, and without a slash at its end. */
  readonly base: string;
  /** From the `?` on; empty when there is none, or nothing behind the `?`. */
  readonly query: string;
}

/** The query begins at the first `?` (RFC 3986, 3.4). */
export function splitQuery(baseUrl: string): SplitUrl {
  const [base = ''] = baseUrl.split('?', 1);
  const query = baseUrl.slice(base.length);
  return { base: base.replace(/\/+$/, ''), query: query.length > 1 ? query : '' };
}

/** The characters that a query may have (RFC 3986, 3.4), with its `?`. */
export const queryShape = /^(?:\?[\w\-.~!$&'()*+,;=:@/?%]+)?$/;

/** @param path of a call, which may have a query of its own */
export function withQuery(path: string, query: string): string {
  if (query === '') return path;
  return path.includes('?') ? `${path}&${query.slice(1)}` : path + query;
}

/** The URL of a call, for people. */
export function urlOf(baseUrl: string, path: string): string {
  const { base, query } = splitQuery(baseUrl);
  return base + withQuery(path, query);
}

/** Names in which a secret is usual, whole or as a part of the name: `api_key`, `X-Amz-Signature`. */
const secretPart = /key|token|secret|passw|signature|credential|auth|session|cookie|jwt/i;
/** The same as words of their own: a region may have `code` inside of a longer word. */
const secretWord = /(?:^|[^a-z])(?:sig|code|pwd|pass|pat|sas)(?:$|[^a-z])/i;
/** Prefixes of known keys, a JSON Web Token, and random letters and digits in one run. */
const keyForm = /^(?:sk-|ola_|tok-|gh[a-z]_|github_|gsk_|xai-|hf_|AIza|eyJ|Bearer\b)|(?=[a-z]*\d)(?=\d*[a-z])[a-z\d]{20,}/i;

/** Whether a parameter of a query is named like a secret, or has the form of one. A base URL is shown in clear, and is in logs of servers. */
export function hasSecretParameter(query: string): boolean {
  return query
    .slice(1)
    .split(/[&;]/)
    .some((parameter) => {
      const words = parameter.split('=').map(decoded);
      const [name = ''] = words;
      return secretPart.test(name) || secretWord.test(name) || words.some((word) => keyForm.test(word));
    });
}

/** A text that cannot be decoded stays as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * Endpoints that people paste with the base URL. `/models` is one behind a version only: it is also the whole path of a base URL
 * of Azure (`https://NAME.services.ai.azure.com/models`).
 */
const endpointEnd =
  /(?<=[^/])(?:\/chat\/completions|\/completions|\/embeddings|\/responses|\/messages|(?<=\/v\d[a-z\d]*)\/models)$/i;

/** @returns the base URL without the endpoint at the end of its path; null when there is none */
export function withoutEndpoint(baseUrl: string): string | null {
  const { base, query } = splitQuery(baseUrl);
  const cut = base.replace(endpointEnd, '');
  return cut === base ? null : cut + query;
}

/** @returns the base URL without the version at the end of its path, `/v1`; null when there is none */
export function withoutVersion(baseUrl: string): string | null {
  const { base, query } = splitQuery(baseUrl);
  const cut = base.replace(/(?<=[^/])\/v1$/i, '');
  return cut === base ? null : cut + query;
}

/** Whether neither path nor query name a version of the API. */
export function lacksVersion(baseUrl: string): boolean {
  const { base, query } = splitQuery(baseUrl);
  const path = base.replace(/^[a-z\d+.-]+:\/\/[^/]*/i, '');
  return !/\/v\d[a-z\d.]*(?:\/|$)/i.test(path) && !/version=/i.test(query);
}
