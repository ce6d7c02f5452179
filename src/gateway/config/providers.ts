/** Configured providers: listed, put, deleted. */
import { type ProviderConfig, providerSchema } from '../../core/document.ts';
import type { Egress } from '../../core/egress.ts';
import { OlaError } from '../../core/errors.ts';
import { foldNames } from '../../core/field-names.ts';
import { isObject, type Json, type JsonObject } from '../../core/json.ts';
import { compileCheck, unknownFields, type Warning } from '../../core/schema.ts';
import { isSecretReference, mapSecrets, type Path, valueAt } from '../../core/secrets.ts';
import type { Requester } from '../records/audit.ts';
import { destinationOf } from '../routing/destinations.ts';
import type { RegistryInputs } from '../routing/registry.ts';
import type { Config, CurrentConfig } from './config.ts';
import { showDocument } from './documents.ts';
import { refuseUnwieldy } from './normal-form.ts';
import { resolvePlaceholders } from './placeholders.ts';
import { checkProvider, notServed, providerIdShape } from './provider-rules.ts';
import { originOfSecrets, type ReadContext, strayed } from './read-document.ts';

export interface Providers {
  /** As configured, secrets redacted, each key's hint beside it. */
  list(): { readonly providers: JsonObject; readonly modelsProviders: JsonObject };
  put(
    id: string,
    body: Json,
    ifMatch: string | null,
    requester: Requester,
  ): Promise<{ readonly id: string; readonly etag: string; readonly warnings: readonly Warning[] }>;
  remove(id: string, ifMatch: string | null, requester: Requester): Promise<{ readonly id: string; readonly etag: string }>;
}

export function createProviders(ports: {
  readonly config: Config;
  readonly egress: Egress;
  readonly facts: RegistryInputs & ReadContext;
}): Providers {
  const { config, egress, facts } = ports;
  const { catalog, processProviders } = facts;

  function canonical(text: string): string {
    const id = catalog.canonicalId(text);
    if (!providerIdShape.test(id)) {
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

  async function refuseUnsafe(id: string, next: ProviderConfig, snapshot: CurrentConfig): Promise<void> {
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
      const document = showDocument(config.snapshot());
      const mapAt = (path: Path) => (valueAt(document, path) ?? {}) as JsonObject;
      return { providers: mapAt(['providers']), modelsProviders: mapAt(['models', 'providers']) };
    },
    async put(givenId, body, ifMatch, requester) {
      const id = canonical(givenId);
      const { wanted, cleared } = readBody(body);
      checkWanted(id, wanted);
      const snapshot = await config.change(requester, ifMatch, async (current) => {
        const stored = storedProvider(current.document, id) ?? {};
        const { environment } = facts;
        const placeholders = {
          schema: providerSchema,
          stored,
          facts: { mode: 'database', environment },
          path: ['providers', id],
        } as const;
        const next = merge(stored, resolvePlaceholders(wanted, placeholders), cleared);
        await refuseUnsafe(id, next as ProviderConfig, current);
        const document = withProvider(current.document, id, next);
        const originOf = originOfSecrets(document, facts);
        refuseStrayed(next, originOf(['providers', id]), current);
        return {
          summary: `provider.update ${id}`,
          action: 'provider.update',
          details: { provider: id },
          document,
          originOf,
        };
      });
      return { id, etag: snapshot.etag, warnings: unknownFields(providerSchema, wanted) };
    },
    async remove(givenId, ifMatch, requester) {
      const id = canonical(givenId);
      const snapshot = await config.change(requester, ifMatch, async (current) => {
        if (storedProvider(current.document, id) === null)
          throw new OlaError('not_found', `Provider '${id}' is not configured; GET /config/providers lists those that are.`);
        return {
          summary: `provider.delete ${id}`,
          action: 'provider.delete',
          details: { provider: id },
          document: withProvider(current.document, id, null),
          originOf: () => null,
        };
      });
      return { id, etag: snapshot.etag };
    },
  };
}

/** The provider as it is in force, `models.providers` over `providers`; null when neither has it. */
function storedProvider(document: JsonObject, id: string): JsonObject | null {
  const found = [valueAt(document, ['providers', id]), valueAt(document, ['models', 'providers', id])].filter(isObject);
  return found.length === 0 ? null : (Object.assign({}, ...found) as JsonObject);
}

/**
 * The document with a provider under `providers` alone: one that stayed under `models.providers` would go on in its place.
 * @param provider null: without it
 */
function withProvider(document: JsonObject, id: string, provider: JsonObject | null): JsonObject {
  const { [id]: _, ...others } = (document['providers'] ?? {}) as JsonObject;
  const providers = provider === null ? others : { ...others, [id]: provider };
  const models = document['models'];
  if (valueAt(document, ['models', 'providers', id]) === undefined || !isObject(models)) return { ...document, providers };
  const { [id]: moved, ...rest } = models['providers'] as JsonObject;
  return { ...document, providers, models: { ...(models as JsonObject), providers: rest } };
}

/** Field names folded, what is null taken out as a wish to delete, `hint` ignored. */
function readBody(body: Json): { readonly wanted: JsonObject; readonly cleared: readonly Path[] } {
  refuseUnwieldy(body);
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

/** What the schema cannot say; one provider alone is refused when this version cannot serve it. */
function checkWanted(id: string, wanted: JsonObject): void {
  fitsSchema(wanted);
  const [missing] = notServed(wanted as ProviderConfig, '');
  if (missing !== undefined) throw new OlaError('invalid_field', `${missing.reason}.`, { param: missing.path });
  checkProvider(id, wanted as ProviderConfig, '');
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
    const stays = !known.has(key) || key === 'models' || key === 'apiKey';
    if (value !== undefined && stays && !isCleared([key])) next[key] = value;
  }
  const headers: Record<string, Json> = {};
  for (const [name, value] of Object.entries((stored['headers'] ?? {}) as JsonObject)) {
    if (value !== undefined && !isCleared(['headers', name])) headers[name] = value;
  }
  const merged = { ...headers, ...(wanted['headers'] as JsonObject | undefined) };
  return { ...next, ...wanted, ...(Object.keys(merged).length === 0 ? {} : { headers: merged }) };
}

/** A secret that stays may not be sent to another origin than the one it was entered for. */
function refuseStrayed(next: JsonObject, to: string | null, current: CurrentConfig): void {
  mapSecrets(next, providerSchema, (value, path) => {
    if (!isSecretReference(value)) return value;
    const bound = current.secrets.get(value.$secret)?.origin ?? null;
    if (bound !== null && bound !== to) throw strayed(path);
    return value as unknown as Json;
  });
}
