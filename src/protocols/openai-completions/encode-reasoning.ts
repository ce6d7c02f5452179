/** The wish to reason, towards an upstream: vendors ask for it in fields of their own. */
import type { ReasoningWish } from '../../core/conversation.ts';
import type { UpstreamModel } from '../../core/protocol.ts';
import type { Fields } from './members.ts';

/** Tokens that levels of effort stand for (reference: provider catalog 4.10). */
const budgets: readonly { readonly effort: string; readonly tokens: number }[] = [
  { effort: 'none', tokens: 0 },
  { effort: 'minimal', tokens: 1024 },
  { effort: 'low', tokens: 2048 },
  { effort: 'medium', tokens: 8192 },
  { effort: 'high', tokens: 16_384 },
];

/** Only 0 tokens mean that there is to be no reasoning. */
function nearestEffort(budget: number): string {
  if (budget <= 0) return 'none';
  let nearest = { effort: 'minimal', distance: Number.POSITIVE_INFINITY };
  for (const { effort, tokens } of budgets.slice(1)) {
    const distance = Math.abs(tokens - budget);
    if (distance < nearest.distance) nearest = { effort, distance };
  }
  return nearest.effort;
}

/** From the least to the most. `none` is no level: a model may be unable to do without reasoning. */
const levels = ['minimal', 'low', 'medium', 'high', 'xhigh', 'max'];

/** The level in the vendor's words; the next lower one that the model has, else the next higher. Null: it has none. */
function levelOf(effort: string, facts: UpstreamModel['facts']): string | null {
  const named = facts?.efforts?.[effort];
  if (typeof named === 'string') return named;
  // OpenAI's highest level is `xhigh`.
  if (named === undefined) return effort === 'max' ? levelOf('xhigh', facts) : effort;
  if (effort === 'none') return null;
  const at = levels.indexOf(effort);
  const others = [...levels.slice(0, at).reverse(), ...levels.slice(at + 1)];
  for (const other of others) {
    const word = facts?.efforts?.[other];
    if (typeof word === 'string') return word;
  }
  return null;
}

export function reasoningFields(wish: ReasoningWish, to: UpstreamModel, dropped: Set<string>): Fields {
  const { thinkingSwitch, noReasoningEffort } = to.quirks;
  if (wish.summary !== null && thinkingSwitch !== 'reasoning') dropped.add('reasoningSummary');
  const effort = wish.effort ?? (wish.budget === null ? null : nearestEffort(wish.budget));
  if (effort === null) return hidden(wish, to);
  const neverReasons = to.facts?.reasoning === false;
  if (neverReasons && effort === 'none') return {};
  const level = neverReasons ? null : levelOf(effort, to.facts);
  if (level === null) {
    dropped.add('effort');
    return {};
  }
  const isOn = effort !== 'none';
  if (thinkingSwitch === 'enable_thinking') return { enable_thinking: isOn };
  if (thinkingSwitch === 'reasoning') {
    const amount = wish.effort === null && wish.budget !== null && isOn ? { max_tokens: wish.budget } : { effort: level };
    return { reasoning: { ...amount, ...(wish.summary === 'none' ? { exclude: true } : {}) } };
  }
  const named = noReasoningEffort === true ? {} : { reasoning_effort: level };
  if (thinkingSwitch === 'thinking')
    return isOn ? { thinking: { type: 'enabled' }, ...named } : { thinking: { type: 'disabled' } };
  if (noReasoningEffort === true) dropped.add('effort');
  return named;
}

function hidden({ summary }: ReasoningWish, { quirks }: UpstreamModel): Fields {
  return summary === 'none' && quirks.thinkingSwitch === 'reasoning' ? { reasoning: { exclude: true } } : {};
}
