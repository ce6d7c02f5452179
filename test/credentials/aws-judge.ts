/** Signatures as AWS's own package makes them, for requests as they were sent. */
import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import type { AwsKeys, SignedRequest, SigningScope } from '../../src/credentials/aws-signature.ts';

/** SHA-256 in the form that the package asks for: with a key it is an HMAC. */
class Sha256 {
  private hash;

  constructor(key?: unknown) {
    this.hash = key === undefined ? createHash('sha256') : createHmac('sha256', key as Uint8Array);
  }

  update(bytes: Uint8Array | string): void {
    this.hash.update(bytes);
  }

  async digest(): Promise<Uint8Array> {
    return new Uint8Array(this.hash.digest());
  }

  reset(): void {
    this.hash = createHash('sha256');
  }
}

/** @returns the headers that sign the request, by lower-case name, without `host` */
export async function signedByAws(
  { method, host, path, body }: SignedRequest,
  { accessKeyId, secretAccessKey, sessionToken }: AwsKeys,
  { region, service }: SigningScope,
  now: number,
): Promise<Record<string, string>> {
  const signer = new SignatureV4({
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken === null ? {} : { sessionToken }) },
    region,
    service,
    sha256: Sha256 as never,
    applyChecksum: false,
  });
  const at = path.indexOf('?');
  const query = new Map<string, string[]>();
  for (const pair of at < 0 ? [] : path.slice(at + 1).split('&')) {
    const [name = '', value = ''] = pair.split('=').map(decodeURIComponent);
    query.set(name, [...(query.get(name) ?? []), value]);
  }
  const request = {
    method,
    protocol: 'https:',
    hostname: host,
    path: at < 0 ? path : path.slice(0, at),
    query: Object.fromEntries(query),
    headers: { host },
    body,
  };
  const signed = (await signer.sign(request as never, { signingDate: new Date(now) })) as unknown as {
    readonly headers: Readonly<Record<string, string>>;
  };
  const { host: _, ...rest } = Object.fromEntries(
    Object.entries(signed.headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  return rest;
}
