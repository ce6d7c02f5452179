/** Configured providers: listed, put, deleted. */
import type { Catalog } from '../../catalog/lookup.ts';
import { urlOf } from '../../core/base-url.ts';
import { OlaError } from '../../core/errors.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import type { Protocol } from '../../core/protocol.ts';
import type { Warning } from '../../core/schema.ts';
import { type Path, valueAt } from '../../core/secrets.ts';
import type { Requester } from '../records/audit.ts';
import { configuredProviders, endpointsOf } from '../routing/destinations.ts';
import type { ProcessProvider } from '../routing/registry.ts';
import type { Config } from './config.ts';
import type { CurrentConfig } from './in-force.ts';
import { partAt } from './parts.ts';
import { providerIdShape } from './provider-rules.ts';
import { showDocument } from './shown.ts';

export interface Providers {
  /** As configured, secrets redacted, each key's hint beside it. */
  list(): { readonly providers: JsonObject; readonly modelsProviders: JsonObject };
  put(id: string, body: Json, ifMatch: string | null, requester: Requester): Promise<WrittenProvider>;
  /** Switches a provider on or off, one of the catalog too. @throws OlaError `not_found` for one that is nowhere */
  enable(id: string, isEnabled: boolean, ifMatch: string | null, requester: Requester): Promise<WrittenProvider>;
  remove(id: string, ifMatch: string | null, requester: Requester): Promise<Pick<WrittenProvider, 'id' | 'etag'>>;
}

export interface WrittenProvider {
  /** Canonical. */
  readonly id: string;
  readonly etag: string;
  readonly warnings: readonly Warning[];
  /** The URL of a chat; null when it has none. */
  readonly effectiveUrl: string | null;
}

export interface ProvidersPorts {
  readonly config: Config;
  readonly catalog: Catalog;
  readonly protocols: readonly Protocol[];
  readonly processProviders: readonly ProcessProvider[];
}

export function createProviders({ config, catalog, protocols, processProviders }: ProvidersPorts): Providers {
  /** @throws OlaError `invalid_request`; `conflict` for a provider of this process */
  function configurableId(text: string): string {
    const id = catalog.canonicalId(text);
    const param = 'provider_id';
    if (!providerIdShape.test(id)) {
      const message = 'A provider id is 1 to 64 of a-z, 0-9, `.`, `_` and `-`, beginning with a letter or digit.';
      throw new OlaError('invalid_request', message, { param });
    }
    if (processProviders.some((provider) => provider.id === id)) {
      throw new OlaError('conflict', `'${id}' is a provider of this process (--demo) and cannot be configured.`, { param });
    }
    return id;
  }

  /** Where a chat with the provider goes now. */
  function chatUrl(id: string, { open }: CurrentConfig): string | null {
    const [endpoint] = endpointsOf(id, configuredProviders(open, catalog).get(id) ?? {}, catalog);
    const path = protocols.find((protocol) => protocol.id === endpoint?.protocol)?.chatPath ?? null;
    return endpoint === undefined || path === null ? null : urlOf(endpoint.baseUrl, path);
  }

  return {
    list() {
      const document = showDocument(config.snapshot());
      const mapAt = (path: Path) => (valueAt(document, path) ?? {}) as JsonObject;
      return { providers: mapAt(['providers']), modelsProviders: mapAt(['models', 'providers']) };
    },
    async put(givenId, body, ifMatch, requester) {
      const id = configurableId(givenId);
      const record = { action: 'provider.update', about: id, details: { provider: id } };
      const section = { path: ['providers', id], content: { kind: 'sent', value: body }, record } as const;
      const { snapshot, warnings } = await config.writeSection(section, ifMatch, requester);
      return { id, etag: snapshot.etag, warnings, effectiveUrl: chatUrl(id, snapshot) };
    },
    async enable(givenId, isEnabled, ifMatch, requester) {
      const id = configurableId(givenId);
      const content = ({ open }: CurrentConfig) => {
        if (catalog.anyProvider(id) === null && !configuredProviders(open, catalog).has(id)) throw notConfigured(id);
        return { kind: 'sent', value: isEnabled } as const;
      };
      const action = isEnabled ? 'provider.enable' : 'provider.disable';
      const record = { action, about: id, details: { provider: id } };
      const section = { path: ['providers', id, 'enabled'], content, record };
      const { snapshot, warnings } = await config.writeSection(section, ifMatch, requester);
      return { id, etag: snapshot.etag, warnings, effectiveUrl: chatUrl(id, snapshot) };
    },
    async remove(givenId, ifMatch, requester) {
      const id = configurableId(givenId);
      const path = ['providers', id];
      const content = ({ document }: { readonly document: JsonObject }) => {
        if (partAt(document, path) !== undefined) return { kind: 'removed' } as const;
        throw notConfigured(id);
      };
      const record = { action: 'provider.delete', about: id, details: { provider: id } };
      const { snapshot } = await config.writeSection({ path, content, record }, ifMatch, requester);
      return { id, etag: snapshot.etag };
    },
  };
}

function notConfigured(id: string): OlaError {
  return new OlaError('not_found', `Provider '${id}' is not configured; GET /config/providers lists those that are.`);
}
