/** Anthropic's stop reasons, both ways (https://docs.claude.com/en/build-with-claude/handling-stop-reasons). */
import type { AnswerEnd, EndReason } from '../../core/conversation.ts';

const reasons: Readonly<Record<string, EndReason>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'toolCalls',
  refusal: 'refusal',
  sensitive: 'contentFilter',
  pause_turn: 'pause',
};

const words: Readonly<Record<EndReason, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  toolCalls: 'tool_use',
  // Anthropic has no word for an answer that a filter cut: `refusal` is the one that its clients do not take for a complete answer.
  contentFilter: 'refusal',
  refusal: 'refusal',
  pause: 'pause_turn',
};

/** @param reason the `stop_reason`; a complete answer without one ended by itself */
export function readEnd(reason: unknown, sequence: unknown): AnswerEnd {
  const word = typeof reason === 'string' && reason !== '' ? reason : 'end_turn';
  const known = Object.hasOwn(reasons, word) ? reasons[word] : undefined;
  return {
    reason: known ?? 'stop',
    sequence: typeof sequence === 'string' ? sequence : null,
    unknown: known === undefined ? word : null,
  };
}

export interface StopFields {
  readonly stop_reason: string;
  readonly stop_sequence: string | null;
}

/** @param refused the answer has a refusal in it, whatever reason its upstream gave */
export function writeEnd({ reason, sequence }: AnswerEnd, refused: boolean): StopFields {
  if (refused) return { stop_reason: 'refusal', stop_sequence: null };
  const stopped = reason === 'stop' && sequence !== null;
  return { stop_reason: stopped ? 'stop_sequence' : words[reason], stop_sequence: sequence };
}
