/** The models of a provider: the catalog's rows, with what the configuration says over them. Pure. */
import type { Catalog } from '../../catalog/lookup.ts';
import type { ConfigDocument, ProviderConfig } from '../../core/document.ts';
import type { CatalogModel, ModelPrice } from '../../core/providers.ts';

type ConfiguredModel = NonNullable<ProviderConfig['models']>[number];

/** The catalog's models of a provider, unless the configuration's lists replace them. */
export function listedModels(id: string, document: ConfigDocument, catalog: Catalog): readonly CatalogModel[] {
  return document.models?.mode === 'replace' ? [] : catalog.models(id);
}

/** The listed models and the configured ones. A field that is configured wins over the row of the same id. */
export function mergeModels(listed: readonly CatalogModel[], configured: readonly ConfiguredModel[]): readonly CatalogModel[] {
  if (configured.length === 0) return listed;
  const merged = new Map(listed.map((model) => [model.id, model]));
  for (const model of configured) merged.set(model.id, overridden(merged.get(model.id), model));
  return [...merged.values()];
}

function overridden(row: CatalogModel | undefined, configured: ConfiguredModel): CatalogModel {
  const { id, name, contextWindow, maxTokens, input, reasoning, cost } = configured;
  const price = cost === undefined ? undefined : (priceOver(row?.price, cost) ?? undefined);
  return { ...row, id, ...stated({ name, contextWindow, maxTokens, input, reasoning, price }) };
}

/**
 * Configured dollars over the catalog's price. The catalog's tiers do not stay: above their thresholds they would win over the
 * configured price.
 * @returns null when the prices of input and output are not both known
 */
export function priceOver(listed: ModelPrice | undefined, cost: NonNullable<ConfiguredModel['cost']>): ModelPrice | null {
  const micros = (dollars: number | undefined) => (dollars === undefined ? undefined : Math.round(dollars * 1_000_000));
  const { tiers: _, ...base } = listed ?? {};
  const own = stated({
    input: micros(cost.input),
    output: micros(cost.output),
    cacheRead: micros(cost.cacheRead),
    cacheWrite: micros(cost.cacheWrite),
  });
  const { input, output, ...cached } = { ...base, ...own };
  return input === undefined || output === undefined ? null : { input, output, ...cached };
}

/** The fields that have a value. */
function stated<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const kept = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(kept) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
