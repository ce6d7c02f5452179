/** Configured providers: listed, put, deleted. */
import { type ProviderConfig, providerSchema } from '../core/config.ts';
import type { Egress } from '../core/egress.ts';
import { OlaError } from '../core/errors.ts';
import { isObject, type Json, type JsonObject } from '../core/json.ts';
import { foldNames } from '../core/names.ts';
import { compileCheck, unknownFields, type Warning } from '../core/schema.ts';
import { isSecretReference, mapSecrets, type Path, redacted, valueAt } from '../core/secrets.ts';
import type { Origin } from './audit.ts';
import type { Config, ConfigSnapshot } from './config.ts';
import { builtProtocols, destinationOf, originOf, type RegistryFacts } from './registry.ts';

export interface Providers {
  /** As configured, secrets redacted, each key's hint beside it. */
  list(): { readonly providers: JsonObject; readonly modelsProviders: JsonObject };
  put(
    id: string,
    body: Json,
    ifMatch: string | null,
    origin: Origin,
  ): Promise<{ readonly id: string; readonly etag: string; readonly warnings: readonly Warning[] }>;
  remove(id: string, ifMatch: string | null, origin: Origin): Promise<{ readonly id: string; readonly etag: string }>;
}

const idShape = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/;
/** Visible ASCII, space and tab inside (RFC 9110, 5.5). */
const headerValue = /^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/;
/** What ola itself sets, and what would change how the request is framed or where it goes. */
const ownHeaders =
  /^(?:host|connection|content-length|content-type|transfer-encoding|te|trailer|upgrade|keep-alive|expect|accept-encoding|proxy-.*)$/i;

export function createProviders(ports: {
  readonly config: Config;
  readonly egress: Egress;
  readonly facts: RegistryFacts;
}): Providers {
  const { config, egress, facts } = ports;
  const { catalog, processProviders } = facts;

  function canonical(text: string): string {
    const id = catalog.canonicalId(text);
    if (!idShape.test(id)) {
      throw new OlaError(
        'invalid_request',
        'A provider id is 1 to 64 of a-z, 0-9, `.`, `_` and `-`, beginning with a letter or digit.',
        {
          param: 'provider_id',
        },
      );
    }
    if (processProviders.some((provider) => provider.id === id)) {
      throw new OlaError('conflict', `'${id}' is a provider of this process (--demo) and cannot be configured.`, {
        param: 'provider_id',
      });
    }
    return id;
  }

  async function refuseUnsafe(id: string, next: ProviderConfig, snapshot: ConfigSnapshot): Promise<void> {
    const destination = destinationOf(id, next, facts, snapshot.open);
    if (destination === null) {
      throw new OlaError(
        'invalid_field',
        `'baseUrl' is missing: '${id}' is not in the catalog, so ola does not know where it is.`,
        {
          param: 'baseUrl',
        },
      );
    }
    const denial = await egress.check(destination);
    if (denial === null) return;
    const local = destination.allowLocal ? '' : ' If it is your own machine or network, send "allowLocal": true.';
    throw new OlaError('unsafe_destination', `'baseUrl' may not be used: ${denial.reason}.${local} Nothing was saved.`, {
      param: 'baseUrl',
      details: { ...denial },
    });
  }

  return {
    list() {
      const { document, secrets } = config.snapshot();
      const hints = (map: Json | undefined): JsonObject => {
        const shown: Record<string, Json> = {};
        for (const [id, stored] of Object.entries(isObject(map) ? (map as JsonObject) : {})) {
          const key = valueAt(stored, ['apiKey']);
          const hint = isSecretReference(key) ? secrets.get(key.$secret)?.hint : undefined;
          const view = mapSecrets((stored ?? {}) as JsonObject, providerSchema, () => redacted);
          shown[id] = hint === undefined ? view : { ...view, hint };
        }
        return shown;
      };
      return { providers: hints(document['providers']), modelsProviders: hints(valueAt(document, ['models', 'providers'])) };
    },
    async put(givenId, body, ifMatch, origin) {
      const id = canonical(givenId);
      const { wanted, cleared } = readBody(body);
      checkProvider(wanted);
      const snapshot = await config.change(origin, ifMatch, async (current) => {
        const stored = (valueAt(current.document, ['providers', id]) ?? {}) as JsonObject;
        const next = merge(stored, wanted, cleared);
        await refuseUnsafe(id, next as ProviderConfig, current);
        const to = originOf(destinationOf(id, next as ProviderConfig, facts, current.open)?.baseUrl ?? '');
        refuseStrayedSecrets(next, to, current);
        return {
          summary: `provider.update ${id}`,
          action: 'provider.update',
          details: { provider: id },
          document: {
            ...current.document,
            providers: { ...(current.document['providers'] as JsonObject | undefined), [id]: next },
          },
          originOf: () => to,
        };
      });
      return { id, etag: snapshot.etag, warnings: unknownFields(providerSchema, wanted) };
    },
    async remove(givenId, ifMatch, origin) {
      const id = canonical(givenId);
      const snapshot = await config.change(origin, ifMatch, async (current) => {
        const configured = (current.document['providers'] ?? {}) as JsonObject;
        if (!Object.hasOwn(configured, id))
          throw new OlaError('not_found', `Provider '${id}' is not configured; GET /config/providers lists those that are.`);
        const { [id]: _, ...rest } = configured;
        return {
          summary: `provider.delete ${id}`,
          action: 'provider.delete',
          details: { provider: id },
          document: { ...current.document, providers: rest },
          originOf: () => null,
        };
      });
      return { id, etag: snapshot.etag };
    },
  };
}

