/** The cost of a call, in integer micro-dollars, by the catalog's prices. Pure. */
import type { ModelPrice, TokenPrices } from '../../core/providers.ts';
import type { TokenCounts } from '../../core/usage.ts';

/** Tokens that are kept for an hour cost twice the input price (https://platform.claude.com/docs/en/about-claude/pricing). */
const hourFactor = 2;

/**
 * Cached tokens are part of the prompt's count; a model without a price for them charges them as input. The price of
 * `cacheWrite` is that of five minutes. A prompt that is longer than a tier's threshold makes the whole call cost the prices
 * of that tier, as OpenAI and Google charge it.
 * @returns null when the price or the count is unknown: unknown is not free
 */
export function costMicros(prices: ModelPrice | undefined, tokens: TokenCounts): number | null {
  if (prices === undefined || tokens.prompt === null || tokens.completion === null) return null;
  const price = pricesFor(prices, tokens.prompt);
  const cacheRead = Math.min(tokens.cacheRead ?? 0, tokens.prompt);
  const cacheWrite = Math.min(tokens.cacheWrite ?? 0, tokens.prompt - cacheRead);
  const fresh = tokens.prompt - cacheRead - cacheWrite;
  const hour = price.cacheWrite === undefined ? 0 : Math.min(tokens.cacheWriteHour ?? 0, cacheWrite);
  const millionths =
    fresh * price.input +
    cacheRead * (price.cacheRead ?? price.input) +
    (cacheWrite - hour) * (price.cacheWrite ?? price.input) +
    hour * hourFactor * price.input +
    tokens.completion * price.output;
  const micros = Math.round(millionths / 1_000_000);
  return Number.isSafeInteger(micros) ? micros : null;
}

/** @param prompt tokens, cached ones included */
function pricesFor(price: ModelPrice, prompt: number): TokenPrices {
  return price.tiers?.findLast(({ above }) => prompt > above) ?? price;
}
