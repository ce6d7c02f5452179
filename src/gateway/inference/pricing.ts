/** The cost of a call, in integer micro-dollars, by the catalog's prices. Pure. */
import type { CatalogModel } from '../../core/providers.ts';
import type { TokenCounts } from '../../core/usage.ts';

/**
 * Cached tokens are part of the prompt's count; a model without a price for them charges them as input.
 * @returns null when the price or the count is unknown: unknown is not free
 */
export function costMicros(price: CatalogModel['price'], tokens: TokenCounts): number | null {
  if (price === undefined || tokens.prompt === null || tokens.completion === null) return null;
  const cacheRead = Math.min(tokens.cacheRead ?? 0, tokens.prompt);
  const cacheWrite = Math.min(tokens.cacheWrite ?? 0, tokens.prompt - cacheRead);
  const fresh = tokens.prompt - cacheRead - cacheWrite;
  const millionths =
    fresh * price.input +
    cacheRead * (price.cacheRead ?? price.input) +
    cacheWrite * (price.cacheWrite ?? price.input) +
    tokens.completion * price.output;
  const micros = Math.round(millionths / 1_000_000);
  return Number.isSafeInteger(micros) ? micros : null;
}
