/** Base URLs as they are written: judged, and freed of endpoints that were pasted with them. Pure. */
import type { Catalog } from '../../catalog/lookup.ts';
import { hasSecretParameter, queryShape, splitQuery, withoutEndpoint } from '../../core/base-url.ts';
import type { ProviderConfig } from '../../core/document.ts';
import type { EgressReason } from '../../core/egress.ts';
import { OlaError } from '../../core/errors.ts';
import { isObject, type Json, type JsonObject } from '../../core/json.ts';
import type { Warning } from '../../core/schema.ts';
import { type Path, valueAt } from '../../core/secrets.ts';
import { doubledVersion, lacksUsualVersion } from '../routing/destinations.ts';
import { prefixIn, withPart } from './parts.ts';

/** The maps whose entries have a base URL. */
const sections: readonly Path[] = [['providers'], ['models', 'providers'], ['authProfiles']];

export interface CutDocument {
  readonly document: JsonObject;
  readonly warnings: readonly Warning[];
}

/**
 * The endpoint at the end of each base URL is cut off, because every call has its own behind the base URL.
 * @param document not checked yet
 * @param part the part that was sent: warnings name its fields as they stand in it
 */
export function cutEndpoints(document: JsonObject, part: Path): CutDocument {
  const warnings: Warning[] = [];
  let cut = document;
  for (const section of sections) {
    const map = valueAt(document, section);
    for (const [id, entry] of isObject(map) ? Object.entries(map) : []) {
      const given: unknown = isObject(entry) ? entry['baseUrl'] : undefined;
      const kept = typeof given === 'string' ? withoutEndpoint(given) : null;
      if (kept === null) continue;
      const reason = 'the endpoint at its end was cut off: ola puts the endpoint of each call behind it';
      warnings.push({ path: `${prefixIn(part, [...section, id])}baseUrl`, reason });
      cut = withPart(cut, [...section, id], { ...(entry as JsonObject), baseUrl: kept as Json });
    }
  }
  return { document: cut, warnings };
}

/**
 * User info and query may hold secrets, and a base URL is shown in clear. The refusal repeats nothing of the URL.
 * @throws OlaError `unsafe_destination`
 */
export function checkUrl(provider: string, value: string | undefined, param: string): void {
  if (value === undefined) return;
  const { query } = splitQuery(value);
  const user = hasUser(value);
  const wellFormed = !user && URL.canParse(value) && !value.includes('#') && queryShape.test(query);
  if (wellFormed && !hasSecretParameter(query)) return;
  const reason: EgressReason = user ? 'userinfo_forbidden' : 'malformed_url';
  const what = wellFormed
    ? 'its query has a parameter that looks like a secret. Send the secret as apiKey or in headers, which are kept encrypted'
    : `the URL ${user ? 'has a user name or password' : 'is not plain'}. Write a URL without user, password and fragment`;
  throw new OlaError('unsafe_destination', `'${param}' may not be used: ${what}. Nothing was saved.`, {
    param,
    details: { provider, reason, phase: 'write' },
  });
}

/** Also a user that the parser does not find: `//@host` has an empty one. */
function hasUser(url: string): boolean {
  const [authority = ''] = url.replace(/^[a-z0-9+.-]*:[/\\]*/i, '').split(/[/\\?#]/);
  return authority.includes('@');
}

/** A base URL without a version, which is a mistake more often than not. Some vendors have none, and protocols differ in where it stands. */
export function versionWarning(id: string, config: ProviderConfig, prefix: string, catalog: Catalog): Warning[] {
  const { baseUrl, api } = config;
  if (api !== undefined && !catalog.protocols.includes(api)) return [];
  if (baseUrl === undefined) return [];
  if (api !== undefined && doubledVersion(baseUrl, api, catalog) !== null) {
    return [
      { path: `${prefix}baseUrl`, reason: 'the version at its end is left out: each call of this protocol begins with it' },
    ];
  }
  if (!lacksUsualVersion(id, config, catalog)) return [];
  const { base, query } = splitQuery(baseUrl);
  const reason = `it names no version, and most servers have the API under /v1: did you mean ${base}/v1${query}?`;
  return [{ path: `${prefix}baseUrl`, reason }];
}
