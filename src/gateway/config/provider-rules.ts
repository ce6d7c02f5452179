/** Rules of a configured provider or profile that a schema cannot say. Pure. */
import { X509Certificate } from 'node:crypto';
import type { Catalog } from '../../catalog/lookup.ts';
import type { ConfigDocument, ProfileConfig, ProviderConfig } from '../../core/document.ts';
import { OlaError } from '../../core/errors.ts';
import type { CatalogModel } from '../../core/providers.ts';
import type { Warning } from '../../core/schema.ts';
import { parseReference } from '../../core/secret-references.ts';
import { type Path, redacted } from '../../core/secrets.ts';
import { holdsToken } from '../../core/tokens.ts';
import { listedModels, priceOver } from '../routing/configured-models.ts';
import { headerValue } from '../routing/secret-origins.ts';
import { checkUrl, versionWarning } from './base-urls.ts';
import { prefixIn } from './parts.ts';

export const providerIdShape = /^[a-z0-9][a-z0-9._-]{0,63}$/;
/** Usually `provider:name`. No slash stands before the first colon, so that an id in a path is read in one way. */
export const profileIdShape = /^(?=.{1,128}$)[A-Za-z0-9._@+-]*(?::[A-Za-z0-9._@+:/-]*)?$/;
const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/;
/** Headers that ola sets itself, and headers that change how a request is framed or where it goes. */
const ownHeaders =
  /^(?:host|connection|content-length|content-type|transfer-encoding|te|trailer|upgrade|keep-alive|expect|accept-encoding|proxy-.*|__proto__)$/i;

/** Ways of signing that this version knows. */
const builtAuth = ['api-key', 'token', 'aws-sdk'] as const;

/**
 * @param document with the entries to be checked, before placeholders are resolved
 * @param part the part that was sent: errors name its fields as they stand in it
 * @param catalog knows the protocols
 * @returns what this version cannot serve, and keeps
 * @throws OlaError `invalid_field`, `unsafe_destination`
 */
export function checkEntries(document: ConfigDocument, part: Path, catalog: Catalog): Warning[] {
  const warnings: Warning[] = [];
  const check = (map: Readonly<Record<string, ProviderConfig>> | undefined, section: Path) => {
    for (const [id, config] of Object.entries(map ?? {})) {
      const prefix = prefixIn(part, [...section, id]);
      checkProvider(id, config, prefix);
      checkProtocols(config, prefix, catalog);
      warnings.push(...notServed(config, prefix, catalog), ...versionWarning(id, config, prefix, catalog));
      warnings.push(...halfPriced(config, prefix, listedModels(catalog.canonicalId(id), document, catalog)));
    }
  };
  check(document.providers, ['providers']);
  check(document.models?.providers, ['models', 'providers']);
  for (const [id, profile] of Object.entries(document.authProfiles ?? {})) {
    checkProfile(id, profile, part);
    warnings.push(...notUsed(profile, prefixIn(part, ['authProfiles', id])));
  }
  checkCredential(document.serverToken, 'serverToken');
  return warnings;
}

/**
 * A provider that is written alone is meant to be used: it is refused when this version cannot serve it or when its address is
 * not known. A whole document keeps such a provider, and says so.
 * @throws OlaError `invalid_field`
 */
export function refuseUnusable(id: string, provider: ProviderConfig, catalog: Catalog): void {
  const [missing] = notServed(provider, '', catalog);
  if (missing !== undefined) throw new OlaError('invalid_field', `${missing.reason}.`, { param: missing.path });
  if (provider.baseUrl !== undefined || catalog.provider(id) !== null) return;
  const own = catalog.addressedByUser(id);
  const why =
    own === null
      ? `'${id}' is not in the catalog, so ola does not know where it is`
      : `the address of ${own.name} has a part of your own, as in ${own.endpoints[0].baseUrl}`;
  const message = `'baseUrl' is missing: ${why}.`;
  throw new OlaError('invalid_field', message, { param: 'baseUrl' });
}

/** @param prefix in front of each field's name in an error: `providers.acme.` */
function checkProvider(id: string, provider: ProviderConfig, prefix: string): void {
  checkUrl(id, provider.baseUrl, `${prefix}baseUrl`);
  checkCredential(provider.apiKey, `${prefix}apiKey`);
  refuseOwnToken(provider.apiKey, `${prefix}apiKey`);
  checkAuthorities(provider.ca, `${prefix}ca`);
  for (const [name, value] of Object.entries(provider.headers ?? {})) {
    const param = `${prefix}headers.${name}`;
    if (!headerName.test(name) || ownHeaders.test(name)) {
      throw new OlaError('invalid_field', `'${param}' is not a header that can be set.`, { param });
    }
    if (!isSendable(value)) {
      throw new OlaError('invalid_field', `'${param}' has a value that a header cannot carry.`, { param });
    }
    refuseOwnToken(value, param);
  }
}

