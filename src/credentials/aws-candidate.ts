/** A credential of AWS as it signs requests: each request has a signature of its own. */
import { withQuery } from '../core/base-url.ts';
import type { Destination } from '../core/egress.ts';
import type { HeaderMap } from '../core/ports.ts';
import { type AwsKeys, signatureHeaders } from './aws-signature.ts';
import type { AwsWish } from './aws-source.ts';
import { type Candidate, headersWith, type StaticHeaders } from './candidates.ts';
import type { Credential } from './resolve.ts';

/** The keys of one source, kept fresh. */
export interface AwsKeyring {
  /**
   * At once where they are there and last.
   * @param now milliseconds since 1970
   * @throws OlaError `upstream_unreachable` when there are none: nothing was sent
   */
  keys(now: number): AwsKeys | Promise<AwsKeys>;
  /** Asks the source again for keys that the upstream refuses. @returns true when there are others now */
  renew(refused: AwsKeys, now: number): Promise<boolean>;
  /** What must never be shown. */
  secrets(): readonly string[];
}

/** The keyrings of all sources: the same one for the same wish. */
export interface AwsKeyrings {
  open(wish: AwsWish): AwsKeyring;
}

/** The service that Bedrock's signatures name, whatever its host is called. */
const service = 'bedrock';
/** A label of an AWS host that is a region. */
const regionLabel = /(?:^|\.)([a-z]{2}(?:-[a-z]+)+-\d{1,2})\./;

/** @param region for a host that names none */
export function awsCandidate(
  credential: Credential,
  given: StaticHeaders,
  { destination, region }: { readonly destination: Destination; readonly region: string },
  ring: AwsKeyring,
): Candidate {
  const { secret: _, renewable: __, aws: ___, account: ____, gcp: _____, ...rest } = credential;
  const base = headersWith(null, credential, given);
  const { host, hostname, pathname } = new URL(destination.baseUrl);
  const scope = { service, region: regionLabel.exec(hostname)?.[1] ?? region };
  const root = pathname.replace(/\/+$/, '');
  const query = destination.query ?? '';
  const keysOf = new WeakMap<HeaderMap, AwsKeys>();
  return {
    ...rest,
    get secrets() {
      return ring.secrets();
    },
    sign({ method, path, body }, now) {
      const signed = (keys: AwsKeys): HeaderMap => {
        const whole = withQuery(root + path, query);
        const headers = { ...base, ...signatureHeaders({ method, host, path: whole, body }, keys, scope, now) };
        keysOf.set(headers, keys);
        return headers;
      };
      const keys = ring.keys(now);
      return keys instanceof Promise ? keys.then(signed) : signed(keys);
    },
    async renew(refused, now) {
      const keys = keysOf.get(refused);
      return keys !== undefined && (await ring.renew(keys, now));
    },
  };
}
