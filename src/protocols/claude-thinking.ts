/** How long a model of Anthropic's is to think, and which sampling it takes with that. */
import type { Conversation, ReasoningWish } from '../core/conversation.ts';
import type { RequestField } from '../core/hub-fields.ts';
import type { CatalogModel } from '../core/providers.ts';

type Fields = Readonly<Record<string, unknown>>;

export interface Thinking {
  /** The member `thinking`; null: none is sent. */
  readonly thinking: Fields | null;
  /** The member `effort` of `output_config`; null: none is sent. */
  readonly effort: string | null;
  readonly dropped: readonly RequestField[];
  /** The reasoning of an earlier turn is gone, so that the model is not asked to think. */
  readonly lost: boolean;
}

/** Facts of the request that thinking depends on. */
export interface ThinkingRoom {
  readonly maxTokens: number;
  /** The tool choice makes the model call a tool. */
  readonly forced: boolean;
  /** The last message is the assistant's: the model goes on from its words. */
  readonly prefilled: boolean;
  /** The call of tools that the conversation goes on from has no signed reasoning in front of it. */
  readonly lacksReasoning: boolean;
}

const nothing: Thinking = { thinking: null, effort: null, dropped: [], lost: false };

/** Tokens that are always left for the answer, and the least that Anthropic takes as a budget. */
const leastTokens = 1024;

/** Budgets for levels of effort, in tokens; levels above take all that the answer may have. */
const budgets: Readonly<Record<string, number>> = { minimal: 1024, low: 2048, medium: 8192, high: 16384 };

/** Levels that a model may be asked for in place of one that it does not have, the nearest first. */
const substitutes: Readonly<Record<string, readonly string[]>> = {
  minimal: ['low'],
  xhigh: ['max', 'high'],
  max: ['xhigh', 'high'],
};
/** Levels that each adaptive model has, unless its facts say no. */
const usualLevels: readonly string[] = ['low', 'medium', 'high'];
/** Levels that a model whose levels are known has, unless its facts say no. */
const everyLevel: readonly string[] = ['minimal', ...usualLevels, 'xhigh', 'max'];

export function encodeThinking(wish: ReasoningWish | null, facts: CatalogModel | null, room: ThinkingRoom): Thinking {
  if (wish === null) return nothing;
  const asked: RequestField[] = [
    ...(wish.effort === null ? [] : (['effort'] as const)),
    ...(wish.budget === null ? [] : (['reasoningBudget'] as const)),
    ...(wish.summary === null ? [] : (['reasoningSummary'] as const)),
  ];
  const mode = facts?.thinking ?? (facts?.reasoning === true ? 'budget' : null);
  if (wish.effort === 'none') return off(facts, mode);
  if (wish.effort === null && wish.budget === null && wish.summary === 'none') return nothing;
  if (mode === null) return { ...nothing, dropped: asked };
  if (mode === 'adaptive') return adaptive(wish, facts, asked);
  return budgeted(wish, room, asked);
}

function off(facts: CatalogModel | null, mode: CatalogModel['thinking'] | null): Thinking {
  if (mode === null) return nothing;
  return facts?.efforts?.['off'] === null ? { ...nothing, dropped: ['effort'] } : { ...nothing, thinking: { type: 'disabled' } };
}

/**
 * The model decides how long it thinks. Such models take a forced tool choice, and earlier answers without their thinking
 * (https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking).
 */
function adaptive(wish: ReasoningWish, facts: CatalogModel | null, asked: readonly RequestField[]): Thinking {
  const level = wish.effort ?? (wish.budget === null ? null : levelOf(wish.budget));
  const effort = level === null ? null : effortOf(level, facts?.efforts ?? null);
  const display = wish.summary === 'none' ? 'omitted' : 'summarized';
  const dropped = level !== null && effort === null ? asked.filter((name) => name !== 'reasoningSummary') : [];
  return { thinking: { type: 'adaptive', display }, effort, dropped, lost: false };
}

/**
 * The vendor's own word for a level; null when the model has neither the level nor one to stand for it.
 * @param efforts of the model: a level that is absent has its own name. Null: nothing is known, and the model has the usual levels
 */
function effortOf(level: string, efforts: CatalogModel['efforts'] | null): string | null {
  for (const each of [level, ...(substitutes[level] ?? [])]) {
    const word = efforts?.[each];
    if (typeof word === 'string') return word;
    if (word === undefined && (efforts === null ? usualLevels : everyLevel).includes(each)) return each;
  }
  return null;
}

/** The level of effort that a budget in tokens comes to. */
export function levelOf(budget: number): string {
  return Object.keys(budgets).find((level) => budget <= (budgets[level] ?? 0)) ?? 'xhigh';
}

/**
 * The model is given a number of tokens. Anthropic then refuses a forced tool choice, a last message of the assistant, and a
 * call of tools without its thinking (https://docs.claude.com/en/docs/build-with-claude/extended-thinking).
 */
function budgeted(wish: ReasoningWish, room: ThinkingRoom, asked: readonly RequestField[]): Thinking {
  if (room.lacksReasoning) return { ...nothing, lost: true };
  const wanted = wish.budget ?? budgetOf(wish.effort ?? 'medium');
  const budget = Math.min(wanted, room.maxTokens - leastTokens);
  if (room.forced || room.prefilled || budget < leastTokens) return { ...nothing, dropped: asked };
  return { ...nothing, thinking: { type: 'enabled', budget_tokens: budget } };
}

function budgetOf(level: string): number {
  return budgets[level] ?? Number.MAX_SAFE_INTEGER;
}

export interface EncodedSampling {
  readonly fields: Fields;
  readonly dropped: readonly RequestField[];
}

/** Anthropic's temperature ends at 1. */
const highestTemperature = 1;
/** The least `top_p` that thinking takes. */
const thinkingTopP = 0.95;

/** @param thinks with thinking Anthropic takes a temperature of 1 alone, a high `top_p`, and no `top_k` */
export function encodeSampling({ sampling }: Conversation, thinks: boolean, refusesSampling: boolean): EncodedSampling {
  const { temperature, topP, topK, seed, frequencyPenalty, presencePenalty } = sampling;
  const heat = temperature === null ? null : Math.min(highestTemperature, temperature);
  const takesHeat = heat !== null && !refusesSampling && (!thinks || heat === highestTemperature);
  // Anthropic advises against both, and newer models refuse them together.
  const takesTopP = topP !== null && !refusesSampling && !takesHeat && (!thinks || topP >= thinkingTopP);
  const takesTopK = topK !== null && !refusesSampling && !thinks;
  const left: readonly (readonly [RequestField, boolean])[] = [
    ['temperature', heat !== null && !takesHeat],
    ['topP', topP !== null && !takesTopP],
    ['topK', topK !== null && !takesTopK],
    ['seed', seed !== null],
    ['frequencyPenalty', frequencyPenalty !== null && frequencyPenalty !== 0],
    ['presencePenalty', presencePenalty !== null && presencePenalty !== 0],
  ];
  return {
    fields: {
      ...(takesHeat ? { temperature: heat } : {}),
      ...(takesTopP ? { top_p: topP } : {}),
      ...(takesTopK ? { top_k: topK } : {}),
    },
    dropped: left.flatMap(([name, isLeft]) => (isLeft ? [name] : [])),
  };
}
