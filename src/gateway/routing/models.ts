/** The models that could be used now, and those of one provider. */
import type { Catalog } from '../../catalog/lookup.ts';
import type { ConfigDocument } from '../../core/document.ts';
import { OlaError } from '../../core/errors.ts';
import { parseModelReference, readingsOf } from '../../core/models.ts';
import { didYouMean, nearestNames } from '../../core/nearest.ts';
import type { CatalogModel, ModelPrice, TokenPrices } from '../../core/providers.ts';
import { listedModels, mergeModels } from './configured-models.ts';
import type { ActiveProvider, Registry } from './registry.ts';

/** OpenAI's model object, with what is known besides. */
export interface ModelView {
  readonly id: string;
  readonly object: 'model';
  /** Seconds; vendors do not say, so it is the start of the Unix epoch. */
  readonly created: 0;
  readonly owned_by: string;
  readonly name?: string;
  readonly context_window?: number;
  readonly max_output_tokens?: number;
  readonly input_modalities?: readonly string[];
  readonly reasoning?: boolean;
  readonly pricing?: PricingView;
}

/** Dollars per million tokens. */
interface PricesView {
  readonly input: number;
  readonly output: number;
  readonly cache_read?: number;
  readonly cache_write?: number;
}

/** The prices of a call; a call whose prompt has more tokens than a tier's `above` has the prices of that tier. */
interface PricingView extends PricesView {
  readonly tiers?: readonly (PricesView & { readonly above: number })[];
}

/** A model of a provider, in the fields in which it is configured. */
export interface ProviderModel {
  readonly id: string;
  readonly name?: string;
  readonly contextWindow?: number;
  readonly maxTokens?: number;
  readonly input?: readonly string[];
  readonly reasoning?: boolean;
  /** Dollars per million tokens. */
  readonly cost?: ModelPrice;
  /** Where it is known from: the catalog, the configuration (also over a row of the catalog), or the provider's own list. */
  readonly source: 'catalog' | 'configured' | 'asked';
}

export interface ProviderModels {
  /** The canonical id of the provider. */
  readonly provider: string;
  readonly usable: boolean;
  /** Why it cannot be used; null when it can. */
  readonly why: string | null;
  readonly models: readonly ProviderModel[];
}

/** Models that a provider named when it was asked, for one that asks its models. */
export type AskedModels = (provider: ActiveProvider) => readonly CatalogModel[];

export function listModels(registry: Registry, asked: AskedModels): ModelView[] {
  return [...registry.active.values()].flatMap((provider) =>
    [...provider.models, ...asked(provider)].map((model) => viewOfModel(provider.id, model)),
  );
}

function viewOfModel(provider: string, model: CatalogModel): ModelView {
  const { id, name, contextWindow, maxTokens, input, reasoning, price } = model;
  return {
    id: `${provider}/${id}`,
    object: 'model',
    created: 0,
    owned_by: provider,
    ...(name === undefined ? {} : { name }),
    ...(contextWindow === undefined ? {} : { context_window: contextWindow }),
    ...(maxTokens === undefined ? {} : { max_output_tokens: maxTokens }),
    ...(input === undefined ? {} : { input_modalities: input }),
    ...(reasoning === undefined ? {} : { reasoning }),
    ...(price === undefined ? {} : { pricing: pricingOf(price) }),
  };
}

function pricingOf({ tiers, ...prices }: ModelPrice): PricingView {
  const named = ({ input, output, cacheRead, cacheWrite }: TokenPrices): PricesView => ({
    input,
    output,
    ...(cacheRead === undefined ? {} : { cache_read: cacheRead }),
    ...(cacheWrite === undefined ? {} : { cache_write: cacheWrite }),
  });
  const ordered = tiers?.map(({ above, ...tier }) => ({ above, ...named(inDollars(tier)) }));
  return { ...named(inDollars(prices)), ...(ordered === undefined ? {} : { tiers: ordered }) };
}

