/**
 * Application default credentials of Google (https://cloud.google.com/docs/authentication/application-default-credentials): the file of a
 * login or of a service account, and the request for an access token. Pure.
 */
import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { isObject, type Json } from '../core/json.ts';

export type GcpLogin =
  /** A login by `gcloud auth application-default login`. */
  | { readonly kind: 'user'; readonly clientId: string; readonly clientSecret: string; readonly refreshToken: string }
  | { readonly kind: 'serviceAccount'; readonly email: string; readonly key: KeyObject; readonly keyId: string | null }
  /** `why` is the end of a sentence that begins with the file. */
  | { readonly kind: 'none'; readonly why: string };

/** A token for any project of the login goes there alone. A file must not choose where a signed assertion goes. */
export const googleTokenUrl = 'https://oauth2.googleapis.com/token';
/** The scope of Vertex AI (https://cloud.google.com/vertex-ai/docs/authentication). */
const scope = 'https://www.googleapis.com/auth/cloud-platform';
/** Seconds. Google takes no longer life of an assertion (https://developers.google.com/identity/protocols/oauth2/service-account). */
const assertionLife = 3600;

/** Hosts of Vertex AI: of all regions, of one, of the multi-regions (https://cloud.google.com/vertex-ai/docs/reference/rest). */
const vertexOrigin = /^https:\/\/(?:(?:[a-z0-9-]+-)?aiplatform|aiplatform\.(?:us|eu)\.rep)\.googleapis\.com$/;

/** @param origin `https://host` */
export function isVertexOrigin(origin: string): boolean {
  return vertexOrigin.test(origin);
}

/** @param text of the file */
export function readGcpLogin(text: string): GcpLogin {
  const file = parsed(text);
  if (!isObject(file)) return none('is no JSON object');
  const field = (name: string) => filled(file[name]);
  const type = field('type');
  if (type === 'authorized_user') {
    const [clientId, clientSecret, refreshToken] = [field('client_id'), field('client_secret'), field('refresh_token')];
    if (clientId === null || clientSecret === null || refreshToken === null) {
      return none('has no client_id, client_secret or refresh_token');
    }
    return { kind: 'user', clientId, clientSecret, refreshToken };
  }
  if (type !== 'service_account') {
    return none('has a type that ola does not use: it uses authorized_user and service_account');
  }
  if (field('token_uri') !== googleTokenUrl) return none(`has another token_uri than ${googleTokenUrl}`);
  const [email, pem] = [field('client_email'), field('private_key')];
  if (email === null || pem === null) return none('has no client_email or private_key');
  const key = privateKey(pem);
  if (key === null) return none('has a private_key that is no RSA key');
  return { kind: 'serviceAccount', email, key, keyId: field('private_key_id') };
}

/**
 * The form that asks for an access token: of a refresh token (RFC 6749, 6) or of a signed assertion (RFC 7523, 2.1).
 * @param now milliseconds since 1970
 */
export function gcpTokenForm(login: Exclude<GcpLogin, { kind: 'none' }>, now: number): string {
  const fields =
    login.kind === 'user'
      ? {
          grant_type: 'refresh_token',
          client_id: login.clientId,
          client_secret: login.clientSecret,
          refresh_token: login.refreshToken,
        }
      : { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: assertion(login, now) };
  return new URLSearchParams(fields).toString();
}

function assertion({ email, key, keyId }: Extract<GcpLogin, { kind: 'serviceAccount' }>, now: number): string {
  const issuedAt = Math.floor(now / 1000);
  const header = { alg: 'RS256', typ: 'JWT', ...(keyId === null ? {} : { kid: keyId }) };
  const claims = { iss: email, scope, aud: googleTokenUrl, iat: issuedAt, exp: issuedAt + assertionLife };
  const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
}

/** @returns null for a text that is no private RSA key */
function privateKey(pem: string): KeyObject | null {
  try {
    const key = createPrivateKey(pem);
    return key.asymmetricKeyType === 'rsa' ? key : null;
  } catch {
    return null;
  }
}

function none(why: string): GcpLogin {
  return { kind: 'none', why };
}

function filled(value: unknown): string | null {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : null;
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
