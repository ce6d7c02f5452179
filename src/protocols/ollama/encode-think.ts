/** How long a model thinks, in Ollama's words (https://docs.ollama.com/capabilities/thinking). */
import type { ReasoningWish } from '../../core/conversation.ts';

export type Think = boolean | 'low' | 'medium' | 'high';

const levels: Readonly<Record<string, Think>> = {
  none: false,
  minimal: 'low',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'high',
  max: 'high',
};

/** Tokens up to which a budget is a level. */
const lowBudget = 2048;
const mediumBudget = 8192;

/**
 * A level means that the model thinks, also to models that know no levels; gpt-oss takes levels alone.
 * @returns null: Ollama is not told, and a model that can think does
 */
export function thinkOf(wish: ReasoningWish | null): Think | null {
  if (wish === null) return null;
  const { effort, budget } = wish;
  if (effort !== null) return levels[effort] ?? null;
  if (budget === null) return null;
  if (budget === 0) return false;
  return budget <= lowBudget ? 'low' : budget <= mediumBudget ? 'medium' : 'high';
}
