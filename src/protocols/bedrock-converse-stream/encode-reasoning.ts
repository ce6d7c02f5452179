/** How a model on Bedrock is asked to reason: by fields that Converse hands to the model unread. */
import type { ReasoningWish } from '../../core/conversation.ts';
import type { RequestField } from '../../core/hub-fields.ts';
import type { CatalogModel } from '../../core/providers.ts';
import { encodeThinking, levelOf, type ThinkingRoom } from '../claude-thinking.ts';

type Fields = Readonly<Record<string, unknown>>;

export interface EncodedReasoning {
  /** Members of `additionalModelRequestFields`. */
  readonly fields: Fields;
  /** A member `effort` of `output_config`, which an answer's form shares. */
  readonly effort: string | null;
  readonly dropped: readonly RequestField[];
  /** The model thinks, so that its sampling is limited. */
  readonly thinks: boolean;
  readonly lost: boolean;
}

export function encodeReasoning(wish: ReasoningWish | null, facts: CatalogModel | null, room: ThinkingRoom): EncodedReasoning {
  const name = facts?.effortField;
  if (name !== undefined && wish !== null) return byEffort(wish, name, facts?.efforts ?? {});
  // A model of another vendor that reasons is not Claude: it would refuse the field.
  const { thinking, effort, dropped, lost } = encodeThinking(wish, facts?.thinking === undefined ? null : facts, room);
  const thinks = thinking !== null && thinking['type'] !== 'disabled';
  return { fields: thinking === null ? {} : { thinking }, effort, dropped, thinks, lost };
}

/** OpenAI's models take a word alone: `reasoning_effort`, or `reasoning.effort`. */
function byEffort(
  { effort, budget, summary }: ReasoningWish,
  name: NonNullable<CatalogModel['effortField']>,
  efforts: Readonly<Record<string, string | null>>,
): EncodedReasoning {
  const level = effort ?? (budget === null ? null : levelOf(budget));
  const word = level === null ? null : wordOf(level === 'none' ? 'off' : level, efforts);
  const dropped: RequestField[] = [
    ...(level !== null && word === null ? [effort === null ? ('reasoningBudget' as const) : ('effort' as const)] : []),
    ...(summary === null || summary === 'none' ? [] : (['reasoningSummary'] as const)),
  ];
  const fields = word === null ? {} : name === 'reasoning' ? { reasoning: { effort: word } } : { reasoning_effort: word };
  return { fields, effort: null, dropped, thinks: false, lost: false };
}

/** Levels that stand for one that the model does not have, the nearest first. */
const substitutes: Readonly<Record<string, readonly string[]>> = { max: ['xhigh', 'high'], xhigh: ['high'], minimal: ['low'] };

/** @returns null for a level that the model has neither itself nor in another one */
function wordOf(level: string, efforts: Readonly<Record<string, string | null>>): string | null {
  const had = [level, ...(substitutes[level] ?? [])].find((each) => efforts[each] !== null);
  if (had === undefined) return null;
  return efforts[had] ?? (had === 'off' ? 'none' : had);
}
