/** How long a model of Google's is to think (https://ai.google.dev/gemini-api/docs/thinking). */
import type { ReasoningWish } from '../../core/conversation.ts';
import type { RequestField } from '../../core/hub-fields.ts';
import type { CatalogModel } from '../../core/providers.ts';
import type { Fields } from './names.ts';

export interface Thinking {
  /** The member `thinkingConfig`; null: none is sent. */
  readonly config: Fields | null;
  readonly dropped: readonly RequestField[];
}

/** Budgets for levels of effort, in tokens; levels above take as much as the model has. */
const budgets: Readonly<Record<string, number>> = { none: 0, minimal: 128, low: 2048, medium: 8192 };
/** The model decides how long it thinks. */
const dynamic = -1;

/** Levels that a model may be asked for in place of one that it does not have, the nearest first. */
const substitutes: Readonly<Record<string, readonly string[]>> = {
  none: ['minimal', 'low', 'high'],
  minimal: ['low', 'high'],
  low: ['minimal', 'medium', 'high'],
  medium: ['high'],
  xhigh: ['high'],
  max: ['high'],
};
/** Levels that each model has, unless its facts say no. */
const usualLevels: readonly string[] = ['low', 'medium', 'high'];

export function encodeThinking(wish: ReasoningWish | null, facts: CatalogModel | null): Thinking {
  if (wish === null) return { config: null, dropped: [] };
  const asked: RequestField[] = [
    ...(wish.effort === null ? [] : (['effort'] as const)),
    ...(wish.budget === null ? [] : (['reasoningBudget'] as const)),
    ...(wish.summary === null ? [] : (['reasoningSummary'] as const)),
  ];
  if (facts?.reasoning === false) return { config: null, dropped: wish.effort === 'none' ? [] : asked };
  const isShown = wish.effort !== 'none' && wish.summary !== 'none';
  const amount = facts?.thinking === 'budget' ? budgetOf(wish, facts) : levelOf(wish, facts);
  const config = { ...amount, ...(isShown ? { includeThoughts: true } : {}) };
  return { config: Object.keys(config).length === 0 ? null : config, dropped: [] };
}

/** Never a level and a budget: the API refuses both together. */
function budgetOf({ effort, budget }: ReasoningWish, { thinkingBudget: room, efforts }: CatalogModel): Fields {
  if (effort === null && budget === null) return {};
  const wanted = budget ?? budgets[effort ?? ''] ?? room?.most ?? dynamic;
  if (wanted < 0) return { thinkingBudget: dynamic };
  if (wanted === 0) return { thinkingBudget: efforts?.['off'] === null ? (room?.least ?? dynamic) : 0 };
  return { thinkingBudget: room === undefined ? wanted : Math.min(room.most, Math.max(room.least, wanted)) };
}

function levelOf({ effort, budget }: ReasoningWish, facts: CatalogModel | null): Fields {
  const level = effort ?? (budget === null || budget < 0 ? null : nearestLevel(budget));
  const word = level === null ? null : wordOf(level, facts?.efforts ?? {});
  return word === null ? {} : { thinkingLevel: word };
}

function nearestLevel(budget: number): string {
  return Object.keys(budgets).find((level) => budget <= (budgets[level] ?? 0)) ?? 'high';
}

/** The word of a level, or of the nearest one that the model has. */
function wordOf(level: string, efforts: Readonly<Record<string, string | null>>): string | null {
  for (const each of [level, ...(substitutes[level] ?? [])]) {
    const word = efforts[each];
    if (typeof word === 'string') return word.toUpperCase();
    const isUsual = usualLevels.includes(each) || (each === 'minimal' && Object.keys(efforts).length > 0);
    if (word === undefined && isUsual) return each.toUpperCase();
  }
  return null;
}
