/** Reads the credentials of a request from its headers; never from the query, because URLs are logged. */

export interface Credentials {
  /** The values that were sent, each once. An empty header has none. */
  readonly values: ReadonlySet<string>;
  /** True when `Authorization` holds something that does not follow the word `Bearer`. */
  readonly withoutBearer: boolean;
}

/** Headers that carry a credential: one of HTTP, one of Anthropic's SDKs, one of Google's. */
export const credentialHeaders = ['authorization', 'x-api-key', 'x-goog-api-key'] as const;

/** The scheme in any case (RFC 9110, 11.1), and the value without spaces. */
const bearer = /^bearer +(\S+)$/i;
const bearerAlone = /^bearer$/i;

/** The value of an `Authorization: Bearer` header that no other header accompanies; else null. */
export function soleBearer(headers: Headers): string | null {
  const authorization = headers.get('authorization');
  if (authorization === null || headers.has('x-api-key') || headers.has('x-goog-api-key')) return null;
  return bearer.exec(authorization)?.[1] ?? null;
}

export function presentedCredentials(headers: Headers): Credentials {
  const values = new Set<string>();
  let withoutBearer = false;
  for (const name of credentialHeaders) {
    const header = headers.get(name);
    if (header === null) continue;
    // Several headers of one name arrive joined by a comma, which no token contains.
    for (const part of header.includes(',') ? header.split(',') : [header]) {
      const text = part.trim();
      if (text === '' || bearerAlone.test(text)) continue;
      const value = name === 'authorization' ? bearer.exec(text)?.[1] : text;
      if (value === undefined) withoutBearer = true;
      else values.add(value);
    }
  }
  return { values, withoutBearer };
}
