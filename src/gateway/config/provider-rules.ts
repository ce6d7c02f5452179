/** What a schema cannot say of a configured provider or profile; shared by the write of one and of the whole document. */
import { X509Certificate } from 'node:crypto';
import type { ProviderConfig } from '../../core/document.ts';
import type { EgressReason } from '../../core/egress.ts';
import { OlaError } from '../../core/errors.ts';
import type { Warning } from '../../core/schema.ts';
import { parseReference } from '../../core/secret-references.ts';
import { redacted } from '../../core/secrets.ts';
import { builtProtocols } from '../routing/registry.ts';
import { headerValue } from '../routing/secret-origins.ts';

export const providerIdShape = /^[a-z0-9][a-z0-9._-]{0,63}$/;
/** Usually `provider:name`; before the first colon no slash, so that an id in a path is read in one way. */
export const profileIdShape = /^(?=.{1,128}$)[A-Za-z0-9._@+-]*(?::[A-Za-z0-9._@+:/-]*)?$/;
const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/;
/** What ola itself sets, and what would change how the request is framed or where it goes. */
const ownHeaders =
  /^(?:host|connection|content-length|content-type|transfer-encoding|te|trailer|upgrade|keep-alive|expect|accept-encoding|proxy-.*|__proto__)$/i;

/** Ways of signing that this version knows. */
const builtAuth = ['api-key', 'token'] as const;

/** @param path in front of each field's name in an error: `providers.acme.` */
export function checkProvider(id: string, provider: ProviderConfig, path: string): void {
  checkUrl(id, provider.baseUrl, `${path}baseUrl`);
  checkCredential(provider.apiKey, `${path}apiKey`);
  checkAuthorities(provider.ca, `${path}ca`);
  for (const [name, value] of Object.entries(provider.headers ?? {})) {
    const param = `${path}headers.${name}`;
    if (!headerName.test(name) || ownHeaders.test(name)) {
      throw new OlaError('invalid_field', `'${param}' is not a header that can be set.`, { param });
    }
    if (!isSendable(value)) {
      throw new OlaError('invalid_field', `'${param}' has a value that a header cannot carry.`, { param });
    }
  }
}

const certificate = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** One that cannot be read would leave the system's authorities in force, or refuse every call. */
function checkAuthorities(pem: string | undefined, param: string): void {
  if (pem === undefined) return;
  const certificates = pem.match(certificate) ?? [];
  const rest = pem.replace(certificate, '');
  if (certificates.length > 0 && !rest.includes('-----') && certificates.every(isCertificate)) return;
  const message = `'${param}' is to be the PEM text of one or more certificates, from BEGIN CERTIFICATE to END CERTIFICATE, and nothing else.`;
  throw new OlaError('invalid_field', message, { param });
}

function isCertificate(pem: string): boolean {
  try {
    new X509Certificate(pem);
    return true;
  } catch {
    return false;
  }
}

/** What a provider asks for that this version cannot do. */
export function notServed(provider: ProviderConfig, path: string): Warning[] {
  const missing: Warning[] = [];
  const { api, auth } = provider;
  const has = (list: readonly string[], name: string) => list.includes(name);
  if (api !== undefined && !has(builtProtocols, api)) {
    missing.push({
      path: `${path}api`,
      reason: `'api' ${api} is not served by this version; it has ${builtProtocols.join(', ')}`,
    });
  }
  if (auth !== undefined && !has(builtAuth, auth)) {
    missing.push({
      path: `${path}auth`,
      reason: `'auth' ${auth} is not served by this version; it has ${builtAuth.join(' and ')}`,
    });
  }
  return missing;
}

/** A secret that goes into a header. */
export function checkCredential(value: string | undefined, param: string): void {
  if (value === undefined || isSendable(value)) return;
  throw new OlaError('invalid_field', `'${param}' is empty or has characters that a header cannot carry.`, { param });
}

/** A placeholder stands for what was checked when it came, a reference for what is checked when it is used. */
function isSendable(value: string): boolean {
  return value === redacted || headerValue.test(value) || parseReference(value) !== null;
}

/** User info and query may hold secrets, and a base URL is shown in clear: of what is refused nothing is repeated. */
export function checkUrl(provider: string, value: string | undefined, param: string): void {
  if (value === undefined) return;
  const user = hasUser(value);
  if (!user && URL.canParse(value) && !/[?#]/.test(value)) return;
  const reason: EgressReason = user ? 'userinfo_forbidden' : 'malformed_url';
  throw new OlaError(
    'unsafe_destination',
    `'${param}' may not be used: ${reason}. Write a URL without user, password, query and fragment. Nothing was saved.`,
    { param, details: { provider, reason, phase: 'write' } },
  );
}

/** Also where the parser finds none: `//@host` has an empty one. */
function hasUser(url: string): boolean {
  const [authority = ''] = url.replace(/^[a-z0-9+.-]*:[/\\]*/i, '').split(/[/\\]/);
  return authority.includes('@');
}
