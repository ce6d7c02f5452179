/** Answers with AWS credentials, in the forms of their sources. Pure. */
import { createHash } from 'node:crypto';
import { isObject } from '../core/json.ts';
import type { AwsKeys } from './aws-signature.ts';
import type { AwsRole, SsoLogin } from './aws-source.ts';

/** Keys with their end. */
export interface LentKeys {
  readonly keys: AwsKeys;
  /** Milliseconds since 1970; null: not known. */
  readonly expiresAt: number | null;
}

/** The form with which STS is asked for the keys of a role. @param token of a web identity; null: the request is signed */
export function roleForm({ arn, session, externalId, seconds }: AwsRole, token: string | null): string {
  return new URLSearchParams({
    Action: token === null ? 'AssumeRole' : 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: arn,
    RoleSessionName: session,
    ...(token === null ? {} : { WebIdentityToken: token }),
    ...(externalId === null ? {} : { ExternalId: externalId }),
    ...(seconds === null ? {} : { DurationSeconds: String(seconds) }),
  }).toString();
}

/** The file of `aws sso login` with the token of a login, below `~/.aws/sso/cache`. */
export function ssoCacheName({ cachedAs }: SsoLogin): string {
  return `${createHash('sha1').update(cachedAs).digest('hex')}.json`;
}

/** @returns the access token of a login; null when there is none, or it has ended. @param now milliseconds since 1970 */
export function ssoToken(text: string, now: number): string | null {
  const value = parsed(text);
  if (!isObject(value) || typeof value['accessToken'] !== 'string') return null;
  const end = momentOf(value['expiresAt']);
  return end !== null && end <= now ? null : value['accessToken'];
}

/** STS answers in XML. @returns null for what has no keys */
export function keysOfSts(xml: string): LentKeys | null {
  const text = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1]?.trim();
  return lent({
    id: text('AccessKeyId'),
    secret: text('SecretAccessKey'),
    token: text('SessionToken'),
    expiration: text('Expiration'),
  });
}

/** The code of an error of STS: `ExpiredTokenException`. */
export function codeOfSts(xml: string): string | null {
  return /<Code>([A-Za-z]{1,60})<\/Code>/.exec(xml)?.[1] ?? null;
}

export function keysOfSso(json: string): LentKeys | null {
  const value = parsed(json);
  const found: unknown = isObject(value) ? value['roleCredentials'] : null;
  if (!isObject(found)) return null;
  const { accessKeyId: id, secretAccessKey: secret, sessionToken: token, expiration } = found;
  return lent({ id, secret, token, expiration });
}

/** A program of the AWS files (`SessionToken`), a container and an instance (`Token`). */
export function keysOfJson(json: string): LentKeys | null {
  const value = parsed(json);
  if (!isObject(value)) return null;
  const { AccessKeyId: id, SecretAccessKey: secret, SessionToken, Token, Expiration: expiration } = value;
  return lent({ id, secret, token: SessionToken ?? Token, expiration });
}

interface Told {
  readonly id: unknown;
  readonly secret: unknown;
  readonly token: unknown;
  readonly expiration: unknown;
}

/** What a header can carry. */
const visible = /^[\x21-\x7e]+$/;

function lent({ id, secret, token, expiration }: Told): LentKeys | null {
  const isText = (value: unknown): value is string => typeof value === 'string' && visible.test(value);
  if (!isText(id) || !isText(secret)) return null;
  return {
    keys: { accessKeyId: id, secretAccessKey: secret, sessionToken: isText(token) ? token : null },
    expiresAt: momentOf(expiration),
  };
}

/** Milliseconds, or a date of ISO 8601; null for what is neither. */
function momentOf(value: unknown): number | null {
  const moment =
    typeof value === 'number' ? value : typeof value === 'string' ? Date.parse(value.replace(/UTC$/, 'Z')) : Number.NaN;
  return Number.isFinite(moment) && moment > 0 ? moment : null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
