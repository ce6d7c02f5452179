/**
 * Which models the providers serve, how large they are and what they cost.
 * Source: the data of pi-ai (npm @earendil-works/pi-ai 1.5.2, MIT, copyright 2025 Mario Zechner), its headline models.
 * Window and answer sizes are rounded as read there; what it does not state is absent, never guessed. Vendors that
 * charge more above a threshold of input are listed at the price below it.
 */
import type { CatalogModel } from '../core/providers.ts';

/** The day of the data: stored with every price that was computed from it. */
export const catalogVersion = '2026-11-10';

/** Dollars per million tokens: input, output, cache read, cache write. */
type Dollars = readonly [input: number, output: number, cacheRead?: number, cacheWrite?: number];
/** In thousands of tokens: the context window and the longest answer. */
type Size = readonly [window: number, answer: number];

/** The source gives no figure of its own. */
const unsized: Size | null = null;

function model(id: string, size: Size | null, dollars?: Dollars): CatalogModel {
  return {
    id,
    ...(size === null ? {} : { contextWindow: size[0] * 1000, maxTokens: size[1] * 1000 }),
    ...(dollars === undefined ? {} : { price: price(dollars) }),
  };
}

/** Micro-dollars; rounding removes only what binary fractions add. */
function price([input, output, cacheRead, cacheWrite]: Dollars): NonNullable<CatalogModel['price']> {
  const micros = (dollars: number) => Math.round(dollars * 1_000_000);
  return {
    input: micros(input),
    output: micros(output),
    ...(cacheRead === undefined ? {} : { cacheRead: micros(cacheRead) }),
    ...(cacheWrite === undefined ? {} : { cacheWrite: micros(cacheWrite) }),
  };
}