function checkProfile(id: string, profile: ProfileConfig, part: Path): void {
  if (!profileIdShape.test(id)) {
    const param = `authProfiles.${id}`;
    const message = `'${param}' is no profile id: use 1 to 128 of A-Z, a-z, 0-9 and \`._@+:/-\`, \`/\` only after a \`:\`.`;
    throw new OlaError('invalid_field', message, { param });
  }
  const prefix = prefixIn(part, ['authProfiles', id]);
  checkUrl(profile.provider, profile.baseUrl, `${prefix}baseUrl`);
  for (const field of ['key', 'token', 'access'] as const) {
    checkCredential(profile[field], `${prefix}${field}`);
    refuseOwnToken(profile[field], `${prefix}${field}`);
  }
}

/** Types of profiles that this version uses. */
const builtTypes: readonly string[] = ['api_key', 'token', 'oauth', 'aws-sdk', 'gcp'];

/** A part of a profile has no type. */
function notUsed({ type }: Partial<ProfileConfig>, prefix: string): Warning[] {
  if (type === undefined || builtTypes.includes(type)) return [];
  const reason = `'type' ${type} is kept and not used by this version; it uses ${builtTypes.join(', ')}`;
  return [{ path: `${prefix}type`, reason }];
}

const certificate = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** A text that cannot be read would leave the system's authorities in force, or refuse every call. */
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

/** The fields of a provider that ask for something this version cannot do. */
function notServed({ api, auth }: ProviderConfig, prefix: string, { protocols }: Catalog): Warning[] {
  const missing: Warning[] = [];
  const has = (list: readonly string[], name: string) => list.includes(name);
  if (api !== undefined && !has(protocols, api)) {
    const reason = `'api' ${api} is not served by this version; it has ${protocols.join(', ')}`;
    missing.push({ path: `${prefix}api`, reason });
  }
  if (auth !== undefined && !has(builtAuth, auth)) {
    const reason = `'auth' ${auth} is not served by this version; it has ${builtAuth.join(', ')}`;
    missing.push({ path: `${prefix}auth`, reason });
  }
  return missing;
}

/** A price needs both halves. A model with one of them, and none in the catalog, is at an unknown price. */
function halfPriced({ models = [] }: ProviderConfig, prefix: string, listed: readonly CatalogModel[]): Warning[] {
  return models.flatMap(({ id, cost }, index) => {
    if (cost === undefined || priceOver(listed.find((model) => model.id === id)?.price, cost) !== null) return [];
    const reason = `the catalog has no price of '${id}', so 'input' and 'output' are both needed; its price is unknown until then`;
    return [{ path: `${prefix}models.${index}.cost`, reason }];
  });
}

/** A protocol that no version has is a typing error, of the provider and of each of its models. */
function checkProtocols({ api, models = [] }: ProviderConfig, prefix: string, catalog: Catalog): void {
  checkProtocol(api, `${prefix}api`, catalog);
  for (const [index, model] of models.entries()) checkProtocol(model.api ?? undefined, `${prefix}models.${index}.api`, catalog);
}

function checkProtocol(api: string | undefined, param: string, { knownProtocols }: Catalog): void {
  if (api === undefined || knownProtocols.includes(api)) return;
  const message = `'${param}' does not fit: expected one of ${knownProtocols.join(', ')}.`;
  throw new OlaError('invalid_field', message, { param });
}

/** A credential goes into a header. */
function checkCredential(value: unknown, param: string): void {
  if (typeof value !== 'string' || isSendable(value)) return;
  throw new OlaError('invalid_field', `'${param}' is empty or has characters that a header cannot carry.`, { param });
}

/** With an access token of ola the provider could call ola. */
function refuseOwnToken(value: unknown, param: string): void {
  if (typeof value !== 'string' || !holdsToken(value)) return;
  const message = `'${param}' is an access token of ola (it begins with ola_), and ola never sends one to a provider. Send the provider's own key.`;
  throw new OlaError('invalid_field', message, { param });
}

/** A placeholder stands for a secret that was checked when it came, a reference for one that is checked when it is used. */
function isSendable(value: string): boolean {
  return value === redacted || headerValue.test(value) || parseReference(value) !== null;
}
