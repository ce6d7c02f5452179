/** The providers in one line for people: `openai (OPENAI_API_KEY), groq (stored), local; mistral: MY_KEY is not set`. */
import type { ProviderState } from '../core/providers.ts';

/** Providers of each kind that are named; the rest is counted. */
const maxNamed = 12;

export function providersLine(states: readonly ProviderState[]): string {
  const usable = states
    .filter((state) => state.usable)
    .map(({ id, keys }) => (keys.length === 0 ? id : `${id} (${keys.join(', ')})`));
  const unusable = states.flatMap(({ id, why }) => (why === null ? [] : [`${id}: ${why}`]));
  const can = usable.length === 0 ? 'none can be used' : listed(usable, ', ');
  return unusable.length === 0 ? can : `${can}; ${listed(unusable, '; ')}`;
}

function listed(names: readonly string[], between: string): string {
  const named = names.slice(0, maxNamed).join(between);
  return names.length <= maxNamed ? named : `${named}${between}and ${names.length - maxNamed} more`;
}
