/** The providers that are configured here or usable, each with its address, its keys and its state. Pure, without secrets. */
import type { Catalog } from '../../catalog/lookup.ts';
import type { JsonObject } from '../../core/json.ts';
import type { ProviderState } from '../../core/providers.ts';
import { configuredProviders, endpointsOf } from '../routing/destinations.ts';
import { providerStates } from '../routing/provider-states.ts';
import type { Registry } from '../routing/registry.ts';
import type { CurrentConfig } from './in-force.ts';
import { showDocument } from './shown.ts';

export interface ConfiguredProviderView extends ProviderState {
  /** Null: its address is not known. */
  readonly baseUrl: string | null;
  /** The wire protocol. */
  readonly api: string | null;
  readonly auth: string;
  /** It is in the catalog. */
  readonly isBuiltin: boolean;
  /** As it is configured, secrets redacted. */
  readonly customConfig?: JsonObject;
  readonly authProfileCount: number;
}

export function configuredProviderViews(registry: Registry, snapshot: CurrentConfig, catalog: Catalog): ConfiguredProviderView[] {
  const counts = new Map<string, number>();
  for (const { provider } of Object.values(snapshot.open.authProfiles ?? {})) {
    const id = catalog.canonicalId(provider);
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  const shown = configuredProviders(showDocument(snapshot), catalog);
  return providerStates(registry).map((state): ConfiguredProviderView => {
    const { id } = state;
    const config = shown.get(id);
    const [active] = registry.active.get(id)?.endpoints ?? [];
    const [known] = endpointsOf(id, config ?? {}, catalog);
    return {
      ...state,
      baseUrl: active?.destination.baseUrl ?? known?.baseUrl ?? null,
      api: active?.protocol ?? known?.protocol ?? null,
      auth: config?.auth ?? 'api-key',
      isBuiltin: catalog.anyProvider(id) !== null,
      ...(config === undefined ? {} : { customConfig: config as JsonObject }),
      authProfileCount: counts.get(id) ?? 0,
    };
  });
}