/** By provider id; providers without an entry serve what they serve, at an unknown price. */
export const catalogModels: Readonly<Record<string, readonly CatalogModel[]>> = {
  openai: [
    model('gpt-6.1-sol', [272, 128], [2, 10, 0.1, 2.5]),
    model('gpt-6.1-terra', [272, 128], [1, 5, 0.05, 1.25]),
    model('gpt-6-sol', [272, 128], [2, 10, 0.2, 2.5]),
    model('gpt-6-luna', unsized, [0.1, 0.5, 0.01, 0.125]),
    model('gpt-6-astra', unsized, [10, 50, 1, 12.5]),
    model('gpt-5.6-sol', unsized, [4, 20, 0.4, 5]),
    model('gpt-5.6-terra', unsized, [2, 12, 0.2, 2.5]),
    model('gpt-5.6-luna', unsized, [0.2, 1.2, 0.02, 0.25]),
    model('gpt-5.5', [272, 128], [5, 30, 0.5]),
    model('gpt-5.4', [272, 128], [2.5, 15, 0.25]),
    model('gpt-5.4-mini', [400, 128], [0.75, 4.5, 0.075]),
    model('gpt-5.4-nano', unsized, [0.2, 1.25, 0.02]),
    model('gpt-5.3-codex', [400, 128], [1.75, 14, 0.175]),
    model('gpt-5.2', [400, 128], [1.75, 14, 0.175]),
    model('gpt-5.1', [400, 128], [1.25, 10, 0.125]),
    model('gpt-5', [400, 128], [1.25, 10, 0.125]),
    model('gpt-5-mini', unsized, [0.25, 2, 0.025]),
    model('gpt-5-nano', unsized, [0.05, 0.4, 0.005]),
    model('gpt-4.1', [1050, 33], [2, 8, 0.5]),
    model('gpt-4.1-mini', unsized, [0.4, 1.6, 0.1]),
    model('gpt-4.1-nano', unsized, [0.1, 0.4, 0.025]),
    model('gpt-4o', [128, 16], [2.5, 10, 1.25]),
    model('gpt-4o-mini', unsized, [0.15, 0.6, 0.075]),
    model('o3', [200, 100], [2, 8, 0.5]),
    model('o4-mini', unsized, [1.1, 4.4, 0.275]),
  ],
  google: [
    model('gemini-4-argon', [1050, 33], [2, 10, 0.1]),
    model('gemini-3.8-flash', [1050, 66], [0.75, 3.75, 0.075]),
    model('gemini-3.7-flash', [1050, 66], [0.75, 3.75, 0.075]),
    model('gemini-3.6-flash', [1050, 66], [0.75, 3.75, 0.075]),
    model('gemini-3.5-flash', unsized, [1.5, 9, 0.15]),
    model('gemini-3.5-flash-lite', unsized, [0.3, 2.5, 0.03]),
    model('gemini-3.1-pro-preview', unsized, [2, 12, 0.2]),
    model('gemini-3-flash-preview', unsized, [0.5, 3, 0.05]),
    model('gemini-2.5-pro', unsized, [1.25, 10, 0.125]),
    model('gemini-2.5-flash', unsized, [0.3, 2.5, 0.03]),
    model('gemini-2.5-flash-lite', unsized, [0.1, 0.4, 0.01]),
    model('gemma-4-31b-it', [262, 33], [0, 0]),
  ],
  xai: [
    model('grok-4.7', [500, 500], [2, 6, 0.5]),
    model('grok-4.6', [500, 500], [2, 6, 0.5]),
    model('grok-4.5', unsized, [2, 6, 0.3]),
    model('grok-4.3', [1000, 30], [1.25, 2.5, 0.2]),
  ],
  deepseek: [model('deepseek-flash', [1000, 384], [0.3, 1.2, 0.006]), model('deepseek-v4-pro', [1000, 384], [1.32, 3.96, 0.044])],
  mistral: [
    model('mistral-large-4', [1050, 262], [0.7, 2.1, 0.07]),
    model('mistral-medium-latest', [262, 262], [1.5, 7.5, 0.15]),
    model('mistral-small-latest', [262, 256], [0.15, 0.6, 0.015]),
    model('codestral-latest', [256, 4], [0.3, 0.9, 0.03]),
    model('devstral-latest', [262, 262], [0.4, 2, 0.04]),
    model('magistral-medium-latest', [262, 16], [2, 5, 0.2]),
  ],
  groq: [
    model('llama-3.1-8b-instant', [131, 131], [0.05, 0.08]),
    model('llama-3.3-70b-versatile', [131, 33], [0.59, 0.79]),
    model('openai/gpt-oss-120b', [131, 66], [0.15, 0.6, 0.075]),
    model('openai/gpt-oss-20b', unsized, [0.075, 0.3, 0.0375]),
    model('qwen/qwen3.6-27b', [131, 16], [0.6, 3, 0.3]),
  ],
  cerebras: [model('gpt-oss-120b', [131, 41], [0.35, 0.75]), model('qwen-3.8-27b', [131, 41], [0.99, 1.49])],
  zai: [
    model('glm-5.3', [1000, 131], [1.4, 4.4, 0.26]),
    model('glm-5.2', [1000, 131], [1.4, 4.4, 0.26]),
    model('glm-5.3-flash', [1000, 131], [0.15, 0.5, 0.03]),
    model('glm-5-turbo', [200, 131], [1.2, 4, 0.24]),
    model('glm-4.7', [205, 131], [0.6, 2.2, 0.11]),
  ],
  moonshot: [
    model('kimi-k3', [1050, 1050], [3, 15, 0.3]),
    model('kimi-k3.1-pro', unsized, [2, 10, 0.2]),
    model('kimi-k2.7-code', [262, 262], [0.95, 4, 0.19]),
    model('kimi-k2.6', unsized, [0.95, 4, 0.16]),
  ],
  minimax: [
    model('MiniMax-M3', [1000, 524], [0.3, 1.2, 0.06]),
    model('MiniMax-M3.1-Flash', unsized, [0.15, 0.6, 0.015]),
    model('MiniMax-M2.7', [205, 131], [0.3, 1.2, 0.06, 0.375]),
  ],
  'kimi-coding': [
    model('k3', unsized),
    model('k3-256k', unsized),
    model('k3.1-pro', unsized),
    model('kimi-for-coding', [1050, 33]),
    model('kimi-for-coding-highspeed', unsized),
  ],
};
