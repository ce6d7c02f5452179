/**
 * Signature Version 4 of AWS (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html): the
 * secret key is never sent. Pure; the time is handed in.
 */
import { createHash, createHmac } from 'node:crypto';
import type { HeaderMap } from '../core/ports.ts';

/** Keys of AWS. */
export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Null: the keys are permanent ones. */
  readonly sessionToken: string | null;
}

/** The request as it is sent. */
export interface SignedRequest {
  readonly method: string;
  /** The `host` header. */
  readonly host: string;
  /** In percent-encoding, with the query behind a question mark. */
  readonly path: string;
  readonly body: string | Uint8Array;
}

/** What a signature is valid for. */
export interface SigningScope {
  readonly region: string;
  /** `bedrock`, `sts`. */
  readonly service: string;
}

const algorithm = 'AWS4-HMAC-SHA256';

/**
 * The headers that sign a request. Others may be added to it: they are not signed.
 * @param now milliseconds since 1970
 */
export function signatureHeaders(request: SignedRequest, keys: AwsKeys, scope: SigningScope, now: number): HeaderMap {
  const time = new Date(now).toISOString().replaceAll(/[:-]|\.\d{3}/g, '');
  const date = time.slice(0, 8);
  const { sessionToken } = keys;
  const signed: Readonly<Record<string, string>> = {
    host: request.host,
    'x-amz-date': time,
    ...(sessionToken === null ? {} : { 'x-amz-security-token': sessionToken }),
  };
  const names = Object.keys(signed).join(';');
  const credentialScope = `${date}/${scope.region}/${scope.service}/aws4_request`;
  const text = [algorithm, time, credentialScope, sha256(canonicalRequest(request, signed, names))].join('\n');
  const signature = hmac(signingKey(keys.secretAccessKey, date, scope), text).toString('hex');
  const { host: _, ...headers } = signed;
  return {
    ...headers,
    authorization: `${algorithm} Credential=${keys.accessKeyId}/${credentialScope}, SignedHeaders=${names}, Signature=${signature}`,
  };
}

function canonicalRequest(
  { method, path, body }: SignedRequest,
  signed: Readonly<Record<string, string>>,
  names: string,
): string {
  const at = path.indexOf('?');
  const [pathname, query] = at < 0 ? [path, ''] : [path.slice(0, at), path.slice(at + 1)];
  const lines = Object.entries(signed).map(([name, value]) => `${name}:${value.trim().replaceAll(/\s+/g, ' ')}`);
  // The path is encoded a second time, as for every service but S3.
  const encoded = pathname.split('/').map(encode).join('/');
  return [method, encoded === '' ? '/' : encoded, canonicalQuery(query), ...lines, '', names, sha256(body)].join('\n');
}

function canonicalQuery(query: string): string {
  if (query === '') return '';
  const pairs = query.split('&').map((pair) => {
    const [name = '', ...value] = pair.split('=');
    return [encode(decoded(name)), encode(decoded(value.join('=')))] as const;
  });
  const sorted = pairs.toSorted(([a, x], [b, y]) => compare(a, b) || compare(x, y));
  return sorted.map(([name, value]) => `${name}=${value}`).join('&');
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Percent-encoding of everything but letters, digits, `-`, `.`, `_` and `~` (RFC 3986, 2.3). */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`);
}

function signingKey(secret: string, date: string, { region, service }: SigningScope): Buffer {
  return [date, region, service, 'aws4_request'].reduce<Buffer>(hmac, Buffer.from(`AWS4${secret}`, 'utf8'));
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'utf8').digest();
}

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