/** Dollars for micro-dollars. */
function inDollars({ input, output, cacheRead, cacheWrite }: TokenPrices): TokenPrices {
  const dollars = (micros: number) => micros / 1_000_000;
  return {
    input: dollars(input),
    output: dollars(output),
    ...(cacheRead === undefined ? {} : { cacheRead: dollars(cacheRead) }),
    ...(cacheWrite === undefined ? {} : { cacheWrite: dollars(cacheWrite) }),
  };
}

interface ProviderFacts {
  readonly registry: Registry;
  readonly asked: AskedModels;
  readonly catalog: Catalog;
  readonly document: ConfigDocument;
}

/**
 * The models of a provider, whether or not it can be used now.
 * @param id canonical
 * @throws OlaError `not_found`
 */
export function modelsOfProvider(id: string, { registry, asked, catalog, document }: ProviderFacts): ProviderModels {
  const active = registry.active.get(id);
  const config = registry.configured.get(id);
  if (active === undefined && config === undefined && catalog.anyProvider(id) === null && catalog.addressedByUser(id) === null) {
    const message = `There is no provider '${id}'. GET /config/builtin-providers lists the catalog's, GET /config/providers those of the configuration.`;
    throw new OlaError('not_found', message);
  }
  const configured = new Set((config?.models ?? []).map((model) => model.id));
  const known = active?.models ?? mergeModels(listedModels(id, document, catalog), config?.models ?? []);
  // A provider of this process is in no catalog: what it serves was set when the process was started.
  const isListed = catalog.anyProvider(id) !== null;
  const own = known.map((model) => described(model, configured.has(model.id) || !isListed ? 'configured' : 'catalog'));
  const answered = active === undefined ? [] : asked(active).map((model) => described(model, 'asked'));
  return { provider: id, usable: active !== undefined, why: registry.why(id)?.why ?? null, models: [...own, ...answered] };
}

/** The fields in which a model is configured: how a protocol asks it is no part of them. */
function described(
  { id, name, contextWindow, maxTokens, input, reasoning, price }: CatalogModel,
  source: ProviderModel['source'],
): ProviderModel {
  return {
    id,
    ...(name === undefined ? {} : { name }),
    ...(contextWindow === undefined ? {} : { contextWindow }),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(input === undefined ? {} : { input }),
    ...(reasoning === undefined ? {} : { reasoning }),
    ...(price === undefined ? {} : { cost: costOf(price) }),
    source,
  };
}

function costOf({ tiers, ...prices }: ModelPrice): ModelPrice {
  const dear = tiers?.map(({ above, ...tier }) => ({ above, ...inDollars(tier) }));
  return { ...inDollars(prices), ...(dear === undefined ? {} : { tiers: dear }) };
}

export interface ModelFacts {
  readonly registry: Registry;
  readonly asked: AskedModels;
  /** Frees a provider id of its aliases. */
  readonly canonicalId: (id: string) => string;
}

/** @throws OlaError `model_not_found` */
export function findModel(name: string, { registry, asked, canonicalId }: ModelFacts): ModelView {
  const views = listModels(registry, asked);
  for (const reading of readingsOf(name)) {
    const { provider, model } = parseModelReference(reading);
    const full = provider === null ? null : `${canonicalId(provider)}/${model}`;
    const bare = views.filter(({ id, owned_by }) => id === `${owned_by}/${reading}`);
    const found = views.find(({ id }) => id === full) ?? (bare.length === 1 ? bare[0] : undefined);
    if (found !== undefined) return found;
  }
  const ids = views.map(({ id }) => id);
  const near = nearestNames(name, ids, 3);
  const message = `'${name}' is not among the models that can be used.${didYouMean(near)} GET /v1/models lists them.`;
  throw new OlaError('model_not_found', message, { param: 'model', details: { candidates: near } });
}
