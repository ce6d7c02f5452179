/** The reasons for the end of an answer, both ways. */
import type { AnswerEnd, EndReason } from '../../core/conversation.ts';

/** OpenAI's reasons, and the words that compatible servers use in their place (reference: provider catalog 4.6). */
const reasons: ReadonlyMap<string, EndReason> = new Map<string, EndReason>([
  ['stop', 'stop'],
  ['end', 'stop'],
  ['eos', 'stop'],
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop'],
  ['length', 'length'],
  ['max_tokens', 'length'],
  ['model_length', 'length'],
  ['tool_calls', 'toolCalls'],
  ['function_call', 'toolCalls'],
  ['tool_use', 'toolCalls'],
  ['content_filter', 'contentFilter'],
  ['sensitive', 'contentFilter'],
  ['refusal', 'refusal'],
  ['pause_turn', 'pause'],
]);

/** Finishes by which vendors say that they failed, with the status that they stand for. */
export const failedFinishes: ReadonlyMap<string, number> = new Map([
  ['network_error', 502],
  ['insufficient_system_resource', 503],
]);

/** A cut or filtered answer is that, whatever another choice of it says. */
const strength: Readonly<Record<EndReason, number>> = {
  stop: 0,
  pause: 1,
  toolCalls: 2,
  refusal: 3,
  contentFilter: 4,
  length: 5,
};

export interface Facts {
  /** The answer has tool calls, whatever the upstream says at the end. */
  readonly hasCalls: boolean;
  readonly hasRefusal: boolean;
}

/** @param finishes the words of the upstream, one of each choice */
export function endOf(finishes: Iterable<string>, { hasCalls, hasRefusal }: Facts): AnswerEnd {
  let reason: EndReason = 'stop';
  let unknown: string | null = null;
  for (const finish of finishes) {
    const known = reasons.get(finish.toLowerCase());
    if (known === undefined) unknown = finish;
    else if (strength[known] > strength[reason]) reason = known;
  }
  // Agents wait for calls that were announced and never came.
  if (reason === 'toolCalls' || reason === 'stop') reason = hasCalls ? 'toolCalls' : hasRefusal ? 'refusal' : 'stop';
  return { reason, sequence: null, unknown };
}

export const finishOf: Readonly<Record<EndReason, string>> = {
  stop: 'stop',
  length: 'length',
  toolCalls: 'tool_calls',
  contentFilter: 'content_filter',
  refusal: 'content_filter',
  pause: 'stop',
};