/** Field names folded, what is null taken out as a wish to delete, `hint` ignored. */
function readBody(body: Json): { readonly wanted: JsonObject; readonly cleared: readonly Path[] } {
  const folded = foldNames(body, providerSchema);
  if (!isObject(folded)) throw new OlaError('invalid_field', 'The body is to be a JSON object, the provider.');
  const cleared: Path[] = [];
  const wanted: Record<string, Json> = {};
  for (const [key, value] of Object.entries(folded as JsonObject)) {
    if (key === 'hint' || value === undefined) continue;
    if (value === null) cleared.push([key]);
    else if (key === 'headers' && isObject(value)) wanted[key] = withoutNulls(value as JsonObject, key, cleared);
    else Object.defineProperty(wanted, key, { value, enumerable: true, writable: true, configurable: true });
  }
  return { wanted, cleared };
}

function withoutNulls(map: JsonObject, parent: string, cleared: Path[]): JsonObject {
  const kept: Record<string, Json> = {};
  for (const [name, value] of Object.entries(map)) {
    if (value === null) cleared.push([parent, name]);
    else if (value !== undefined)
      Object.defineProperty(kept, name, { value, enumerable: true, writable: true, configurable: true });
  }
  return kept;
}

const fitsSchema = compileCheck(providerSchema);

/** What the schema cannot say. */
function checkProvider(wanted: JsonObject): void {
  fitsSchema(wanted);
  refuseReferences(wanted);
  const provider = wanted as ProviderConfig;
  if (provider.api !== undefined && !(builtProtocols as readonly string[]).includes(provider.api)) {
    const message = `'api' ${provider.api} is not served by this version; it has ${builtProtocols.join(', ')}.`;
    throw new OlaError('invalid_field', message, { param: 'api' });
  }
  if (provider.auth !== undefined && provider.auth !== 'api-key' && provider.auth !== 'token') {
    throw new OlaError('invalid_field', `'auth' ${provider.auth} is not served by this version; it has api-key and token.`, {
      param: 'auth',
    });
  }
  if (provider.apiKey !== undefined && provider.apiKey !== redacted && !headerValue.test(provider.apiKey)) {
    throw new OlaError('invalid_field', "'apiKey' is empty or has characters that a header cannot carry.", { param: 'apiKey' });
  }
  for (const [name, value] of Object.entries(provider.headers ?? {})) {
    const param = `headers.${name}`;
    if (!headerName.test(name) || ownHeaders.test(name)) {
      throw new OlaError('invalid_field', `'${param}' is not a header that can be set.`, { param });
    }
    if (value !== redacted && !headerValue.test(value)) {
      throw new OlaError('invalid_field', `'${param}' has a value that a header cannot carry.`, { param });
    }
  }
}

/** References are ola's own: one that is sent in could point at another provider's secret, or keep a new one in clear. */
function refuseReferences(wanted: JsonObject): void {
  mapSecrets(wanted, providerSchema, (value, path) => {
    if (!isSecretReference(value)) return value;
    const param = path.join('.');
    throw new OlaError('invalid_field', `'${param}' is a reference to a stored secret; send the value itself.`, { param });
  });
}

/**
 * PUT replaces, but an absent secret keeps the stored one, and so do unknown keys and `models`; a placeholder that is
 * sent back becomes the reference again.
 */
function merge(stored: JsonObject, wanted: JsonObject, cleared: readonly Path[]): JsonObject {
  const isCleared = (path: Path) => cleared.some((other) => other.every((key, index) => path[index] === key));
  const known = new Set(Object.keys(providerSchema.properties));
  const next: Record<string, Json> = {};
  for (const [key, value] of Object.entries(stored)) {
    const stays = !known.has(key) || key === 'models' || isSecretReference(value);
    if (value !== undefined && stays && !isCleared([key])) next[key] = value;
  }
  const headers: Record<string, Json> = {};
  for (const [name, value] of Object.entries((stored['headers'] ?? {}) as JsonObject)) {
    if (value !== undefined && !isCleared(['headers', name])) headers[name] = value;
  }
  const replaced = mapSecrets(wanted, providerSchema, (value, path) =>
    value === redacted ? (valueAt(stored, path) ?? value) : value,
  );
  const merged = { ...headers, ...(replaced['headers'] as JsonObject | undefined) };
  return { ...next, ...replaced, ...(Object.keys(merged).length === 0 ? {} : { headers: merged }) };
}

/** A secret that stays may not be sent to another origin than the one it was entered for. */
function refuseStrayedSecrets(next: JsonObject, to: string | null, current: ConfigSnapshot): void {
  mapSecrets(next, providerSchema, (value, path) => {
    if (!isSecretReference(value)) return value;
    const bound = current.secrets.get(value.$secret)?.origin ?? null;
    if (bound !== null && bound !== to) {
      const param = path.join('.');
      throw new OlaError(
        'secret_required',
        `'${param}' was entered for another address; send it again with the new baseUrl, or null to delete it.`,
        {
          param,
        },
      );
    }
    return value as unknown as Json;
  });
}
