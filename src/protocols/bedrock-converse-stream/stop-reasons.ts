/** Converse's stop reasons (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html). */
import type { AnswerEnd, EndReason } from '../../core/conversation.ts';
import type { UpstreamFailure } from '../../core/protocol.ts';

const reasons: Readonly<Record<string, EndReason>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  tool_use: 'toolCalls',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  guardrail_intervened: 'contentFilter',
  content_filtered: 'contentFilter',
  refusal: 'refusal',
};

/** The model's words made no sense to Bedrock: what came of them is no answer. */
const broken: readonly string[] = ['malformed_model_output', 'malformed_tool_use'];

/** @param called the answer has a call: a client waits for its result, whatever the reason says */
export function readEnd(reason: unknown, called: boolean): AnswerEnd {
  const word = typeof reason === 'string' && reason !== '' ? reason : 'end_turn';
  const known = Object.hasOwn(reasons, word) ? reasons[word] : undefined;
  const end = known ?? 'stop';
  return { reason: end === 'stop' && called ? 'toolCalls' : end, sequence: null, unknown: known === undefined ? word : null };
}

/** @returns null for a reason that ends an answer */
export function failureOfStop(reason: unknown): UpstreamFailure | null {
  if (typeof reason !== 'string' || !broken.includes(reason)) return null;
  const message = `The model's answer could not be read (${reason}).`;
  return { kind: 'server_error', status: 502, message, param: null, code: reason, retryAfterMs: null, body: null };
}
