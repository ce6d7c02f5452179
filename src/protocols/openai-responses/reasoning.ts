/** The wish to reason, towards an upstream. */
import type { ReasoningWish } from '../../core/conversation.ts';
import type { UpstreamModel } from '../../core/protocol.ts';
import type { Fields } from './members.ts';

/** The most tokens that levels of effort stand for (reference: provider catalog 4.10). */
const budgets: readonly { readonly effort: string; readonly tokens: number }[] = [
  { effort: 'none', tokens: 0 },
  { effort: 'minimal', tokens: 1024 },
  { effort: 'low', tokens: 4096 },
  { effort: 'medium', tokens: 12_288 },
];
/** From the least to the most. */
const levels: readonly string[] = ['minimal', 'low', 'medium', 'high', 'xhigh', 'max'];

/** The level in the vendor's words; the next lower one that the model has, else the next higher. Null: it has none. */
function levelOf(effort: string, efforts: Readonly<Record<string, string | null>>): string | null {
  const named = efforts[effort === 'none' ? 'off' : effort];
  if (typeof named === 'string') return named;
  // OpenAI's highest level is `xhigh`.
  if (named === undefined) return effort === 'max' ? levelOf('xhigh', efforts) : effort;
  if (effort === 'none') return null;
  const at = levels.indexOf(effort);
  const others = [...levels.slice(0, at).reverse(), ...levels.slice(at + 1)];
  return others.map((other) => efforts[other]).find((word) => typeof word === 'string') ?? null;
}

export interface EncodedWish {
  readonly fields: Fields;
  /** Fields that ola asks for in its own interest. */
  readonly added: readonly string[];
}

const nothing: EncodedWish = { fields: {}, added: [] };
/** OpenAI gives summaries to verified organisations alone: a refusal names this field, and the call is made without it. */
const addedSummary: readonly string[] = ['reasoning.summary'];

export function reasoningFields(wish: ReasoningWish | null, { facts, quirks }: UpstreamModel, dropped: Set<string>): EncodedWish {
  if (wish === null) return nothing;
  const asked = wish.effort ?? effortOf(wish.budget);
  if (facts?.reasoning === false) {
    if (asked !== null && asked !== 'none') dropped.add(wish.effort === null ? 'reasoningBudget' : 'effort');
    return nothing;
  }
  const effort = asked === null ? null : levelOf(asked, facts?.efforts ?? {});
  if (asked !== null && effort === null) dropped.add('effort');
  const isAsked = wish.summary !== null && wish.summary !== 'none';
  if (isAsked && quirks.noReasoningSummary === true) dropped.add('reasoningSummary');
  const isShown = wish.summary !== 'none' && asked !== 'none' && quirks.noReasoningSummary !== true;
  const reasoning = {
    ...(effort === null ? {} : { effort }),
    ...(isShown ? { summary: wish.summary ?? 'auto' } : {}),
  };
  if (Object.keys(reasoning).length === 0) return nothing;
  return { fields: { reasoning }, added: isShown ? addedSummary : [] };
}

function effortOf(budget: number | null): string | null {
  if (budget === null) return null;
  return budgets.find(({ tokens }) => budget <= tokens)?.effort ?? 'high';
}
